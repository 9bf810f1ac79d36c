"""The table, read once: what is known, missing or not applicable; and the way back to the user's dtypes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.applicable import find_absent
from bayesmi.data.codes import find_sentinels, looks_missing, no_numbers
from bayesmi.data.column import Column
from bayesmi.data.grouping import Grouping, group_rows, grouping_notices
from bayesmi.data.kinds import Kind, code_column, parse_kind
from bayesmi.data.levels import ROW, breaks, chance_of_agreement, check_level, deduce, find_level
from bayesmi.data.pandas_write import Cells
from bayesmi.data.printout import describe_frame
from bayesmi.data.table import Table, check_names, open_table
from bayesmi.data.wording import counted, did_you_mean, list_some, name_rows, short_number
from bayesmi.errors import DataError

_FEW_VALUES = (Kind.BINARY, Kind.NOMINAL, Kind.ORDINAL, Kind.COUNT)  # equal by chance now and then
_FEW_CODES = 10  # levels up to which numbers written as text are codes; beyond it is a number read as text
_BY_CHANCE = 0.01  # from which a level found is said to be in doubt


@dataclass(frozen=True, eq=False, repr=False)
class IncompleteFrame:
    """An incomplete table: kind, level and mask of every column, and the groups.

    Made by :meth:`from_table`; never changed. Observed cells are never touched, completed tables come back
    in the original dtypes, index and column order.

    Attributes
    ----------
    notices : tuple of str
        Remarks on the table, one line each.

    Examples
    --------
    >>> import bayesmi as bmi, pandas as pd
    >>> data = pd.DataFrame({"school": [1, 1, 2, 2], "texp": [5, 5, 9, 9], "score": [3.0, None, 7.5, 4.0]})
    >>> frame = bmi.IncompleteFrame.from_table(data, groups=["school"])
    >>> frame.columns["texp"].level, frame.columns["score"].n_missing
    ('school', 1)
    >>> frame.fill({"score": [6.25]})["score"].tolist()
    [3.0, 6.25, 7.5, 4.0]
    """

    _table: Table
    _columns: dict[str, Column]
    _groups: dict[str, Grouping]
    _deduced: dict[str, NDArray[np.float64]]
    _labelled: frozenset[str]  # columns stored as labels, not as numbers
    notices: tuple[str, ...]

    @classmethod
    def from_table(
        cls,
        data: Any,
        *,
        kinds: Mapping[str, Any] | None = None,
        groups: Sequence[str] = (),
        levels: Mapping[str, str] | None = None,
        where: Any = None,
        not_applicable: Mapping[str, str] | None = None,
    ) -> IncompleteFrame:
        """Read a table.

        Parameters
        ----------
        data
            A pandas or polars DataFrame, n rows.
        kinds
            Kind by column where the one that is found is not meant: ``{"visits": "count"}``. With levels,
            ``{"score": ("ordinal", range(-8, 9))}``, also those that never occur can be imputed.
        groups
            Grouping columns; ``"a:b"`` for the combinations of two.
        levels
            Level by column: ``"row"`` or one of `groups`.
        where
            What to impute: a boolean table or (n, p) array, or by column a boolean mask of shape (n,) (True
            = impute) or a condition such as ``"debut == 1"``. Missing cells outside are absent.
        not_applicable
            By column the condition under which it does not apply; missing cells there are absent.

        Returns
        -------
        IncompleteFrame

        Raises
        ------
        DataError
            When the table cannot be used; one line that names the column and the first rows.

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> data = pd.DataFrame({"school": [1, 1, 2, 2], "texp": [5, 5, 9, 9], "score": [3.0, None, 7.5, 4.0]})
        >>> frame = bmi.IncompleteFrame.from_table(data, groups=["school"])
        >>> frame.columns["score"].kind.value, list(frame.groups)
        ('continuous', ['school'])
        >>> frame = bmi.IncompleteFrame.from_table(data, kinds={"texp": "count"})
        >>> frame.columns["texp"].kind.value
        'count'
        """
        table = open_table(data)
        names = check_names(table)
        _check_known("kinds", kinds, names)
        _check_known("levels", levels, names)
        notices: list[str] = []
        columns: dict[str, Column] = {}
        labelled: set[str] = set()
        for position, name in enumerate(names):
            raw = table.read(position)
            wanted = parse_kind(name, kinds[name]) if kinds and name in kinds else None
            coding = code_column(raw, wanted)
            if np.isinf(coding.values).any():
                rows = name_rows(table.index, np.isinf(coding.values))
                raise DataError(
                    f"column {name!r} holds infinite values in {rows}: correct them or set them to missing"
                )
            if not coding.is_named and (wanted is None or wanted.kind is not Kind.IDENTIFIER):
                notices += raw.notices
            labelled |= {name} if raw.codes is not None else set()
            nothing = np.zeros(len(raw.missing), dtype=bool)
            columns[name] = Column(
                name,
                coding.kind,
                ROW,
                coding.values,
                raw.missing,
                nothing,
                coding.categories,
                coding.support,
                coding.is_named,
            )
        for name, absent in find_absent(columns, table.index, where, not_applicable).items():
            columns[name] = replace(columns[name], absent=absent, missing=columns[name].missing & ~absent)
        for name, own in columns.items():
            if own.is_named and own.never_seen:
                notices.append(
                    f"column {name!r}: {list_some(own.never_seen)} never occur; kinds= names them, so that they are imputed as "
                    "often as priors say"
                )
        groupings = {name: group_rows(name, table.keys, names, table.index) for name in dict.fromkeys(groups)}
        for grouping in groupings.values():
            notices += grouping_notices(grouping)
        deduced: dict[str, NDArray[np.float64]] = {}
        for name, column in columns.items():
            level = _level(column, table, groupings, (levels or {}).get(name))
            if level == ROW:
                if column.kind is not Kind.IDENTIFIER and name not in (levels or {}):
                    notices += _break_notices(column, groupings)
                continue
            columns[name] = replace(column, level=level)
            if column.kind is Kind.IDENTIFIER or not column.n_missing:
                continue
            known = deduce(column.values, column.missing, groupings[level])
            n_known = int((~np.isnan(known)).sum())
            if n_known:
                deduced[name] = known
                cells = counted(column.n_missing, "missing cell")
                cells = f"all {cells}" if n_known == column.n_missing else f"{n_known} of {cells}"
                verb = "is" if n_known == 1 else "are"
                line = f"column {name!r}: {cells} {verb} known from other rows of the same {level!r}"
                if name not in (levels or {}) and column.kind in _FEW_VALUES:
                    chance = chance_of_agreement(column.values, groupings[level])
                    if chance > _BY_CHANCE:
                        line += (
                            f", if it is the same in all of them; the few values to compare agree by chance with probability "
                            f"{chance:.2f}: say levels={{{name!r}: {level!r}}}, or 'row'"
                        )
                notices.append(line)
        return cls(table, columns, groupings, deduced, frozenset(labelled), tuple(notices))

    @property
    def n_rows(self) -> int:
        """Number of rows, n."""
        return len(self._table.index)

    @property
    def index(self) -> pd.Index:
        """Row labels; 0 … n-1 for a polars table."""
        return self._table.index

    @property
    def columns(self) -> Mapping[str, Column]:
        """Columns by name, in table order."""
        return MappingProxyType(self._columns)

    @property
    def groups(self) -> Mapping[str, Grouping]:
        """Groupings by name."""
        return MappingProxyType(self._groups)

    @property
    def deduced(self) -> Mapping[str, NDArray[np.float64]]:
        """By cluster-level column, shape (n,): value of a missing cell where its group has it, else NaN.

        These cells stay missing cells of the table, and are filled in completed tables; but the model knows
        them.
        """
        return MappingProxyType(self._deduced)

    def grouping(self, name: str) -> Grouping:
        """Return the grouping of that name.

        Parameters
        ----------
        name : str
            A grouping of ``groups=``.

        Returns
        -------
        Grouping

        Raises
        ------
        DataError
            When the table was not read with it in ``groups=``.

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> data = pd.DataFrame({"school": [1, 1, 2, 2], "texp": [5, 5, 9, 9], "score": [3.0, None, 7.5, 4.0]})
        >>> frame = bmi.IncompleteFrame.from_table(data, groups=["school"])
        >>> frame.grouping("school")
        Grouping('school', 2 groups, 2 rows each)
        """
        if name not in self._groups:
            raise DataError(
                f"{name!r} is no grouping of this table: {did_you_mean(name, list(self._groups))}"
            )
        return self._groups[name]

    def original(self) -> Any:
        """Return the table as it came, pandas or polars.

        Returns
        -------
        pandas.DataFrame or polars.DataFrame

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> data = pd.DataFrame({"school": [1, 1, 2, 2], "texp": [5, 5, 9, 9], "score": [3.0, None, 7.5, 4.0]})
        >>> frame = bmi.IncompleteFrame.from_table(data, groups=["school"])
        >>> frame.original().equals(data)
        True
        """
        return self._table.original()

    def fill(self, cells: Mapping[str, Any], *, integer_valued: Collection[str] = ()) -> Any:
        """Return a completed table in the original dtypes, index and column order.

        Parameters
        ----------
        cells
            By column, shape (n_missing,) in row order: numbers, or codes for categories. Columns that are
            not named stay incomplete.
        integer_valued
            Columns whose imputations are whole numbers, so that an integer dtype can stay.

        Returns
        -------
        pandas.DataFrame or polars.DataFrame
            Observed cells are bit-identical to the input, absent cells stay missing.

        Raises
        ------
        DataError
            For unknown columns, wrong lengths, and values that the column cannot take.

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> data = pd.DataFrame({"school": [1, 1, 2, 2], "texp": [5, 5, 9, 9], "score": [3.0, None, 7.5, 4.0]})
        >>> frame = bmi.IncompleteFrame.from_table(data, groups=["school"])
        >>> frame.fill({"score": [6.25]})["score"].tolist()
        [3.0, 6.25, 7.5, 4.0]
        """
        written = {name: self._cells(name, values, name in integer_valued) for name, values in cells.items()}
        return self._table.write({name: filled for name, filled in written.items() if len(filled.rows)})

    def missing_word_notices(self, names: Collection[str]) -> tuple[str, ...]:
        """Return a line for each of some columns with labels such as '' or '?', which are levels here and may be holes.

        Parameters
        ----------
        names
            The columns to look at.

        Returns
        -------
        tuple of str

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> frame = bmi.IncompleteFrame.from_table(pd.DataFrame({"job": ["cook", "?", "nurse", "nurse"]}))
        >>> for line in frame.missing_word_notices(["job"]):
        ...     print(line)
        column 'job': '?' in 1 cell is a level like the others; if it means missing: bmi.recode_missing(data, {'job': ['?']})
        """
        out = []
        for name, column in self.columns.items():
            found = {
                code: label for code, label in enumerate(column.categories or ()) if looks_missing(label)
            }
            if name not in names or not found:
                continue
            out.append(_like_the_others(column, list(found), list(found.values()), "level"))
        return tuple(out)

    def missing_number_notices(self, names: Collection[str]) -> tuple[str, ...]:
        """Return a line for each of some columns with numbers such as -99 that stand out like codes of missing values.

        Parameters
        ----------
        names
            The columns to look at.

        Returns
        -------
        tuple of str

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> frame = bmi.IncompleteFrame.from_table(pd.DataFrame({"age": [31, 45, 28, 52, -99]}))
        >>> for line in frame.missing_number_notices(["age"]):
        ...     print(line)
        column 'age': -99 in 1 cell is a number like the others; if it means missing: bmi.recode_missing(data, {'age': [-99]})
        """
        out = []
        for name, column in self.columns.items():
            if name not in names or column.categories is not None:
                continue
            observed = column.values[np.isfinite(column.values)]
            found = [int(code) for code in find_sentinels(*np.unique(observed, return_counts=True))]
            if found:
                out.append(_like_the_others(column, found, found, "number"))
        return tuple(out)

    def number_word_notices(self, names: Collection[str]) -> tuple[str, ...]:
        """Return a line for each of some columns whose many levels are numbers written as text.

        Parameters
        ----------
        names
            The columns to look at.

        Returns
        -------
        tuple of str

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> frame = bmi.IncompleteFrame.from_table(pd.DataFrame({"age": [str(age) for age in range(20, 50)] * 2}))
        >>> len(frame.number_word_notices(["age"]))
        1
        """
        out = []
        for name in [name for name in self.columns if name in names]:
            levels = self.columns[name].categories or ()
            others = no_numbers(levels) if len(levels) > _FEW_CODES else None
            if others is None:
                continue
            how_many = (
                f"all {len(levels)} levels"
                if not others
                else f"all of {len(levels)} levels but {list_some(others)}"
            )
            first = "correct these, then " if others else ""
            out.append(
                f"column {name!r}: {how_many} are numbers written as text, and each is a level of its own; if it is a "
                f"number: {first}data[{name!r}] = pd.to_numeric(data[{name!r}]); if not: kinds={{{name!r}: 'nominal'}}"
            )
        return tuple(out)

    def dtype_notices(self, names: Collection[str], integer_valued: Collection[str] = ()) -> tuple[str, ...]:
        """One line per column among `names` whose integer dtype becomes float to hold its imputations.

        Parameters
        ----------
        names
            The columns that are imputed.
        integer_valued
            Those whose imputations are whole numbers.

        Returns
        -------
        tuple of str

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> visits = pd.Series([3, None, 4, 7], dtype="Int64")
        >>> frame = bmi.IncompleteFrame.from_table(pd.DataFrame({"visits": visits}))
        >>> for line in frame.dtype_notices(["visits"]):
        ...     print(line)
        column 'visits' is Int64 and comes back as Float64: its imputations are not whole numbers
        >>> frame.dtype_notices(["visits"], ["visits"])
        ()
        """
        lines = []
        for name in names:
            column = self._columns[name]
            change = self._table.loses_integers(name)
            if change and column.n_missing and not self._stays_whole(column, name in integer_valued):
                lines.append(
                    f"column {name!r} is {change[0]} and comes back as {change[1]}:"
                    " its imputations are not whole numbers"
                )
        return tuple(lines)

    def is_whole(self, name: str, integer_valued: bool) -> bool:
        """Whether a numeric column holds whole numbers and still does when it is completed.

        Parameters
        ----------
        name
            A column.
        integer_valued
            Whether its imputations are whole numbers.

        Returns
        -------
        bool

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> data = pd.DataFrame({"school": [1, 1, 2, 2], "texp": [5, 5, 9, 9], "score": [3.0, None, 7.5, 4.0]})
        >>> frame = bmi.IncompleteFrame.from_table(data, groups=["school"])
        >>> frame.is_whole("texp", False), frame.is_whole("score", True)
        (True, False)
        """
        column = self._columns[name]
        seen = column.values[column.observed]
        if not column.is_numeric or bool((seen != np.floor(seen)).any()):
            return False
        return not column.n_missing or self._stays_whole(column, integer_valued)

    def _stays_whole(self, column: Column, integer_valued: bool) -> bool:
        """Two numbers, levels that are whole numbers, or a family that says so."""
        if column.support is not None:
            return all(v.is_integer() for v in column.support)
        if column.categories is not None:
            return all(isinstance(label, int) for label in column.categories)
        return integer_valued

    def _cells(self, name: str, values: Any, integer_valued: bool) -> Cells:
        """Check the values for the missing cells of a column, as its storage wants them."""
        if name not in self._columns:
            raise DataError(
                f"cannot fill {name!r}, which is not in the table: {did_you_mean(name, list(self._columns))}"
            )
        column = self._columns[name]
        numbers = np.asarray(values, dtype=np.float64)
        if column.kind is Kind.IDENTIFIER:
            raise DataError(f"cannot fill {name!r}: it is an identifier, and identifiers are not imputed")
        if numbers.shape != (column.n_missing,):
            raise DataError(
                f"column {name!r} has {column.n_missing} missing cells, got values of shape {numbers.shape}"
            )
        whole = self._stays_whole(column, integer_valued)
        wrong = numbers[~_possible(column, numbers, whole)]
        if len(wrong):
            raise DataError(
                f"column {name!r} cannot take the value {short_number(wrong[0])}: {_takes(column)}"
            )
        rows = np.flatnonzero(column.missing)
        if column.categories is None:
            return Cells(rows, numbers=numbers, whole=whole)
        labels = np.empty(len(column.categories), dtype=object)
        labels[:] = column.categories
        chosen = labels[numbers.astype(np.intp)]
        if name in self._labelled:
            return Cells(rows, labels=chosen)
        return Cells(rows, numbers=chosen.astype(np.float64), whole=whole)

    def __repr__(self) -> str:
        return describe_frame(self)


def _check_known(argument: str, given: Mapping[str, Any] | None, names: list[str]) -> None:
    """Refuse overrides of columns that the table does not have."""
    for name in given or {}:
        if name not in names:
            raise DataError(
                f"{argument}= names {name!r}, which is not in the table: {did_you_mean(name, names)}"
            )


def _level(column: Column, table: Table, groupings: Mapping[str, Grouping], wanted: str | None) -> str:
    """Find or check the level; identifiers are compared by their codes."""
    if wanted == ROW or (wanted is None and not groupings):
        return ROW
    values, categories = column.values, column.categories
    if column.kind is Kind.IDENTIFIER:
        try:
            codes, categories = table.keys(column.name)
        except DataError:
            return ROW
        values = np.where(codes < 0, np.nan, codes)
    if wanted is None:
        return find_level(values, groupings.values())
    return check_level(column.name, wanted, values, groupings, categories)


def _break_notices(column: Column, groupings: Mapping[str, Grouping]) -> tuple[str, ...]:
    """Return the line about a column that is constant in nearly all groups: one wrong cell makes it a variable of rows."""
    for name, grouping in groupings.items():
        if column.name in name.split(":"):
            continue
        differs = breaks(column.values, grouping)
        if len(differs):
            return (
                f"column {column.name!r} differs within {list_some(grouping.labels[k] for k in differs)} of {name!r} and is "
                f"constant within every other: it counts as a variable of rows; if it is one of {name!r}, correct it",
            )
    return ()


def _possible(column: Column, numbers: NDArray[np.float64], whole: bool) -> NDArray[np.bool_]:
    """Which values the column can take."""
    if column.categories is not None:
        return (numbers >= 0) & (numbers < len(column.categories)) & (numbers == np.floor(numbers))
    if column.support is not None:
        return np.isin(numbers, column.support)
    finite = np.isfinite(numbers)
    return finite & (numbers == np.floor(numbers)) if whole else finite


def _takes(column: Column) -> str:
    """Return what a column can take, in words."""
    if column.categories is not None:
        return f"it takes codes 0 to {len(column.categories) - 1} of {list_some(column.categories)}"
    if column.support is not None:
        return f"it takes {short_number(column.support[0])} or {short_number(column.support[1])}"
    return "it takes finite numbers, whole ones if it is integer-valued"


def _like_the_others(column: Column, values: Sequence[float], shown: Sequence[object], noun: str) -> str:
    """Say that some values of a column, which may mean missing, are taken as they are."""
    cells = counted(int(np.isin(column.values, values).sum()), "cell")
    taken = f"is a {noun}" if len(shown) == 1 else f"are {noun}s"
    return (
        f"column {column.name!r}: {list_some(shown)} in {cells} {taken} like the others; if it means missing: "
        f"bmi.recode_missing(data, {{{column.name!r}: {shown!r}}})"
    )
