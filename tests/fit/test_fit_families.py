"""Short fits of families in every role: observed response, missing response, incomplete covariate."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Model
from bayesmi.families import get_family

N = 250
CASES = {
    "student": {"sigma": 0.7, "nu": 4.0},
    "gamma": {"alpha": 3.0},
    "probit": {},
    "binomial": {"trials": np.full(N, 6.0)},
    "hurdle poisson": {"hu": 0.3},
}


def fitted(name: str, role: str):
    rng = np.random.default_rng(1)
    z = rng.normal(size=N)
    x = get_family(name).draw(rng, 0.4 + 0.6 * z, CASES[name])
    y = 1.0 + 0.8 * (x - x.mean()) / x.std() + 0.3 * z + 0.7 * rng.normal(size=N)
    data = pd.DataFrame({"x": x, "y": y, "z": z, "n": 6})
    data.loc[rng.random(N) < 0.2, "x"] = np.nan
    left = "x | trials(n)" if name == "binomial" else "x"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        if role == "response":
            model = Model(f"{left} ~ z", data, family=name)
        else:
            model = Model("y ~ x + z", data, families={"x": name}, formulas={"x": f"{left} ~ z"})
        return data, model.fit(draws=300, tune=300, seed=1, progress=False)


@pytest.mark.parametrize("role", ["response", "covariate"])
@pytest.mark.parametrize("name", CASES)
def test_fit(name, role):
    data, fit = fitted(name, role)
    prefix = "" if role == "response" else "x__"
    posterior = fit.posterior

    def z_score(parameter: str, truth: float) -> float:
        draws = np.asarray(posterior[prefix + parameter]).ravel()
        return float((draws.mean() - truth) / draws.std())

    assert abs(z_score("z", 0.6)) < 3.5
    assert abs(z_score("Intercept", 0.4)) < 3.5
    for parameter in get_family(name).parameters:
        assert abs(z_score(parameter.name, CASES[name][parameter.name])) < 3.5
    holes = data["x"].isna()
    family = get_family(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        imputed = fit.impute(3, despite_gate=True)
    for i in (1, 3):
        completed = imputed.complete(i)["x"].to_numpy(dtype=float)
        family.check("x", completed)
        assert np.array_equal(completed[~holes], data["x"][~holes])
        if family.integer_valued:
            assert np.array_equal(completed, np.round(completed))
        if name == "binomial":
            assert completed.max() <= 6
