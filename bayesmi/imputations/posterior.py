"""Missing cells out of the posterior of any PyMC model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame
from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError
from bayesmi.imputations.draws import StoredDraws
from bayesmi.imputations.spacing import choose_draws

__all__ = ["draws_from_posterior", "posterior_dataset"]


def posterior_dataset(source: Any) -> Any:
    """Return the posterior as an ``xarray.Dataset`` with dims chain and draw.

    Parameters
    ----------
    source
        A `Fit`, a DataTree with a ``posterior`` group, its posterior node, or a Dataset.

    Raises
    ------
    DataError
        If there is no posterior with the dims ``chain`` and ``draw`` in it.
    """
    node = getattr(source, "posterior", source)
    dataset = node.to_dataset() if hasattr(node, "to_dataset") and not hasattr(node, "to_dataarray") else node
    sizes = getattr(dataset, "sizes", {})
    if not hasattr(dataset, "data_vars") or "chain" not in sizes or "draw" not in sizes:
        raise DataError(
            f"no posterior with dims chain and draw in this {type(source).__name__}: "
            "pass what pm.sample() returns, or its .posterior"
        )
    return dataset


def draws_from_posterior(
    frame: IncompleteFrame, source: Any, cells: Mapping[str, str], m: int, seed: int | None
) -> StoredDraws:
    """Take m spaced draws of the cells out of a posterior: all variables of an imputation from one draw.

    Parameters
    ----------
    frame
        The incomplete table.
    source
        DataTree, posterior node or Dataset, as `posterior_dataset` takes it.
    cells
        Column -> posterior variable with dims chain, draw and one of length n_missing.
    m, seed
        As `choose_draws` takes them.

    Raises
    ------
    DataError
        If a column, a variable or a size does not fit, or a chosen draw is not finite or no value of the
        column.
    """
    if not isinstance(cells, Mapping):
        raise DataError(f"cells= is a mapping by column, such as {{'age': 'age_missing'}}, not {cells!r}")
    if not cells:
        raise DataError(
            "cells= is empty: say which posterior variable holds which column, cells={'age': 'age_missing'}"
        )
    posterior = posterior_dataset(source)
    chosen = choose_draws(posterior.sizes["chain"], posterior.sizes["draw"], m, seed)
    chains, draws = (np.array(axis) for axis in zip(*chosen, strict=True))
    values = {}
    for name, variable in cells.items():
        column = _column(frame, name)
        array = _cell_array(posterior, variable, frame, column)[chains, draws].astype(float)
        _check_values(array, column, variable)
        values[name] = array
    return StoredDraws(values, tuple(chosen))


def _column(frame: IncompleteFrame, name: str) -> Column:
    """Find the incomplete column of this name, or say why there is none."""
    if name not in frame.columns:
        raise DataError(
            f"cells= names column '{name}', which the table does not have: "
            f"{did_you_mean(name, list(frame.columns))}"
        )
    column = frame.columns[name]
    if column.n_missing == 0:
        raise DataError(f"cells= names column '{name}', which has no missing cell: leave it out")
    return column


def _cell_array(posterior: Any, variable: str, frame: IncompleteFrame, column: Column) -> NDArray[Any]:
    """Shape (chains, draws, n_missing), cells in row order."""
    if variable not in posterior.data_vars:
        raise DataError(
            f"column '{column.name}': the posterior has no variable '{variable}'"
            f"; {did_you_mean(variable, list(map(str, posterior.data_vars)))}"
        )
    array = posterior[variable]
    others = [dim for dim in array.dims if dim not in ("chain", "draw")]
    sizes = ", ".join(f"{dim} {array.sizes[dim]}" for dim in others) or "none"
    if len(others) != 1 or array.sizes[others[0]] != column.n_missing:
        whole = (
            "; it holds all rows: take the missing ones only"
            if len(others) == 1 and array.sizes[others[0]] == frame.n_rows
            else ""
        )
        raise DataError(
            f"column '{column.name}' has {column.n_missing} missing cells, so variable '{variable}' needs "
            f"one dim of "
            f"that length beside chain and draw; it has {sizes}{whole}"
        )
    array = array.transpose("chain", "draw", others[0])
    labels = frame.index[column.missing]
    if others[0] in array.coords and labels.is_unique:
        coordinate = pd.Index(array.coords[others[0]].to_numpy())
        position = coordinate.get_indexer(labels) if coordinate.is_unique else np.array([-1])
        if len(position) == len(labels) and (position >= 0).all():  # labelled by row: the labels decide
            return np.asarray(array.to_numpy()[:, :, position])
    return np.asarray(array.to_numpy())


def _check_values(array: NDArray[np.float64], column: Column, variable: str) -> None:
    """Refuse draws that cannot stand in the column."""
    bad = ~np.isfinite(array)
    if bad.any():
        i, cell = np.argwhere(bad)[0]
        raise DataError(
            f"variable '{variable}' is {array[i, cell]} in a chosen draw (missing cell {cell} of "
            f"'{column.name}')"
        )
    if column.categories is not None:
        k = len(column.categories)
        outside = (array != np.round(array)) | (array < 0) | (array > k - 1)
        wanted = (
            f"the codes 0 … {k - 1} of {', '.join(map(repr, column.categories[:6]))}{' …' if k > 6 else ''}"
        )
    elif column.support is not None:
        outside = ~np.isin(array, column.support)
        wanted = (
            f"{' or '.join(f'{value:g}' for value in column.support)}"
            f" (if other values are meant: kinds={{'{column.name}': 'continuous'}})"
        )
    else:
        return
    if outside.any():
        raise DataError(
            f"variable '{variable}' holds {array[outside][0]:g}, but {column.kind} column '{column.name}' "
            f"takes {wanted}"
        )
