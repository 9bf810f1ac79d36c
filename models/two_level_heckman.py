"""Heckman's selection model in clusters: intercepts of both equations vary and are correlated.

The story, for rows i in clusters j = 1 … J::

    x_i, w_i                                             complete, conditioned on
    (u_j, v_j) ~ Normal(0, S)                            S from 1|cluster_sigma, selection_1|cluster_sigma, cluster__corr
    y_i = Intercept + x x_i + u_j(i) + e_i               the outcome
    r_i = selection_Intercept + selection_x x_i + selection_w w_i + v_j(i) + d_i
    (e_i, d_i) ~ Normal(0, [[sigma^2, rho sigma], [rho sigma, 1]])
    y_i is observed (R_i = 1) if and only if r_i > 0; in some clusters y was not measured at all

w is in the selection equation only: the exclusion restriction. A cluster in which y was not measured says nothing about
selection: its y_i are drawn from the population of clusters.

The likelihood, with m_i and s_i the linear predictors given (u_j, v_j)::

    f = prod_j  integral  prod_{i in j, R_i = 0} Phi(-s_i)
                        * prod_{i in j, R_i = 1} phi((y_i - m_i) / sigma) / sigma
                                                 * Phi((s_i + rho (y_i - m_i) / sigma) / sqrt(1 - rho^2))
                        * N((u_j, v_j); 0, S)  d(u_j, v_j)

over the clusters where y was measured. `build` keeps (u_j, v_j) as latents and the missing y integrated out.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from scipy.special import logsumexp

from models.heckman import log_phi, selection_logp
from models.overrides import override

PARAMETERS = {"Intercept": 1.0, "x": 0.5, "sigma": 0.8, "rho": 0.6, "1|cluster_sigma": 0.5}
PARAMETERS |= {"selection_Intercept": -0.3, "selection_x": 0.4, "selection_w": 0.9}
PARAMETERS |= {"selection_1|cluster_sigma": 0.4, "cluster__corr": 0.5}


def simulate(
    rng: np.random.Generator, clusters: int = 10, rows: int = 50, absent: int = 2, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw rows in clusters.

    Parameters
    ----------
    rng
        The source of randomness.
    clusters, rows
        Number of clusters, and of rows in each.
    absent
        Number of clusters, the last ones, in which y was not measured.
    **parameters
        Values in place of those in `PARAMETERS`.

    Returns
    -------
    data : DataFrame, shape (clusters * rows, 4)
        Columns cluster, y (NaN where missing), x, w.
    truth : dict
        The parameters, ``1|cluster``, ``selection_1|cluster`` and ``cell__y``, missing values in row order.
    """
    truth: dict[str, Any] = {**override(PARAMETERS, parameters)}
    code = np.repeat(np.arange(clusters), rows)
    x, w = rng.normal(size=(2, code.size))
    sds = np.array([truth["1|cluster_sigma"], truth["selection_1|cluster_sigma"]])
    corr = np.array([[1.0, truth["cluster__corr"]], [truth["cluster__corr"], 1.0]])
    u, v = rng.multivariate_normal([0, 0], sds[:, None] * corr * sds, size=clusters).T
    rho, sigma = truth["rho"], truth["sigma"]
    e, d = rng.multivariate_normal([0, 0], [[sigma**2, rho * sigma], [rho * sigma, 1]], size=code.size).T
    y = truth["Intercept"] + truth["x"] * x + u[code] + e
    selection = truth["selection_Intercept"] + truth["selection_x"] * x + truth["selection_w"] * w
    missing = (selection + v[code] + d <= 0) | (code >= clusters - absent)
    truth |= {"1|cluster": u, "selection_1|cluster": v, "cell__y": y[missing]}
    return pd.DataFrame({"cluster": code + 1, "y": np.where(missing, np.nan, y), "x": x, "w": w}), truth


def scales(data: pd.DataFrame) -> dict[str, float]:
    """Constants of the default priors; ``rho`` and ``cluster__corr`` are eta of 2 Beta(eta, eta) - 1."""
    table = data[["y", "x", "w"]]
    mean, sd = table.mean(), table.std()
    return {
        "mean(y)": mean["y"],
        "mean(x)": mean["x"],
        "mean(w)": mean["w"],
        "Intercept_centered": 2.5 * sd["y"],
        "x": 2.5 * sd["y"] / sd["x"],
        "sigma": sd["y"],
        "rho": 1.0,
        "selection_Intercept": 2.5,
        "selection_x": 2.5 / sd["x"],
        "selection_w": 2.5 / sd["w"],
        "1|cluster_sigma": sd["y"],
        "selection_1|cluster_sigma": 1.0,
        "cluster__corr": 2.0,
    }


