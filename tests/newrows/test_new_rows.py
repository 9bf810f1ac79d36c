"""New rows of a fit: what is kept, what is refused, and that they agree with the fit's own rows."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.errors import DataError, FitError

pytestmark = pytest.mark.xdist_group("new_rows")


@pytest.fixture(scope="module")
def pupils():
    rng = np.random.default_rng(1)
    groups, size = 30, 10
    school = np.repeat(np.arange(groups), size)
    w = rng.normal(size=groups)[school]
    x = 0.5 * w + rng.normal(size=groups)[school] * 0.6 + rng.normal(size=len(w))
    sex = np.where(rng.random(len(w)) < 1 / (1 + np.exp(-x)), "girl", "boy")
    y = (
        1
        + 0.8 * x
        + 0.5 * (sex == "girl")
        + 0.4 * w
        + rng.normal(size=groups)[school]
        + rng.normal(size=len(w))
    )
    data = pd.DataFrame(
        {
            "school": [f"s{s}" for s in school],
            "w": w,
            "x": x,
            "sex": pd.Categorical(sex),
            "z": rng.normal(size=len(w)),
        }
    )
    data["y"] = y
    for name in ("x", "sex", "y"):
        data.loc[rng.random(len(data)) < 0.15, name] = np.nan
    data.loc[data["school"].isin(["s3", "s7"]), "w"] = np.nan
    return data


@pytest.fixture(scope="module")
def fit(pupils):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = bmi.Model("y ~ x + sex + w + z + (1 | school)", pupils)
        return model.fit(seed=1, draws=300, tune=400, chains=2, progress=False)


def new_rows(**columns):
    base = {
        "school": ["s3", "s5", "new", "new"],
        "x": [1.0, np.nan, np.nan, 2.0],
        "sex": ["girl", None, "boy", None],
        "z": [0.0, 1.0, 2.0, 3.0],
        "note": ["a", "b", "c", "d"],
    }
    return pd.DataFrame({**base, **columns}, index=[10, 20, 30, 40])


def imputed(fit, rows, m=4, **options):
    return fit.impute(m, newdata=rows, despite_gate=True, **options)


def test_new_rows_come_back_completed_in_their_own_order_and_dtypes(fit, pupils):
    rows = new_rows()
    done = imputed(fit, rows).complete(1)
    assert list(done.columns) == ["school", "x", "sex", "z", "note", "w", "y"]
    assert done.index.tolist() == [10, 20, 30, 40]
    assert done.notna().all().all()
    assert done["sex"].dtype == pupils["sex"].dtype
    pd.testing.assert_frame_equal(done[["school", "z", "note"]], rows[["school", "z", "note"]])
    assert done.loc[10, "x"] == 1.0
    assert done.loc[10, "sex"] == "girl"


def test_the_same_seed_gives_the_same_new_rows_whatever_the_order(fit):
    one, two = imputed(fit, new_rows()), imputed(fit, new_rows())
    two.complete(3)
    pd.testing.assert_frame_equal(one.complete(1), two.complete(1))
    assert not one.complete(1).equals(imputed(fit, new_rows(), seed=2).complete(1))


def test_cluster_values_are_those_of_the_fit(fit, pupils):
    """Observed there: known; missing there: the value that the fit's own rows have in the same imputation."""
    own = fit.impute(4, despite_gate=True)
    found = imputed(fit, new_rows())
    values = []
    for i in range(1, 5):
        theirs = own.complete(i)
        done = found.complete(i)
        assert done.loc[20, "w"] == pupils.loc[pupils["school"] == "s5", "w"].iloc[0]
        assert done.loc[10, "w"] == theirs.loc[theirs["school"] == "s3", "w"].iloc[0]
        assert done.loc[30, "w"] == done.loc[40, "w"]
        values.append(done.loc[10, "w"])
    assert len(set(values)) == 4


