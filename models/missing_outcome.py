"""Regression with outcomes and a covariate missing, also in the same row; every missing cell a latent.

The story, for rows i = 1 … n::

    z_i                                                  complete, conditioned on
    x_i | z_i       ~ Normal(x__Intercept + x__z z_i, x__sigma)
    y_i | x_i, z_i  ~ Normal(Intercept + x x_i + z z_i, sigma)
    x_i and y_i are missing, independently, with probability expit(-1 + z_i / 2): at random

A missing outcome says nothing about the parameters, and where it is missing the covariate's cell says nothing either:
integrated out, both leave the likelihood. `build` keeps them, 1 + 1 latents a row, for the same posterior.
"""

from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from scipy.special import expit

from models.fixed_priors import Priors, parameter
from models.overrides import override

FORMULA = "y ~ x + z"
OPTIONS: dict[str, Any] = {"formulas": {"x": "~ z"}}
PARAMETERS = {"Intercept": 0.5, "x": 0.7, "z": -0.4, "sigma": 0.8}
PARAMETERS |= {"x__Intercept": 0.2, "x__z": 0.5, "x__sigma": 1.0}
PRIORS: Priors = {
    **dict.fromkeys(["Intercept", "x", "z", "x__Intercept", "x__z"], ("Normal", 0.0, 2.0)),
    **dict.fromkeys(["sigma", "x__sigma"], ("HalfNormal", 2.0)),
}


def simulate(
    rng: np.random.Generator, n: int = 120, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw n rows of y and x, both with holes, and z; return the table and the truth by posterior name."""
    truth: dict[str, Any] = {**override(PARAMETERS, parameters)}
    z = rng.normal(size=n)
    x = rng.normal(truth["x__Intercept"] + truth["x__z"] * z, truth["x__sigma"])
    y = rng.normal(truth["Intercept"] + truth["x"] * x + truth["z"] * z, truth["sigma"])
    no_x, no_y = rng.uniform(size=(2, n)) < expit(-1 + z / 2)
    truth |= {"cell__x": x[no_x], "cell__y": y[no_y]}
    return pd.DataFrame({"y": np.where(no_y, np.nan, y), "x": np.where(no_x, np.nan, x), "z": z}), truth


def build(data: pd.DataFrame, priors: Priors = PRIORS) -> pm.Model:
    """Write the joint model of y and x given z, each missing cell a latent."""
    y, x, z = (data[name].to_numpy(float) for name in ("y", "x", "z"))
    no_x, no_y = np.isnan(x), np.isnan(y)
    with pm.Model(coords={"x__cell": data.index[no_x], "y__cell": data.index[no_y]}) as model:
        p = {name: parameter(priors, name) for name in priors}
        x_mean = p["x__Intercept"] + p["x__z"] * z
        pm.Normal("x__observed", x_mean[~no_x], p["x__sigma"], observed=x[~no_x])
        cell = pm.Normal("cell__x", x_mean[no_x], p["x__sigma"], dims="x__cell")
        x_full = pt.set_subtensor(pt.as_tensor(np.where(no_x, 0.0, x))[no_x], cell)
        y_mean = p["Intercept"] + p["x"] * x_full + p["z"] * z
        pm.Normal("y", y_mean[~no_y], p["sigma"], observed=y[~no_y])
        pm.Normal("cell__y", y_mean[no_y], p["sigma"], dims="y__cell")
    return model
