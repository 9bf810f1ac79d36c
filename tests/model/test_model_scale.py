"""Models of a scale: what they read like, what they refuse, and how the plan deals with cells in them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiError, BayesmiNotice, Model, Prior


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    n = 80
    x, z = rng.normal(size=(2, n))
    data = pd.DataFrame({"g": np.repeat(np.arange(8), 10), "x": x, "z": z})
    data["b"] = (rng.random(n) < 0.5).astype(float)
    data["y"] = 5.0 + x + z + 3.0 * np.exp(0.5 * z) * rng.normal(size=n)
    data["price"] = np.exp(rng.normal(size=n))
    data.loc[::5, "x"] = np.nan
    data.loc[::7, "b"] = np.nan
    data.loc[::9, "y"] = np.nan
    return data


def make(formula, table, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, table, **options)


def test_a_scale_has_names_links_and_priors_of_its_own(table):
    model = make(("y ~ x + z + (1 | g)", "sigma ~ z + (1 | g)"), table)
    scale = model.analysis.scale
    assert scale is not None
    assert (scale.name, scale.prefix, scale.family.link) == ("y[sigma]", "sigma_", "log")
    assert scale.column_names == ("z",)
    # prior at the residual sd of a regression, not at the sd of the response
    rows = table.dropna(subset=["y", "x"])
    design = np.column_stack([np.ones(len(rows)), rows[["x", "z"]]])
    residual = rows["y"] - design @ np.linalg.lstsq(design, rows["y"], rcond=None)[0]
    expected = np.log(np.sqrt((residual**2).sum() / (len(rows) - 3)))
    assert scale.priors.intercept.parameters == pytest.approx({"mu": expected, "sigma": 1.0})
    assert scale.priors.coefficients[0].parameters["sigma"] == pytest.approx(1.0 / table["z"].std())
    assert [p.name for p in model.analysis.parameters] == []
    text = str(model)
    assert "sigma ~ z + (1 | g) (log link)" in text
    assert "no ICC: sigma is not the same for all rows" in text
    assert "residual sd" not in text.split("2. x")[0]


def test_priors_of_a_scale_can_be_given(table):
    priors = {"sigma_z": Prior("Normal", 0, 0.3), "sigma_Intercept": Prior("Normal", 1, 0.5)}
    scale = make(("y ~ z", "sigma ~ z"), table, priors=priors).analysis.scale
    assert scale.priors.coefficients == (priors["sigma_z"],)
    assert scale.priors.intercept == priors["sigma_Intercept"]
    with pytest.raises(
        BayesmiError, match=r"priors\['sigma'\]: the model has no such parameter.*sigma_Intercept"
    ):
        make(("y ~ z", "sigma ~ z"), table, priors={"sigma": Prior("HalfNormal", 1)})


def test_a_covariate_may_keep_its_automatic_mean(table):
    own = make("y ~ x + z", table, formulas={"x": ("~ z", "sigma ~ z")})
    automatic = make("y ~ x + z", table, formulas={"x": ("sigma ~ z",)})
    for model in (own, automatic):
        assert model.factor("x").scale.prefix == "x__sigma_"
        assert model.factor("x").column_names == ("z",)
        assert model.to_dict()["formulas"]["x"][-1] == "sigma ~ z"


def test_other_families_name_their_own_parameter(table):
    model = make(("price ~ z", "alpha ~ z"), table, family="gamma")
    assert model.analysis.scale.prefix == "alpha_"
    student = make(("y ~ z", "sigma ~ z"), table, family="student")
    assert [p.name for p in student.analysis.parameters] == ["nu"]


@pytest.mark.parametrize(
    ("formula", "options", "message"),
    [
        (("price ~ z", "sigma ~ z"), {"family": "gamma"}, "that can have a model is alpha"),
        (("b ~ z", "sigma ~ z"), {}, "no scale that could have a model"),
        (("y ~ z", "~ z"), {}, "needs its name: write 'sigma ~ …'"),
        (("y ~ z", "x ~ z"), {}, r"'x' is a column: write 'sigma ~ …', or .*formulas=\{'x': …\}"),
        (("y ~ z", "sigma ~ w"), {}, "w"),
        (("y ~ z", "sigma ~ z", "nu ~ z"), {}, "there are 3"),
        (("y ~ z", "log(sigma) ~ z"), {}, "stands its name alone"),
        (3, {}, "must be a text, or two"),
        ("y ~ x", {"formulas": {"x": ("~ z", "sigma ~ y")}}, "conditions on the response 'y'"),
        (("y ~ z", "sigma ~ y"), {}, "y"),
        (("y ~ z", "sigma ~ z + (1 | g)"), {"treatments": {"sigma_1|g": "collapse"}}, "effects on log sigma"),
        (("y ~ x", "sigma ~ x"), {"treatments": {"x": "integrate"}}, "leave it out, or say 'grid'"),
    ],
)
def test_refusals_name_what_is_wrong(table, formula, options, message):
    with pytest.raises(BayesmiError, match=message):
        make(formula, table, **options).plan()


def test_cells_in_a_scale_are_summed_and_others_stay_integrated(table):
    plan = make(("y ~ x + b + z", "sigma ~ b + z"), table).plan()
    assert plan.units("b", "enumerate").size
    assert plan.units("x", "integrate").size
    assert not plan.units("x", "grid").size
    plan = make(("y ~ z", "sigma ~ x"), table).plan()
    assert plan.units("x", "grid").size
    assert not plan.units("x", "integrate").size
    assert "scale" in str(plan)


def test_effects_beside_a_scale_are_not_collapsed(table):
    plan = make(("y ~ z + (1 | g)", "sigma ~ 1 + (1 | g)"), table).plan()
    assert plan.effect("y", "g").treatment != "collapse"
    assert plan.effect("y[sigma]", "g").treatment in ("centred", "noncentred")
    assert "sigma has a model" in str(plan)
    asked = make(
        ("y ~ z + (1 | g)", "sigma ~ 1 + (1 | g)"), table, treatments={"sigma_1|g": "centred"}
    ).plan()
    assert asked.effect("y[sigma]", "g").treatment == "centred"


def test_large_groups_with_different_sds_are_centred():
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(20), 60)
    equal = pd.DataFrame({"g": g, "y": rng.normal(size=len(g))})
    differ = equal.assign(y=equal["y"] * np.exp(rng.normal(size=20))[g])
    treated = {
        name: make(("y ~ 1", "sigma ~ 1 + (1 | g)"), data).plan().effect("y[sigma]", "g").treatment
        for name, data in {"equal": equal, "differ": differ}.items()
    }
    assert treated == {"equal": "noncentred", "differ": "centred"}


def test_a_column_that_collides_is_refused(table):
    with pytest.raises(BayesmiError, match="'sigma_z' twice"):
        make(("y ~ z + sigma_z", "sigma ~ z"), table.assign(sigma_z=table["z"] ** 2))