def test_rows_of_the_fit_given_again_have_the_fits_distribution(fit, pupils):
    """A missing outcome of the fit, given again as a new row with all predictors: the same mean, draw by draw."""
    complete = pupils.dropna(subset=["x", "sex", "w"]).iloc[:40]
    again = fit.predict(complete, kind="mean", progress=False)
    own = fit.predict(kind="mean", progress=False, draws=None).sel(row=complete.index)
    np.testing.assert_allclose(again.values, own.values, rtol=1e-10)
    design = complete["x"].to_numpy()
    posterior = fit.posterior
    by_hand = (
        posterior["Intercept"].values[..., None]
        + posterior["x"].values[..., None] * design
        + posterior["sex"].values.reshape(2, 300, 1) * (complete["sex"] == "girl").to_numpy()
        + posterior["w"].values[..., None] * complete["w"].to_numpy()
        + posterior["z"].values[..., None] * complete["z"].to_numpy()
        + posterior["1|school"].sel(school__factor_dim=complete["school"].to_list()).values
    )
    np.testing.assert_allclose(again.values, by_hand, rtol=1e-9)


def test_an_observed_response_is_not_used_for_its_own_prediction(fit):
    with_y = fit.predict(new_rows(y=[9.0, 9.0, 9.0, 9.0]), progress=False, draws=100)
    without = fit.predict(new_rows(), progress=False, draws=100)
    np.testing.assert_array_equal(with_y.values, without.values)


def test_kinds_and_groups_of_predictions(fit):
    rows = new_rows(x=[1.0, 1.0, 1.0, 1.0], sex=["girl"] * 4, w=[np.nan, np.nan, 0.0, 0.0])
    mean = fit.predict(rows, progress=False, draws=100)
    value = fit.predict(rows, kind="response", progress=False, draws=100)
    assert mean.dims == ("chain", "draw", "row")
    assert mean["row"].values.tolist() == [10, 20, 30, 40]
    sigma = float(fit.posterior["sigma"].mean())
    assert value.values.var() > mean.values.var() + 0.6 * sigma**2
    known = fit.predict(rows, progress=False, draws=100).sel(row=20).values.std()
    anywhere = fit.predict(rows, groups="population", progress=False, draws=100).sel(row=20).values.std()
    typical = fit.predict(rows, groups="zero", progress=False, draws=100).sel(row=20).values.std()
    assert typical < anywhere
    assert known < anywhere
    no_school = rows.drop(columns="school").assign(w=0.0)
    assert fit.predict(no_school, groups="zero", progress=False, draws=100).notnull().all()
    with pytest.raises(DataError, match="no column 'school'"):
        fit.predict(no_school, progress=False, draws=100)
    one_group = fit.predict(rows.assign(z=0.0, w=[np.nan, np.nan, 0, 0]), progress=False, draws=100)
    np.testing.assert_allclose(one_group.sel(row=30), one_group.sel(row=40))  # one new school, one effect


def test_predictions_are_a_table_with_intervals(fit):
    rows = new_rows()
    found = fit.predictions(rows, progress=False, draws=200)
    assert list(found.columns) == [*rows.columns, "estimate", "std.error", "conf.low", "conf.high"]
    assert (found["conf.low"] < found["estimate"]).all()
    assert (found["estimate"] < found["conf.high"]).all()
    draws = fit.predict(rows, progress=False, draws=200)
    np.testing.assert_allclose(found["estimate"], draws.mean(("chain", "draw")))


