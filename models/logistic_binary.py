"""Logistic regression with one incomplete binary covariate.

The story, for rows i = 1 … n::

    z_i                                                  complete, conditioned on
    x_i | z_i       ~ Bernoulli(expit(x__Intercept + x__z z_i))
    y_i | x_i, z_i  ~ Bernoulli(expit(Intercept + x x_i + z z_i))
    x_i is missing with probability expit(-1 + z_i / 2 + y_i): at random given y and z

The likelihood, with R_i = 1 where x_i is observed::

    f(y, x_obs | theta) =   prod_{R_i = 1}  f(x_i | z_i) f(y_i | x_i, z_i)
                          * prod_{R_i = 0}  sum_{c = 0, 1} f(x_i = c | z_i) f(y_i | x_i = c, z_i)

(in the second line the missing x_i is summed out; `build` keeps it as the discrete latent ``cell__x``, which
NUTS cannot sample: PyMC falls back to a Gibbs-Metropolis mix).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from scipy.special import expit, log_expit, logsumexp

from models.overrides import override

PARAMETERS = {"Intercept": -0.3, "x": 1.2, "z": 0.7, "x__Intercept": 0.4, "x__z": -0.8}


def simulate(
    rng: np.random.Generator, n: int = 200, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw n rows of binary y, binary x (with holes) and z.

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
        Columns y, x, z; y and x hold 0.0 and 1.0, x is NaN where missing.
    truth : dict
        The parameters and ``cell__x``, the values of the missing cells in row order.
    """
    truth: dict[str, Any] = {**override(PARAMETERS, parameters)}
    z = rng.normal(size=n)
    x = rng.binomial(1, expit(truth["x__Intercept"] + truth["x__z"] * z)).astype(float)
    y = rng.binomial(1, expit(truth["Intercept"] + truth["x"] * x + truth["z"] * z)).astype(float)
    missing = rng.uniform(size=n) < expit(-1 + z / 2 + y)
    truth["cell__x"] = x[missing]
    return pd.DataFrame({"y": y, "x": np.where(missing, np.nan, x), "z": z}), truth


def scales(data: pd.DataFrame) -> dict[str, float]:
    """Constants of the default priors, from observed cells; x counts as the number it is."""
    table = data[["x", "z"]]
    mean, sd = table.mean(), table.std()
    return {
        "mean(x)": mean["x"],
        "mean(z)": mean["z"],
        "Intercept_centered": 2.5,
        "x": 2.5 / sd["x"],
        "z": 2.5 / sd["z"],
        "x__Intercept_centered": 2.5,
        "x__z": 2.5 / sd["z"],
    }


def build(data: pd.DataFrame, priors: Mapping[str, float] | None = None) -> pm.Model:
    """Write the joint model of y and x given z, each missing x a discrete latent.

    Parameters
    ----------
    data : DataFrame, shape (n, 3)
        Columns y and x of 0 and 1, and z; x may have holes.
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
        x_intercept_centered = pm.Normal("x__Intercept_centered", 0, s["x__Intercept_centered"])
        x_z = pm.Normal("x__z", 0, s["x__z"])
        pm.Deterministic("x__Intercept", x_intercept_centered - s["mean(z)"] * x_z)
        x_logit = x_intercept_centered + x_z * (z - s["mean(z)"])
        pm.Bernoulli("x__observed", logit_p=x_logit[~missing], observed=x[~missing].astype(int))
        cell = pm.Bernoulli("cell__x", logit_p=x_logit[missing], dims="x__cell")
        x_full = pt.set_subtensor(pt.as_tensor(np.where(missing, 0.0, x))[missing], cell.astype("float64"))

        # y | x, z
        intercept_centered = pm.Normal("Intercept_centered", 0, s["Intercept_centered"])
        beta_x = pm.Normal("x", 0, s["x"])
        beta_z = pm.Normal("z", 0, s["z"])
        pm.Deterministic("Intercept", intercept_centered - s["mean(x)"] * beta_x - s["mean(z)"] * beta_z)
        logit = intercept_centered + beta_x * (x_full - s["mean(x)"]) + beta_z * (z - s["mean(z)"])
        pm.Bernoulli("y", logit_p=logit, observed=y.astype(int), dims="__obs__")
    return model


def build_summed(data: pd.DataFrame, priors: Mapping[str, float] | None = None) -> pm.Model:
    """Write the same model with the missing cells summed out by hand, so that NUTS can sample it.

    Parameters
    ----------
    data : DataFrame, shape (n, 3)
        As for `build`.
    priors
        Values in place of those of `scales`.

    Returns
    -------
    pm.Model
        ``P(x)`` are the probabilities of 1 of the missing cells given everything.
    """
    s = override(scales(data), priors)
    y, x, z = (data[name].to_numpy(float) for name in ("y", "x", "z"))
    missing = np.isnan(x)
    with pm.Model(coords={"x__cell": data.index[missing]}) as model:
        x_intercept_centered = pm.Normal("x__Intercept_centered", 0, s["x__Intercept_centered"])
        x_z = pm.Normal("x__z", 0, s["x__z"])
        pm.Deterministic("x__Intercept", x_intercept_centered - s["mean(z)"] * x_z)
        x_logit = x_intercept_centered + x_z * (z - s["mean(z)"])
        intercept_centered = pm.Normal("Intercept_centered", 0, s["Intercept_centered"])
        beta_x = pm.Normal("x", 0, s["x"])
        beta_z = pm.Normal("z", 0, s["z"])
        pm.Deterministic("Intercept", intercept_centered - s["mean(x)"] * beta_x - s["mean(z)"] * beta_z)
        joint = []
        for c in (0, 1):
            logit = intercept_centered + beta_x * (c - s["mean(x)"]) + beta_z * (z - s["mean(z)"])
            terms = -pt.softplus(-x_logit if c else x_logit) - pt.softplus(pt.where(y == 1, -logit, logit))
            joint.append(terms + np.where(missing | (x == c), 0.0, -1e10))
        total = pt.logaddexp(joint[0], joint[1])
        pm.Potential("y and x", total.sum())
        pm.Deterministic("P(x)", pt.exp(joint[1] - total)[missing], dims="x__cell")
    return model


def summed_logp(data: pd.DataFrame, parameters: Mapping[str, Any]) -> float:
    """Log f(y, x_obs | parameters), the missing cells summed out by brute force.

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
    return float(logsumexp(cell_logweights(data, parameters), axis=1).sum())


def cell_logweights(data: pd.DataFrame, parameters: Mapping[str, Any]) -> np.ndarray:
    """Log f(y_i, x_i = c | parameters) for c = 0, 1; minus infinity where x_i is observed as the other.

    Normalised over c, the weights of a row whose x is missing are the exact probabilities to draw it with.

    Parameters
    ----------
    data : DataFrame, shape (n, 3)
        As for `build`.
    parameters
        By posterior name.

    Returns
    -------
    ndarray, shape (n, 2)
    """
    p = parameters
    y, x, z = (data[name].to_numpy(float) for name in ("y", "x", "z"))
    weights = np.full((len(data), 2), -np.inf)
    for c in (0, 1):
        x_logit = p["x__Intercept"] + p["x__z"] * z
        logit = p["Intercept"] + p["x"] * c + p["z"] * z
        joint = log_expit(x_logit if c else -x_logit) + log_expit(np.where(y == 1, logit, -logit))
        possible = np.isnan(x) | (x == c)
        weights[possible, c] = joint[possible]
    return weights


marginal_logp = summed_logp
