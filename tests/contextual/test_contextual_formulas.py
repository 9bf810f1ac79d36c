"""between() and within() in formulas: what is modelled, manifest columns, and what is refused with what to write."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.errors import BayesmiError


@pytest.fixture
def table():
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(12), 6)
    n = len(g)
    data = pd.DataFrame(
        {
            "g": g,
            "room": g * 2 + np.tile([0, 1], n // 2),
            "w": rng.normal(size=12)[g],
            "x": rng.normal(size=12)[g] + rng.normal(size=n),
            "full": rng.normal(size=12)[g] + rng.normal(size=n),
            "b": rng.integers(0, 2, n),
            "s": rng.choice(["u", "v"], n),
            "t": np.tile(np.arange(6), 12),
            "y": rng.normal(size=n),
        }
    )
    data.loc[rng.random(n) < 0.2, "x"] = np.nan
    data["hole"] = rng.normal(size=24)[data["room"]]
    data.loc[data["room"] == 3, "hole"] = np.nan
    data["d"] = data["b"].mask(np.arange(n) % 5 == 0)
    return data


def model_of(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bmi.Model(formula, data, **options)


def test_variables_with_latent_means_stand_first_and_others_condition_on_them(table):
    model = model_of("y ~ within(x) + between(x) + w + full + t + s + (1 | g)", table)
    assert model.order == ("x", "s", "full") or model.order[0] == "x"
    assert set(model.order) == {"x", "full", "s"}  # t is the same in every group: x conditions on it
    own = model.factor("x")
    assert own.column_names == ("w", "t")
    assert "x" in model.factor("full").parents
    assert any(link.variable == "x" for link in model.factor("full").links)
    assert [link.variable for link in model.analysis.links] == ["x"]


def test_a_complete_variable_has_a_model_for_its_latent_mean(table):
    model = model_of("y ~ full + between(full) + (1 | g)", table)
    assert model.order == ("full",)
    assert model.analysis.column_names == ("full", "between(full|g)")


def test_manifest_means_are_columns(table):
    model = model_of('y ~ within(full, "manifest") + between(full, "manifest") + (1 | g)', table)
    assert model.order == ()
    mean = table.groupby("g")["full"].transform("mean").to_numpy()
    values = model.table.values
    np.testing.assert_allclose(values['between(full, "manifest")'], mean)
    np.testing.assert_allclose(values['within(full, "manifest")'], table["full"] - mean)
    assert model.table.level('between(full, "manifest")') == "g"
    crossed = model_of('y ~ full + between(full, "manifest"):w + (1 + within(full, "manifest") | g)', table)
    assert crossed.analysis.column_names[-1] == 'between(full, "manifest"):w'


def test_means_of_completed_data_are_latent_in_all_rows_of_their_group(table):
    model = model_of('y ~ x + within(x, "manifest"):w + between(x, "manifest") + (1 | g)', table)
    assert model.order == ("x",)
    name = 'between(x, "manifest")'
    known = table.groupby("g")["x"].transform(lambda own: own.notna().all()).to_numpy()
    assert (np.isfinite(model.table.values[name]) == known).all()
    completed = table["x"].fillna(7.0).to_numpy()
    filled = model.table.filled({**model.table.values, "x": completed})
    np.testing.assert_allclose(filled[name], pd.Series(completed).groupby(table["g"]).transform("mean"))
    plan = model.plan()
    assert set(plan.units("x", "sample")) == set(np.flatnonzero(table["x"].isna()))
    assert "its group mean is a predictor of every row of the group" in str(plan)
    with pytest.raises(BayesmiError, match="its cells are sampled"):
        model_of('y ~ x + between(x, "manifest") + (1 | g)', table, treatments={"x": "integrate"}).plan()
    with pytest.raises(BayesmiError, match="do not enter linearly"):
        model_of('y ~ x * between(x, "manifest") + (1 | g)', table).plan()
    for mechanism, words in (
        (bmi.Heckman("~ t + (1 | g)"), "has a mechanism"),
        (bmi.Delta(-1), "has a mechanism"),
    ):
        with pytest.raises(BayesmiError, match=words):
            model_of('y ~ x + between(x, "manifest") + (1 | g)', table, mechanisms={"x": mechanism})


def test_cells_of_a_group_inform_its_mean_where_their_own_outcome_is_missing(table):
    model = model_of(
        'y ~ between(x, "manifest") + (1 | g)', table.assign(y=table["y"].mask(table["x"].isna()))
    )
    assert set(model.plan().units("x", "sample")) == set(np.flatnonzero(table["x"].isna()))
    gone = table.assign(y=table["y"].mask(table["g"] == 2))
    barren = model_of('y ~ between(x, "manifest") + (1 | g)', gone).plan().units("x", "predict")
    assert set(barren) == set(np.flatnonzero(table["x"].isna() & (table["g"] == 2)))


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ between(x)", "a mean of which groups"),
        ("y ~ between(x) + (1 | g) + (1 | room)", "say between.x, school."),
        ("y ~ between(x, w) + (1 | g)", "'w' is no grouping"),
        ("y ~ within(x) + (1 | g)", "the nearest that is: beside it between"),
        ("y ~ x + within(x) + between(x) + (1 | g)", "is the sum of"),
        ("y ~ within(x) + between(x):w + (1 | g)", "between.x, .manifest.."),
        ("y ~ x + between(x) + (1 + within(x) | g)", "nearest that is: slopes on the variable itself"),
        ('y ~ between(hole, g, "manifest") + (1 | g) + (1 | room)', "hole.* has one value a room"),
        ('y ~ between(d, "manifest") + (1 | g)', "bernoulli model; means of completed data"),
        ("y ~ between(w) + (1 | g)", "does not vary within g"),
        ("y ~ between(s) + (1 | g)", "holds no numbers"),
        ("y ~ within(b) + between(b) + (1 | g)", "write b . between"),
        ("y ~ between(x, room) + (1 | g/room)", "no grouping"),
        ("y ~ between(x + w) + (1 | g)", "takes one column"),
        ("y ~ log(between(x)) + (1 | g)", "cannot be part of another expression"),
        ("between(x) ~ y + (1 | g)", "no place on the left"),
        ('y ~ between(x, g, "mean") + (1 | g)', "latent"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(table, formula, words):
    with pytest.raises(BayesmiError, match=words):
        model_of(formula, table)


def test_groups_inside_groups_have_no_latent_mean_yet(table):
    with pytest.raises(BayesmiError, match="lie in groups of g"):
        model_of("y ~ between(x, room) + (1 | g) + (1 | room)", table)


def test_own_formulas_may_not_take_a_part_of_the_mean(table):
    with pytest.raises(BayesmiError, match="'full' has a part in between"):
        model_of(
            "y ~ within(x) + between(x) + (1 | g)",
            table.assign(f2=table["full"]),
            formulas={"x": "~ full + (1 | g)"},
        )
    with pytest.raises(BayesmiError, match="needs the group effect"):
        model_of("y ~ within(x) + between(x) + (1 | g)", table, formulas={"x": "~ 1"})
    with pytest.raises(BayesmiError, match="analysis model only"):
        model_of("y ~ x + (1 | g)", table, formulas={"x": "~ between(full)"})


def test_a_delta_with_a_prior_is_part_of_the_deviations_of_missing_cells(table):
    delta = bmi.Delta({"u": bmi.Prior("Normal", 0.5, 1.0), "v": -1.0}, by="s", kind="model")
    for one in (bmi.Delta(bmi.Prior("Normal", 0.5, 1.0), kind="model"), delta):
        model = model_of("y ~ within(x) + between(x) + (1 | g)", table, mechanisms={"x": one})
        assert [link.variable for link in model.analysis.links] == ["x"]
        (name,) = model.factor("x").column_names
        assert name.startswith("delta")
        assert (model.factor("x").centers == 0.0).all()  # the mean has nothing of it
