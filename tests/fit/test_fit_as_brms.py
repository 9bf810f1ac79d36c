"""Posterior means and standard deviations are brms's under the same priors (tests/golden/brms.R), within Monte Carlo error."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi import Prior

GOLDEN = Path(__file__).parents[1] / "golden" / "brms.csv"
NAMES = {
    "popmis": {
        "b_Intercept": "Intercept",
        "b_texp": "texp",
        "b_sex": "sex",
        "sd_school__Intercept": "1|school_sigma",
        "sigma": "sigma",
    },
    "sleepstudy": {
        "b_Intercept": "Intercept",
        "b_Days": "Days",
        "sd_Subject__Intercept": "1|Subject_sigma",
        "sd_Subject__Days": "Days|Subject_sigma",
        "cor_Subject__Intercept__Days": "Subject__corr[Intercept~~Days]",
        "sigma": "sigma",
    },
}
MODELS = {
    "popmis": (
        "popular ~ texp + sex + (1 | school)",
        {
            "Intercept": Prior("Normal", 5, 2),
            "texp": Prior("Normal", 0, 1),
            "sex": Prior("Normal", 0, 1),
            "1|school_sigma": Prior("HalfNormal", 1),
            "sigma": Prior("HalfNormal", 1),
        },
    ),
    "sleepstudy": (
        "Reaction ~ Days + (1 + Days | Subject)",
        {
            "Intercept": Prior("Normal", 300, 50),
            "Days": Prior("Normal", 10, 10),
            "1|Subject_sigma": Prior("HalfNormal", 30),
            "Days|Subject_sigma": Prior("HalfNormal", 30),
            "sigma": Prior("HalfNormal", 30),
        },
    ),
}


@pytest.mark.xdist_group("as_brms")
@pytest.mark.parametrize("name", MODELS)
def test_as_brms(name):
    try:
        data = bmi.datasets.load(name)
    except bmi.BayesmiError as missing:
        pytest.skip(str(missing))
    if name == "popmis":
        data = data.dropna(subset=["popular"])[["popular", "texp", "sex", "school"]]
    formula, priors = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bmi.BayesmiNotice)
        fit = bmi.Model(formula, data, priors=priors).fit(seed=1, draws=2000, tune=1000, progress=False)
        ours = fit.summary()
    theirs = pd.read_csv(GOLDEN)
    theirs = theirs[theirs["model"] == name].set_index("variable")
    assert (theirs["rhat"] < 1.005).all()
    for variable, term in NAMES[name].items():
        own, other = ours.loc[term], theirs.loc[variable]
        error = np.hypot(own["mcse_mean"], other["mcse_mean"])
        assert abs(own["mean"] - other["mean"]) < 4 * error, (term, own["mean"], other["mean"], error)
        # the error of a standard deviation is about that of a mean over the square root of two, or more with heavy tails
        assert abs(own["sd"] - other["sd"]) < 6 * np.hypot(own["mcse_mean"], other["mcse_sd"]), (
            term,
            own["sd"],
            other["sd"],
        )