def test_group_effects_have_intervals(fit):
    effects = fit.group_effects()
    assert effects["draws"].dims == ("chain", "draw", "school", "term")
    np.testing.assert_array_equal(effects["draws"].values[..., 0], fit.posterior["1|school"].values)
    assert (effects["conf.low"] < effects["estimate"]).all()
    assert fit.group_effects("school", variable="x").sizes["school"] == 30
    with pytest.raises(FitError, match="none"):
        fit.group_effects(variable="w")
    with pytest.raises(FitError, match="pupil"):
        fit.group_effects("pupil")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"sex": ["girl", "alien", "boy", None]}, "'alien' in row 20"),
        ({"z": [0.0, np.nan, 2.0, 3.0]}, "column 'z' of newdata is missing in row 20"),
        ({"school": ["s3", None, "new", "new"]}, "'school' is missing in row 20"),
        ({"w": [np.nan, 99.0, np.nan, np.nan]}, "another in school 's5'"),
        ({"w": [np.nan, np.nan, 1.0, 2.0]}, "within school 'new'"),
        ({"x": ["a", "b", "c", "d"]}, "holds labels"),
        ({"x": [np.inf, 1, 1, 1]}, "infinite"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(fit, columns, words):
    with pytest.raises(DataError, match=words):
        imputed(fit, new_rows(**columns))


def test_a_column_that_is_not_there_is_named(fit):
    with pytest.raises(DataError, match=r"^newdata has no column 'z', which the model of 'sex' needs$"):
        imputed(fit, new_rows().drop(columns="z"))


@pytest.mark.parametrize("options", [{"kind": "median"}, {"groups": "own"}, {"draws": 0}])
def test_options_that_are_not_known_are_refused(fit, options):
    with pytest.raises(FitError, match=next(iter(options))):
        fit.predict(new_rows(), progress=False, **options)


@pytest.fixture(scope="module")
def halves(pupils):
    """A fit with ignored rows, some in schools of their own, and the fit of the other rows alone."""
    mask = np.zeros(len(pupils), dtype=bool)
    mask[1::4] = True
    mask[pupils["school"] == "s9"] = True
    options = {"seed": 3, "draws": 200, "tune": 200, "chains": 2, "progress": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = bmi.Model("y ~ x + sex + w + (1 | school)", pupils, ignore=mask).fit(**options)
        rest = bmi.Model("y ~ x + sex + w + (1 | school)", pupils[~mask]).fit(**options)
    return mask, whole, rest


def test_ignored_rows_inform_no_parameter_and_are_imputed(halves, pupils):
    mask, whole, rest = halves
    for name in rest.posterior.data_vars:
        np.testing.assert_array_equal(whole.posterior[name].values, rest.posterior[name].values)
    done = whole.impute(3, despite_gate=True).complete(2)
    assert done.index.equals(pupils.index)
    assert done.notna().all().all()
    assert list(done.columns) == list(pupils.columns)
    pd.testing.assert_frame_equal(done[~mask], rest.impute(3, despite_gate=True).complete(2))
    pd.testing.assert_frame_equal(
        done[mask], rest.impute(3, newdata=pupils[mask], despite_gate=True).complete(2)
    )
    assert (done.groupby("school")["w"].nunique() == 1).all()


def test_ignored_rows_survive_a_file(halves, tmp_path):
    _, whole, _ = halves
    whole.save(tmp_path / "fit.bmi")
    again = bmi.load(tmp_path / "fit.bmi")
    pd.testing.assert_frame_equal(
        again.impute(2, despite_gate=True).complete(1), whole.impute(2, despite_gate=True).complete(1)
    )


@pytest.mark.parametrize(
    ("ignore", "words"),
    [
        ([True, False], "2 values, the table 300 rows"),
        ("nowhere", "'nowhere', which is not in the table"),
        ("sex", "True .imputed"),
        (np.ones(300, dtype=bool), "leaves no row"),
    ],
)
def test_odd_ignores_are_refused(pupils, ignore, words):
    with pytest.raises(DataError, match=words):
        bmi.Model("y ~ x + (1 | school)", pupils, ignore=ignore)


def test_ignored_levels_that_the_others_lack_are_refused(pupils):
    data = pupils.assign(kind=np.where(np.arange(300) == 5, "odd", np.where(np.arange(300) % 2, "a", "b")))
    data.loc[7, "kind"] = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(DataError, match="'odd'"):
            bmi.Model("y ~ x + kind + (1 | school)", data, ignore=np.arange(300) == 5)


def test_the_fits_groups_written_as_texts_are_refused_and_other_names_are_new_groups(pupils):
    table = pupils.assign(school=pupils["school"].str[1:].astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        numbered = bmi.Model("y ~ z + (1 | school)", table).fit(
            seed=1, draws=100, tune=100, chains=2, progress=False
        )
    rows = pd.DataFrame({"school": ["3", "5"], "z": [0.0, 1.0]})
    with pytest.raises(
        DataError, match=r"^column 'school' of newdata holds '3' where the fit has 3: write its groups"
    ):
        numbered.predictions(rows)
    assert len(numbered.predictions(rows.assign(school=["new", "other"]))) == 2


def test_groups_of_groups_are_the_fits_whether_whole_or_floats(pupils):
    table = pupils.assign(school=pupils["school"].str[1:].astype(int), cls=np.arange(len(pupils)) % 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = bmi.Model("y ~ z + (1 | school/cls)", table)
        nested = made.fit(seed=1, draws=100, tune=100, chains=2, progress=False)
    rows = pd.DataFrame({"school": [3, 5], "cls": [0, 1], "z": [0.0, 1.0]})
    pd.testing.assert_series_equal(
        nested.predictions(rows)["estimate"], nested.predictions(rows.astype(float))["estimate"]
    )
