"""Regression on a nominal and an ordered covariate, both incomplete: the cells summed out by hand.

The story, for rows i = 1 … n::

    z_i                                                      complete, conditioned on
    nom_i | z_i          ~ Categorical(softmax(0, a_v + b_v z_i, a_w + b_w z_i))         levels u, v, w
    grade_i | z_i        ~ OrderedLogistic(grade__z z_i; grade__threshold)               levels 1 < 2 < 3
    y_i | nom_i, grade_i ~ Normal(Intercept + nom[nom_i] + grade[grade_i] + z z_i, sigma)
    nom_i and grade_i are missing, independently, with probability expit(-1 + z_i / 2): at random

with a = ``nom__Intercept``, b = ``nom__z``; the effects of the first levels are zero. The likelihood::

    f(y, nom_obs, grade_obs | theta) = prod_i  sum_{c in C_i} sum_{k in K_i} f(c | z_i) f(k | z_i) f(y_i | c, k, z_i)

where C_i and K_i hold the observed level, or all of them where it is missing. NUTS cannot sample the cells: `build`
writes the sum, and ``P(nom)``, ``P(grade)`` are the probabilities of the missing cells' levels given everything.
"""

from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from scipy.special import expit, softmax

from models.fixed_priors import Priors, parameter
from models.overrides import override

FORMULA = "y ~ nom + grade + z"
OPTIONS: dict[str, Any] = {"formulas": {"nom": "~ z", "grade": "~ z"}}
PARAMETERS = {
    "Intercept": 0.5,
    "nom[v]": 1.2,
    "nom[w]": -0.6,
    "grade[mid]": 0.5,
    "grade[top]": 1.5,
    "z": -0.4,
}
PARAMETERS |= {"sigma": 0.8, "nom__Intercept[v]": 0.3, "nom__Intercept[w]": -0.2}
PARAMETERS |= {"nom__z[v]": 0.6, "nom__z[w]": -0.5, "grade__z": 0.8}
PARAMETERS |= {"grade__threshold[0]": -0.8, "grade__threshold[1]": 0.7}
PRIORS: Priors = {
    **dict.fromkeys(["Intercept", "nom", "grade", "z"], ("Normal", 0.0, 2.0)),
    "sigma": ("HalfNormal", 2.0),
    **dict.fromkeys(["nom__Intercept", "nom__z", "grade__z", "grade__threshold"], ("Normal", 0.0, 2.0)),
}
NOM, GRADE = ["u", "v", "w"], ["low", "mid", "top"]


def simulate(
    rng: np.random.Generator, n: int = 150, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw n rows of y, nom and grade with holes, and z; return the table and the truth by posterior name."""
    p: dict[str, Any] = {**override(PARAMETERS, parameters)}
    z = rng.normal(size=n)
    logits = [p[f"nom__Intercept[{level}]"] + p[f"nom__z[{level}]"] * z for level in NOM[1:]]
    weights = softmax(np.column_stack([np.zeros(n), *logits]), axis=1)
    nom = (rng.uniform(size=(n, 1)) > np.cumsum(weights, axis=1)[:, :-1]).sum(axis=1)
    latent = p["grade__z"] * z + rng.logistic(size=n)
    grade = (latent > p["grade__threshold[0]"]).astype(int) + (latent > p["grade__threshold[1]"])
    of_nom = np.array([0.0, p["nom[v]"], p["nom[w]"]])
    of_grade = np.array([0.0, p["grade[mid]"], p["grade[top]"]])
    y = rng.normal(p["Intercept"] + of_nom[nom] + of_grade[grade] + p["z"] * z, p["sigma"])
    no_nom, no_grade = rng.uniform(size=(2, n)) < expit(-1 + z / 2)
    p |= {"cell__nom": nom[no_nom], "cell__grade": grade[no_grade]}
    data = pd.DataFrame(
        {
            "y": y,
            "nom": pd.Categorical.from_codes(np.where(no_nom, -1, nom), NOM),
            "grade": pd.Categorical.from_codes(np.where(no_grade, -1, grade), GRADE, ordered=True),
            "z": z,
        }
    )
    return data, p


def build(data: pd.DataFrame, priors: Priors = PRIORS) -> pm.Model:
    """Write the likelihood with the cells summed out."""
    y, z = (data[name].to_numpy(float) for name in ("y", "z"))
    codes = {name: data[name].cat.codes.to_numpy() for name in ("nom", "grade")}
    # log of 1 where a level is possible, minus a large number where another one was observed
    possible = {
        name: np.where((own[:, None] < 0) | (own[:, None] == np.arange(3)), 0.0, -1e10)
        for name, own in codes.items()
    }
    coords = {
        "nom_dim": NOM[1:],
        "grade_dim": GRADE[1:],
        "nom__level": NOM[1:],
        "grade__threshold_dim": [0, 1],
    }
    coords |= {f"{name}__cell": data.index[own < 0] for name, own in codes.items()}
    with pm.Model(coords=coords) as model:
        p = {name: parameter(priors, name) for name in ("Intercept", "z", "sigma", "grade__z")}
        of_nom = parameter(priors, "nom", dims="nom_dim")
        of_grade = parameter(priors, "grade", dims="grade_dim")
        intercepts = parameter(priors, "nom__Intercept", dims="nom__level")
        slopes = parameter(priors, "nom__z", dims="nom__level")
        threshold = parameter(
            priors,
            "grade__threshold",
            dims="grade__threshold_dim",
            transform=pm.distributions.transforms.ordered,
            initval=[-1.0, 1.0],
        )
        logits = pt.concatenate([pt.zeros((len(z), 1)), intercepts + slopes * z[:, None]], axis=1)
        log_nom = pt.special.log_softmax(logits, axis=1)
        below = pm.math.sigmoid(threshold - p["grade__z"] * z[:, None])
        ends = pt.concatenate([pt.zeros((len(z), 1)), below, pt.ones((len(z), 1))], axis=1)
        log_grade = pt.log(ends[:, 1:] - ends[:, :-1])
        # rows, levels of nom, levels of grade
        mean = (p["Intercept"] + p["z"] * z)[:, None, None]
        mean += pt.concatenate([pt.zeros(1), of_nom])[None, :, None]
        mean += pt.concatenate([pt.zeros(1), of_grade])[None, None, :]
        log_y = pm.logp(pm.Normal.dist(mean, p["sigma"]), y[:, None, None])
        joint = log_y + (log_nom + possible["nom"])[:, :, None] + (log_grade + possible["grade"])[:, None, :]
        total = pt.logsumexp(joint, axis=(1, 2))
        pm.Potential("y, nom and grade", total)
        for name, axis in (("nom", 2), ("grade", 1)):
            weights = pt.exp(pt.logsumexp(joint, axis=axis) - total[:, None])
            pm.Deterministic(f"P({name})", weights[codes[name] < 0])
    return model
