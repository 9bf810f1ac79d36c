"""Results of statsmodels in general: GLM, Logit, Poisson, GEE, PHReg; all with params and cov_params()."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.adapters.extract import Adapter, Extract, Likelihood
from bayesmi.errors import NotSupportedError, PoolError

__all__ = ["ADAPTER", "convergence", "is_statsmodels", "labelled", "stacked", "unwrap"]

# normal inference: no residual degrees of freedom belong to their coefficients
_LARGE_SAMPLE = ("GEE", "PHReg", "GMM", "QIF")
# families of a GLM with a dispersion of their own
_DISPERSION = ("Gaussian", "Gamma", "InverseGaussian", "Tweedie")


def is_statsmodels(result: Any) -> bool:
    """Tell a statsmodels result from other things without importing statsmodels.

    Parameters
    ----------
    result : object

    Returns
    -------
    bool
    """
    return (
        type(result).__module__.startswith("statsmodels.")
        and hasattr(result, "params")
        and hasattr(result, "cov_params")
    )


def unwrap(result: Any) -> Any:
    """Give the result itself, not the wrapper that adds labels.

    Parameters
    ----------
    result : object

    Returns
    -------
    object
    """
    return getattr(result, "_results", result)


def labelled(result: Any) -> tuple[pd.Series, pd.DataFrame]:
    """Parameters and covariance under the names that statsmodels gives them.

    Parameters
    ----------
    result : statsmodels result

    Returns
    -------
    estimates : Series
    covariance : DataFrame

    Raises
    ------
    PoolError
        If there are several equations, or names and numbers do not match.
    """
    plain = unwrap(result)
    params = np.asarray(plain.params, dtype=float)
    if params.ndim != 1:
        raise PoolError(
            "this fit has several equations: return (estimates, covariance) with a name for each parameter"
        )
    names = [str(name) for name in plain.model.data.param_names]
    covariance = np.asarray(plain.cov_params(), dtype=float)
    if len(names) != len(params) or covariance.shape != (len(params), len(params)):
        raise PoolError(
            f"the fit has {len(params)} parameters but {len(names)} names: return (estimates, covariance)"
        )
    return pd.Series(params, index=names), pd.DataFrame(covariance, index=names, columns=names)


def convergence(result: Any) -> bool | None:
    """Say what the optimiser said of itself.

    Parameters
    ----------
    result : statsmodels result

    Returns
    -------
    bool or None
        None where it says nothing.
    """
    plain = unwrap(result)
    for found in (
        getattr(plain, "converged", None),
        (getattr(plain, "mle_retvals", None) or {}).get("converged"),
    ):
        if isinstance(found, bool | np.bool_):
            return bool(found)
    return None


def _extract(result: Any) -> Extract:
    """Residual df where the model has them, events less parameters of a Cox model, as mice; else infinite."""
    estimates, covariance = labelled(result)
    plain = unwrap(result)
    df = float("inf")
    if type(plain.model).__name__ not in _LARGE_SAMPLE:
        found = getattr(plain, "df_resid", None)
        if found is not None and np.isfinite(found):
            df = float(found)
    elif type(plain.model).__name__ == "PHReg":
        df = float(max(1, int(np.sum(plain.model.status)) - len(estimates)))
    n_obs = getattr(plain, "nobs", None)
    return Extract(
        estimates,
        covariance,
        dfcom=df,
        dfcom_choices={"residual": df},
        n_obs=None if n_obs is None else int(n_obs),
        converged=convergence(result),
    )


def _likelihood(result: Any) -> Likelihood:
    """`model.loglike` where it is the full log-likelihood of exactly the parameters there are."""
    plain = unwrap(result)
    loglike = getattr(plain.model, "loglike", None)
    if loglike is None:
        raise PoolError(f"{type(plain.model).__name__} has no log-likelihood: use method='D1' or 'D2'")
    params = np.asarray(plain.params, dtype=float)
    if type(plain.model).__name__ == "GLM" and type(plain.model.family).__name__ in _DISPERSION:
        # statsmodels takes it from Pearson residuals at whatever coefficients: that maximises nothing
        raise PoolError(
            f"the dispersion of a {type(plain.model.family).__name__} GLM is not estimated by maximum likelihood: use "
            "method='D1' or 'D2'" + (", or ols" if type(plain.model.family).__name__ == "Gaussian" else "")
        )
    if not np.isclose(loglike(params), plain.llf, rtol=1e-8):
        raise PoolError(
            f"the log-likelihood of this {type(plain.model).__name__} has more parameters: "
            "use method='D1' or 'D2'"
        )
    return Likelihood(params, lambda at: float(loglike(at)), tuple(labelled(result)[0].index))


def stacked(results: Sequence[Any]) -> float:
    """Fit the same model to the rows of all data sets together.

    Parameters
    ----------
    results : sequence of statsmodels results

    Returns
    -------
    float
        Its log-likelihood.
    """
    models = [unwrap(result).model for result in results]
    rows = len(models[0].endog)
    options = [model._get_init_kwds() for model in models]
    together = {
        name: np.concatenate([np.asarray(option[name]) for option in options])
        if np.ndim(value) == 1 and len(value) == rows
        else value
        for name, value in options[0].items()
    }
    y, x = (
        np.concatenate([np.asarray(getattr(model, name)) for model in models]) for name in ("endog", "exog")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quiet = {"disp": 0} if hasattr(unwrap(results[0]), "mle_retvals") else {}
        return float(type(models[0])(y, x, **together).fit(**quiet).llf)


def _held(result: Any, coefficients: np.ndarray) -> float:
    """Fit the intercept alone, with the linear predictor of the held coefficients as its offset."""
    import statsmodels.api as sm

    model = unwrap(result).model
    families = {
        "Logit": sm.families.Binomial,
        "Probit": lambda: sm.families.Binomial(sm.families.links.Probit()),
        "Poisson": sm.families.Poisson,
    }
    kind = type(model).__name__
    if kind != "GLM" and kind not in families:
        raise NotSupportedError(f"mice's D3 is not offered for {kind}: use convention='mitml'")
    offset = np.asarray(model.exog, dtype=float) @ coefficients
    given = model._get_init_kwds() if kind == "GLM" else {"family": families[kind]()}
    for name in ("offset", "exposure"):
        part = getattr(model, name, None)
        if part is not None and np.size(part) > 1:  # an exposure is kept as its logarithm
            offset = offset + np.asarray(part, dtype=float)
        given.pop(name, None)
    given = {name: value for name, value in given.items() if value is not None}
    y = np.asarray(model.endog, dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(sm.GLM(y, np.ones((len(y), 1)), offset=offset, **given).fit(tol=1e-14).llf)


ADAPTER = Adapter("statsmodels result", is_statsmodels, _extract, _likelihood, stacked, _held)
