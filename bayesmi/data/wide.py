"""Repeated measurements from long to wide and back; every cell knows the row that it came from."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.wording import did_you_mean, list_some, name_rows, plain
from bayesmi.errors import DataError

__all__ = ["WideTable", "constant_columns", "to_wide", "unit_codes"]


@dataclass(frozen=True, eq=False, repr=False)
class WideTable:
    """One row a unit, one column a measurement and occasion; made by `to_wide`.

    Attributes
    ----------
    table : DataFrame, n rows
        Indexed by unit, in order of first appearance: the columns that are constant within units, then
        ``value_occasion`` for each measured column and occasion; NaN where there is no row or no value.
    occasions : tuple
        The J occasions in order.
    measured : tuple of str
        The columns that were spread.
    rows : ndarray of int, shape (n, J)
        Position of each unit and occasion in the long table, -1 where it has no row.

    Examples
    --------
    >>> import bayesmi as bmi, pandas as pd
    >>> long = pd.DataFrame({"id": [1, 1, 2, 2], "week": [0, 4, 0, 4], "y": [1.0, None, 3.0, 4.0]})
    >>> wide = bmi.to_wide(long, id="id", time="week", values="y")
    >>> wide.table.shape, wide.occasions, wide.measured
    ((2, 2), (0, 4), ('y',))
    >>> wide.to_long(wide.table.fillna({"y_4": 2.5}))["y"].tolist()
    [1.0, 2.5, 3.0, 4.0]
    """

    table: pd.DataFrame
    occasions: tuple[Hashable, ...]
    measured: tuple[str, ...]
    rows: NDArray[np.intp]
    _source: pd.DataFrame
    _id: str

    def columns_of(self, name: str) -> list[str]:
        """Return the wide columns of a measured column, by occasion.

        Parameters
        ----------
        name : str
            A measured column.

        Returns
        -------
        list of str

        Raises
        ------
        DataError
            If the column was not spread.

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> long = pd.DataFrame({"id": [1, 1, 2, 2], "week": [0, 4, 0, 4], "y": [1.0, None, 3.0, 4.0]})
        >>> wide = bmi.to_wide(long, id="id", time="week", values="y")
        >>> wide.columns_of("y")
        ['y_0', 'y_4']
        """
        if name not in self.measured:
            raise DataError(f"{name!r} is not a measured column: {did_you_mean(name, list(self.measured))}")
        return [f"{name}_{plain(occasion)}" for occasion in self.occasions]

    def to_long(self, table: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the long table with the values of a wide one, such as a completed data set.

        Parameters
        ----------
        table : DataFrame, optional
            With the units and columns of `table`; by default that one itself.

        Returns
        -------
        DataFrame
            Rows, index and columns of the long table as it came. A cell is only written where its value differs
            from what the wide table held, so that everything else is untouched.

        Raises
        ------
        DataError
            If units or columns differ, or a value belongs to an occasion without a row.

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> long = pd.DataFrame({"id": [1, 1, 2, 2], "week": [0, 4, 0, 4], "y": [1.0, None, 3.0, 4.0]})
        >>> wide = bmi.to_wide(long, id="id", time="week", values="y")
        >>> wide.to_long(wide.table.fillna({"y_4": 2.5}))["y"].tolist()
        [1.0, 2.5, 3.0, 4.0]
        """
        table = self.table if table is None else table
        missing = [name for name in self.table.columns if name not in table.columns]
        if missing:
            raise DataError(f"the wide table lacks the column {missing[0]!r}")
        if not table.index.equals(self.table.index):
            raise DataError("the wide table has other units, or in another order: keep its index as it was")
        long = self._source.copy()
        present = self.rows >= 0
        for name in self.measured:
            for j, column in enumerate(self.columns_of(name)):
                changed = _differs(table[column], self.table[column])
                if (changed & ~present[:, j]).any():
                    unit = table.index[int(np.argmax(changed & ~present[:, j]))]
                    raise DataError(
                        f"{column!r} has a value for {self._id} {plain(unit)!r}, who has no row at that occasion: "
                        "add rows first, by bmi.trial.expand_visits()"
                    )
                _write(long, name, self.rows[changed, j], table[column][changed])
        for name in [c for c in self.table.columns if c in self._source.columns]:
            changed = _differs(table[name], self.table[name])
            unit_of_row = self.table.index.get_indexer(pd.Index(self._source[self._id]))
            rows = np.flatnonzero(changed[unit_of_row])
            _write(long, name, rows, table[name].iloc[unit_of_row[rows]])
        return long

    def __repr__(self) -> str:
        return (
            f"WideTable: {len(self.table)} × {self._id}, {len(self.occasions)} occasions "
            f"({list_some(self.occasions)}) of {', '.join(self.measured)}; {int((self.rows < 0).sum())} without a row"
        )


