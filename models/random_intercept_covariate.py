"""Random intercept model with an incomplete Gaussian covariate that has its own; levels separated.

The story, for pupils i in schools j = 1 … J, with m_j the mean of z over all pupils of school j::

    z_i                                                  complete, conditioned on
    v_j             ~ Normal(0, x__1|school_sigma)
    x_i | v_j(i)    ~ Normal(x__Intercept + x__z z_i + x__between(z) m_j(i) + v_j(i), x__sigma)
    u_j             ~ Normal(0, 1|school_sigma)
    y_i | x_i, u_j(i) ~ Normal(Intercept + x x_i + z z_i + u_j(i), sigma)
    x_i is missing with probability expit(-1 + z_i / 2 + (y_i - mean y) / sd y / 2): at random given y and z

The model of x holds the school mean of z. One slope with an independent random intercept would force the
association of x with z to be the same within schools (``x__z``) and between them (``x__z`` +
``x__between(z)``). The analysis model of y stays as its author wrote it.

The likelihood. Given the parameters the y and x of one school are jointly Gaussian; with 1 a column of ones,
M = x__sigma^2 I + x__1|school_sigma^2 1 1' and b = ``x``::

    E x = x__Intercept + x__z z + x__between(z) m      E y = Intercept + b E x + z z
    cov x = M      cov(y, x) = b M      cov y = b^2 M + sigma^2 I + 1|school_sigma^2 1 1'

    f(y, x_obs | theta) = prod_j N((y_j, x_obs,j); the rows and columns of these that are observed)

(u, v and the missing x integrated out; `build` keeps all three as latents).
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

PARAMETERS = {"Intercept": 1.0, "x": 0.6, "z": -0.4, "sigma": 0.8, "1|school_sigma": 0.5}
PARAMETERS |= {"x__Intercept": 2.0, "x__z": 0.3, "x__between(z)": 0.9}
PARAMETERS |= {"x__sigma": 1.0, "x__1|school_sigma": 0.7}


def simulate(
    rng: np.random.Generator, schools: int = 20, pupils: int = 12, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw pupils in schools; z differs within and between schools, x has holes.

    Parameters
    ----------
    rng
        The source of randomness.
    schools, pupils
        Number of schools, and of pupils in each.
    **parameters
        Values in place of those in `PARAMETERS`.

    Returns
    -------
    data : DataFrame, shape (schools * pupils, 4)
        Columns school, y, x (NaN where missing), z.
    truth : dict
        The parameters, ``1|school`` and ``x__1|school`` with shape (schools,), and ``cell__x``.
    """
    truth: dict[str, Any] = {**override(PARAMETERS, parameters)}
    code = np.repeat(np.arange(schools), pupils)
    z = rng.normal(size=schools)[code] + rng.normal(size=code.size)
    z_mean = z.reshape(schools, pupils).mean(axis=1)[code]
    v = truth["x__1|school"] = rng.normal(0, truth["x__1|school_sigma"], size=schools)
    x_mean = truth["x__Intercept"] + truth["x__z"] * z + truth["x__between(z)"] * z_mean + v[code]
    x = rng.normal(x_mean, truth["x__sigma"])
    u = truth["1|school"] = rng.normal(0, truth["1|school_sigma"], size=schools)
    y = rng.normal(truth["Intercept"] + truth["x"] * x + truth["z"] * z + u[code], truth["sigma"])
    missing = rng.uniform(size=code.size) < expit(-1 + z / 2 + (y - y.mean()) / y.std() / 2)
    truth["cell__x"] = x[missing]
    return pd.DataFrame({"school": code + 1, "y": y, "x": np.where(missing, np.nan, x), "z": z}), truth


def school_mean(data: pd.DataFrame) -> pd.Series:
    """Mean of z over all rows of the school, once for every row."""
    return data.groupby("school")["z"].transform("mean")


def scales(data: pd.DataFrame) -> dict[str, float]:
    """Constants of the default priors, from observed cells; the school means of z over rows, not schools."""
    table = data[["y", "x", "z"]].assign(z_mean=school_mean(data))
    mean, sd = table.mean(), table.std()
    return {
        "mean(y)": mean["y"],
        "mean(x)": mean["x"],
        "mean(z)": mean["z"],
        "mean(between(z))": mean["z_mean"],
        "Intercept_centered": 2.5 * sd["y"],
        "x": 2.5 * sd["y"] / sd["x"],
        "z": 2.5 * sd["y"] / sd["z"],
        "sigma": sd["y"],
        "1|school_sigma": sd["y"],
        "x__Intercept_centered": 2.5 * sd["x"],
        "x__z": 2.5 * sd["x"] / sd["z"],
        "x__between(z)": 2.5 * sd["x"] / sd["z_mean"],
        "x__sigma": sd["x"],
        "x__1|school_sigma": sd["x"],
    }


