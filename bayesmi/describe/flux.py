"""Influx and outflux: how a variable's holes connect to the rest of the table (FIMD 4.1.3)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["flux"]


def flux(observed: pd.DataFrame) -> pd.DataFrame:
    """Influx, outflux and related shares for every variable.

    Parameters
    ----------
    observed : DataFrame of bool, shape (n, p)
        True where a value is observed.

    Returns
    -------
    DataFrame
        By variable: ``pobs`` share observed; ``influx``, ``outflux``; ``ainb``, ``aout`` average share of
        inbound and outbound pairs; ``fico`` share of incomplete rows among those with the variable observed.
        NaN where a share has nothing in its denominator.

    Notes
    -----
    With mr_jk the number of rows where j is missing and k observed (and so on):
    influx_j = Σ_k mr_jk / Σ_k (mr_jk + rr_jk), outflux_j = Σ_k rm_jk / Σ_k (rm_jk + mm_jk),
    ainb_j = mean over k ≠ j of mr_jk / (mr_jk + mm_jk), aout_j of rm_jk / (rm_jk + rr_jk): van Buuren (2018)
    section 4.1.3 and mice's ``flux``, which sums over all k, j itself included, and averages over p - 1.

    Examples
    --------
    >>> flux(pd.DataFrame({"a": [True, True, True], "b": [True, False, False]})).round(2)
       pobs  influx  outflux  ainb  aout  fico
    a  1.00     0.0      1.0   0.0  0.67  0.67
    b  0.33     0.5      0.0   1.0  0.00  0.00
    """
    r = observed.to_numpy(dtype=float)
    m = 1.0 - r
    rr, rm, mr, mm = r.T @ r, r.T @ m, m.T @ r, m.T @ m
    incomplete = (m.sum(axis=1) > 0).astype(float)
    return pd.DataFrame(
        {
            "pobs": r.mean(axis=0) if len(r) else np.nan,
            "influx": _share(mr.sum(axis=1), (mr + rr).sum(axis=1)),
            "outflux": _share(rm.sum(axis=1), (rm + mm).sum(axis=1)),
            "ainb": _average(mr, mr + mm),
            "aout": _average(rm, rm + rr),
            "fico": _share(r.T @ incomplete, r.sum(axis=0)),
        },
        index=observed.columns,
    )


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Elementwise share, NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _average(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Row sums of defined shares over p - 1; a variable has no partner when p = 1."""
    shares = _share(part, whole)
    if len(shares) < 2:
        return np.full(len(shares), np.nan)
    return np.asarray(np.nansum(shares, axis=1) / (len(shares) - 1))