def to_wide(
    data: pd.DataFrame,
    *,
    id: str,
    time: str,
    values: str | Sequence[str] | None = None,
    occasions: Sequence[Hashable] | None = None,
) -> WideTable:
    """Spread repeated measurements: one row a unit, and back by `WideTable.to_long`.

    Parameters
    ----------
    data : DataFrame
        One row a unit and occasion.
    id, time : str
        Columns of the unit and the occasion.
    values : str or sequence of str, optional
        Columns to spread; by default all that vary within a unit. The others must be constant within units.
    occasions : sequence, optional
        The occasions in order; by default categories in their order, numbers (also as text) sorted.

    Returns
    -------
    WideTable

    Raises
    ------
    DataError
        If a unit has two rows at an occasion, or a column that is not spread varies within a unit.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import pandas as pd
    >>> long = pd.DataFrame({"id": [1, 1, 2], "week": [0, 4, 0], "arm": ["a", "a", "b"], "y": [1.0, 2.0, 3.0]})
    >>> wide = bmi.to_wide(long, id="id", time="week")
    >>> wide.table.columns.tolist(), wide.table["y_4"].tolist()
    (['arm', 'y_0', 'y_4'], [2.0, nan])
    >>> wide.to_long().equals(long)
    True
    """
    _need(data, id, time)
    order = occasion_order(data[time], time, occasions)
    codes, units = unit_codes(data, id)
    rows = place_rows(data, id, time, codes, len(units), order)
    constant = constant_columns(data, codes, [name for name in data.columns if name not in (id, time)])
    if values is None:
        measured = [name for name in data.columns if name not in (id, time, *constant)]
    else:
        measured = [values] if isinstance(values, str) else list(values)
        _need(data, *measured)
        for name in data.columns:
            if name not in (id, time, *measured, *constant):
                raise DataError(
                    f"column {name!r} varies within {id}: name it in values=, or leave it out of the table"
                )
    parts: dict[str, Any] = {}
    for name in [name for name in data.columns if name in constant and name not in measured]:
        parts[name] = first_known(data[name], codes, len(units))
    for name in measured:
        for j, occasion in enumerate(order):
            column = f"{name}_{plain(occasion)}"
            if column in parts or column in data.columns:
                raise DataError(f"column {column!r} would have the name of another: rename one of them")
            parts[column] = take(data[name], rows[:, j])
    table = pd.DataFrame({name: values_.array for name, values_ in parts.items()})
    table.index = pd.Index(units, name=id)
    rows.flags.writeable = False
    return WideTable(table, tuple(order), tuple(measured), rows, data.copy(), id)


def occasion_order(column: pd.Series, name: str, given: Sequence[Hashable] | None) -> list[Hashable]:
    """Return the occasions in order: as given, as categories stand, or as numbers sort."""
    if column.isna().any():
        raise DataError(f"column {name!r} is missing in {name_rows(column.index, column.isna().to_numpy())}")
    seen = list(dict.fromkeys(column.tolist()))
    if given is not None:
        unknown = [value for value in seen if value not in given]
        if unknown:
            raise DataError(f"column {name!r} holds {unknown[0]!r}, which is not among the occasions given")
        return list(given)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [value for value in column.cat.categories if value in seen]
    try:
        return sorted(seen, key=lambda value: float(value))
    except (TypeError, ValueError):
        pass
    if all(hasattr(value, "toordinal") for value in seen):
        return sorted(seen)
    raise DataError(
        f"the order of {list_some(seen)} in column {name!r} is not known: give it in order, or make the column an "
        "ordered category"
    )


