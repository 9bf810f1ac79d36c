"""Least squares in statsmodels: OLS, WLS, GLS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayesmi.adapters.extract import Adapter, Extract, Likelihood
from bayesmi.adapters.statsmodels_model import is_statsmodels, labelled, stacked, unwrap
from bayesmi.errors import NotSupportedError

__all__ = ["ADAPTER"]


def _recognises(result: Any) -> bool:
    """Tell a regression result that has a residual scale."""
    return is_statsmodels(result) and type(unwrap(result).model).__name__ in ("OLS", "WLS", "GLS")


def _extract(result: Any) -> Extract:
    """Residual df for every coefficient; the residual variance as mitml's `extra.pars`."""
    estimates, covariance = labelled(result)
    plain = unwrap(result)
    df, scale = float(plain.df_resid), float(plain.scale)
    components = pd.DataFrame(
        # standard error of a scaled chi-square
        {"estimate": scale, "std.error": scale * np.sqrt(2.0 / df), "scale": "log", "singular": scale <= 0.0},
        index=pd.Index(["Residual~~Residual"], name="term"),
    )
    return Extract(
        estimates,
        covariance,
        dfcom=df,
        dfcom_choices={"residual": df},
        variance_components=components,
        n_obs=int(plain.nobs),
    )


def _likelihood(result: Any) -> Likelihood:
    """Gaussian log-likelihood in coefficients and error variance (divisor n), on whitened data."""
    plain = unwrap(result)
    y, x = np.asarray(plain.model.wendog, dtype=float), np.asarray(plain.model.wexog, dtype=float)
    n, estimates = len(y), np.asarray(plain.params, dtype=float)
    variance = float(np.sum((y - x @ estimates) ** 2) / n)
    # log determinant of the whitening, zero for OLS
    constant = float(plain.llf) + 0.5 * n * (np.log(2 * np.pi * variance) + 1.0)

    def log_likelihood(at: np.ndarray) -> float:
        residual = y - x @ at[:-1]
        return float(constant - 0.5 * n * np.log(2 * np.pi * at[-1]) - 0.5 * residual @ residual / at[-1])

    return Likelihood(np.append(estimates, variance), log_likelihood, tuple(labelled(result)[0].index))


def _held(result: Any, coefficients: np.ndarray) -> float:
    """Log-likelihood at held coefficients, intercept and error variance at their best."""
    model = unwrap(result).model
    if type(model).__name__ != "OLS":
        raise NotSupportedError("mice's D3 is for unweighted linear models: use convention='mitml'")
    residual = np.asarray(model.endog, dtype=float) - np.asarray(model.exog, dtype=float) @ coefficients
    n, variance = len(residual), float(residual.var())
    return -0.5 * n * (np.log(2.0 * np.pi * variance) + 1.0)


ADAPTER = Adapter("least-squares fit", _recognises, _extract, _likelihood, stacked, _held)
