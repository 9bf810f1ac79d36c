"""An auxiliary variable that informs missing outcomes and covariates and stays out of the analysis model.

The story, for rows i = 1 … n::

    z_i                                                  complete, conditioned on
    x_i | z_i            ~ Normal(x__Intercept + x__z z_i, x__sigma)
    y_i | x_i, z_i       ~ Normal(Intercept + x x_i + z z_i, sigma)
    a_i | x_i, y_i       ~ Normal(a__Intercept + a__x x_i + a__y y_i, a__sigma)
    x_i and y_i are missing, independently, with probability expit(-1 + a_i / 2): at random given a

a is the extra outcome of the factorisation f(a | y, x, z) f(y | x, z) f(x | z): the analysis model is as it was, and the
missing cells learn from a through its conditional. `build` keeps every missing cell of y and x as a latent.
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
OPTIONS: dict[str, Any] = {"auxiliary": ["a"], "formulas": {"x": "~ z", "a": "~ x + y"}}
PARAMETERS = {"Intercept": 0.5, "x": 0.7, "z": -0.4, "sigma": 0.8}
PARAMETERS |= {"x__Intercept": 0.2, "x__z": 0.5, "x__sigma": 1.0}
PARAMETERS |= {"a__Intercept": 0.1, "a__x": 0.3, "a__y": 0.9, "a__sigma": 0.6}
PRIORS: Priors = {
    name: ("HalfNormal", 2.0) if name.endswith("sigma") else ("Normal", 0.0, 2.0) for name in PARAMETERS
}


def simulate(
    rng: np.random.Generator, n: int = 120, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw n rows of y and x with holes, z and a; return the table and the truth by posterior name."""
    p: dict[str, Any] = {**override(PARAMETERS, parameters)}
    z = rng.normal(size=n)
    x = rng.normal(p["x__Intercept"] + p["x__z"] * z, p["x__sigma"])
    y = rng.normal(p["Intercept"] + p["x"] * x + p["z"] * z, p["sigma"])
    a = rng.normal(p["a__Intercept"] + p["a__x"] * x + p["a__y"] * y, p["a__sigma"])
    no_x, no_y = rng.uniform(size=(2, n)) < expit(-1 + a / 2)
    p |= {"cell__x": x[no_x], "cell__y": y[no_y]}
    data = pd.DataFrame({"y": np.where(no_y, np.nan, y), "x": np.where(no_x, np.nan, x), "z": z, "a": a})
    return data, p


def build(data: pd.DataFrame, priors: Priors = PRIORS) -> pm.Model:
    """Write the joint model of a, y and x given z, each missing cell a latent."""
    y, x, z, a = (data[name].to_numpy(float) for name in ("y", "x", "z", "a"))
    no_x, no_y = np.isnan(x), np.isnan(y)
    with pm.Model(coords={"x__cell": data.index[no_x], "y__cell": data.index[no_y]}) as model:
        p = {name: parameter(priors, name) for name in priors}
        x_mean = p["x__Intercept"] + p["x__z"] * z
        pm.Normal("x__observed", x_mean[~no_x], p["x__sigma"], observed=x[~no_x])
        cell = pm.Normal("cell__x", x_mean[no_x], p["x__sigma"], dims="x__cell")
        x_full = pt.set_subtensor(pt.as_tensor(np.where(no_x, 0.0, x))[no_x], cell)
        y_mean = p["Intercept"] + p["x"] * x_full + p["z"] * z
        pm.Normal("y__observed", y_mean[~no_y], p["sigma"], observed=y[~no_y])
        cell = pm.Normal("cell__y", y_mean[no_y], p["sigma"], dims="y__cell")
        y_full = pt.set_subtensor(pt.as_tensor(np.where(no_y, 0.0, y))[no_y], cell)
        a_mean = p["a__Intercept"] + p["a__x"] * x_full + p["a__y"] * y_full
        pm.Normal("a", a_mean, p["a__sigma"], observed=a)
    return model
