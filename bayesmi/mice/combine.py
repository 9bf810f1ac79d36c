"""Imputations put together: more rows, more columns, more imputations; mice's rbind, cbind and ibind."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.errors import BayesmiNotice, DataError
from bayesmi.imputations import Imputations
from bayesmi.imputations.layouts import is_polars
from bayesmi.mice.assemble import assemble
from bayesmi.mice.shifts import Shifts, merge_deltas, shifts_of
from bayesmi.mice.tables import beside, column, is_table, under, with_index

__all__ = ["cbind", "ibind", "rbind"]


def rbind(first: Imputations, *others: Any) -> Imputations:
    """Put rows under rows, such as groups that were imputed apart.

    Parameters
    ----------
    first : Imputations
        m imputations; method, predictor matrix and seed are taken from it.
    *others : Imputations or DataFrame
        The same columns and m; a DataFrame is the same in every imputation, and its holes stay.

    Returns
    -------
    Imputations

    Raises
    ------
    DataError
        If columns or m differ.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> nhanes = bmi.datasets.load("nhanes")
    >>> first = bmi.impute(nhanes.iloc[:13], "chl ~ bmi", m=5, seed=1, progress=False)
    >>> second = bmi.impute(nhanes.iloc[13:], "chl ~ bmi", m=5, seed=2, progress=False)
    >>> both = bmi.rbind(first, second)
    >>> both.complete(1).shape, both.m
    ((25, 4), 5)
    """
    parts = [_tables(first, first.m)]
    shifts = [shifts_of(first, parts[0][1:])]
    names = [str(name) for name in first.frame.columns]
    for other in others:
        tables = _tables(other, first.m)
        theirs = [str(name) for name in tables[0].columns]
        if sorted(theirs) != sorted(names):
            odd = sorted(set(theirs) ^ set(names))
            raise DataError(f"rbind: the tables differ in column '{odd[0]}': rows need the same columns")
        parts.append([table[names] for table in tables])
        shifts.append(shifts_of(other, parts[-1][1:]))
    stacked = [under([part[number] for part in parts]) for number in range(first.m + 1)]
    if not is_polars(stacked[0]) and not stacked[0].index.is_unique:
        warnings.warn("rbind: row labels repeat and are numbered anew", BayesmiNotice, stacklevel=2)
        stacked = [with_index(table, pd.RangeIndex(len(table))) for table in stacked]
    sizes = [len(part[0]) for part in parts]
    deltas = merge_deltas("rbind", shifts)
    plain = [under([part.tables[i][names] for part in shifts]) for i in range(first.m)] if deltas else []
    moved = {
        name: np.concatenate(
            [part.moved.get(name, np.zeros(n, dtype=bool)) for part, n in zip(shifts, sizes, strict=True)]
        )
        for name in deltas
    }
    return assemble(stacked[0], stacked[1:], like=first, shifts=Shifts(plain, deltas, moved))


def cbind(first: Imputations, other: Any) -> Imputations:
    """Put columns beside columns.

    Parameters
    ----------
    first : Imputations
        n rows; method, predictor matrix and seed are taken from it.
    other : Imputations, DataFrame, Series or mapping of columns
        The same n rows in the same order, and the same m. What is not Imputations is the same in every imputation; its
        method is "".

    Returns
    -------
    Imputations

    Raises
    ------
    DataError
        If rows or m differ, or a column is in both.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
    >>> more = bmi.cbind(imputed, {"half": ["first"] * 13 + ["second"] * 12})
    >>> more.complete(1).shape, more.complete(1)["half"].iloc[-1]
    ((25, 5), 'second')
    """
    n = first.frame.n_rows
    if isinstance(other, pd.Series):
        if not isinstance(other.name, str):
            raise DataError("cbind: the Series has no name: pass {'name': series}")
        other = other.to_frame()
    if isinstance(other, Mapping):
        values = {name: [v] * n if np.ndim(v) == 0 else getattr(v, "array", v) for name, v in other.items()}
        other = _as_library(values, first)
    tables = _tables(other, first.m)
    if len(tables[0]) != n:
        raise DataError(f"cbind: {n} rows beside {len(tables[0])}")
    for name in tables[0].columns:
        if name in first.frame.columns:
            raise DataError(f"cbind: column '{name}' is in both: rename one of them")
    mine = _tables(first, first.m)
    joined = [beside(left, right) for left, right in zip(mine, tables, strict=True)]
    own, added = shifts_of(first, mine[1:]), shifts_of(other, tables[1:])
    deltas = {**own.deltas, **added.deltas}
    plain = [beside(a, b) for a, b in zip(own.tables, added.tables, strict=True)] if deltas else []
    shifts = Shifts(plain, deltas, {**own.moved, **added.moved})
    if not isinstance(other, Imputations):
        return assemble(joined[0], joined[1:], like=first, shifts=shifts)
    ours, theirs, names = first.mids, other.mids, [str(name) for name in joined[0].columns]
    left, right = ours.for_columns(names), theirs.for_columns(names)
    merged = replace(
        left,
        method={**left.method, **{name: right.method[name] for name in other.frame.columns}},
        post={**left.post, **{name: right.post[name] for name in other.frame.columns if name in right.post}},
        predictor_matrix=left.predictor_matrix + right.predictor_matrix,
        visit_sequence=(*ours.visit_sequence, *theirs.visit_sequence),
        formulas={**ours.formulas, **theirs.formulas},
        logged_events=pd.concat([ours.logged_events, theirs.logged_events], ignore_index=True),
    )
    return assemble(joined[0], joined[1:], like=first, mids=merged, shifts=shifts)


def ibind(first: Imputations, *others: Imputations) -> Imputations:
    """Put more imputations of the same table together.

    Parameters
    ----------
    first, *others : Imputations
        Of the same incomplete table with the same cells imputed.

    Returns
    -------
    Imputations
        With the sum of their m.

    Raises
    ------
    DataError
        If the incomplete tables or the imputed cells differ, or an imputation would be there twice.

    Notes
    -----
    Imputations of one fit with different seeds may choose the same posterior draw; ask for them at once by m instead.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> ten, twenty = fit.impute(10, seed=1), fit.impute(20, seed=2)
    >>> bmi.ibind(ten, twenty).m
    30
    """
    tables = _tables(first, first.m)
    shifts = [shifts_of(first, tables[1:])]
    for position, other in enumerate(others, start=2):
        _same_table(first, other, position)
        if other is first or _draws_of(other) & _draws_of(first):
            raise DataError(
                f"ibind: argument {position} holds the same imputations as another one (same seed): "
                "they would count twice"
            )
        more = _tables(other, other.m)[1:]
        tables += more
        shifts.append(shifts_of(other, more))
    plain = [table for part in shifts for table in part.tables]
    return assemble(
        tables[0],
        tables[1:],
        like=first,
        shifts=Shifts(plain, merge_deltas("ibind", shifts, same_rows=True), shifts[0].moved),
    )


def _draws_of(imputed: Imputations) -> set[bytes]:
    """Imputed cells of each imputation, to see whether two are the same."""
    cells = [imputed.draws_of(name) for name in imputed.names if np.ptp(imputed.draws_of(name)) > 0]
    if not cells:
        return set()
    together = np.vstack(cells)
    return {together[:, i].tobytes() for i in range(imputed.m)} if together.shape[0] > 20 else set()


def _same_table(first: Imputations, other: Imputations, position: int) -> None:
    """Refuse imputations of another table."""
    if not isinstance(other, Imputations):
        raise DataError(f"ibind: argument {position} is a {type(other).__name__}, not Imputations")
    if list(first.frame.columns) != list(other.frame.columns) or first.frame.n_rows != other.frame.n_rows:
        raise DataError(
            f"ibind: argument {position} is of another table: "
            f"{other.frame.n_rows} rows, columns {', '.join(other.frame.columns)}"
        )
    ours, theirs = first.frame.original(), other.frame.original()
    for name in first.frame.columns:
        a, b = column(ours, name), column(theirs, name)
        if (a.isna() != b.isna()).any() or (
            first.where[name].to_numpy() != other.where[name].to_numpy()
        ).any():
            raise DataError(
                f"ibind: argument {position} has other missing or imputed cells in column '{name}'"
            )
        seen = a.notna()
        if list(a[seen]) != list(b[seen]):
            raise DataError(f"ibind: argument {position} has other observed values in column '{name}'")


def _tables(thing: Any, m: int) -> list[Any]:
    """Return tables 0 … m; a plain table is the same in all."""
    if isinstance(thing, Imputations):
        if thing.m != m:
            raise DataError(f"{m} imputations cannot be joined with {thing.m}: m must be the same")
        return [thing.frame.original(), *thing]
    if is_table(thing):
        return [thing] * (m + 1)
    raise DataError(f"expected Imputations or a DataFrame, not a {type(thing).__name__}")


def _as_library(values: Mapping[str, Any], first: Imputations) -> Any:
    """Columns as a table of the library the data came in."""
    if is_polars(first.frame.original()):
        import polars as pl

        return pl.DataFrame({name: list(v) for name, v in values.items()})
    return pd.DataFrame(values)
