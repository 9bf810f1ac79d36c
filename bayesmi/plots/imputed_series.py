"""Mean and standard deviation of the imputed values of each imputation, and where on its chain it is from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import DataError
from bayesmi.imputations import Imputations
from bayesmi.plots.sources import imputed_column

__all__ = ["ImputedSeries", "imputed_series"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ImputedSeries:
    """One statistic of the imputed values of one column.

    Attributes
    ----------
    title : str
        "age: mean".
    values : ndarray, shape (m,)
        Of each imputation.
    observed : float
        The same of the observed values; NaN where there are none.
    chain, draw : ndarray of int, shape (m,)
        Where each imputation comes from.
    """

    title: str
    values: Floats
    observed: float
    chain: NDArray[np.intp]
    draw: NDArray[np.intp]


def imputed_series(imputations: Imputations, names: str | Sequence[str] | None) -> list[ImputedSeries]:
    """Mean and sd of numbers; share of the level most often observed of categories.

    Parameters
    ----------
    imputations : Imputations
        At least two.
    names : str, sequence of str or None
        Imputed columns; all by default.

    Returns
    -------
    list of ImputedSeries

    Raises
    ------
    DataError
        If there is one imputation, or a column was not imputed.
    """
    if imputations.m < 2:
        raise DataError("one imputation makes no series: impute with m = 20 or more")
    chosen = [names] if isinstance(names, str) else list(imputations.names if names is None else names)
    if not chosen:
        raise DataError("no column is imputed: nothing to draw")
    origin = imputations.origin
    chain, draw = (origin[part].to_numpy(dtype=np.intp) for part in ("chain", "draw"))
    series = []
    for name in chosen:
        found = imputed_column(imputations, name)
        if not found.imputed.size:
            raise DataError(f"column '{name}' has no missing cell: nothing to draw")
        if found.column.categories is not None:
            codes, counts = np.unique(found.observed, return_counts=True)
            modal = codes[counts.argmax()] if len(codes) else 0.0
            label = found.column.categories[int(modal)]
            share = (found.imputed == modal).mean(axis=0)
            series.append(
                ImputedSeries(
                    f"{name}: share of {label}", share, float((found.observed == modal).mean()), chain, draw
                )
            )
            continue
        seen = found.observed
        mean = float(seen.mean()) if len(seen) else float("nan")
        series.append(ImputedSeries(f"{name}: mean", found.imputed.mean(axis=0), mean, chain, draw))
        if len(found.imputed) > 1:
            sd = float(seen.std(ddof=1)) if len(seen) > 1 else float("nan")
            series.append(ImputedSeries(f"{name}: sd", found.imputed.std(axis=0, ddof=1), sd, chain, draw))
    return series
