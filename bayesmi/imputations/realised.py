"""What a delta came to: how far imputed values moved, in all and for a unit of delta, by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError
from bayesmi.imputations.delta_after import moved_cells
from bayesmi.mechanism import Delta
from bayesmi.mechanism.cell_shift import cell_shift, group_labels

__all__ = ["realised_difference"]

Floats = NDArray[np.float64]


def realised_difference(
    draws: Any,
    frame: Any,
    *,
    by: str | Sequence[str] | None = None,
    before: Sequence[Any] | None = None,
    after: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """Return the table of `Imputations.realised_difference`, of cells that are given or else drawn."""
    deltas: Mapping[str, Delta] = getattr(draws, "deltas", {})
    if not deltas:
        raise DataError(
            "these imputations hold no delta: say mechanisms={'x': bmi.Delta(…)} in Model(), or imputed.delta_after({'x': -5})"
        )
    model = getattr(draws, "model", None)
    before = [draws.before(i) for i in range(draws.m)] if before is None else before
    after = [draws.cells(i) for i in range(draws.m)] if after is None else after
    records = []
    for name, delta in deltas.items():
        missing = frame.columns[name].missing
        inside = moved_cells(draws, frame, name)
        rows = np.flatnonzero(missing)[inside]
        old = np.stack([np.asarray(one[name], dtype=float)[inside] for one in before])
        new = np.stack([np.asarray(one[name], dtype=float)[inside] for one in after])
        groups = _groups(by, delta, frame, rows)
        labels = group_labels(groups, frame, rows)
        seen_rows = _rows_with(groups, frame, np.flatnonzero(frame.columns[name].observed))
        seen_labels = group_labels(groups, frame, seen_rows)
        amounts = _amounts(delta, frame, rows, name)
        for what, function in _quantities(name, frame, model, delta):
            observed = function(frame.columns[name].values[seen_rows])
            for group in dict.fromkeys(labels):
                own, there = labels == group, seen_labels == group
                seen = observed[there].mean() if there.any() else np.nan
                was, now = function(old[:, own]).mean(axis=1), function(new[:, own]).mean(axis=1)
                difference = now - was
                mean = np.nan if amounts is None else float(amounts[own].mean())
                records.append(
                    {
                        "variable": what,
                        "group": group,
                        "delta": delta.name,
                        "cells": int(own.sum()),
                        "amount": mean,
                        "before": was.mean(),
                        "after": now.mean(),
                        "difference": difference.mean(),
                        "per_unit": difference.mean() / mean if np.isfinite(mean) and mean != 0.0 else np.nan,
                        "mcse": difference.std(ddof=1) / np.sqrt(len(was)) if len(was) > 1 else np.nan,
                        "observed": seen,
                        "imputed - observed": now.mean() - seen,
                    }
                )
    return pd.DataFrame.from_records(records).set_index(["variable", "group"])


def _groups(
    by: str | Sequence[str] | None, delta: Delta, frame: Any, rows: NDArray[np.intp]
) -> tuple[str, ...]:
    """Return the columns whose levels are the groups, by default the delta's."""
    if by is None:
        return delta.by
    names = (by,) if isinstance(by, str) else tuple(by)
    for name in names:
        if name not in frame.columns:
            raise DataError(
                f"by= names {name!r}, which is not a column: {did_you_mean(name, list(frame.columns))}"
            )
        values = frame.columns[name].values
        if name in frame.deduced:
            values = np.where(frame.columns[name].missing, frame.deduced[name], values)
        if not np.isfinite(values[rows]).all():
            raise DataError(f"by={name!r} is not known in every row where the variable is missing")
    return names


def _rows_with(groups: Sequence[str], frame: Any, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return those of the rows in which the group is known."""
    known = np.ones(len(rows), dtype=bool)
    for name in groups:
        values = frame.columns[name].values
        if name in frame.deduced:
            values = np.where(frame.columns[name].missing, frame.deduced[name], values)
        known &= np.isfinite(values[rows])
    return rows[known]


def _amounts(delta: Delta, frame: Any, rows: NDArray[np.intp], name: str) -> Floats | None:
    """Amount of each cell where it is a number that is the same in every imputation."""
    if delta.priors or delta.has_categories or any(isinstance(e.amount, str) for e in delta.entries):
        return None
    try:  # of a part of a table other groups are elsewhere, and a condition may name levels that are not here
        return cell_shift(delta, frame, rows, {}, np.zeros(0), strict=False).shift
    except DataError:
        return None


def _quantities(name: str, frame: Any, model: Any, delta: Delta) -> list[tuple[str, Any]]:
    """What is averaged: the number, the share of the higher of two, each category's share, the mean code of ordered levels."""
    column = frame.columns[name]
    if column.categories is None:
        return [(name, lambda values: values)]
    codes = range(len(column.categories))
    nominal = (
        column.kind == "nominal" or delta.has_categories
        if model is None
        else model.factor(name).family.has_equations
    )
    if nominal:
        return [(f"{name}[{column.categories[k]}]", lambda values, k=k: (values == k) * 1.0) for k in codes]
    if column.kind == "binary":
        return [(f"{name}[{column.categories[1]}]", lambda values: (values == 1) * 1.0)]
    return [(name, lambda values: values)]
