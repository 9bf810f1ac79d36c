"""Self-masking and shared group effects: the indicator's model, drop-out, and what fits of them find."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi import BayesmiNotice, Model, Prior, SelfMasking, SharedEffects
from bayesmi.errors import ModelError
from bayesmi.mechanism import indicator_masks, with_indicator_columns

pytestmark = pytest.mark.filterwarnings("ignore::bayesmi.BayesmiNotice")


def make(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, data, **options)


def self_masked(n=500, slope=1.2, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = 1 + 0.5 * x + rng.normal(size=n)
    missing = rng.random(n) < 1 / (1 + np.exp(1 - slope * (y - 1)))
    return pd.DataFrame({"y": np.where(missing, np.nan, y), "x": x}), y


def test_the_value_is_a_predictor_of_its_own_missingness():
    data, _ = self_masked(60)
    model = make("y ~ x", data, mechanisms={"y": SelfMasking("~ x", slope=Prior("Normal", 1.2, 0.2))})
    factor = model.factor("missing_y")
    assert factor.parents == {"x", "y"}
    assert "y ~ Normal(mu=1.2, sigma=0.2)" in " ".join(repr(model).split())
    assert model.plan().units("y", "grid").size == data["y"].isna().sum()
    probit = make("y ~ x", data, mechanisms={"y": SelfMasking(link="probit")})
    assert probit.factor("missing_y").family.name == "probit"
    assert Model.__init__ is not None
    again = make("y ~ x", data, mechanisms=model.to_dict()["mechanisms"])
    assert again.mechanisms == model.mechanisms


@pytest.mark.parametrize("holes", [0, 9])
def test_an_auxiliary_variable_that_it_names_comes_before_it(holes):
    data, y = self_masked(60)
    data["before"] = y + np.random.default_rng(1).normal(size=60)
    data.loc[data.index[:holes], "before"] = np.nan
    options = {"mechanisms": {"y": SelfMasking("~ before")}, "auxiliary": ["before"]}
    model = make("y ~ x", data, **options)
    assert [factor.variable for factor in model.factors] == ["y", "before", "missing_y"]
    assert "missing_y" not in model.factor("before").design.variables
    if not holes:
        with pytest.raises(ModelError, match="modelled given 'missing_y'"):
            make("y ~ x", data, **options, order=["missing_y", "before"])


def test_binary_values_are_enumerated():
    data, _ = self_masked(60)
    data["y"] = (data["y"] > 1).astype(float).where(data["y"].notna())
    model = make("y ~ x", data, mechanisms={"y": SelfMasking("~ x")})
    assert model.plan().units("y", "enumerate").size == data["y"].isna().sum()


def test_refusals():
    data, _ = self_masked(60)
    with pytest.raises(ModelError, match="left-hand side"):
        SelfMasking("y ~ x")
    with pytest.raises(ModelError, match="prior on the real line"):
        SelfMasking(slope=Prior("HalfNormal", 1))
    with pytest.raises(ModelError, match="logit"):
        SelfMasking(link="cloglog")
    with pytest.raises(ModelError, match="no effects of 'g'"):
        make("y ~ x", data.assign(g=np.arange(60) // 6), mechanisms={"y": SharedEffects("~ x", "g")})
    for own in (SelfMasking("~ x"), bmi.Heckman("~ x")):
        with pytest.raises(ModelError, match="'y' has no missing value: leave the mechanism out"):
            make("y ~ x", data.assign(y=data["y"].fillna(0.5)), mechanisms={"y": own})
    with pytest.raises(ModelError, match="missing_y"):
        make("y ~ x", data.assign(missing_y=0), mechanisms={"y": SelfMasking()})


def test_rows_after_drop_out_are_not_modelled():
    long = pd.DataFrame(
        {
            "id": np.repeat([1, 2, 3], 3),
            "visit": [3, 2, 1] * 3,
            "y": [np.nan, np.nan, 1, 4, 5, 6, np.nan, 2, 3.0],
        }
    )
    own = {"y": SelfMasking("~ visit", dropout=("id", "visit"))}
    made = with_indicator_columns(long, own)
    assert made["missing_y"].tolist()[1:] == [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    assert np.isnan(made["missing_y"][0])
    assert not indicator_masks(long, own)["missing_y"].any()
    with pytest.raises(ModelError, match="seen again"):
        with_indicator_columns(long.assign(y=[1, np.nan, 2, 4, 5, 6, 7, 8, 9]), own)
    wide = pd.DataFrame({"y1": [1.0, np.nan, 3.0], "y2": [np.nan, np.nan, 1.0]})
    made = with_indicator_columns(wide, {"y2": SelfMasking("~ y1", dropout="y1")})
    assert made["missing_y2"].isna().tolist() == [False, True, False]


def test_visits_of_drop_out_come_in_their_order_and_not_in_that_of_the_alphabet():
    """'week 12' comes before 'week 4' in the alphabet: 4 would be taken for a visit after drop-out at 12."""
    weeks = ["week 4", "week 12", "week 24"]
    long = pd.DataFrame(
        {"id": np.repeat(["a", "b"], 3), "visit": pd.Categorical(weeks * 2, weeks, ordered=True)}
    )
    long["y"] = [1.0, np.nan, np.nan, 1.0, 2.0, 3.0]
    own = {"y": SelfMasking("~ 1", dropout=("id", "visit"))}

    def modelled(data):
        return np.isfinite(with_indicator_columns(data, own)["missing_y"].to_numpy().astype(float)).tolist()

    expected = [True, True, False, True, True, True]
    assert modelled(long) == modelled(long.assign(visit=["2", "9", "10"] * 2)) == expected
    pl = pytest.importorskip("polars")
    assert modelled(pl.from_pandas(long.assign(visit=[2, 9, 10] * 2))) == expected
    for change, match in (
        ({"visit": weeks * 2}, "the order of 'week 4'"),
        ({"visit": [1, 1, 2] * 2}, "two rows at visit 1"),
        ({"id": ["a", "a", None, "b", "b", "b"]}, "column 'id' is missing in row 2"),
    ):
        with pytest.raises(ModelError, match=match):
            with_indicator_columns(long.assign(**change), own)


@pytest.mark.parametrize("polars", [False, True])
def test_a_model_with_drop_out_has_the_first_missing_visit_only(polars):
    """The value at drop-out stands in the indicator's model, those after it in none, and the indicator stays empty there."""
    rng = np.random.default_rng(5)
    visits, last = np.arange(1, 4), rng.integers(1, 5, 40)
    y = rng.normal(size=(40, 1)) + rng.normal(size=(40, 3))
    y[visits > last[:, None]] = np.nan
    long = pd.DataFrame({"id": np.repeat(np.arange(40), 3), "visit": np.tile(visits, 40), "y": y.ravel()})
    after = (visits > last[:, None] + 1).ravel()
    data = pytest.importorskip("polars").from_pandas(long) if polars else long
    model = make(
        "y ~ visit + (1 | id)", data, mechanisms={"y": SelfMasking("~ visit", dropout=("id", "visit"))}
    )
    plan = model.plan()
    assert set(plan.units("y", "predict")) == set(np.flatnonzero(after))
    assert set(plan.units("y", "grid")) == set(np.flatnonzero(long["y"].isna() & ~after))
    line = f"model of where y is missing; complete; {after.sum()} rows it does not apply to"
    assert f"missing_y: bernoulli (logit link), {line}" in str(model)
    fit = model.fit(seed=1, draws=30, tune=50, chains=2, progress=False)
    done = fit.impute(2, despite_gate=True).complete(1)
    assert not done["y"].to_numpy().astype(float)[np.isnan(long["y"])].tolist().count(np.nan)
    assert np.isnan(done["missing_y"].to_numpy().astype(float)).tolist() == after.tolist()
    wide = pd.DataFrame(y, columns=["y1", "y2", "y3"])
    own = {"y3": SelfMasking("~ y2", dropout="y2")}
    assert (
        make("y3 ~ y2", wide, mechanisms=own).frame.columns["missing_y3"].observed.sum() == (last > 1).sum()
    )


