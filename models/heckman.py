"""Heckman's selection model: the outcome is missing not at random.

The story, for rows i = 1 … n::

    x_i, w_i                                             complete, conditioned on
    y_i = Intercept + x x_i + e_i                        the outcome
    r_i = selection_Intercept + selection_x x_i + selection_w w_i + d_i   the latent propensity to be observed
    (e_i, d_i) ~ Normal(0, [[sigma^2, rho sigma], [rho sigma, 1]])
    y_i is observed (R_i = 1) if and only if r_i > 0

w is in the selection equation only: the exclusion restriction, without which rho rests on the normal shape
and on its prior. rho = 0 is missing at random.

The likelihood, with m_i = Intercept + x x_i, s_i = selection_Intercept + selection_x x_i + selection_w w_i, phi and Phi the
standard normal density and distribution::

    log f =   sum_{R_i = 0}  log Phi(-s_i)
            + sum_{R_i = 1}  log phi((y_i - m_i) / sigma) - log sigma
                             + log Phi((s_i + rho (y_i - m_i) / sigma) / sqrt(1 - rho^2))

(Amemiya 1984, type 2 Tobit; sampleSelection's tobit-2). `build` keeps the missing y_i as the latent
``cell__y`` and writes the joint density as f(y_i) P(R_i | y_i), where P(R_i = 1 | y_i) is the last Phi above,
in every row; integrating a missing y_i out of f(y_i) P(R_i = 0 | y_i) gives Phi(-s_i).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from scipy.special import log_ndtr

from models.overrides import override

PARAMETERS = {"Intercept": 1.0, "x": 0.5, "sigma": 0.8, "rho": 0.6}
PARAMETERS |= {"selection_Intercept": 0.3, "selection_x": 0.4, "selection_w": 0.9}


def simulate(
    rng: np.random.Generator, n: int = 300, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw n rows of y (with holes), x and w.

    Parameters
    ----------
    rng
        The source of randomness.
    n
        Number of rows.
    **parameters
        Values in place of those in `PARAMETERS`.

    Returns
    -------
    data : DataFrame, shape (n, 3)
        Columns y (NaN where missing), x, w.
    truth : dict
        The parameters and ``cell__y``, the values of the missing cells in row order.
    """
    truth: dict[str, Any] = {**override(PARAMETERS, parameters)}
    x, w = rng.normal(size=(2, n))
    rho, sigma = truth["rho"], truth["sigma"]
    e, d = rng.multivariate_normal([0, 0], [[sigma**2, rho * sigma], [rho * sigma, 1]], size=n).T
    y = truth["Intercept"] + truth["x"] * x + e
    missing = truth["selection_Intercept"] + truth["selection_x"] * x + truth["selection_w"] * w + d <= 0
    truth["cell__y"] = y[missing]
    return pd.DataFrame({"y": np.where(missing, np.nan, y), "x": x, "w": w}), truth


def scales(data: pd.DataFrame) -> dict[str, float]:
    """Constants of the default priors, from observed cells; ``rho`` is eta of 2 Beta(eta, eta) - 1."""
    table = data[["y", "x", "w"]]
    mean, sd = table.mean(), table.std()
    return {
        "mean(y)": mean["y"],
        "mean(x)": mean["x"],
        "mean(w)": mean["w"],
        "Intercept_centered": 2.5 * sd["y"],
        "x": 2.5 * sd["y"] / sd["x"],
        "sigma": sd["y"],
        "selection_Intercept_centered": 2.5,
        "selection_x": 2.5 / sd["x"],
        "selection_w": 2.5 / sd["w"],
        "rho": 1.0,
    }


