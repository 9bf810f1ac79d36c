"""r-hat, ESS and Monte Carlo error of chains, from arviz-stats' array layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["TAIL", "ess_bulk", "ess_tail", "mcse_mean", "r_hat"]

Floats = NDArray[np.float64]
TAIL = (0.05, 0.95)


def r_hat(chains: Floats) -> Floats:
    """Rank-normalised split r-hat (Vehtari et al. 2021) of (quantities, chains, draws); NaN for a single chain."""
    from arviz_stats.base import array_stats

    if chains.shape[1] < 2 or not len(chains):
        return np.full(len(chains), np.nan)
    return np.asarray(array_stats.rhat(chains), dtype=float)


def ess_bulk(chains: Floats) -> Floats:
    """Bulk effective sample size."""
    from arviz_stats.base import array_stats

    return np.asarray(array_stats.ess(chains, method="bulk"), dtype=float) if len(chains) else np.zeros(0)


def ess_tail(chains: Floats) -> Floats:
    """Tail effective sample size: the smaller one of the 5 % and the 95 % quantile."""
    from arviz_stats.base import array_stats

    return (
        np.asarray(array_stats.ess(chains, method="tail", prob=TAIL), dtype=float)
        if len(chains)
        else np.zeros(0)
    )


def mcse_mean(chains: Floats) -> Floats:
    """Monte Carlo standard error of the mean."""
    from arviz_stats.base import array_stats

    return np.asarray(array_stats.mcse(chains, method="mean"), dtype=float) if len(chains) else np.zeros(0)
