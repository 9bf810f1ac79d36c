"""A two-arm trial with three visits, drop-out, and jump to reference after it.

The story, for patients i = 1 … n::

    arm_i (0 control, 1 active), x_i                     complete, conditioned on
    y_1i                 ~ Normal(Intercept + arm arm_i + x x_i, sigma)
    y_2i | y_1i          ~ Normal(y_2__Intercept + y_2__arm arm_i + y_2__x x_i + y_2__y_1 y_1i, y_2__sigma)
    y_3i | y_1i, y_2i    ~ Normal(y_3__Intercept + … + y_3__y_1 y_1i + y_3__y_2 y_2i, y_3__sigma)
    a patient leaves before visit j with probability expit(-2 + y_(j-1)i): at random; one in ten misses visit 2 only

That is the mixed model for repeated measures with unstructured covariance: with B the slopes on earlier visits, D the residual
variances, a_i the remaining terms and L = (I - B)^-1, a patient's visits are Normal(L a_i, L D L').

The likelihood, with O_i the visits that were seen::

    f(y_obs | theta) = prod_i N(y_i[O_i]; (L a_i)[O_i], (L D L')[O_i, O_i])

(`build` keeps a visit that was missed before a later one was seen as the latent ``cell__y_2``; visits after the last one carry no
information and are left out.)

After the last visit patients of the active arm are imputed as if they had jumped to the control arm: with mu the means of
the own arm before, of the control arm from there on, and the same covariance (it is common to the arms), missing visits
have the normal distribution conditional on the seen ones: `jump_to_reference`. That assumption is no part of the model: data
say nothing about it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit

from models.overrides import override

VISITS = ("y_1", "y_2", "y_3")
PARAMETERS = {"Intercept": 0.0, "arm": -0.3, "x": 0.6, "sigma": 1.0}
PARAMETERS |= {"y_2__Intercept": -0.2, "y_2__arm": -0.4, "y_2__x": 0.2, "y_2__y_1": 0.7, "y_2__sigma": 0.7}
PARAMETERS |= {"y_3__Intercept": -0.2, "y_3__arm": -0.3, "y_3__x": 0.1, "y_3__sigma": 0.6}
PARAMETERS |= {"y_3__y_1": 0.2, "y_3__y_2": 0.7}


def simulate(
    rng: np.random.Generator, n: int = 120, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw n patients.

    Parameters
    ----------
    rng
        The source of randomness.
    n
        Number of patients; every other one is in the active arm.
    **parameters
        Values in place of those in `PARAMETERS`.

    Returns
    -------
    data : DataFrame, shape (n, 5)
        Columns y_1, y_2, y_3 (NaN where missing), arm, x.
    truth : dict
        The parameters and ``cell__y_2``, the values at visit 2 of patients who were seen again at visit 3.
    """
    truth: dict[str, Any] = {**override(PARAMETERS, parameters)}
    arm, x = (np.arange(n) % 2).astype(float), rng.normal(size=n)
    terms, slopes, sds = pieces(truth, arm, x)
    y = np.empty((n, 3))
    for j in range(3):
        y[:, j] = terms[:, j] + y[:, :j] @ slopes[j, :j] + rng.normal(0, sds[j], size=n)
    seen = np.ones((n, 3), dtype=bool)
    for j in (1, 2):
        seen[:, j] = seen[:, j - 1] & (rng.uniform(size=n) > expit(-2 + y[:, j - 1]))
    hole = (rng.uniform(size=n) < 0.1) & seen[:, 2]
    seen[hole, 1] = False
    truth["cell__y_2"] = y[hole, 1]
    return pd.DataFrame(
        {**dict(zip(VISITS, np.where(seen, y, np.nan).T, strict=True)), "arm": arm, "x": x}
    ), truth


