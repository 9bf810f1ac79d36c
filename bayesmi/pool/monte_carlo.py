"""How far the pooled numbers would move with other imputations: Monte Carlo errors by the jackknife."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.pool.estimates import Estimates
from bayesmi.pool.ftest import FTest
from bayesmi.pool.inference import Rule, infer, pool_moments
from bayesmi.pool.rubin import Rubin

__all__ = ["columns_of", "monte_carlo", "monte_carlo_of_test"]

Floats = NDArray[np.float64]

# all of the table but the estimate, whose error is exact, and dfcom, which has none
_COLUMNS = (
    "ubar",
    "b",
    "t",
    "df",
    "riv",
    "lambda",
    "fmi",
    "std.error",
    "statistic",
    "p.value",
    "conf.low",
    "conf.high",
)


def monte_carlo(estimates: Estimates, dfcom: Floats, rule: Rule = "rubin1987") -> pd.DataFrame:
    """Monte Carlo standard error of every pooled quantity.

    Parameters
    ----------
    estimates : Estimates
        Of the m completed data sets.
    dfcom : ndarray, shape (k,)
        Complete-data degrees of freedom.
    rule : {"rubin1987", "reiter2003"}
        How they are pooled.

    Returns
    -------
    DataFrame
        One row per term. With m = 2 only the error of the estimate exists; the others are NaN.

    Notes
    -----
    Jackknife over the data sets, as Royston, Carlin and White (2009) and White, Royston and Wood (2011,
    section 7): with v_i the quantity without data set i, the error is sqrt((m - 1)/m sum (v_i - vbar)^2).
    For the estimate this is sqrt(b/m) exactly.
    """
    m, index = estimates.m, pd.Index(estimates.terms, name="term")
    q, u = estimates.values, estimates.variances
    b = q.var(axis=0, ddof=1)
    error = {"estimate": np.sqrt(b / m)}
    if m > 2:
        # moments without data set i, from those with it
        deviation = q - q.mean(axis=0)
        left_out = pool_moments(
            rule,
            m - 1,
            q.mean(axis=0) - deviation / (m - 1),
            (u.sum(axis=0) - u) / (m - 1),
            np.maximum(0.0, ((m - 1) * b - m / (m - 1) * deviation**2) / (m - 2)),
            dfcom,
        )
        replicates = columns_of(left_out)
        error |= {name: _jackknife(replicates[name]) for name in _COLUMNS}
    else:
        error |= dict.fromkeys(_COLUMNS, np.full(len(estimates.terms), np.nan))
    return pd.DataFrame(error, index=index)


def columns_of(pooled: Rubin) -> Mapping[str, Floats]:
    """Every pooled quantity under mice's column name, in the order of the table.

    Parameters
    ----------
    pooled : Rubin
        What the rules gave.

    Returns
    -------
    dict of ndarray
    """
    test = infer(pooled)
    return {
        "estimate": pooled.estimate,
        "ubar": pooled.ubar,
        "b": pooled.b,
        "t": pooled.t,
        "dfcom": pooled.dfcom,
        "df": pooled.df,
        "riv": pooled.riv,
        "lambda": pooled.lambda_,
        "fmi": pooled.fmi,
        "std.error": test.std_error,
        "statistic": test.statistic,
        "p.value": test.p_value,
        "conf.low": test.conf_low,
        "conf.high": test.conf_high,
    }


def monte_carlo_of_test(left_out: Sequence[FTest]) -> dict[str, float]:
    """Monte Carlo error of a pooled test.

    Parameters
    ----------
    left_out : sequence of FTest
        The test without data set 1, …, m.

    Returns
    -------
    dict of float
        For F.value, df2, P(>F) and RIV; NaN where one is infinite without a data set.
    """
    table = np.array([[one.statistic, one.df2, one.p_value, one.riv] for one in left_out])
    return dict(zip(("F.value", "df2", "P(>F)", "RIV"), _jackknife(table).tolist(), strict=True))


def _jackknife(values: Floats) -> Floats:
    """Jackknife error over axis 0; zero where nothing moves, NaN where infinity comes and goes."""
    m = len(values)
    still = (values == values[0]).all(axis=0)
    finite = np.isfinite(values).all(axis=0)
    deviation = np.where(finite, values, 0.0)
    deviation = deviation - deviation.mean(axis=0)
    error = np.sqrt((m - 1) / m * (deviation**2).sum(axis=0))
    return np.where(still, 0.0, np.where(finite, error, np.nan))