@pytest.mark.xdist_group("self_masking")
def test_a_known_slope_gives_the_mean_back():
    data, y = self_masked()
    model = make("y ~ x", data, mechanisms={"y": SelfMasking(slope=Prior("Normal", 1.2, 0.05))})
    fit = model.fit(seed=1, draws=300, tune=300, progress=False)
    table = fit.summary()
    assert table.loc["Intercept", "mean"] == pytest.approx(1.0, abs=3 * table.loc["Intercept", "sd"])
    assert data["y"].mean() < 0.8  # complete cases are far off
    imputed = fit.impute(5, seed=1, despite_gate=True)
    drawn = np.mean([imputed.complete(i).loc[data["y"].isna(), "y"].mean() for i in range(1, 6)])
    assert drawn == pytest.approx(y[data["y"].isna()].mean(), abs=0.3)


@pytest.mark.xdist_group("shared_effects")
def test_shared_effects_are_links_with_their_own_slopes(tmp_path):
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(40), 12)
    x = rng.normal(size=480)
    u = rng.normal(size=40)
    y = 1 + 0.5 * x + u[g] + 0.6 * rng.normal(size=480)
    missing = rng.random(480) < 1 / (1 + np.exp(0.7 - 1.3 * u[g]))
    data = pd.DataFrame({"y": np.where(missing, np.nan, y), "x": x, "g": g})
    slopes = make("y ~ x + (1 + x | g)", data, mechanisms={"y": SharedEffects("~ x", "g")})
    assert [link.name for link in slopes.factor("missing_y").links] == ["between(y|g)", "between(x of y|g)"]
    model = make("y ~ x + (1 | g)", data, mechanisms={"y": SharedEffects("~ 1", "g")})
    fit = model.fit(seed=1, draws=300, tune=300, progress=False)
    table = fit.summary(all_models=True)
    name = "missing_y__between(y|g)"
    assert table.loc[name, "mean"] == pytest.approx(1.3, abs=3 * table.loc[name, "sd"])
    fit.save(tmp_path / "fit.bmi")
    assert bmi.load(tmp_path / "fit.bmi").model.mechanisms == model.mechanisms
