"""Clusters: which row belongs to which group, for one column or for several crossed (`a:b`)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.codes import looks_missing
from bayesmi.data.wording import did_you_mean, list_some, name_rows
from bayesmi.errors import DataError

Keys = Callable[[str], tuple[NDArray[np.intp], tuple[Any, ...]]]


@dataclass(frozen=True, eq=False)
class Grouping:
    """The groups of one grouping factor.

    Parameters
    ----------
    name
        ``"school"``, or ``"a:b"`` as ``(1 | a/b)`` writes the inner factor.
    codes
        Shape (n,). Group of every row, 0 … G-1.
    labels
        The G labels, sorted; of ``"a:b"`` the texts ``"a label:b label"`` of the combinations that occur.
    first_row
        Shape (G,). First row of each group.
    sizes
        Shape (G,). Rows in each group.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmi.data import IncompleteFrame
    >>> data = pd.DataFrame({"school": ["b", "a", "b"], "y": [1.0, 2.0, 3.5]})
    >>> school = IncompleteFrame.from_table(data, groups=["school"]).grouping("school")
    >>> school.labels, school.codes.tolist(), school.sizes.tolist()
    (('a', 'b'), [1, 0, 1], [1, 2])
    """

    name: str
    codes: NDArray[np.intp]
    labels: tuple[Hashable, ...]
    first_row: NDArray[np.intp]
    sizes: NDArray[np.intp]

    def __post_init__(self) -> None:
        for field in ("codes", "first_row", "sizes"):
            array = getattr(self, field).view()
            array.flags.writeable = False
            object.__setattr__(self, field, array)

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.labels)

    def any_of(self, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which groups hold one of some rows, shape (G,).

        Parameters
        ----------
        rows
            Shape (n,). True for these rows.

        Returns
        -------
        ndarray of bool
            Shape (G,).

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> data = pd.DataFrame({"school": [1, 1, 2, 2], "texp": [5, 5, 9, 9], "score": [3.0, None, 7.5, 4.0]})
        >>> frame = bmi.IncompleteFrame.from_table(data, groups=["school"])
        >>> frame.grouping("school").any_of(frame.columns["score"].missing).tolist()
        [True, False]
        """
        return np.bincount(self.codes[rows], minlength=self.n_groups) > 0

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of the known values in each group, shape (G,), NaN where there is none.

        Parameters
        ----------
        values
            Shape (n,), NaN where unknown.

        Returns
        -------
        ndarray
            Shape (G,).

        Examples
        --------
        >>> import bayesmi as bmi, pandas as pd
        >>> data = pd.DataFrame({"school": [1, 1, 2, 2], "texp": [5, 5, 9, 9], "score": [3.0, None, 7.5, 4.0]})
        >>> frame = bmi.IncompleteFrame.from_table(data, groups=["school"])
        >>> frame.grouping("school").means(frame.columns["score"].values).tolist()
        [3.0, 5.75]
        """
        known = np.isfinite(values)
        size = np.bincount(self.codes[known], minlength=self.n_groups)
        total = np.bincount(self.codes[known], weights=values[known], minlength=self.n_groups)
        return np.divide(total, size, out=np.full(self.n_groups, np.nan), where=size > 0)

    def __repr__(self) -> str:
        low, high = int(self.sizes.min()), int(self.sizes.max())
        rows = f"{low} rows each" if low == high else f"{low} to {high} rows each"
        return f"Grouping({self.name!r}, {self.n_groups} groups, {rows})"


def group_rows(name: str, keys: Keys, names: Sequence[str], index: pd.Index) -> Grouping:
    """Return the grouping of a column, or of several joined by colons; every row must have its group."""
    parts = [name] if name in names else [part.strip() for part in name.split(":")]
    coded = []
    for part in parts:
        if part not in names:
            raise DataError(
                f"grouping column {part!r} is not in the table: {did_you_mean(part, list(names))}"
            )
        codes, labels = keys(part)
        blank = [k for k, label in enumerate(labels) if isinstance(label, str) and not label.strip()]
        nowhere = (codes < 0) | np.isin(codes, blank)
        if nowhere.any():
            rows = name_rows(index, nowhere)
            raise DataError(
                f"grouping column {part!r} is missing in {rows}: give every row its group, or leave such rows out"
            )
        coded.append((codes, labels))
    codes, labels = coded[0]
    for inner_codes, inner_labels in coded[1:]:
        codes, labels = _cross(codes, labels, inner_codes, inner_labels)
    first_row = np.full(len(labels), len(codes), dtype=np.intp)
    np.minimum.at(first_row, codes, np.arange(len(codes), dtype=np.intp))
    sizes = np.bincount(codes, minlength=len(labels)).astype(np.intp)
    return Grouping(name, codes, labels, first_row, sizes)


def _cross(
    codes: NDArray[np.intp],
    labels: tuple[Any, ...],
    inner_codes: NDArray[np.intp],
    inner_labels: tuple[Any, ...],
) -> tuple[NDArray[np.intp], tuple[Any, ...]]:
    """Cross two codings: the combinations that occur, in the order of their parts."""
    n_inner = len(inner_labels)
    pairs, crossed = np.unique(codes * n_inner + inner_codes, return_inverse=True)
    chosen = [(labels[p // n_inner], inner_labels[p % n_inner]) for p in pairs.tolist()]
    texts = tuple(f"{_written(a)}:{_written(b)}" for a, b in chosen)
    if len(set(texts)) < len(texts):  # labels that hold colons themselves
        texts = tuple(f"{a!r}:{b!r}" for a, b in chosen)
    return crossed.astype(np.intp), texts


def _written(label: Any) -> str:
    """Write 1.0 as 1, or the same groups were others where a table holds them as floats."""
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)


def rank_within(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return of each row how many rows before it have the same code."""
    order = np.argsort(codes, kind="stable")
    rank = np.empty(len(codes), dtype=np.intp)
    rank[order] = np.arange(len(codes)) - np.searchsorted(codes[order], codes[order])
    return rank


def grouping_notices(grouping: Grouping) -> tuple[str, ...]:
    """Return lines about groups of one row, and about labels that may be no group, or the same one written in two ways."""
    return (*_single_rows(grouping), *_doubtful_labels(grouping))


def _single_rows(grouping: Grouping) -> tuple[str, ...]:
    single = int((grouping.sizes == 1).sum())
    if not single:
        return ()
    if single == grouping.n_groups:
        return (
            f"grouping {grouping.name!r}: every group has one row, so groups and rows cannot be told apart",
        )
    return (f"grouping {grouping.name!r}: {single} of {grouping.n_groups} groups have one row",)


def _doubtful_labels(grouping: Grouping) -> tuple[str, ...]:
    texts = [label for label in grouping.labels if isinstance(label, str)]
    lines = []
    words = [text for text in texts if looks_missing(text)]
    if words:
        lines.append(
            f"grouping {grouping.name!r}: {list_some(words)} {'is a group' if len(words) == 1 else 'are groups'} like the "
            "others; if it means that the group is not known, give these rows theirs, or leave them out"
        )
    spellings: dict[str, list[str]] = {}
    for text in texts:
        spellings.setdefault(" ".join(text.casefold().split()), []).append(text)
    alike = [found for found in spellings.values() if len(found) > 1]
    if alike:
        more = f", and {len(alike) - 1} more such" if len(alike) > 1 else ""
        lines.append(
            f"grouping {grouping.name!r}: {list_some(alike[0])} differ in blanks or capitals only and are groups of their "
            f"own{more}; if they are the same, write them alike"
        )
    return tuple(lines)