def unit_codes(data: pd.DataFrame, id: str) -> tuple[NDArray[np.intp], list[Hashable]]:
    """Return the unit of each row and the units, in order of first appearance."""
    missing = data[id].isna().to_numpy()
    if missing.any():
        raise DataError(f"column {id!r} is missing in {name_rows(data.index, missing)}")
    codes, units = pd.factorize(data[id], sort=False)
    return codes.astype(np.intp), [plain(unit) for unit in units]


def place_rows(
    data: pd.DataFrame, id: str, time: str, codes: NDArray[np.intp], n_units: int, order: Sequence[Hashable]
) -> NDArray[np.intp]:
    """Return the row of each unit and occasion, (n, J), -1 where there is none."""
    place = {occasion: j for j, occasion in enumerate(order)}
    at = np.array([place[value] for value in data[time].tolist()], dtype=np.intp)
    twice = pd.Series(codes * len(order) + at).duplicated(keep="first").to_numpy()
    if twice.any():
        row = int(np.argmax(twice))
        raise DataError(
            f"{id} {plain(data[id].iloc[row])!r} has two rows at {time} {plain(data[time].iloc[row])!r}: "
            f"the second is {name_rows(data.index, np.array([row], dtype=np.intp))}"
        )
    rows = np.full((n_units, len(order)), -1, dtype=np.intp)
    rows[codes, at] = np.arange(len(data))
    return rows


def constant_columns(data: pd.DataFrame, codes: NDArray[np.intp], names: Sequence[str]) -> list[str]:
    """Return the columns with at most one known value within each unit."""
    if not len(data):
        return list(names)
    by = pd.DataFrame({name: pd.factorize(data[name])[0] for name in names})
    by = by.mask(by < 0)
    spread = by.groupby(codes).nunique()
    return [name for name in names if int(spread[name].max()) <= 1]


def first_known(column: pd.Series, codes: NDArray[np.intp], n_units: int) -> pd.Series:
    """Return each unit's first known value, missing where none is known; dtype kept where it can hold that."""
    known = column.notna().to_numpy()
    rows = np.full(n_units, -1, dtype=np.intp)
    positions = np.flatnonzero(known)[::-1]
    rows[codes[positions]] = positions
    return take(column, rows)


def take(column: pd.Series, rows: NDArray[np.intp]) -> pd.Series:
    """Return the values at these rows, missing at -1."""
    return column.reset_index(drop=True).reindex(np.where(rows < 0, len(column), rows)).reset_index(drop=True)


def _differs(new: pd.Series, old: pd.Series) -> NDArray[np.bool_]:
    """Which cells hold another value, both missing counting as the same."""
    both = new.isna().to_numpy() & old.isna().to_numpy()
    one = new.isna().to_numpy() != old.isna().to_numpy()
    same = np.array([a == b for a, b in zip(new.tolist(), old.tolist(), strict=True)], dtype=object)
    return one | (~both & ~one & ~(same == True))  # noqa: E712  (NA compares to NA)


def _write(long: pd.DataFrame, name: str, rows: NDArray[np.intp], values: pd.Series) -> None:
    """Put values at positions; integers become floats where the values need it."""
    if not len(rows):
        return
    column = long[name]
    if column.dtype.kind in "iu" and not all(float(v).is_integer() for v in values.tolist()):
        column = column.astype(float)
    column = column.copy()
    column.iloc[rows] = (
        values.to_numpy() if not isinstance(column.dtype, pd.CategoricalDtype) else values.tolist()
    )
    long[name] = column


def _need(data: pd.DataFrame, *names: str) -> None:
    """Refuse what is no pandas table, or lacks a column."""
    if not isinstance(data, pd.DataFrame):
        raise DataError(f"a pandas table is needed, not {type(data).__name__}: use .to_pandas()")
    for name in names:
        if name not in data.columns:
            raise DataError(f"no column {name!r}: {did_you_mean(name, [str(c) for c in data.columns])}")
