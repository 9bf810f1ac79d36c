"""A binary and two Gaussian covariates missing in the same rows: the binary summed out by hand, the others latents.

The story, for rows i = 1 … n::

    z_i                                                  complete, conditioned on
    b_i | z_i              ~ Bernoulli(expit(b__Intercept + b__z z_i))
    x1_i | b_i, z_i        ~ Normal(x1__Intercept + x1__b b_i + x1__z z_i, x1__sigma)
    x2_i | x1_i            ~ Normal(x2__Intercept + x2__x1 x1_i, x2__sigma)
    y_i | b_i, x1_i, x2_i  ~ Normal(Intercept + b b_i + x1 x1_i + x2 x2_i + b:x1 b_i x1_i, sigma)
    b_i, x1_i and x2_i are missing, independently, with probability expit(-1 + z_i / 2): at random

The likelihood of a row given the latents x1_i, x2_i is a sum over the values that b_i can have::

    f(y_i, x1_i, x2_i | theta) = f(x2_i | x1_i)  sum_{c in C_i} f(c | z_i) f(x1_i | c, z_i) f(y_i | c, x1_i, x2_i)

``P(b)`` are the probabilities of 1 of the missing b.
"""

from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from scipy.special import expit

from models.fixed_priors import Priors, parameter
from models.overrides import override

FORMULA = "y ~ b * x1 + x2"
OPTIONS: dict[str, Any] = {
    "formulas": {"b": "~ z", "x1": "~ b + z", "x2": "~ x1"},
    "order": ["b", "x1", "x2"],
}
PARAMETERS = {"Intercept": 0.5, "b": 0.8, "x1": 0.6, "x2": -0.5, "b:x1": 0.7, "sigma": 0.8}
PARAMETERS |= {"b__Intercept": 0.2, "b__z": 0.7, "x1__Intercept": 0.1, "x1__b": 0.5, "x1__z": 0.4}
PARAMETERS |= {"x1__sigma": 1.0, "x2__Intercept": -0.2, "x2__x1": 0.4, "x2__sigma": 1.0}
PRIORS: Priors = {
    name: ("HalfNormal", 2.0) if name.endswith("sigma") else ("Normal", 0.0, 2.0) for name in PARAMETERS
}


def simulate(
    rng: np.random.Generator, n: int = 120, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw n rows of y, b, x1, x2 with holes, and z; return the table and the truth by posterior name."""
    p: dict[str, Any] = {**override(PARAMETERS, parameters)}
    z = rng.normal(size=n)
    b = rng.binomial(1, expit(p["b__Intercept"] + p["b__z"] * z)).astype(float)
    x1 = rng.normal(p["x1__Intercept"] + p["x1__b"] * b + p["x1__z"] * z, p["x1__sigma"])
    x2 = rng.normal(p["x2__Intercept"] + p["x2__x1"] * x1, p["x2__sigma"])
    y = rng.normal(p["Intercept"] + p["b"] * b + p["x1"] * x1 + p["x2"] * x2 + p["b:x1"] * b * x1, p["sigma"])
    holes = rng.uniform(size=(3, n)) < expit(-1 + z / 2)
    data = pd.DataFrame({"y": y, "b": b, "x1": x1, "x2": x2, "z": z})
    for name, missing in zip(("b", "x1", "x2"), holes, strict=True):
        p[f"cell__{name}"] = data.loc[missing, name].to_numpy()
        data.loc[missing, name] = np.nan
    return data, p


def build(data: pd.DataFrame, priors: Priors = PRIORS) -> pm.Model:
    """Write the joint model with missing x1 and x2 as latents and missing b summed out."""
    y, b, z = (data[name].to_numpy(float) for name in ("y", "b", "z"))
    holes = {name: data[name].isna().to_numpy() for name in ("b", "x1", "x2")}
    with pm.Model(coords={f"{name}__cell": data.index[missing] for name, missing in holes.items()}) as model:
        p = {name: parameter(priors, name) for name in priors}
        x = {}
        for name in ("x1", "x2"):
            cell = pm.Flat(f"cell__{name}", dims=f"{name}__cell")  # its density stands below
            x[name] = pt.set_subtensor(pt.as_tensor(data[name].fillna(0.0).to_numpy())[holes[name]], cell)
        x1, x2 = x["x1"], x["x2"]

        def normal(value: Any, mean: Any, sigma: Any) -> Any:
            return pm.logp(pm.Normal.dist(mean, sigma), value)

        pm.Potential("x2 given x1", normal(x2, p["x2__Intercept"] + p["x2__x1"] * x1, p["x2__sigma"]).sum())
        logit = p["b__Intercept"] + p["b__z"] * z
        joint = []
        for c in (0.0, 1.0):
            possible = np.where(holes["b"] | (b == c), 0.0, -1e10)
            own = -pt.softplus(-logit if c else logit)
            own += normal(x1, p["x1__Intercept"] + p["x1__b"] * c + p["x1__z"] * z, p["x1__sigma"])
            mean = p["Intercept"] + p["b"] * c + p["x1"] * x1 + p["x2"] * x2 + p["b:x1"] * c * x1
            joint.append(own + normal(y, mean, p["sigma"]) + possible)
        total = pt.logaddexp(joint[0], joint[1])
        pm.Potential("y, x1 and b", total.sum())
        pm.Deterministic("P(b)", pt.exp(joint[1] - total)[holes["b"]], dims="b__cell")
    return model
