"""mice's fields on Imputations, and what happens to them on the way out and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError, FormulaError
from bayesmi.imputations import Imputations, Mids, StoredDraws
from bayesmi.imputations.mids import events_table


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [20.0, np.nan, 40.0, 50.0, np.nan, 70.0],
            "group": pd.Categorical(["a", "b", None, "b", "a", None], categories=["b", "a", "c"]),
            "word": ["u", "v", None, "u", "v", "u"],
            "count": pd.array([3, None, 5, 6, None, 9], dtype="Int64"),
            "regret": [0.0, np.nan, 1.0, np.nan, 0.0, 1.0],
            "known": [1, 2, 3, 4, 5, 6],
        },
        index=[11, 12, 13, 14, 15, 16],
    )


@pytest.fixture
def imputed(table: pd.DataFrame) -> Imputations:
    where = {"regret": np.array([False, True, False, False, False, False])}
    frame = IncompleteFrame.from_table(table, kinds={"count": "count"}, where=where)
    rng = np.random.default_rng(3)
    m = 4
    values = {
        "age": rng.normal(45, 10, (m, 2)),
        "group": np.array([[0, 1], [1, 1], [0, 0], [1, 0]], dtype=float),
        "word": np.array([[0], [1], [1], [0]], dtype=float),
        "count": rng.integers(0, 9, (m, 2)).astype(float),
        "regret": np.array([[0], [1], [1], [0]], dtype=float),
    }
    names = list(table.columns)
    matrix = pd.DataFrame(1, index=names, columns=names)
    mids = Mids(
        {"age": "norm", "group": "logreg", "word": "logreg", "count": "pmm", "regret": "logreg", "known": ""},
        matrix,
        ("age", "group", "word", "count", "regret"),
        {"age": "age ~ known"},
        dict.fromkeys(names, ""),
        events_table([("age", "norm", "a remark")]),
        "bayesmi test",
    )
    draws = StoredDraws(values, ((0, 5), (1, 9), (0, 105), (1, 109)))
    return Imputations(frame, draws, seed=7, integer_valued={"count"}, mids=mids, formula="age ~ known")


def same(a: Imputations, b: Imputations) -> None:
    assert list(a.frame.columns) == list(b.frame.columns)
    for number in range(a.m + 1):
        pd.testing.assert_frame_equal(a.complete(number), b.complete(number), check_dtype=False)


def test_fields(imputed, table):
    pd.testing.assert_frame_equal(imputed.data, table)
    assert list(imputed.imp) == ["age", "group", "word", "count", "regret"]
    assert imputed.imp["age"].shape == (2, 4)
    assert imputed.nmis.to_dict() == {"age": 2, "group": 2, "word": 1, "count": 2, "regret": 2, "known": 0}
    assert imputed.where["regret"].tolist() == [False, True, False, False, False, False]
    assert imputed.where["age"].sum() == 2
    assert imputed.method["count"] == "pmm"
    assert imputed.predictorMatrix.loc["age", "known"] == 1
    assert imputed.visitSequence[0] == "age"
    assert imputed.formulas == {"age": "age ~ known"}
    assert imputed.post["age"] == ""
    assert list(imputed.loggedEvents.columns) == ["it", "im", "dep", "meth", "out"]
    assert imputed.version == "bayesmi test"
    assert imputed.seed == 7


def test_chain_mean_is_one_series_a_chain_along_kept_draws(imputed):
    means = imputed.chainMean
    assert list(means.columns) == [0, 1]
    assert means.loc[("age", 105), 0] == pytest.approx(imputed.draws_of("age")[:, 2].mean())
    assert np.isnan(means.loc[("age", 105), 1])
    assert "no iterations" in means.attrs["note"]
    assert imputed.chainVar.loc[("age", 9), 1] == pytest.approx(imputed.draws_of("age")[:, 1].var(ddof=1))


@pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")
def test_long_and_back_loses_nothing(imputed):
    back = bmi.as_mids(imputed.complete("long", include=True), like=imputed)
    same(imputed, back)
    assert back.method == imputed.method
    assert back.seed == imputed.seed
    assert back.formula == imputed.formula
    pd.testing.assert_frame_equal(back.where, imputed.where)
    pd.testing.assert_frame_equal(back.origin, imputed.origin)
    pd.testing.assert_frame_equal(back.predictorMatrix, imputed.predictorMatrix)
    assert back.frame.columns["count"].kind == "count"


@pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")
def test_types_changed_in_the_long_form(imputed):
    long = imputed.complete("long", include=True)
    long["group"] = long["group"].astype(str).where(long["group"].notna(), None)
    long["regret"] = pd.Categorical(long["regret"].map({0.0: "no", 1.0: "yes"}))
    long["old"] = long["age"] > 45
    long["old"] = long["old"].astype("boolean").mask(long["age"].isna())
    back = bmi.as_mids(long, like=imputed)
    assert back.method["regret"] == "logreg"
    assert back.method["old"] == ""
    assert back.where["regret"].tolist() == imputed.where["regret"].tolist()
    assert back.complete(2)["regret"].tolist()[1] == "yes"
    assert back.complete(1)["old"].tolist() == (imputed.complete(1)["age"] > 45).tolist()
    assert back.complete(3)["group"].tolist() == imputed.complete(3)["group"].tolist()


@pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")
def test_columns_and_rows_of_the_long_form_may_stand_anywhere(imputed):
    long = imputed.complete("long", include=True)
    shuffled = long.sample(frac=1, random_state=1)[
        ["word", ".id", "age", "count", ".imp", "known", "group", "regret"]
    ]
    back = bmi.as_mids(shuffled, like=imputed)
    for number in range(1, 5):
        ours, theirs = imputed.complete(number), back.complete(number)
        pd.testing.assert_frame_equal(ours, theirs.loc[ours.index, list(ours.columns)], check_dtype=False)


def test_save_and_load_keep_the_record(imputed, tmp_path):
    imputed.save(tmp_path / "x.zip")
    back = Imputations.load(tmp_path / "x.zip")
    assert back.method == imputed.method
    pd.testing.assert_frame_equal(back.predictorMatrix, imputed.predictorMatrix)
    pd.testing.assert_frame_equal(back.loggedEvents, imputed.loggedEvents)


@pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda long: long[long[".imp"] > 0], "pass it as data="),
        (lambda long: long.drop(columns=".imp"), "numbers the imputations"),
        (lambda long: long.iloc[:-1], "different numbers of rows"),
        (lambda long: long.assign(age=long["age"].mask(long.index == 6)), "missing in imputation 1"),
        (lambda long: long.assign(known=long["known"].mask(long.index == 8, 99)), "observed as 3"),
        (lambda long: long.assign(regret=long["regret"].mask(long.index == 7)), "imputed in some"),
        (lambda long: long.assign(**{".imp": long[".imp"] + 0.5}), "whole numbers"),
    ],
)
def test_what_does_not_fit_is_refused(imputed, change, words):
    long = change(imputed.complete("long", include=True))
    with pytest.raises(DataError, match=words):
        bmi.as_mids(long)


@pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")
def test_where_names_observed_cells_that_were_imputed_over(imputed):
    long = imputed.complete("long", include=True)
    long.loc[[6, 12, 18, 24], "age"] = [21.0, 22.0, 23.0, 24.0]
    mask = pd.DataFrame({"age": [True, True, False, False, True, False]})
    back = bmi.as_mids(long, where=mask)
    assert back.cells("age").iloc[0].tolist() == [21.0, 22.0, 23.0, 24.0]


@pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")
def test_rbind_cbind_ibind_filter(imputed, table):
    young = imputed.filter("known <= 3")
    old = imputed.filter(lambda data: data["known"] > 3)
    assert young.frame.n_rows == 3
    assert young.method == imputed.method
    same(imputed, bmi.rbind(young, old))
    assert bmi.rbind(young, table.loc[[14]]).complete(1).shape == (4, 6)
    more = bmi.cbind(imputed, {"site": "x", "wave": [1, 2, 1, 2, 1, 2]})
    assert more.complete(1)["wave"].tolist() == [1, 2, 1, 2, 1, 2]
    assert more.method["site"] == ""
    with pytest.raises(DataError, match="in both"):
        bmi.cbind(imputed, imputed)
    first, last = (
        bmi.as_mids(imputed.complete("all", include=True) | {}, like=imputed),
        bmi.as_mids([imputed.complete(1), imputed.complete(2)], table),
    )
    assert bmi.ibind(first, last).m == 6
    assert bmi.ibind(first, last).complete(5)["age"].tolist() == imputed.complete(1)["age"].tolist()
    with pytest.raises(DataError, match="other missing"):
        bmi.ibind(first, bmi.as_mids([table.fillna({"age": 1})] * 2, table.fillna({"age": 1})))
    renamed = bmi.as_mids([t.add_prefix("b_") for t in imputed], table.add_prefix("b_"))
    both = bmi.cbind(imputed, renamed)
    assert both.complete(3)["b_age"].tolist() == imputed.complete(3)["age"].tolist()
    assert both.method["b_age"] == "unknown"


@pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")
def test_with_a_formula_is_the_analysis_by_hand(imputed):
    import statsmodels.formula.api as smf

    by_formula = imputed.with_("age ~ known").pool().table
    by_hand = imputed.analyze(lambda d: smf.ols("age ~ known", d).fit()).pool().table
    pd.testing.assert_frame_equal(by_formula, by_hand)
    with pytest.raises(ValueError, match="goes with a formula"):
        imputed.with_(len, family="binomial")


def test_polars_comes_back_as_polars(table):
    pl = pytest.importorskip("polars")
    data = pl.DataFrame({"x": [1.0, None, 3.0, 4.0], "g": ["a", "b", None, "a"]})
    frame = IncompleteFrame.from_table(data)
    values = {"x": np.array([[2.0], [2.5]]), "g": np.array([[0.0], [1.0]])}
    imputed = Imputations(frame, StoredDraws(values, ((0, 0), (0, 1))))
    long = imputed.complete("long", include=True)
    back = bmi.as_mids(long.select([".imp", "x", ".id", "g"]), like=imputed)
    assert isinstance(back.complete(1), pl.DataFrame)
    assert back.complete(2)["x"].to_list() == [1.0, 2.5, 3.0, 4.0]
    assert back.complete(2)["g"].to_list() == ["a", "b", "b", "a"]
    assert bmi.rbind(back, back).complete(1).shape == (8, 2)
    assert back.filter(np.array([True, True, False, True])).m == 2


@pytest.mark.parametrize("kind", ["text", "bool", "numbers"])
def test_a_binomial_formula_models_the_second_of_two_categories_as_r_does(kind):
    rng = np.random.default_rng(5)
    x = rng.normal(size=200)
    one = rng.random(200) < 1 / (1 + np.exp(-1 - x))
    values = {"text": np.where(one, "yes", "no"), "bool": one, "numbers": one.astype(float)}[kind]
    table = pd.DataFrame({"x": x, "y": values})
    holes = table.assign(x=table["x"].where(np.arange(200) > 3))
    imputed = bmi.as_mids({0: holes, 1: table, 2: table})
    pooled = imputed.with_("y ~ x", family="binomial").pool().table
    assert pooled.loc["x", "estimate"] > 0.5  # statsmodels takes the first one, and turns the sign
    assert bmi.pool(imputed.with_("x ~ 1")).table.equals(imputed.with_("x ~ 1").pool().table)


def test_a_binomial_outcome_coded_1_and_2_is_refused():
    from bayesmi.errors import AnalysisError

    table = pd.DataFrame({"x": np.arange(20.0), "y": 1.0 + (np.arange(20) % 3 == 0)})
    imputed = bmi.as_mids({0: table.assign(x=table["x"].where(table["x"] > 0)), 1: table, 2: table})
    with pytest.raises(AnalysisError, match=r"values of y lie outside 0 to 1.*I\(y == 2\)"):
        imputed.with_("y ~ x", family="binomial")


def test_mistakes_of_a_first_day_end_in_a_line_of_ours():
    from bayesmi.errors import ModelError, PoolError

    table = pd.DataFrame({"x": np.arange(20.0), "y": np.arange(20.0) ** 2, "z": np.arange(20.0) % 3})
    holes = table.assign(x=table["x"].where(table["x"] > 0))
    imputed = bmi.as_mids({0: holes, 1: table, 2: table.assign(x=table["x"].where(table["x"] > 0, 2.0))})
    with pytest.raises(ModelError, match="pmm takes a fit, not DataFrame"):
        bmi.pmm(table, 2)
    with pytest.raises(DataError, match="takes imputations, not DataFrame"):
        bmi.plots.density(table, "x")
    with pytest.raises(DataError, match="takes a table by label"):
        bmi.plots.coefficients(imputed.with_("y ~ x").pool())
    with pytest.raises(DataError, match="the Series has no name"):
        bmi.cbind(imputed, pd.Series(range(20)))
    with pytest.raises(ModelError, match="rows and columns name the same"):
        bmi.explain(table)
    with pytest.raises(ModelError, match="method names 'xx'"):
        bmi.explain(bmi.make_predictor_matrix(table), {"xx": "pmm"})
    assert len(bmi.explain(bmi.make_predictor_matrix(table), "pmm")) == 6
    with pytest.raises(PoolError, match="different outcomes, 'y' and 'x'"):
        imputed.with_("y ~ z + x").compare(imputed.with_("x ~ z"), "D3")
    with pytest.raises(KeyError, match="did you mean 'x'"):
        imputed.imp["xx"]


@pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")
def test_formulas_of_with_know_functions_and_odd_names():
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {
            "y": rng.normal(size=60),
            "x": rng.uniform(1, 2, 60),
            "chl.bin": rng.normal(size=60),
            "my col": rng.normal(size=60),
            "school id": np.repeat(np.arange(12), 5),
        }
    )
    data.loc[0, "y"] = np.nan
    draws = StoredDraws({"y": np.array([[0.5], [0.1], [-0.2]])}, ((0, 0), (0, 1), (0, 2)))
    imputed = Imputations(IncompleteFrame.from_table(data), draws)
    found = imputed.with_("y ~ log(x) + chl.bin + `my col`").pool().table
    by_hand = imputed.analyze(lambda d: smf.ols('y ~ np.log(x) + Q("chl.bin") + Q("my col")', d).fit()).pool()
    np.testing.assert_allclose(found["estimate"], by_hand.table["estimate"])
    slopes = imputed.with_("y ~ x + (1 + `my col` | `school id`)")
    assert list(found.index) == ["Intercept", "log(x)", "chl.bin", "my col"]
    assert list(slopes.pool().variance_components.index)[:2] == [
        "Intercept~~Intercept|school id",
        "my col~~my col|school id",
    ]
    with pytest.raises(FormulaError, match=r"poly\(\) is for models"):
        imputed.with_("y ~ poly(x, 2)")


def test_delta_after_keeps_the_record(imputed):
    shifted = imputed.delta_after({"age": -5})
    assert shifted.method == imputed.method
    assert shifted.predictorMatrix.equals(imputed.predictorMatrix)
    assert shifted.visitSequence == imputed.visitSequence
    assert shifted.loggedEvents.equals(imputed.loggedEvents)
    assert (shifted.post["age"], shifted.post["known"]) == ("delta_after: shifted by -5", "")
