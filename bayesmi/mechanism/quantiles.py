"""A prior's quantile function: one uniform number gives one amount, the same one for every delta of a grid."""

from __future__ import annotations

import math

from bayesmi.errors import ModelError
from bayesmi.priors import Prior

__all__ = ["prior_quantile"]


def prior_quantile(prior: Prior, u: float) -> float:
    """Return the value below which the prior has probability u.

    Raises
    ------
    ModelError
        If the prior is improper: nothing can be drawn from it.

    Examples
    --------
    >>> prior_quantile(Prior("Normal", -5, 2), 0.5)
    -5.0
    """
    from scipy import stats

    p = prior.parameters
    match prior.name:
        case "Normal":
            own = stats.norm(p["mu"], p["sigma"])
        case "StudentT":
            own = stats.t(p["nu"], p["mu"], p["sigma"])
        case "Cauchy":
            own = stats.cauchy(p["alpha"], p["beta"])
        case "Laplace":
            own = stats.laplace(p["mu"], p["b"])
        case "Logistic":
            own = stats.logistic(p["mu"], p["s"])
        case "HalfNormal":
            own = stats.halfnorm(scale=p["sigma"])
        case "HalfStudentT":  # the absolute value of a Student-t
            return float(stats.t(p["nu"], 0.0, p["sigma"]).ppf(0.5 + 0.5 * u))
        case "HalfCauchy":
            own = stats.halfcauchy(scale=p["beta"])
        case "Exponential":
            own = stats.expon(scale=1.0 / p["lam"])
        case "Gamma":
            own = stats.gamma(p["alpha"], scale=1.0 / p["beta"])
        case "InverseGamma":
            own = stats.invgamma(p["alpha"], scale=p["beta"])
        case "LogNormal":
            own = stats.lognorm(p["sigma"], scale=math.exp(p["mu"]))
        case "Weibull":
            own = stats.weibull_min(p["alpha"], scale=p["beta"])
        case "Beta":
            own = stats.beta(p["alpha"], p["beta"])
        case _:
            raise ModelError(
                f"the prior {prior} of a delta is improper: nothing can be drawn from it; give a proper one, such as "
                "Prior('Normal', -5, 2)"
            )
    return float(own.ppf(u))