def build(data: pd.DataFrame, priors: Mapping[str, float] | None = None) -> pm.Model:
    """Write the joint model of y and of its being observed, each missing y a latent.

    Parameters
    ----------
    data : DataFrame, shape (n, 3)
        Columns y, x, w; y has holes.
    priors
        Values in place of those of `scales`.

    Returns
    -------
    pm.Model
    """
    s = override(scales(data), priors)
    y, x, w = (data[name].to_numpy(float) for name in ("y", "x", "w"))
    missing = np.isnan(y)
    with pm.Model(coords={"__obs__": data.index[~missing], "y__cell": data.index[missing]}) as model:
        # y | x
        intercept_centered = pm.Normal("Intercept_centered", s["mean(y)"], s["Intercept_centered"])
        beta_x = pm.Normal("x", 0, s["x"])
        sigma = pm.HalfStudentT("sigma", 4, s["sigma"])
        pm.Deterministic("Intercept", intercept_centered - s["mean(x)"] * beta_x)
        mean = intercept_centered + beta_x * (x - s["mean(x)"])
        pm.Normal("y", mean[~missing], sigma, observed=y[~missing], dims="__obs__")
        cell = pm.Normal("cell__y", mean[missing], sigma, dims="y__cell")
        y_full = pt.set_subtensor(pt.as_tensor(np.where(missing, 0.0, y))[missing], cell)

        # R | y, x, w
        r_intercept_centered = pm.Normal("selection_Intercept_centered", 0, s["selection_Intercept_centered"])
        r_x = pm.Normal("selection_x", 0, s["selection_x"])
        r_w = pm.Normal("selection_w", 0, s["selection_w"])
        unit = pm.Beta("rho__half", s["rho"], s["rho"])
        rho = pm.Deterministic("rho", 2 * unit - 1)
        pm.Deterministic(
            "selection_Intercept", r_intercept_centered - s["mean(x)"] * r_x - s["mean(w)"] * r_w
        )
        selection = r_intercept_centered + r_x * (x - s["mean(x)"]) + r_w * (w - s["mean(w)"])
        probit = (selection + rho * (y_full - mean) / sigma) / pt.sqrt(1 - rho**2)
        # a Bernoulli whose probability is Phi(probit)
        pm.CustomDist(
            "R_y",
            probit,
            logp=lambda value, probit: log_phi(pt.where(value > 0, probit, -probit)),
            random=lambda probit, rng=None, size=None: (rng.normal(size=size) < probit).astype(int),
            dtype="int64",
            observed=(~missing).astype(int),
        )
    return model


def log_phi(t: Any) -> Any:
    """Log Phi(t) with all its digits and a finite gradient far out in both tails; t is a tensor.

    Each branch is given arguments at which it is finite, because the gradient of a switch passes through both.
    """
    left, right = pt.minimum(t, -1), pt.maximum(t, -1)
    below = pt.log(pt.erfcx(-left / np.sqrt(2))) - np.log(2) - left**2 / 2
    return pt.switch(t < -1, below, pt.log1p(-pt.erfc(right / np.sqrt(2)) / 2))


def selection_logp(
    y: np.ndarray,
    outcome_mean: np.ndarray,
    selection_mean: np.ndarray,
    sigma: float,
    rho: float,
) -> np.ndarray:
    """Log-likelihood of each row, as written out above.

    Parameters
    ----------
    y : ndarray, shape (n,)
        The outcome, NaN where it was not observed.
    outcome_mean, selection_mean : ndarray, shape (n,)
        The linear predictors m and s.
    sigma, rho
        Residual sd of the outcome, and the correlation of the two residuals.

    Returns
    -------
    ndarray, shape (n,)

    Notes
    -----
    Amemiya (1984), type 2 Tobit.

    Examples
    --------
    With rho = 0 the two equations separate, and a missing row has the probit's probability.

    >>> import numpy as np
    >>> selection_logp(np.array([np.nan]), np.zeros(1), np.zeros(1), 1.0, 0.0).round(4)
    array([-0.6931])
    """
    missing = np.isnan(y)
    residual = np.where(missing, 0.0, y - outcome_mean) / sigma
    density = -0.5 * np.log(2 * np.pi) - np.log(sigma) - 0.5 * residual**2
    observed = log_ndtr((selection_mean + rho * residual) / np.sqrt(1 - rho**2))
    return np.where(missing, log_ndtr(-selection_mean), density + observed)


def marginal_logp(data: pd.DataFrame, parameters: Mapping[str, Any]) -> float:
    """Log f(y_obs, R | parameters): the likelihood written out above.

    Parameters
    ----------
    data : DataFrame, shape (n, 3)
        As for `build`.
    parameters
        By posterior name.

    Returns
    -------
    float
    """
    p = parameters
    y, x, w = (data[name].to_numpy(float) for name in ("y", "x", "w"))
    selection = p["selection_Intercept"] + p["selection_x"] * x + p["selection_w"] * w
    rows = selection_logp(y, p["Intercept"] + p["x"] * x, selection, p["sigma"], p["rho"])
    return float(rows.sum())
