"""Variance components and intraclass correlations: their mean, and an interval where there is one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.errors import PoolError
from bayesmi.pool.inference import Rule, infer, pool_moments
from bayesmi.pool.scales import BACK, TO

__all__ = ["COMPONENT_COLUMNS", "pool_variance_components"]

Floats = NDArray[np.float64]

COMPONENT_COLUMNS = ("estimate", "std.error", "scale", "singular")


def pool_variance_components(fits: Sequence[pd.DataFrame], rule: Rule = "rubin1987") -> pd.DataFrame:
    """Pool variances, covariances and intraclass correlations.

    Parameters
    ----------
    fits : sequence of DataFrame
        One per completed data set, indexed by term ("Intercept~~Intercept|school", "Residual~~Residual",
        "ICC|school"), with the columns estimate, std.error (NaN where unknown), scale ("log" for variances,
        "logit" for proportions, "identity" for covariances) and singular (estimated at the boundary).
    rule : {"rubin1987", "reiter2003"}, default "rubin1987"
        Missing data, or partially synthetic data.

    Returns
    -------
    DataFrame
        Indexed by term: estimate, conf.low, conf.high, mcse (Monte Carlo error of the estimate), fmi (on
        the scale of the interval), scale, reason (why there is no interval, else empty).

    Raises
    ------
    PoolError
        If the fits have different components.

    Notes
    -----
    The estimate is the plain mean, as in mitml's `testEstimates(extra.pars = TRUE)`. Peers give no
    interval. Ours is by Rubin's rules on the log scale of a variance, the logit scale of an intraclass
    correlation and the plain scale of a covariance, with delta-method standard errors, and carried back;
    its centre is therefore not exactly the plain mean. It exists only where every fit is interior and has a
    standard error.
    """
    first = fits[0]
    for i, fit in enumerate(fits, start=1):
        if set(fit.index) != set(first.index):
            odd = sorted(set(fit.index) ^ set(first.index))[0]
            raise PoolError(
                f"data set {i}: variance component {odd!r} is not in every data set: fit one model"
            )
    rows = [_pool_one(str(term), [fit.loc[term] for fit in fits], rule) for term in first.index]
    return pd.DataFrame(rows).set_index("term")


def _pool_one(term: str, fits: Sequence[pd.Series], rule: Rule) -> dict[str, object]:
    """One row of the result."""
    estimates = np.array([float(fit["estimate"]) for fit in fits])
    errors = np.array([float(fit["std.error"]) for fit in fits])
    singular = np.array([bool(fit["singular"]) for fit in fits])
    scale, m = str(fits[0]["scale"]), len(fits)
    low = high = fmi = np.nan
    without = ~(np.isfinite(errors) & (errors > 0))
    if singular.any():
        reason = f"no interval: {singular.sum()} of {m} fits singular"
    elif without.any():
        reason = f"no interval: no standard error in {without.sum()} of {m} fits"
    else:
        reason = ""
        z, slope = TO[scale](estimates)
        pooled = pool_moments(rule, m, z.mean(), ((errors * slope) ** 2).mean(), z.var(ddof=1), dfcom=np.inf)
        interval = infer(pooled)
        low, high = (float(BACK[scale](limit)) for limit in (interval.conf_low, interval.conf_high))
        fmi = float(pooled.fmi)
    return {
        "term": term,
        "estimate": estimates.mean(),
        "conf.low": low,
        "conf.high": high,
        "mcse": np.sqrt(estimates.var(ddof=1) / m),
        "fmi": fmi,
        "scale": scale,
        "reason": reason,
    }
