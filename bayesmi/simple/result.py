"""Completed tables of a simple method, with a statement of what it is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame
from bayesmi.data.wording import counted, list_some
from bayesmi.errors import DataError
from bayesmi.explore.source import columns_of
from bayesmi.imputations import Imputations, StoredDraws

__all__ = ["SimpleImputation", "columns_to_impute", "most_frequent"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SimpleImputation:
    """One or m completed tables of a simple method.

    Attributes
    ----------
    method : str
        The method.
    statement : str
        What it does, and what is wrong with it.
    frame : IncompleteFrame
        The incomplete table.
    imputed : mapping of str to ndarray, shape (m, n_missing)
        Numbers or codes for the missing cells of each imputed column, in row order.
    seed : int or None
        Makes the same tables again; None where nothing is random.
    notes : tuple of str
        Remarks on these data.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> found = bmi.simple.mean(bmi.datasets.load("nhanes"), ["bmi", "chl"])
    >>> found.method, found.m, found.imputed["bmi"].shape
    ('mean imputation', 1, (1, 9))
    """

    method: str
    statement: str
    frame: IncompleteFrame
    imputed: Mapping[str, Floats]
    seed: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def m(self) -> int:
        """Number of completed tables."""
        return len(next(iter(self.imputed.values())))

    @property
    def data(self) -> Any:
        """The completed table; the first if there are several."""
        return self.complete(1)

    def complete(self, number: int | str = 1) -> Any:
        """Return completed table 1 … m, in the original dtypes; 0 is the incomplete table; "long", "all" and others as mice.

        Columns that the method did not impute keep their holes.

        Parameters
        ----------
        number : int or str
            1 … m, 0, or a form of `Imputations.complete`.

        Returns
        -------
        DataFrame or dict of int to DataFrame
            pandas or polars, as the data came.

        Raises
        ------
        DataError
            If there is no such table or form.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> found = bmi.simple.mean(bmi.datasets.load("nhanes"), ["bmi", "chl"])
        >>> found.complete(1).isna().sum().to_dict()
        {'age': 0, 'bmi': 0, 'hyp': 8, 'chl': 0}
        """
        if isinstance(number, str):
            return self.to_imputations().complete(number)
        if number == 0:
            return self.frame.original()
        if not 1 <= number <= self.m:
            raise DataError(f"there is no completed table {number}: they are numbered from 1 to {self.m}")
        cells = {name: values[number - 1] for name, values in self.imputed.items()}
        return self.frame.fill(cells, integer_valued=self._whole())

    def to_imputations(self) -> Imputations:
        """Return the tables as `Imputations`, to analyse and pool them like others.

        Rubin's rules assume imputations drawn with the uncertainty of the parameters. These are not: pooled standard
        errors come out too small, and for a single table they are those of complete data.

        Returns
        -------
        Imputations

        Examples
        --------
        >>> import bayesmi as bmi
        >>> found = bmi.simple.stochastic_regression(bmi.datasets.load("nhanes"), "bmi ~ age", m=5, seed=1)
        >>> found.to_imputations().with_("bmi ~ age").pool().m
        5
        """
        values = {name: np.ascontiguousarray(drawn) for name, drawn in self.imputed.items()}
        draws = StoredDraws(values, tuple((0, i) for i in range(self.m)))
        return Imputations(self.frame, draws, seed=self.seed, integer_valued=self._whole())

    def __len__(self) -> int:
        return self.m

    def __iter__(self) -> Iterator[Any]:
        return (self.complete(i) for i in range(1, self.m + 1))

    def __repr__(self) -> str:
        cells = ", ".join(f"{name} {values.shape[1]}" for name, values in self.imputed.items())
        seed = "" if self.seed is None else f"; seed {self.seed}"
        lines = [f"{self.method}: {counted(self.m, 'completed table')}; cells imputed: {cells}{seed}"]
        lines += textwrap.wrap(self.statement, 108)
        lines += [
            f"- {note}" for note in (*self.notes, *self.frame.dtype_notices(self.imputed, self._whole()))
        ]
        return "\n".join(lines)

    def _whole(self) -> frozenset[str]:
        """Columns whose imputed values are all whole."""
        return frozenset(name for name, values in self.imputed.items() if (values == np.floor(values)).all())


def columns_to_impute(frame: IncompleteFrame, names: Any) -> list[Column]:
    """Columns with holes that can be imputed: the named ones, or all."""
    if names is None:
        chosen = [c for c in frame.columns.values() if c.n_missing and c.kind != "identifier"]
        if not chosen:
            raise DataError("no column has a missing cell that could be imputed")
    else:
        chosen = columns_of(frame, names)
    for column in chosen:
        if column.kind == "identifier":
            raise DataError(f"column {column.name!r} is an identifier, and identifiers are not imputed")
        if not column.n_missing:
            raise DataError(f"column {column.name!r} has no missing cell: leave it out")
        if not column.n_observed:
            raise DataError(f"column {column.name!r} has no observed value to impute from: leave it out")
    return chosen


def most_frequent(values: Floats) -> float:
    """Value that occurs most often; of several the first that occurs."""
    distinct, first, counts = np.unique(values, return_index=True, return_counts=True)
    best = counts == counts.max()
    return float(distinct[best][np.argmin(first[best])])


def skipped(frame: IncompleteFrame, chosen: list[Column]) -> tuple[str, ...]:
    """Say which columns keep their holes."""
    names = {column.name for column in chosen}
    left = [name for name, column in frame.columns.items() if column.n_missing and name not in names]
    return (f"still incomplete: {list_some(left)}",) if left else ()
