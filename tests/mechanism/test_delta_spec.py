"""What a Delta is, what it refuses, and that a model carries it."""

import json

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Delta, Heckman, Model, Prior, SelfMasking
from bayesmi.errors import BayesmiError, ModelError, NotSupportedError
from bayesmi.mechanism.quantiles import prior_quantile
from bayesmi.model.remade import with_mechanisms

DELTAS = [
    Delta(-5),
    Delta(0.5, scale=1.1, on="log", kind="after"),
    Delta({"act": -5, "ctl": "1 - z"}, by="arm", kind="after", where="z > 0"),
    Delta({("act", 1.0): Prior("Normal", 0, 1)}, by=["arm", "b"], kind="model"),
    Delta({"u": 0.5, "v": -1.0}),
    Delta({"act": {"u": 0.5}}, by="arm"),
    Delta({"act": 0.0}, scale={"act": 2.0}, by="arm"),
]


def table(n=40):
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"y": rng.normal(size=n), "x": rng.normal(size=n), "z": rng.normal(size=n)})
    data["arm"] = np.where(np.arange(n) % 2, "act", "ctl")
    data["nom"] = rng.choice(["u", "v", "w"], n)
    data["b"] = (rng.random(n) < 0.5).astype(float)
    data["g"] = np.repeat(np.arange(n // 4), 4)
    data["price"] = np.exp(rng.normal(size=n))
    for name in ("x", "nom", "b", "price", "y"):
        data.loc[rng.choice(n, 6, replace=False), name] = np.nan
    data.loc[[3, 7], ["x", "b"]] = np.nan
    return data


@pytest.mark.parametrize("delta", DELTAS, ids=repr)
def test_it_survives_plain_data(delta):
    again = Delta.from_dict(json.loads(json.dumps(delta.to_dict())))
    assert again == delta
    assert again.words == delta.words
    assert repr(again) == repr(delta)


def test_it_reads_well():
    assert Delta(-5).name == "delta_conditional"
    assert Delta(-5).words == "delta_conditional: shifted by -5"
    own = Delta({"act": -5}, by="arm", kind="after", where="z > 0")
    assert own.words == "delta_after: shifted by -5 where arm is act, in rows where z > 0"
    assert repr(own) == "Delta({'act': -5}, kind='after', by='arm', where='z > 0')"


def test_multiples_are_of_every_amount():
    own = Delta({"act": -5, "ctl": "1 - z"}, by="arm").times(2.0)
    assert own.shift == {"act": -10.0, "ctl": "(1 - z) * (2.0)"}
    with pytest.raises(ModelError, match="no multiples"):
        Delta(Prior("Normal", 0, 1)).times(2.0)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Delta(kind="marginal"), "kind is 'after'"),
        (lambda: Delta(on="square"), "on is 'value'"),
        (lambda: Delta(-5, by="arm"), r"mapping of groups, such as \{'active': -5\}"),
        (lambda: Delta(True), "shift is a number"),
        (lambda: Delta(float("nan")), "must be finite"),
        (lambda: Delta("import os"), "shift='import os'"),
        (lambda: Delta("__import__('os')"), "unknown function"),
        (lambda: Delta("center(z)"), "depend on the data"),
        (lambda: Delta(scale=2, kind="model"), "kind='conditional'"),
        (lambda: Delta(on="log", kind="model"), "linear predictor"),
        (lambda: Delta({"act": 1}, by=["arm", "visit"]), "one level of each"),
        (lambda: Delta(Prior("LKJ", 2)), "prior of a number"),
        (lambda: Delta(where="z >"), "condition"),
        (lambda: Delta(scale=-1), "scale is 0 or more"),
        (lambda: Delta({"act": 1}, scale={"act": -0.5}, by="arm"), "scale is 0 or more"),
    ],
)
def test_what_it_refuses(make, match):
    with pytest.raises(BayesmiError, match=match):
        make()


