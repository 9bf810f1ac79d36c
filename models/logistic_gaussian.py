"""Logistic regression with an incomplete Gaussian covariate: no closed form, each cell a latent for NUTS.

The story, for rows i = 1 … n::

    z_i                                                  complete, conditioned on
    x_i | z_i       ~ Normal(x__Intercept + x__z z_i, x__sigma)
    y_i | x_i, z_i  ~ Bernoulli(expit(Intercept + x x_i + z z_i))
    x_i is missing with probability expit(-1 + y_i): at random given y
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
PARAMETERS = {"Intercept": -0.3, "x": 1.0, "z": 0.5}
PARAMETERS |= {"x__Intercept": 0.2, "x__z": 0.5, "x__sigma": 1.0}
PRIORS: Priors = {
    **dict.fromkeys(["Intercept", "x", "z", "x__Intercept", "x__z"], ("Normal", 0.0, 2.0)),
    "x__sigma": ("HalfNormal", 2.0),
}


def simulate(
    rng: np.random.Generator, n: int = 150, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw n rows of binary y, x with holes, and z; return the table and the truth by posterior name."""
    truth: dict[str, Any] = {**override(PARAMETERS, parameters)}
    z = rng.normal(size=n)
    x = rng.normal(truth["x__Intercept"] + truth["x__z"] * z, truth["x__sigma"])
    y = rng.binomial(1, expit(truth["Intercept"] + truth["x"] * x + truth["z"] * z)).astype(float)
    missing = rng.uniform(size=n) < expit(-1 + y)
    truth["cell__x"] = x[missing]
    return pd.DataFrame({"y": y, "x": np.where(missing, np.nan, x), "z": z}), truth


def build(data: pd.DataFrame, priors: Priors = PRIORS) -> pm.Model:
    """Write the joint model of y and x given z, each missing x a latent."""
    y, x, z = (data[name].to_numpy(float) for name in ("y", "x", "z"))
    missing = np.isnan(x)
    with pm.Model(coords={"__obs__": data.index, "x__cell": data.index[missing]}) as model:
        p = {name: parameter(priors, name) for name in priors}
        x_mean = p["x__Intercept"] + p["x__z"] * z
        pm.Normal("x__observed", x_mean[~missing], p["x__sigma"], observed=x[~missing])
        cell = pm.Normal("cell__x", x_mean[missing], p["x__sigma"], dims="x__cell")
        x_full = pt.set_subtensor(pt.as_tensor(np.where(missing, 0.0, x))[missing], cell)
        logit = p["Intercept"] + p["x"] * x_full + p["z"] * z
        pm.Bernoulli("y", logit_p=logit, observed=y.astype(int), dims="__obs__")
    return model