def pieces(
    parameters: Mapping[str, Any], arm: NDArray[Any], x: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return a, (n, 3), B, (3, 3), and the residual sds, (3,)."""
    p = parameters
    prefixes = ("", "y_2__", "y_3__")
    terms = np.column_stack([p[f"{k}Intercept"] + p[f"{k}arm"] * arm + p[f"{k}x"] * x for k in prefixes])
    slopes = np.zeros((3, 3))
    slopes[1, 0], slopes[2, 0], slopes[2, 1] = p["y_2__y_1"], p["y_3__y_1"], p["y_3__y_2"]
    return terms, slopes, np.array([float(p[f"{k}sigma"]) for k in prefixes])


def scales(data: pd.DataFrame) -> dict[str, float]:
    """Constants of the default priors, from observed cells."""
    mean, sd = data.mean(), data.std()
    out = {f"mean({name})": mean[name] for name in data.columns}
    for j, visit in enumerate(VISITS):
        prefix = f"{visit}__" if j else ""
        out[f"{prefix}Intercept_centered"] = 2.5 * sd[visit]
        out[f"{prefix}sigma"] = sd[visit]
        for name in ("arm", "x", *VISITS[:j]):
            out[f"{prefix}{name}"] = 2.5 * sd[visit] / sd[name]
    return out


def build(data: pd.DataFrame, priors: Mapping[str, float] | None = None) -> pm.Model:
    """Write the regressions of the visits, one after the other.

    Parameters
    ----------
    data : DataFrame, shape (n, 5)
        As from `simulate`: y_1 complete, y_2 perhaps with holes before an observed y_3.
    priors
        Values in place of those of `scales`.

    Returns
    -------
    pm.Model
    """
    s = override(scales(data), priors)
    y = {name: data[name].to_numpy(float) for name in VISITS}
    known = {name: data[name].to_numpy(float) for name in ("arm", "x")}
    hole = np.isnan(y["y_2"]) & ~np.isnan(y["y_3"])
    with pm.Model(coords={"__obs__": data.index, "y_2__cell": data.index[hole]}) as model:
        earlier: dict[str, Any] = dict(known)
        for j, visit in enumerate(VISITS):
            prefix = f"{visit}__" if j else ""
            # where the visit, or a later one, was seen: a patient who has left tells nothing
            rows = ~np.isnan(y[visit]) | (hole if visit == "y_2" else False)
            intercept = pm.Normal(
                f"{prefix}Intercept_centered", s[f"mean({visit})"], s[f"{prefix}Intercept_centered"]
            )
            mean, shift = intercept, 0.0
            for name, column in earlier.items():
                slope = pm.Normal(f"{prefix}{name}", 0, s[f"{prefix}{name}"])
                mean = mean + slope * (column - s[f"mean({name})"])
                shift = shift + slope * s[f"mean({name})"]
            pm.Deterministic(f"{prefix}Intercept", intercept - shift)
            sigma = pm.HalfStudentT(f"{prefix}sigma", 4, s[f"{prefix}sigma"])
            seen = rows & ~np.isnan(y[visit])
            pm.Normal(f"{visit}__observed" if j else visit, mean[seen], sigma, observed=y[visit][seen])
            whole = pt.as_tensor(np.nan_to_num(y[visit]))
            if visit == "y_2" and hole.any():
                cell = pm.Normal("cell__y_2", mean[hole], sigma, dims="y_2__cell")
                whole = pt.set_subtensor(whole[hole], cell)
            earlier[visit] = whole
    return model


def marginal_logp(data: pd.DataFrame, parameters: Mapping[str, Any]) -> float:
    """Log f(y_obs | parameters): the likelihood written out above, patient by patient.

    Parameters
    ----------
    data : DataFrame, shape (n, 5)
        As for `build`.
    parameters
        By posterior name.

    Returns
    -------
    float
    """
    mean, cov = moments(parameters, data["arm"].to_numpy(float), data["x"].to_numpy(float))
    total = 0.0
    for y, mu in zip(data[list(VISITS)].to_numpy(float), mean, strict=True):
        seen = np.flatnonzero(~np.isnan(y))
        total += stats.multivariate_normal.logpdf(y[seen], mu[seen], cov[np.ix_(seen, seen)])
    return float(total)


def moments(
    parameters: Mapping[str, Any], arm: NDArray[Any], x: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the means, (n, 3), and the covariance, (3, 3), of the visits."""
    terms, slopes, sds = pieces(parameters, arm, x)
    total = np.linalg.inv(np.eye(3) - slopes)
    return terms @ total.T, total @ np.diag(sds**2) @ total.T


def jump_to_reference(
    data: pd.DataFrame, parameters: Mapping[str, Any]
) -> list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Return missing visits (positions), their mean and covariance for each patient under jump to reference.

    Parameters
    ----------
    data : DataFrame, shape (n, 5)
        As for `build`.
    parameters
        By posterior name, of one draw.

    Returns
    -------
    list of (visits, mean, covariance)
        One a patient; empty arrays where nothing is missing.
    """
    arm, x = data["arm"].to_numpy(float), data["x"].to_numpy(float)
    own, cov = moments(parameters, arm, x)
    control, _ = moments(parameters, np.zeros(len(data)), x)
    out = []
    for y, mu, ref in zip(data[list(VISITS)].to_numpy(float), own, control, strict=True):
        seen, gone = np.flatnonzero(~np.isnan(y)), np.flatnonzero(np.isnan(y))
        last = seen[-1]
        mu = np.concatenate([mu[: last + 1], ref[last + 1 :]])
        slope = cov[np.ix_(gone, seen)] @ np.linalg.inv(cov[np.ix_(seen, seen)])
        mean = mu[gone] + slope @ (y[seen] - mu[seen])
        out.append((gone, mean, cov[np.ix_(gone, gone)] - slope @ cov[np.ix_(seen, gone)]))
    return out