def build(data: pd.DataFrame, priors: Mapping[str, float] | None = None) -> pm.Model:
    """Write the joint model of y and x given z, with a random intercept in each; missing x are latents.

    Parameters
    ----------
    data : DataFrame
        Columns school, y, x, z; x may have holes.
    priors
        Values in place of those of `scales`.

    Returns
    -------
    pm.Model
    """
    s = override(scales(data), priors)
    schools, code = np.unique(data["school"], return_inverse=True)
    y, x, z = (data[name].to_numpy(float) for name in ("y", "x", "z"))
    z_mean = school_mean(data).to_numpy(float)
    missing = np.isnan(x)
    coords = {"__obs__": data.index, "x__cell": data.index[missing], "school__factor_dim": schools}
    with pm.Model(coords=coords) as model:
        # x | z, school
        x_intercept_centered = pm.Normal("x__Intercept_centered", s["mean(x)"], s["x__Intercept_centered"])
        x_z = pm.Normal("x__z", 0, s["x__z"])
        x_z_mean = pm.Normal("x__between(z)", 0, s["x__between(z)"])
        x_sigma = pm.HalfStudentT("x__sigma", 4, s["x__sigma"])
        x_tau = pm.HalfNormal("x__1|school_sigma", s["x__1|school_sigma"])
        v = pm.Normal("x__1|school", 0, x_tau, dims="school__factor_dim")
        pm.Deterministic(
            "x__Intercept", x_intercept_centered - s["mean(z)"] * x_z - s["mean(between(z))"] * x_z_mean
        )
        x_fixed = x_z * (z - s["mean(z)"]) + x_z_mean * (z_mean - s["mean(between(z))"])
        x_mean = x_intercept_centered + x_fixed + v[code]
        pm.Normal("x__observed", x_mean[~missing], x_sigma, observed=x[~missing])
        cell = pm.Normal("cell__x", x_mean[missing], x_sigma, dims="x__cell")
        x_full = pt.set_subtensor(pt.as_tensor(np.where(missing, 0.0, x))[missing], cell)

        # y | x, z, school
        intercept_centered = pm.Normal("Intercept_centered", s["mean(y)"], s["Intercept_centered"])
        beta_x = pm.Normal("x", 0, s["x"])
        beta_z = pm.Normal("z", 0, s["z"])
        sigma = pm.HalfStudentT("sigma", 4, s["sigma"])
        tau = pm.HalfNormal("1|school_sigma", s["1|school_sigma"])
        u = pm.Normal("1|school", 0, tau, dims="school__factor_dim")
        pm.Deterministic("Intercept", intercept_centered - s["mean(x)"] * beta_x - s["mean(z)"] * beta_z)
        mean = intercept_centered + beta_x * (x_full - s["mean(x)"]) + beta_z * (z - s["mean(z)"]) + u[code]
        pm.Normal("y", mean, sigma, observed=y, dims="__obs__")
    return model


def marginal_logp(data: pd.DataFrame, parameters: Mapping[str, Any]) -> float:
    """Log f(y, x_obs | parameters): the likelihood written out above, school by school.

    Parameters
    ----------
    data : DataFrame
        As for `build`.
    parameters
        By posterior name.

    Returns
    -------
    float
    """
    p = parameters
    total = 0.0
    for _, rows in data.assign(z_mean=school_mean(data)).groupby("school"):
        n, z = len(rows), rows["z"].to_numpy(float)
        x_mean = p["x__Intercept"] + p["x__z"] * z + p["x__between(z)"] * rows["z_mean"].to_numpy(float)
        x_cov = p["x__sigma"] ** 2 * np.eye(n) + p["x__1|school_sigma"] ** 2
        y_mean = p["Intercept"] + p["x"] * x_mean + p["z"] * z
        y_cov = p["x"] ** 2 * x_cov + p["sigma"] ** 2 * np.eye(n) + p["1|school_sigma"] ** 2
        mean = np.concatenate([y_mean, x_mean])
        covariance = np.block([[y_cov, p["x"] * x_cov], [p["x"] * x_cov, x_cov]])
        values = np.concatenate([rows["y"], rows["x"]])
        seen = ~np.isnan(values)
        total += stats.multivariate_normal.logpdf(values[seen], mean[seen], covariance[np.ix_(seen, seen)])
    return float(total)
