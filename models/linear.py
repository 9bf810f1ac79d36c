"""Linear regression with one incomplete Gaussian covariate.

The story, for rows i = 1 … n::

    z_i                                                  complete, conditioned on
    x_i | z_i       ~ Normal(x__Intercept + x__z z_i, x__sigma)
    y_i | x_i, z_i  ~ Normal(Intercept + x x_i + z z_i, sigma)
    x_i is missing with probability expit(-1 + z_i + (y_i - mean y) / sd y / 2): at random given y and z

The likelihood, with m_i = x__Intercept + x__z z_i and R_i = 1 where x_i is observed::

    f(y, x_obs | theta) =   prod_{R_i = 1}  N(x_i; m_i, x__sigma^2) N(y_i; Intercept + x x_i + z z_i, sigma^2)
                          * prod_{R_i = 0}  N(y_i; Intercept + x m_i + z z_i, x^2 x__sigma^2 + sigma^2)

(in the second line the missing x_i is integrated out; `build` keeps it as the latent ``cell__x``). The
missingness mechanism is ignorable: it depends on observed values only and its parameters are distinct (Little
& Rubin).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from scipy import stats
from scipy.special import expit

from models.overrides import override

PARAMETERS = {"Intercept": 1.0, "x": 0.8, "z": -0.5, "sigma": 0.7}
PARAMETERS |= {"x__Intercept": 2.0, "x__z": 0.6, "x__sigma": 1.2}


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
        Values in place of those in `PARAMETERS`.

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
    y = rng.normal(truth["Intercept"] + truth["x"] * x + truth["z"] * z, truth["sigma"])
    missing = rng.uniform(size=n) < expit(-1 + z + (y - y.mean()) / y.std() / 2)
    truth["cell__x"] = x[missing]
    return pd.DataFrame({"y": y, "x": np.where(missing, np.nan, x), "z": z}), truth


def scales(data: pd.DataFrame) -> dict[str, float]:
    """Constants of the default priors, from observed cells."""
    table = data[["y", "x", "z"]]
    mean, sd = table.mean(), table.std()
    return {
        "mean(y)": mean["y"],
        "mean(x)": mean["x"],
        "mean(z)": mean["z"],
        "Intercept_centered": 2.5 * sd["y"],
        "x": 2.5 * sd["y"] / sd["x"],
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
        beta_z = pm.Normal("z", 0, s["z"])
        sigma = pm.HalfStudentT("sigma", 4, s["sigma"])
        pm.Deterministic("Intercept", intercept_centered - s["mean(x)"] * beta_x - s["mean(z)"] * beta_z)
        mean = intercept_centered + beta_x * (x_full - s["mean(x)"]) + beta_z * (z - s["mean(z)"])
        pm.Normal("y", mean, sigma, observed=y, dims="__obs__")
    return model


def marginal_logp(data: pd.DataFrame, parameters: Mapping[str, Any]) -> float:
    """Log f(y, x_obs | parameters): the likelihood written out above.

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
    x_mean = p["x__Intercept"] + p["x__z"] * data["z"]
    y_mean = p["Intercept"] + p["x"] * data["x"].fillna(x_mean) + p["z"] * data["z"]
    variance = p["sigma"] ** 2 + data["x"].isna() * (p["x"] * p["x__sigma"]) ** 2
    outcome = stats.norm.logpdf(data["y"], y_mean, np.sqrt(variance))
    covariate = stats.norm.logpdf(data["x"], x_mean, p["x__sigma"])
    return float(outcome.sum() + np.nansum(covariate))
