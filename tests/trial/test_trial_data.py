"""Trials as they come: rows added, wide and back, visits in order, events, and what is refused."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi import BayesmiNotice
from bayesmi.errors import BayesmiError, DataError, ModelError
from bayesmi.trial import TrialModel, dropouts, expand_visits
from bayesmi.trial.delta import read_delta

NAMES = {"subject": "id", "visit": "week", "arm": "arm", "reference": "placebo"}


@pytest.fixture
def trial():
    """60 patients, 4 visits, drop-out, a hole, one patient without any outcome, events with data after them."""
    rng = np.random.default_rng(11)
    n, weeks = 60, [2, 4, 8, 12]
    y = rng.normal(size=(n, 1)) + rng.normal(size=(n, 4))
    y[0, 2:] = y[1, 1:] = y[2, 3:] = y[3] = np.nan
    y[4, 1] = np.nan
    return pd.DataFrame(
        {
            "id": np.repeat([f"p{i}" for i in range(n)], 4),
            "week": weeks * n,
            "arm": np.repeat(np.where(np.arange(n) % 2 == 0, "active", "placebo"), 4),
            "age": np.repeat(rng.integers(20, 60, size=n), 4),
            "y": y.ravel(),
        }
    )


def make(data, formula="y ~ arm + age", **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return TrialModel(formula, data, **{**NAMES, **options})


def test_arrays_identities_and_order(trial):
    shuffled = trial.sample(frac=1, random_state=1)
    model = make(shuffled, events="dropout", strategy="J2R")
    data = model.data
    assert data.visits == (2, 4, 8, 12)
    assert data.arms == ("placebo", "active")
    assert data.reference.tolist() == [0, 0]
    back = shuffled.iloc[data.rows.ravel()]
    assert back["id"].tolist() == [s for s in data.subjects for _ in range(4)]
    assert back["week"].tolist() == list(data.visits) * 60
    np.testing.assert_array_equal(back["y"], data.values.ravel())
    by_id = dict(zip(data.subjects, model.events.first.tolist(), strict=True))
    assert [by_id[f"p{i}"] for i in range(6)] == [2, 1, 3, 0, 4, 4]


def test_rows_that_are_absent_are_added_with_a_notice(trial):
    gaps = trial.dropna(subset=["y"])
    gaps = pd.concat([gaps, trial[trial["id"] == "p3"].head(1)])
    with pytest.warns(BayesmiNotice, match="10 rows added"):
        model = TrialModel("y ~ arm + age", gaps, **NAMES)
    frame = model.data.frame.original()
    assert len(frame) == 240
    assert frame["age"].notna().all()
    assert frame["age"].dtype == trial["age"].dtype
    whole = frame.set_index(["id", "week"]).loc[pd.MultiIndex.from_frame(trial[["id", "week"]])]
    np.testing.assert_array_equal(whole["y"], trial["y"])
    np.testing.assert_array_equal(whole["age"], trial["age"])
    assert expand_visits(trial, subject="id", visit="week") is trial


def test_dropouts(trial):
    found = dropouts(trial.dropna(), subject="id", visit="week", outcome="y")
    assert found.to_dict("list") == {"id": ["p0", "p1", "p2"], "week": [8, 4, 12]}
    whole = dropouts(trial, subject="id", visit="week", outcome="y")
    assert whole["id"].tolist() == ["p0", "p1", "p2", "p3"]
    assert whole["week"].tolist()[-1] == 2


def test_wide_and_back(trial):
    shuffled = trial.sample(frac=1, random_state=2)
    wide = bmi.to_wide(shuffled, id="id", time="week")
    assert wide.table.columns.tolist() == ["arm", "age", "y_2", "y_4", "y_8", "y_12"]
    pd.testing.assert_frame_equal(wide.to_long(), shuffled)
    changed = wide.table.copy()
    changed.loc["p0", "y_12"] = 7.5
    changed.loc["p1", "age"] = 99
    long = wide.to_long(changed)
    assert long.query("id == 'p0' and week == 12")["y"].item() == 7.5
    assert (long.query("id == 'p1'")["age"] == 99).all()
    differs = (long["y"] != shuffled["y"]) & (long["y"].notna() | shuffled["y"].notna())
    assert differs.sum() == 1
    assert (long["age"] != shuffled["age"]).sum() == 4
    short = bmi.to_wide(trial.dropna(), id="id", time="week")
    with pytest.raises(DataError, match="has no row at that occasion"):
        short.to_long(short.table.assign(y_12=1.0))
    with pytest.raises(DataError, match="varies within"):
        bmi.to_wide(trial.assign(z=range(240)), id="id", time="week", values="y")
    with pytest.raises(DataError, match="two rows"):
        bmi.to_wide(pd.concat([trial, trial.head(1)]), id="id", time="week")


def test_order_of_visits(trial):
    text = trial.assign(week="week " + trial["week"].astype(str))
    with pytest.raises(DataError, match="order of"):
        make(text)
    order = ["week 2", "week 4", "week 8", "week 12"]
    assert make(text, visits=order).data.visits == tuple(order)
    ordered = text.assign(week=pd.Categorical(text["week"], order, ordered=True))
    assert make(ordered).data.columns == ("y_week_2", "y_week_4", "y_week_8", "y_week_12")
    assert make(trial.assign(week=trial["week"].astype(str))).data.visits == ("2", "4", "8", "12")


def test_events_by_table_and_outcomes_after_them(trial):
    events = pd.DataFrame({"id": ["p0", "p6", "p8"], "week": [8, 4, 4], "strategy": ["CR", "J2R", "MAR"]})
    with pytest.warns(BayesmiNotice, match="3 outcomes observed after an event"):
        model = TrialModel("y ~ arm", trial, events=events, **NAMES)
    at = {s: i for i, s in enumerate(model.data.subjects)}
    assert np.isnan(model.fitted_outcomes[at["p6"], 1:]).all()
    assert np.isfinite(model.fitted_outcomes[at["p8"]]).all()
    assert np.isfinite(model.data.values[at["p6"]]).all()
    changed = model.events_with({"placebo": "LMCF"})
    assert changed.strategies == model.events.strategies
    assert model.events_with(pd.Series({"p0": "LMCF"})).strategies[at["p0"]] == "LMCF"
    with pytest.raises(ModelError, match=r"'p8' has outcomes after the event .* fitted with them"):
        model.events_with("J2R")
    with pytest.raises(ModelError, match="fitted without them"):
        model.events_with(pd.Series({"p6": "MAR"}))
    assert model.events_with(pd.Series({"p6": "CIR"})).strategies[at["p6"]] == "CIR"
    with pytest.raises(ModelError, match="has no intercurrent event"):
        model.events_with(pd.Series({"p10": "CIR"}))
    with pytest.raises(ModelError, match="names the arm"):
        model.events_with({"drug": "CIR"})


def test_a_polars_trial_has_polars_events_and_shifts(trial):
    pl = pytest.importorskip("polars")
    events = pd.DataFrame({"id": ["p0", "p1"], "week": [8, 4], "strategy": ["CR", "J2R"]})
    table = pl.from_pandas(trial)
    model = make(table, events=pl.from_pandas(events))
    assert model.events.first.tolist() == make(trial, events=events).events.first.tolist()
    names = {"subject": "id", "visit": "week", "outcome": "y"}
    pd.testing.assert_frame_equal(dropouts(table, **names), dropouts(trial, **names))
    shift = model.delta_template(2.0)
    same = [read_delta(model.data, model.events, one) for one in (shift, pl.from_pandas(shift))]
    np.testing.assert_array_equal(*same)


def test_delta_templates(trial):
    events = pd.DataFrame({"id": ["p0", "p6"], "week": [8, 4], "strategy": ["J2R", "J2R"]})
    model = make(trial, events=events)
    template = model.delta_template([5, 6, 7, 8], [1, 2, 3, 4], missing_only=False)
    by = {who: own["delta"].tolist() for who, own in template.groupby("id")}
    assert by["p0"] == [0, 0, 7, 23]
    assert by["p6"] == [0, 6, 20, 44]
    assert not any(by["p3"])
    only = model.delta_template([5, 6, 7, 8], [1, 2, 3, 4])
    assert {who: own["delta"].tolist() for who, own in only.groupby("id")}["p6"] == [0, 0, 0, 0]
    default = model.delta_template(5)
    assert default.loc[default["id"] == "p0", "delta"].tolist() == [0, 0, 5, 5]
    assert not model.delta_template({"placebo": 5})["delta"].any()
    assert not model.delta_template()["delta"].any()
    with pytest.raises(ModelError, match="needs 4 finite numbers"):
        model.delta_template([1, 2])
    with pytest.raises(ModelError, match="no arm"):
        model.delta_template({"drug": 5})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"formula": "y ~ age"}, "lacks the arm"),
        ({"formula": "y ~ arm + (1 | id)"}, "unstructured"),
        ({"formula": "log(y) ~ arm"}, "column of numbers"),
        ({"formula": "y ~ arm + weight"}, "no column 'weight'"),
        ({"formula": "y ~ 0 + arm"}, "intercept"),
        ({"formula": "y ~ arm + varies"}, "'varies' varies between the visits"),
        ({"reference": "drug"}, "no arm"),
        ({"reference": {"active": "placebo"}}, "says nothing of arm 'placebo'"),
        ({"reference": {"active": "placebo", "placebo": "active"}}, "say control="),
        ({"events": "drop"}, "'dropout' or None"),
        ({"strategy": "J2R"}, "needs events"),
        ({"covariance": "separate"}, "'common' or 'by arm'"),
        ({"events": pd.DataFrame({"id": ["p0"], "week": [3]})}, "has week 3"),
        ({"events": pd.DataFrame({"id": ["q"], "week": [4]})}, "not in the table"),
        ({"events": pd.DataFrame({"id": ["p0", "p0"], "week": [4, 8]})}, "two rows"),
        ({"events": pd.DataFrame({"id": ["p0"]})}, "no column 'week'"),
        ({"subject": "patient"}, "no column 'patient'"),
    ],
)
def test_refusals_are_one_line_and_name_what_is_wrong(trial, change, message):
    with pytest.raises(BayesmiError, match=message) as error:
        make(trial.assign(varies=np.arange(240.0)), **change)
    assert "\n" not in str(error.value)


def test_print(trial):
    text = repr(make(trial, events="dropout", strategy="CIR"))
    assert "missing outcomes: placebo 1, 2, 2, 2; active 0, 1, 1, 2" in text
    assert "intercurrent events: CIR 4" in text


def test_an_outcome_of_two_values_is_remarked_on(trial):
    trial["y"] = (trial["y"] > 0).astype(float).where(trial["y"].notna())
    with pytest.warns(BayesmiNotice, match="'y' has two values only: it is modelled as normal"):
        TrialModel("y ~ arm + age", trial, **NAMES)