def build(data: pd.DataFrame, priors: Mapping[str, float] | None = None) -> pm.Model:
    """Write the model with the effects of both equations as latents.

    Parameters
    ----------
    data : DataFrame
        Columns cluster, y, x, w; y has holes.
    priors
        Values in place of those of `scales`.

    Returns
    -------
    pm.Model
    """
    s = override(scales(data), priors)
    y, x, w = (data[name].to_numpy(float) for name in ("y", "x", "w"))
    clusters, code = np.unique(data["cluster"], return_inverse=True)
    seen = ~np.isnan(y)
    measured = np.bincount(code, weights=seen)[code] > 0
    unseen = measured & ~seen
    coords = {"__obs__": data.index[seen], "cluster__factor_dim": clusters}
    with pm.Model(coords=coords) as model:
        intercept_centered = pm.Normal("Intercept_centered", s["mean(y)"], s["Intercept_centered"])
        beta_x = pm.Normal("x", 0, s["x"])
        sigma = pm.HalfStudentT("sigma", 4, s["sigma"])
        half = pm.Beta("rho__half", s["rho"], s["rho"])
        rho = pm.Deterministic("rho", 2 * half - 1)
        r_intercept_centered = pm.Normal("selection_Intercept_centered", 0, s["selection_Intercept"])
        r_x = pm.Normal("selection_x", 0, s["selection_x"])
        r_w = pm.Normal("selection_w", 0, s["selection_w"])
        tau = pm.HalfNormal("1|cluster_sigma", s["1|cluster_sigma"])
        r_tau = pm.HalfNormal("selection_1|cluster_sigma", s["selection_1|cluster_sigma"])
        partial = pm.Beta("cluster__partial", s["cluster__corr"], s["cluster__corr"], shape=(1,))
        corr = pm.Deterministic("cluster__corr", 2 * partial[0] - 1)
        root = pt.stack([pt.stack([tau, 0.0]), pt.stack([r_tau * corr, r_tau * pt.sqrt(1 - corr**2)])])
        effects = pm.MvNormal("cluster__effects", mu=np.zeros(2), chol=root, shape=(len(clusters), 2))
        pm.Deterministic("1|cluster", effects[:, 0], dims="cluster__factor_dim")
        pm.Deterministic("selection_1|cluster", effects[:, 1], dims="cluster__factor_dim")
        pm.Deterministic("Intercept", intercept_centered - s["mean(x)"] * beta_x)
        pm.Deterministic(
            "selection_Intercept", r_intercept_centered - s["mean(x)"] * r_x - s["mean(w)"] * r_w
        )
        mean = intercept_centered + beta_x * (x - s["mean(x)"]) + effects[code, 0]
        selection = r_intercept_centered + r_x * (x - s["mean(x)"]) + r_w * (w - s["mean(w)"])
        selection = selection + effects[code, 1]
        pm.Normal("y", mean[seen], sigma, observed=y[seen], dims="__obs__")
        z = (y[seen] - mean[seen]) / sigma
        pm.Potential("y__selection", log_phi((selection[seen] + rho * z) / pt.sqrt(1 - rho**2)))
        pm.Potential("y__not_selected", log_phi(-selection[unseen]))
    return model


def marginal_logp(data: pd.DataFrame, parameters: Mapping[str, Any], nodes: int = 40) -> float:
    """Log f(y_obs, R | parameters): the integral over each cluster's effects by Gauss-Hermite quadrature.

    Parameters
    ----------
    data : DataFrame
        As for `build`.
    parameters
        By posterior name.
    nodes
        In each of the two directions.

    Returns
    -------
    float
    """
    p = parameters
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    log_weights = np.log(weights) - 0.5 * np.log(2 * np.pi)
    corr = p["cluster__corr"]
    total = 0.0
    for _, rows in data.groupby("cluster"):
        if rows["y"].isna().all():
            continue
        y, x, w = (rows[name].to_numpy(float) for name in ("y", "x", "w"))
        mean = p["Intercept"] + p["x"] * x
        selection = p["selection_Intercept"] + p["selection_x"] * x + p["selection_w"] * w
        terms = []
        for a, log_a in zip(points, log_weights, strict=True):
            for b, log_b in zip(points, log_weights, strict=True):
                u = p["1|cluster_sigma"] * a
                v = p["selection_1|cluster_sigma"] * (corr * a + np.sqrt(1 - corr**2) * b)
                own = selection_logp(y, mean + u, selection + v, p["sigma"], p["rho"])
                terms.append(own.sum() + log_a + log_b)
        total += float(logsumexp(terms))
    return total
