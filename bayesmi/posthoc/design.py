"""What predictions need of a fit: the design of new rows, the linear predictor's scale, the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.adapters.registry import extract
from bayesmi.adapters.statsmodels_model import is_statsmodels, unwrap
from bayesmi.errors import NotSupportedError, PoolError

__all__ = ["FitDesign", "design_of"]

Floats = NDArray[np.float64]
_LOGIT, _PROBIT = ("Logit",), ("Probit",)
_LOG = ("Poisson", "NegativeBinomial")


@dataclass(frozen=True, eq=False)
class FitDesign:
    """One fit, as predictions see it.

    Attributes
    ----------
    terms : tuple of str
        Names of the coefficients.
    coefficients, covariance : ndarray, shapes (k,) and (k, k)
    dfcom : float
        Complete-data df of a prediction: the smallest of the coefficients.
    data : DataFrame or None
        The completed data set it was fitted to, where the fit has it.
    rows : callable
        DataFrame -> design matrix (n, k).
    inverse_link, slope : callable
        Linear predictor -> mean, and the derivative.
    link : str
        "identity", "logit", or another link's name.
    """

    terms: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    dfcom: float
    data: pd.DataFrame | None
    rows: Callable[[pd.DataFrame], Floats]
    inverse_link: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    link: str


def design_of(result: Any) -> FitDesign:
    """Read one statsmodels fit that was made by formula.

    Parameters
    ----------
    result : statsmodels result
        OLS, WLS, GLM, Logit, Probit, Poisson or MixedLM (fixed part).

    Returns
    -------
    FitDesign

    Raises
    ------
    PoolError
        If the fit cannot predict for new rows by formula.
    """
    if not is_statsmodels(result):
        raise PoolError(
            f"predictions need statsmodels fits made by formula, not {type(result).__name__}: return (predictions, covariance) "
            "from analyze() and pool these"
        )
    fit = unwrap(result)
    model = fit.model
    if not hasattr(model, "formula") or getattr(model.data, "model_spec", None) is None:
        raise PoolError(
            "this fit was made without a formula, or came back from another process (n_jobs): it cannot predict for new data"
        )
    for name in ("offset", "exposure"):
        part = getattr(model, name, None)
        if part is not None and np.size(part) > 1:
            raise NotSupportedError(
                f"the fit has an {name}: predictions with it are not offered, predict in the analysis function"
            )
    found = extract(result)
    terms = tuple(str(term) for term in found.estimates.index)
    inverse, slope, link = _link(model)
    frame = getattr(model.data, "frame", None)
    spread = found.dfcom
    df = min(spread.values()) if hasattr(spread, "values") else float(spread)
    return FitDesign(
        terms,
        found.estimates.to_numpy(dtype=float),
        found.covariance.loc[list(terms), list(terms)].to_numpy(dtype=float),
        df,
        frame if isinstance(frame, pd.DataFrame) else None,
        lambda new: _rows(fit, new, len(terms)),
        inverse,
        slope,
        link,
    )


def _rows(fit: Any, new: pd.DataFrame, k: int) -> Floats:
    """Design matrix of new rows by the fit's own formula; a value that cannot be read is an error, never a row less."""
    if not isinstance(new, pd.DataFrame) or not len(new):
        raise PoolError("new data must be a DataFrame with at least one row")
    try:
        matrix = np.asarray(fit._transform_predict_exog(new, transform=True)[0], dtype=float)
    except Exception as error:
        raise PoolError(
            f"the fit's formula cannot be evaluated on the new data: {_first_line(error)}"
        ) from error
    matrix = matrix[:, :k]
    if len(matrix) != len(new) or not np.isfinite(matrix).all():
        raise PoolError("a predictor is missing in the new data: give every one a value")
    return matrix


def _first_line(error: Exception) -> str:
    """Say the last line, which carries the reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _link(model: Any) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats], str]:
    """Inverse link, its derivative and its name."""
    from scipy import special, stats

    kind = type(model).__name__
    if kind in ("OLS", "WLS", "GLS", "MixedLM"):
        return np.asarray, np.ones_like, "identity"
    if kind == "GLM":
        link = model.family.link
        return link.inverse, link.inverse_deriv, type(link).__name__.lower()
    if kind in _LOGIT:
        return special.expit, lambda eta: special.expit(eta) * special.expit(-eta), "logit"
    if kind in _PROBIT:
        return stats.norm.cdf, stats.norm.pdf, "probit"
    if kind in _LOG:
        return np.exp, np.exp, "log"
    raise NotSupportedError(
        f"predictions of {kind} are not offered: predict in the analysis function and pool that"
    )
