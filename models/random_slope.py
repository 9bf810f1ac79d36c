"""Random intercept and slope that are correlated, with a missing outcome.

The story, for pupils i in schools j = 1 … J::

    sex_i, texp_j                                        complete, conditioned on
    (u_j, v_j)               ~ Normal(0, T),  T = [[t0^2, rho t0 t1], [rho t0 t1, t1^2]]
    popular_i | u_j(i), v_j(i)  ~ Normal(Intercept + texp texp_j(i) + (sex + v_j(i)) sex_i + u_j(i), sigma)
    popular_i is missing with probability expit(-1 + sex_i): at random

with t0 = ``1|school_sigma``, t1 = ``sex|school_sigma``, rho = ``school__corr``, u = ``1|school`` and v =
``sex|school``. The group effects are for sex as it stands, not centred: t0 is the spread of the schools'
boys.

The likelihood, with Z_j = [1, sex] over the observed pupils of school j::

    f(y_obs | theta) = prod_j N(y_j; X_j beta, sigma^2 I + Z_j T Z_j')

(u_j, v_j integrated out). `build` keeps them as latents and writes their bivariate normal density as a
product, u_j ~ Normal(0, t0), v_j | u_j ~ Normal(rho t1 / t0 u_j, t1 sqrt(1 - rho^2)), so that each has its
own name and LKJ(2) on one correlation is rho = 2 Beta(2, 2) - 1.

That is the form to read. Where t1 may be zero, NUTS on v_j itself stays away from there with every check passed:
`build_noncentred` has v_j = rho t1 / t0 u_j + t1 sqrt(1 - rho^2) raw_j instead, raw_j ~ Normal(0, 1). Simulated table
of seed 7: the share of draws with t1 < .03 is .006 in the first form with 4 x 5 000 draws, .026 with 4 x 40 000, .037
in the second, and .036 with both effects integrated out.
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

PARAMETERS = {"Intercept": 3.6, "texp": 0.09, "sex": 0.87, "sigma": 0.68}
PARAMETERS |= {"1|school_sigma": 0.7, "sex|school_sigma": 0.5, "school__corr": -0.4}


def simulate(
    rng: np.random.Generator, schools: int = 20, pupils: int = 15, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw pupils in schools whose level and sex difference vary, some without the outcome.

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
        Columns school, popular (NaN where missing), sex, texp.
    truth : dict
        The parameters, ``1|school`` and ``sex|school`` with shape (schools,), and ``cell__popular``.
    """
    truth: dict[str, Any] = {**override(PARAMETERS, parameters)}
    code = np.repeat(np.arange(schools), pupils)
    texp = rng.integers(2, 26, size=schools).astype(float)[code]
    sex = rng.integers(0, 2, size=code.size).astype(float)
    effects = rng.multivariate_normal([0, 0], group_covariance(truth), size=schools)
    truth["1|school"], truth["sex|school"] = effects.T
    slope = truth["sex"] + truth["sex|school"][code]
    mean = truth["Intercept"] + truth["texp"] * texp + slope * sex + truth["1|school"][code]
    popular = rng.normal(mean, truth["sigma"])
    missing = rng.uniform(size=code.size) < expit(-1 + sex)
    truth["cell__popular"] = popular[missing]
    popular = np.where(missing, np.nan, popular)
    return pd.DataFrame({"school": code + 1, "popular": popular, "sex": sex, "texp": texp}), truth


def group_covariance(parameters: Mapping[str, Any]) -> np.ndarray:
    """Covariance matrix T of the two group effects, shape (2, 2)."""
    t0, t1 = parameters["1|school_sigma"], parameters["sex|school_sigma"]
    rho = float(np.squeeze(parameters["school__corr"]))
    return np.array([[t0**2, rho * t0 * t1], [rho * t0 * t1, t1**2]])


def scales(data: pd.DataFrame) -> dict[str, float]:
    """Constants of the default priors, from observed cells; ``school__corr`` is the eta of the LKJ."""
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
        "sex|school_sigma": sd["popular"] / sd["sex"],
        "school__corr": 2.0,
    }


def build_noncentred(data: pd.DataFrame, priors: Mapping[str, float] | None = None) -> pm.Model:
    """Write the same model with slopes in non-centred form, to sample where their sd may be zero.

    Parameters
    ----------
    data, priors
        As for `build`.

    Returns
    -------
    pm.Model
        With ``sex|school`` a function of ``raw``.
    """
    return build(data, priors, centred=False)


def build(data: pd.DataFrame, priors: Mapping[str, float] | None = None, *, centred: bool = True) -> pm.Model:
    """Write the model of popular with a random intercept and a random slope of sex.

    Parameters
    ----------
    data : DataFrame
        Columns school, popular, sex, texp (others are not looked at); popular may have holes.
    priors
        Values in place of those of `scales`.
    centred
        Whether ``sex|school`` itself is the random variable.

    Returns
    -------
    pm.Model
    """
    s = override(scales(data), priors)
    schools, code = np.unique(data["school"], return_inverse=True)
    observed = data["popular"].notna().to_numpy()
    code = code[observed]
    y, texp, sex = (data.loc[observed, name].to_numpy(float) for name in ("popular", "texp", "sex"))
    coords = {
        "__obs__": data.index[observed],
        "school__factor_dim": schools,
        "school__corr_dim": ["Intercept~~sex"],
    }
    with pm.Model(coords=coords) as model:
        intercept_centered = pm.Normal("Intercept_centered", s["mean(popular)"], s["Intercept_centered"])
        beta_texp = pm.Normal("texp", 0, s["texp"])
        beta_sex = pm.Normal("sex", 0, s["sex"])
        sigma = pm.HalfStudentT("sigma", 4, s["sigma"])
        pm.Deterministic(
            "Intercept", intercept_centered - s["mean(texp)"] * beta_texp - s["mean(sex)"] * beta_sex
        )

        t0 = pm.HalfNormal("1|school_sigma", s["1|school_sigma"])
        t1 = pm.HalfNormal("sex|school_sigma", s["sex|school_sigma"])
        unit = pm.Beta("school__corr_unit", s["school__corr"], s["school__corr"], dims="school__corr_dim")
        rho = pm.Deterministic("school__corr", 2 * unit - 1, dims="school__corr_dim")[0]
        u = pm.Normal("1|school", 0, t0, dims="school__factor_dim")
        given_u, spread = rho * t1 / t0 * u, t1 * pt.sqrt(1 - rho**2)
        if centred:
            v = pm.Normal("sex|school", given_u, spread, dims="school__factor_dim")
        else:
            raw = pm.Normal("raw", dims="school__factor_dim")
            v = pm.Deterministic("sex|school", given_u + spread * raw, dims="school__factor_dim")

        fixed = beta_texp * (texp - s["mean(texp)"]) + beta_sex * (sex - s["mean(sex)"])
        mean = intercept_centered + fixed + u[code] + v[code] * sex
        pm.Normal("popular", mean, sigma, observed=y, dims="__obs__")
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
        z = np.column_stack([np.ones(len(rows)), rows["sex"]])
        covariance = p["sigma"] ** 2 * np.eye(len(rows)) + z @ group_covariance(p) @ z.T
        total += stats.multivariate_normal.logpdf(rows["popular"], mean, covariance)
    return float(total)
