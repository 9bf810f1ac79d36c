"""How many imputations are enough, judged from the ones at hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from bayesmi.pool.inference import Rule
from bayesmi.pool.rubin import Rubin

__all__ = ["Recommendation", "recommend_m"]

Floats = NDArray[np.float64]

# Monte Carlo error of an estimate as a share of its standard error (White, Royston and Wood 2011)
_ERROR_SHARE = 0.10
# coefficient of variation of a standard error over repeated imputation (von Hippel 2020)
_CV = 0.05


@dataclass(frozen=True, eq=False)
class Recommendation:
    """The m that two published rules ask for.

    Attributes
    ----------
    m : int
        The larger of both rules over all terms.
    enough : bool
        Whether the imputations at hand reach it.
    reason : str
        One line: which term and which rule decide.
    table : DataFrame
        One row per term, a column per rule.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> pooled = bmi.pool([({"x": 1.0}, [[1.0]]), ({"x": 1.1}, [[1.0]]), ({"x": 1.2}, [[1.0]])])
    >>> pooled.recommendation.m == pooled.recommended_m, pooled.recommendation.enough
    (True, True)
    >>> list(pooled.recommendation.table.columns)
    ['estimate', 'std.error']
    """

    m: int
    enough: bool
    reason: str
    table: pd.DataFrame

    def __str__(self) -> str:
        return self.reason


def recommend_m(terms: tuple[str, ...], pooled: Rubin, rule: Rule = "rubin1987") -> Recommendation:
    """Smallest m that satisfies both rules for every term.

    Parameters
    ----------
    terms : tuple of str
        The k names.
    pooled : Rubin
        Pooled scalars, shape (k,).
    rule : {"rubin1987", "reiter2003"}, default "rubin1987"
        Missing data, or partially synthetic data, whose total variance is ubar + b/m.

    Returns
    -------
    Recommendation

    Notes
    -----
    *Estimate*: its Monte Carlo error sqrt(b/m) is at most a tenth of its standard error sqrt(ubar + b + b/m)
    (White, Royston and Wood 2011): m >= 99 b / (ubar + b).

    *Standard error*: its coefficient of variation over repeated imputation is at most 5 %: m >= 1 +
    (fmi/0.05)^2 / 2 (von Hippel 2020, two-stage quadratic rule), with fmi at the upper limit of its 95 %
    interval on the logit scale, logit(fmi) + 1.96 sqrt(2/m). That limit is wide for a small pilot m and
    narrows as m grows.

    For synthetic data the same two shares are computed from b/m itself: m >= 99 b / ubar, and the standard deviation of
    sqrt(ubar + b/m), with b on m - 1 degrees of freedom, at most 5 % of it.

    Examples
    --------
    >>> from bayesmi.pool.rubin import combine
    >>> print(recommend_m(("x",), combine(20, [1.0], [0.8], [0.2])))
    m = 24: the standard error of x varies by less than 5 % from then on (von Hippel 2020)
    """
    estimate_rule, error_rule = (_for_synthetic if rule == "reiter2003" else _for_missing)(pooled)
    table = pd.DataFrame(
        {
            # a hair below, so that 5.000000001 does not become 6
            "estimate": np.maximum(2, np.ceil(estimate_rule - 1e-9)).astype(int),
            "std.error": np.maximum(2, np.ceil(error_rule - 1e-9)).astype(int),
        },
        index=pd.Index(terms, name="term"),
    )
    sources = ("", "") if rule == "reiter2003" else (" (White 2011)", " (von Hippel 2020)")
    m = int(table.to_numpy().max())
    at_estimate = int(table["estimate"].max()) == m
    term = table["estimate" if at_estimate else "std.error"].idxmax()
    reason = (
        f"m = {m}: the Monte Carlo error of {term} is a tenth of its SE or less from then on{sources[0]}"
        if at_estimate
        else f"m = {m}: the standard error of {term} varies by less than 5 % from then on{sources[1]}"
    )
    return Recommendation(m, pooled.m >= m, reason, table)


def _for_missing(pooled: Rubin) -> tuple[Floats, Floats]:
    """The m that each rule asks for, per term."""
    estimate_rule = (1.0 / _ERROR_SHARE**2 - 1.0) * pooled.b / (pooled.ubar + pooled.b)
    fmi = np.where(np.isnan(pooled.fmi), 0.0, np.clip(pooled.fmi, 0.0, 1.0))
    upper = special.expit(special.logit(fmi) + special.ndtri(0.975) * np.sqrt(2.0 / pooled.m))
    return estimate_rule, 1.0 + 0.5 * (upper / _CV) ** 2


def _for_synthetic(pooled: Rubin) -> tuple[Floats, Floats]:
    """The same where the total variance is ubar + b/m."""
    estimate_rule = (1.0 / _ERROR_SHARE**2 - 1.0) * pooled.b / pooled.ubar
    error_rule = np.full_like(estimate_rule, 2.0)
    m = np.arange(2.0, 202.0)  # at 201 even a share of one is steady enough
    for j, ratio in np.ndenumerate(pooled.b / pooled.ubar):
        share = ratio / m / (1.0 + ratio / m)  # of the total variance that is b/m
        error_rule[j] = m[np.argmax(share * np.sqrt(0.5 / (m - 1.0)) <= _CV)]
    return estimate_rule, error_rule