@pytest.mark.parametrize(
    ("mechanisms", "match"),
    [
        ({"q": Delta(1)}, "not a column"),
        ({"z": Delta(1)}, "complete, or not in the formula"),
        ({"x": -5}, "= -5 is not supported.*Delta"),
        ({"x": Delta}, r"is the class: say bmi\.Delta\(…\)"),
        ({"x": Heckman}, r"is the class: say bmi\.Heckman\(…\)"),
        ({"x": SelfMasking}, r"is the class: say bmi\.SelfMasking\(…\)"),
        ({"x": Delta({"act": 1}, by="arms")}, "did you mean 'arm'"),
        ({"x": Delta({"acts": 1}, by="arm")}, "did you mean 'act'"),
        ({"x": Delta({9: 1}, by="g9")}, "not a column"),
        ({"x": Delta({77: 1}, by="g")}, "no row has 'g' equal to 77"),
        ({"x": Delta({1.0: 1}, by="b")}, "missing itself in rows"),
        ({"x": Delta(1, where="b == 1")}, "not known in row"),
        ({"x": Delta("nom * 2")}, "needs numbers"),
        ({"x": Delta("1 + b")}, "uses the incomplete 'b'"),
        ({"x": Delta({"u": 1})}, "give a number, or by="),
        ({"x": Delta(1, on="log")}, None),
        ({"b": Delta(1, scale=2)}, "give its log odds"),
        ({"nom": Delta(1)}, "log odds of its categories"),
        ({"nom": Delta({"q": 1})}, "not a category"),
        ({"x": Delta("1 + y", kind="model")}, "is the response"),
        ({"x": Delta(Prior("HalfNormal", 1), kind="model")}, "real line"),
        ({"x": Delta(Prior("Flat"))}, "improper"),
        ({"x": Delta(1, on="logit")}, "between two bounds"),
    ],
)
def test_what_a_model_refuses(mechanisms, match):
    def make():
        return Model("y ~ x + z + nom + b", table(), mechanisms=mechanisms)

    if match is None:
        make()
        return
    with pytest.raises((ModelError, NotSupportedError), match=match):
        make()


def test_a_model_carries_it():
    own = Model(
        "y ~ x + z", table(), mechanisms={"x": Delta(-5), "y": Delta(Prior("Normal", 0, 1), kind="model")}
    )
    assert own.mechanisms["x"] == Delta(-5)
    assert "where it is missing: delta_conditional: shifted by -5" in repr(own)
    assert "x is not missing at random: delta_conditional: shifted by -5" in repr(own.plan())
    assert "delta" in own.factor("y").column_names
    again = with_mechanisms(own, own.to_dict()["mechanisms"])
    assert again.mechanisms == own.mechanisms
    assert again.to_dict() == own.to_dict()


@pytest.mark.parametrize(
    "delta",
    [Delta(1, where="z > 99"), Delta({"act": 1}, by="arm"), Delta({"act": 0}, scale={"act": 2}, by="arm")],
)
def test_a_delta_that_reaches_no_missing_value_says_so(delta):
    data = table().assign(x=lambda d: d["x"].where(d["x"].notna() | (d["arm"] == "ctl"), 0.0))
    with pytest.warns(BayesmiNotice, match=r"mechanisms\['x'\]: no missing value .* nothing is shifted"):
        Model("y ~ x", data, mechanisms={"x": delta})
    quiet = Model("y ~ x", data, mechanisms={"x": Delta({"ctl": 1}, by="arm")})
    assert not [line for line in quiet.notices if "nothing is shifted" in line]


@pytest.mark.parametrize("kind", ["conditional", "after", "model"])
def test_whole_numbers_name_categories_however_they_are_spelled(kind):
    """A column of whole numbers with holes is read as floats, and its categories are 1, 2, 3."""
    data = table()
    data["nom"] = data["nom"].map({"u": 1.0, "v": 2.0, "w": 3.0})
    for category in (2, 2.0, "2"):
        mechanisms = {"nom": Delta({category: 1.5}, kind=kind)}
        model = Model("y ~ nom + z", data, kinds={"nom": "nominal"}, mechanisms=mechanisms)
        fit = model.fit(seed=1, draws=30, tune=30, chains=2, progress=False)
        moved = fit.impute(4, despite_gate=True).realised_difference()["difference"]
        assert moved["nom[2]"].item() > 0.05
        assert moved["nom[1]"].item() <= 0.0
    with pytest.raises(ModelError, match=r"2\.5 is not a category"):
        Model("y ~ nom", data, kinds={"nom": "nominal"}, mechanisms={"nom": Delta({2.5: 1.0}, kind=kind)})


@pytest.mark.parametrize(
    "prior",
    [
        Prior("Normal", 1, 2), Prior("StudentT", 4, 1, 2), Prior("Cauchy", 0, 1), Prior("Laplace", 0, 2),
        Prior("Logistic", 1, 1), Prior("HalfNormal", 2), Prior("HalfCauchy", 1),
        Prior("Exponential", 2), Prior("Gamma", 2, 3), Prior("InverseGamma", 3, 2), Prior("LogNormal", 0, 1),
        Prior("Weibull", 2, 3), Prior("Beta", 2, 3),
    ],
    ids=str,
)  # fmt: skip
def test_quantiles_are_those_of_pymc(prior):
    import pymc as pm

    variable = getattr(pm, prior.name).dist(**prior.parameters)
    for u in (0.1, 0.5, 0.9):
        x = prior_quantile(prior, u)
        assert np.exp(pm.logcdf(variable, x).eval(mode="FAST_COMPILE")) == pytest.approx(u, abs=1e-6)


def test_the_quantile_that_pymc_has_no_distribution_function_for():
    from scipy import stats

    for u in (0.1, 0.5, 0.9):
        x = prior_quantile(Prior("HalfStudentT", 4, 2), u)
        assert 2 * stats.t(4, 0, 2).cdf(x) - 1 == pytest.approx(u, abs=1e-10)
