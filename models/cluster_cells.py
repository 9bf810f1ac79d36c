"""A binary and a Gaussian variable of schools, both incomplete, beside an incomplete binary of pupils.

The story, for pupils i in schools j = 1 … J::

    z_ij                                                 complete, conditioned on
    flag_j                  ~ Bernoulli(expit(flag__Intercept))
    w_j | flag_j            ~ Normal(w__Intercept + w__flag flag_j, w__sigma)
    b_ij | w_j, z_ij        ~ Bernoulli(expit(b__Intercept + b__z z_ij + b__w w_j))
    u_j                     ~ Normal(0, 1|school_sigma)
    y_ij | all of these     ~ Normal(Intercept + flag flag_j + w w_j + b b_ij + z z_ij + u_j, sigma)
    flag_j, w_j, b_ij are missing completely at random

The likelihood given the latents w_j and u_j has the sum over pupils inside the sum over schools::

    prod_j  sum_{f in F_j} f(f) f(w_j | f) prod_i  sum_{c in C_ij} f(c | w_j, z_ij) f(y_ij | f, w_j, c, z_ij, u_j)

``P(flag)`` are the probabilities of 1 of the missing flags.
"""

from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from scipy.special import expit

from models.fixed_priors import Priors, parameter
from models.overrides import override

FORMULA = "y ~ flag + w + b + z + (1 | school)"
OPTIONS: dict[str, Any] = {
    "formulas": {"flag": "~ 1", "w": "~ flag", "b": "~ z + w"},
    "order": ["flag", "w", "b"],
}
PARAMETERS = {
    "Intercept": 0.5,
    "flag": 1.0,
    "w": 0.5,
    "b": 0.8,
    "z": -0.4,
    "sigma": 0.7,
    "1|school_sigma": 0.5,
}
PARAMETERS |= {"flag__Intercept": 0.2, "w__Intercept": 0.1, "w__flag": 0.8, "w__sigma": 1.0}
PARAMETERS |= {"b__Intercept": -0.2, "b__z": 0.6, "b__w": 0.5}
PRIORS: Priors = {
    name: ("HalfNormal", 1.5) if name.endswith("sigma") else ("Normal", 0.0, 2.0) for name in PARAMETERS
}


def simulate(
    rng: np.random.Generator, schools: int = 30, pupils: int = 8, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw pupils in schools with holes in flag, w and b; return the table and the truth by posterior name."""
    p: dict[str, Any] = {**override(PARAMETERS, parameters)}
    school = np.repeat(np.arange(schools), pupils)
    n = len(school)
    flag = rng.binomial(1, expit(p["flag__Intercept"]), schools).astype(float)
    w = rng.normal(p["w__Intercept"] + p["w__flag"] * flag, p["w__sigma"])
    z = rng.normal(size=n)
    b = rng.binomial(1, expit(p["b__Intercept"] + p["b__z"] * z + p["b__w"] * w[school])).astype(float)
    u = rng.normal(0.0, p["1|school_sigma"], schools)
    mean = (
        p["Intercept"] + p["flag"] * flag[school] + p["w"] * w[school] + p["b"] * b + p["z"] * z + u[school]
    )
    y = rng.normal(mean, p["sigma"])
    no_flag, no_w, no_b = rng.random(schools) < 0.25, rng.random(schools) < 0.25, rng.random(n) < 0.25
    p |= {"1|school": u, "cell__flag": flag[no_flag], "cell__w": w[no_w], "cell__b": b[no_b]}
    data = pd.DataFrame({"school": school, "y": y, "flag": flag[school], "w": w[school], "b": b, "z": z})
    data.loc[no_flag[school], "flag"] = np.nan
    data.loc[no_w[school], "w"] = np.nan
    data.loc[no_b, "b"] = np.nan
    return data, p


def build(data: pd.DataFrame, priors: Priors = PRIORS) -> pm.Model:
    """Write the joint model with w and the school effects as latents, flag and b summed out."""
    school = data["school"].to_numpy()
    first = data.drop_duplicates("school")
    flag, w = first["flag"].to_numpy(), first["w"].to_numpy()
    y, b, z = (data[name].to_numpy(float) for name in ("y", "b", "z"))
    no_flag, no_w, no_b = np.isnan(flag), np.isnan(w), np.isnan(b)
    coords = {"school__factor_dim": first["school"], "w__cell": first["school"][no_w]}
    coords["flag__cell"] = first["school"][no_flag]
    with pm.Model(coords=coords) as model:
        p = {name: parameter(priors, name) for name in priors}
        raw = pm.Normal("raw", dims="school__factor_dim")
        u = pm.Deterministic("1|school", p["1|school_sigma"] * raw, dims="school__factor_dim")
        cell = pm.Flat("cell__w", dims="w__cell")  # its density stands below
        w_full = pt.set_subtensor(pt.as_tensor(np.nan_to_num(w))[no_w], cell)
        logit_b = p["b__Intercept"] + p["b__z"] * z + p["b__w"] * w_full[school]
        joint = []
        for f in (0.0, 1.0):
            possible = np.where(no_flag | (flag == f), 0.0, -1e10)
            own = possible - pt.softplus(-p["flag__Intercept"] if f else p["flag__Intercept"])
            own += pm.logp(pm.Normal.dist(p["w__Intercept"] + p["w__flag"] * f, p["w__sigma"]), w_full)
            rows = []
            for c in (0.0, 1.0):
                mean = p["Intercept"] + p["flag"] * f + p["b"] * c + p["z"] * z
                mean += (p["w"] * w_full + u)[school]
                row = pm.logp(pm.Normal.dist(mean, p["sigma"]), y) - pt.softplus(-logit_b if c else logit_b)
                rows.append(row + np.where(no_b | (b == c), 0.0, -1e10))
            of_school = pt.zeros(len(first))
            joint.append(own + pt.inc_subtensor(of_school[school], pt.logaddexp(rows[0], rows[1])))
        total = pt.logaddexp(joint[0], joint[1])
        pm.Potential("y, b, w and flag", total.sum())
        pm.Deterministic("P(flag)", pt.exp(joint[1] - total)[no_flag], dims="flag__cell")
    return model
