"""Regression on x and x squared with x incomplete: the cells' conditional distributions have two peaks.

The story, for rows i = 1 … n::

    z_i                                                  complete, conditioned on
    x_i | z_i       ~ Normal(x__Intercept + x__z z_i, x__sigma)
    y_i | x_i, z_i  ~ Normal(Intercept + x x_i + I(x ** 2) x_i^2 + z z_i, sigma)
    x_i is missing with probability expit(-1 + z_i): at random

The likelihood, with R_i = 1 where x_i is observed::

    f(y, x_obs | theta) =   prod_{R_i = 1}  f(x_i | z_i) f(y_i | x_i, z_i)
                          * prod_{R_i = 0}  integral f(x | z_i) f(y_i | x, z_i) dx

The integral has no closed form. As a function of the missing x, its integrand is the exponential of a
polynomial of degree four, large near both roots of y_i = Intercept + x x + I(x ** 2) x^2 + z z_i. `build`
keeps the cell as a latent, and NUTS rarely crosses from one root to the other: read its cells with that in
mind.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from scipy import stats
from scipy.special import expit, logsumexp

from models.overrides import override

PARAMETERS = {"Intercept": 0.5, "x": 0.3, "I(x ** 2)": 0.8, "z": -0.4, "sigma": 0.6}
PARAMETERS |= {"x__Intercept": 0.2, "x__z": 0.5, "x__sigma": 1.0}


def simulate(
    rng: np.random.Generator, n: int = 200, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw n rows of y, x (with holes) and z.

    Parameters
    ----------
    rng
        The source of randomness.
    n
        Number of rows.
    **parameters
        Values in place of those in `PARAMETERS`, as ``**{"I(x ** 2)": 0.2}``.

    Returns
    -------
    data : DataFrame, shape (n, 3)
        Columns y, x, z; x is NaN where missing.
    truth : dict
        The parameters and ``cell__x``, the values of the missing cells in row order.
    """
    truth: dict[str, Any] = {**override(PARAMETERS, parameters)}
    z = rng.normal(size=n)
    x = rng.normal(truth["x__Intercept"] + truth["x__z"] * z, truth["x__sigma"])
    y = rng.normal(outcome_mean(truth, x, z), truth["sigma"])
    missing = rng.uniform(size=n) < expit(-1 + z)
    truth["cell__x"] = x[missing]
    return pd.DataFrame({"y": y, "x": np.where(missing, np.nan, x), "z": z}), truth


def outcome_mean(parameters: Mapping[str, Any], x: np.ndarray, z: np.ndarray | float) -> np.ndarray:
    """E(y | x, z)."""
    p = parameters
    return p["Intercept"] + p["x"] * x + p["I(x ** 2)"] * x**2 + p["z"] * z


def scales(data: pd.DataFrame) -> dict[str, float]:
    """Constants of the default priors, from observed cells; x squared is a predictor like any other."""
    table = data[["y", "x", "z"]].assign(x2=data["x"] ** 2)
    mean, sd = table.mean(), table.std()
    return {
        "mean(y)": mean["y"],
        "mean(x)": mean["x"],
        "mean(I(x ** 2))": mean["x2"],
        "mean(z)": mean["z"],
        "Intercept_centered": 2.5 * sd["y"],
        "x": 2.5 * sd["y"] / sd["x"],
        "I(x ** 2)": 2.5 * sd["y"] / sd["x2"],
        "z": 2.5 * sd["y"] / sd["z"],
        "sigma": sd["y"],
        "x__Intercept_centered": 2.5 * sd["x"],
        "x__z": 2.5 * sd["x"] / sd["z"],
        "x__sigma": sd["x"],
    }


def build(data: pd.DataFrame, priors: Mapping[str, float] | None = None) -> pm.Model:
    """Write the joint model of y and x given z, each missing x a latent.

    Parameters
    ----------
    data : DataFrame, shape (n, 3)
        Columns y, x, z; x may have holes.
    priors
        Values in place of those of `scales`.

    Returns
    -------
    pm.Model
    """
    s = override(scales(data), priors)
    y, x, z = (data[name].to_numpy(float) for name in ("y", "x", "z"))
    missing = np.isnan(x)
    with pm.Model(coords={"__obs__": data.index, "x__cell": data.index[missing]}) as model:
        # x | z
        x_intercept_centered = pm.Normal("x__Intercept_centered", s["mean(x)"], s["x__Intercept_centered"])
        x_z = pm.Normal("x__z", 0, s["x__z"])
        x_sigma = pm.HalfStudentT("x__sigma", 4, s["x__sigma"])
        pm.Deterministic("x__Intercept", x_intercept_centered - s["mean(z)"] * x_z)
        x_mean = x_intercept_centered + x_z * (z - s["mean(z)"])
        pm.Normal("x__observed", x_mean[~missing], x_sigma, observed=x[~missing])
        cell = pm.Normal("cell__x", x_mean[missing], x_sigma, dims="x__cell")
        x_full = pt.set_subtensor(pt.as_tensor(np.where(missing, 0.0, x))[missing], cell)

        # y | x, z
        intercept_centered = pm.Normal("Intercept_centered", s["mean(y)"], s["Intercept_centered"])
        beta_x = pm.Normal("x", 0, s["x"])
        beta_x2 = pm.Normal("I(x ** 2)", 0, s["I(x ** 2)"])
        beta_z = pm.Normal("z", 0, s["z"])
        sigma = pm.HalfStudentT("sigma", 4, s["sigma"])
        offset = s["mean(x)"] * beta_x + s["mean(I(x ** 2))"] * beta_x2 + s["mean(z)"] * beta_z
        intercept = pm.Deterministic("Intercept", intercept_centered - offset)
        mean = intercept + beta_x * x_full + beta_x2 * x_full**2 + beta_z * z
        pm.Normal("y", mean, sigma, observed=y, dims="__obs__")
    return model


def marginal_logp(data: pd.DataFrame, parameters: Mapping[str, Any], points: int = 4001) -> float:
    """Log f(y, x_obs | parameters): the likelihood written out above, the integral by the trapezoidal rule.

    Parameters
    ----------
    data : DataFrame, shape (n, 3)
        As for `build`.
    parameters
        By posterior name.
    points
        Number of points between ten standard deviations below and above the mean of x given z.

    Returns
    -------
    float
    """
    p = parameters
    y, x, z = (data[name].to_numpy(float) for name in ("y", "x", "z"))
    missing = np.isnan(x)
    x_mean = p["x__Intercept"] + p["x__z"] * z
    step = 20 * p["x__sigma"] / (points - 1)
    grid = x_mean[missing, None] + step * (np.arange(points) - (points - 1) / 2)

    def joint(y: np.ndarray, x: np.ndarray, z: np.ndarray, x_mean: np.ndarray) -> np.ndarray:
        outcome = stats.norm.logpdf(y, outcome_mean(p, x, z), p["sigma"])
        return outcome + stats.norm.logpdf(x, x_mean, p["x__sigma"])

    seen = joint(y[~missing], x[~missing], z[~missing], x_mean[~missing])
    summed = logsumexp(joint(y[missing, None], grid, z[missing, None], x_mean[missing, None]), axis=1)
    return float(seen.sum() + (summed + np.log(step)).sum())
