"""Random intercept model with a missing outcome and a school-level covariate: the design of popmis.

The story, for pupils i in schools j = 1 … J::

    sex_i, texp_j                                        complete, conditioned on
    u_j                 ~ Normal(0, 1|school_sigma)
    popular_i | u_j(i)  ~ Normal(Intercept + texp texp_j(i) + sex sex_i + u_j(i), sigma)
    popular_i is missing with probability expit(-1 + sex_i + (texp_j(i) - 14) / 10): at random

The likelihood. A missing outcome that nothing else depends on carries no information: the rows without one
are left out, and are drawn afterwards from the predictive distribution. With n_j observed pupils in school j,
their design rows X_j and 1_j a column of n_j ones::

    f(y_obs | theta) = prod_j N(y_j; X_j beta, sigma^2 I + tau^2 1_j 1_j'),     tau = 1|school_sigma

(u_j integrated out; `build` keeps it as the latent ``1|school``). A school without observed pupils
contributes nothing and keeps its prior. The intraclass correlation is tau^2 / (tau^2 + sigma^2).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
from scipy import stats
from scipy.special import expit

from models.overrides import override

PARAMETERS = {"Intercept": 3.6, "texp": 0.09, "sex": 0.87, "sigma": 0.68, "1|school_sigma": 0.68}


def simulate(
    rng: np.random.Generator, schools: int = 20, pupils: int = 15, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw pupils in schools, some without the outcome.

    Parameters
    ----------
    rng
        The source of randomness.
    schools, pupils
        Number of schools, and of pupils in each.
    **parameters
        Values in place of those in `PARAMETERS`, as ``**{"1|school_sigma": 0.3}``.

    Returns
    -------
    data : DataFrame, shape (schools * pupils, 4)
        Columns school, popular (NaN where missing), sex, texp.
    truth : dict
        The parameters, ``1|school`` with shape (schools,), and ``cell__popular``.
    """
    truth: dict[str, Any] = {**override(PARAMETERS, parameters)}
    code = np.repeat(np.arange(schools), pupils)
    texp = rng.integers(2, 26, size=schools).astype(float)[code]
    sex = rng.integers(0, 2, size=code.size).astype(float)
    effect = truth["1|school"] = rng.normal(0, truth["1|school_sigma"], size=schools)
    mean = truth["Intercept"] + truth["texp"] * texp + truth["sex"] * sex + effect[code]
    popular = rng.normal(mean, truth["sigma"])
    missing = rng.uniform(size=code.size) < expit(-1 + sex + (texp - 14) / 10)
    truth["cell__popular"] = popular[missing]
    popular = np.where(missing, np.nan, popular)
    return pd.DataFrame({"school": code + 1, "popular": popular, "sex": sex, "texp": texp}), truth


def scales(data: pd.DataFrame) -> dict[str, float]:
    """Constants of the default priors, from observed cells; texp over rows, not schools."""
    table = data[["popular", "texp", "sex"]]
    mean, sd = table.mean(), table.std()
    return {
        "mean(popular)": mean["popular"],
        "mean(texp)": mean["texp"],
        "mean(sex)": mean["sex"],
        "Intercept_centered": 2.5 * sd["popular"],
        "texp": 2.5 * sd["popular"] / sd["texp"],
        "sex": 2.5 * sd["popular"] / sd["sex"],
        "sigma": sd["popular"],
        "1|school_sigma": sd["popular"],
    }


def build(data: pd.DataFrame, priors: Mapping[str, float] | None = None) -> pm.Model:
    """Write the model of popular given texp, sex and the school; rows without the outcome are left out.

    Parameters
    ----------
    data : DataFrame
        Columns school, popular, sex, texp (others are not looked at); popular may have holes.
    priors
        Values in place of those of `scales`.

    Returns
    -------
    pm.Model
    """
    s = override(scales(data), priors)
    schools, code = np.unique(data["school"], return_inverse=True)
    observed = data["popular"].notna().to_numpy()
    code = code[observed]
    y, texp, sex = (data.loc[observed, name].to_numpy(float) for name in ("popular", "texp", "sex"))
    with pm.Model(coords={"__obs__": data.index[observed], "school__factor_dim": schools}) as model:
        intercept_centered = pm.Normal("Intercept_centered", s["mean(popular)"], s["Intercept_centered"])
        beta_texp = pm.Normal("texp", 0, s["texp"])
        beta_sex = pm.Normal("sex", 0, s["sex"])
        sigma = pm.HalfStudentT("sigma", 4, s["sigma"])
        tau = pm.HalfNormal("1|school_sigma", s["1|school_sigma"])
        effect = pm.Normal("1|school", 0, tau, dims="school__factor_dim")
        pm.Deterministic(
            "Intercept", intercept_centered - s["mean(texp)"] * beta_texp - s["mean(sex)"] * beta_sex
        )
        fixed = beta_texp * (texp - s["mean(texp)"]) + beta_sex * (sex - s["mean(sex)"])
        pm.Normal("popular", intercept_centered + fixed + effect[code], sigma, observed=y, dims="__obs__")
    return model


def marginal_logp(data: pd.DataFrame, parameters: Mapping[str, Any]) -> float:
    """Log f(y_obs | parameters): the likelihood written out above, school by school.

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
    for _, rows in data[data["popular"].notna()].groupby("school"):
        mean = p["Intercept"] + p["texp"] * rows["texp"] + p["sex"] * rows["sex"]
        covariance = p["sigma"] ** 2 * np.eye(len(rows)) + p["1|school_sigma"] ** 2
        total += stats.multivariate_normal.logpdf(rows["popular"], mean, covariance)
    return float(total)
