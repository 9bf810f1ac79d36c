"""A Prior as scipy's distribution, to draw from it and to know its density away from the sampler."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmi.errors import ModelError
from bayesmi.priors import Prior

__all__ = ["scipy_distribution"]


def scipy_distribution(prior: Prior, name: str) -> Any:
    """Return a frozen scipy distribution.

    Parameters
    ----------
    prior : Prior
        Any but LKJ.
    name : str
        The parameter, for the error.

    Raises
    ------
    ModelError
        If the prior is improper (Flat, HalfFlat): nothing can be drawn from it.

    Examples
    --------
    >>> from bayesmi import Prior
    >>> float(scipy_distribution(Prior("Normal", 2, 3), "Intercept").mean())
    2.0
    """
    from scipy import stats

    p = prior.parameters
    match prior.name:
        case "Normal":
            return stats.norm(p["mu"], p["sigma"])
        case "StudentT":
            return stats.t(p["nu"], p["mu"], p["sigma"])
        case "Cauchy":
            return stats.cauchy(p["alpha"], p["beta"])
        case "Laplace":
            return stats.laplace(p["mu"], p["b"])
        case "Logistic":
            return stats.logistic(p["mu"], p["s"])
        case "HalfNormal":
            return stats.halfnorm(scale=p["sigma"])
        case "HalfStudentT":
            return _HalfStudentT(p["nu"], p["sigma"])
        case "HalfCauchy":
            return stats.halfcauchy(scale=p["beta"])
        case "Exponential":
            return stats.expon(scale=1.0 / p["lam"])
        case "Gamma":
            return stats.gamma(p["alpha"], scale=1.0 / p["beta"])
        case "InverseGamma":
            return stats.invgamma(p["alpha"], scale=p["beta"])
        case "LogNormal":
            return stats.lognorm(p["sigma"], scale=float(np.exp(p["mu"])))
        case "Weibull":
            return stats.weibull_min(p["alpha"], scale=p["beta"])
        case "Beta":
            return stats.beta(p["alpha"], p["beta"])
    raise ModelError(
        f"the prior of {name} is {prior}, which is improper: nothing can be drawn from it; give a proper one by priors="
    )


class _HalfStudentT:
    """The absolute value of a Student-t, which scipy does not have."""

    def __init__(self, nu: float, sigma: float) -> None:
        from scipy import stats

        self._whole = stats.t(nu, 0.0, sigma)

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        return np.abs(self._whole.rvs(size=size, random_state=random_state))

    def logpdf(self, x: Any) -> Any:
        return self._whole.logpdf(x) + np.log(2.0)

    def cdf(self, x: Any) -> Any:
        return 2.0 * self._whole.cdf(x) - 1.0
