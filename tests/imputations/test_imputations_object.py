"""The object: sequence, laziness, origin, printout."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi.data import IncompleteFrame
from bayesmi.errors import BayesmiError, BayesmiNotice, DataError
from bayesmi.imputations import CellDraws, Imputations, StoredDraws


class Counting:
    """Draws that remember what was asked of them."""

    m = 5

    def __init__(self):
        self.asked = []

    def cells(self, i):
        self.asked.append(i)
        return {"x": np.array([float(i), i + 0.5])}

    def origin(self, i):
        return (i % 2, 7 * i)


@pytest.fixture
def counting():
    draws = Counting()
    frame = IncompleteFrame.from_table(pd.DataFrame({"x": [1.25, np.nan, np.nan, 2.25, 9.5], "z": 1.0}))
    return draws, Imputations(frame, draws)


def test_draws_are_taken_lazily_and_once(counting):
    draws, imputed = counting
    assert isinstance(draws, CellDraws)
    imputed.complete(4)
    assert sorted(set(draws.asked)) in ([3], [0, 3])
    imputed.complete(4)
    list(imputed)
    assert len(draws.asked) == len(set(draws.asked)) == 5


def test_it_is_a_sequence_of_tables(counting):
    _, imputed = counting
    assert len(imputed) == 5
    tables = list(imputed)
    assert [t["x"].iloc[1] for t in tables] == [0.0, 1.0, 2.0, 3.0, 4.0]
    pd.testing.assert_frame_equal(imputed[0], imputed.complete(1))
    pd.testing.assert_frame_equal(imputed[-1], imputed.complete(5))
    assert [t["x"].iloc[1] for t in imputed[1:3]] == [1.0, 2.0]
    with pytest.raises(IndexError, match=r"\[0\] … \[4\].*complete\(1\)"):
        imputed[5]


def test_origin_says_chain_and_draw(counting):
    _, imputed = counting
    assert imputed.origin.loc[3].tolist() == [0, 14]
    assert imputed.origin.index.tolist() == [1, 2, 3, 4, 5]
    assert imputed.draws_of("x").tolist() == [[0, 1, 2, 3, 4], [0.5, 1.5, 2.5, 3.5, 4.5]]


def test_completed_tables_are_the_callers_own(counting):
    _, imputed = counting
    table = imputed.complete(1)
    table["x"] = 0.0
    table["z"] = 5.0
    assert imputed.complete(1)["x"].tolist() == [1.25, 0.0, 0.5, 2.25, 9.5]
    assert imputed.complete(0)["z"].tolist() == [1.0] * 5


def test_analyze_hands_itself_to_the_analyses(counting, monkeypatch):
    import bayesmi.analyses

    _, imputed = counting
    monkeypatch.setattr(
        bayesmi.analyses,
        "run_analyses",
        lambda data, f, n_jobs=1, progress=True: (data, [f(t) for t in data], n_jobs, progress),
    )
    data, means, jobs, progress = imputed.analyze(lambda t: float(t["x"].sum()), n_jobs=2, progress=False)
    assert data is imputed
    assert means == [13.5, 15.5, 17.5, 19.5, 21.5]
    assert (jobs, progress) == (2, False)


def test_a_number_asked_for_twice_comes_twice(counting):
    _, imputed = counting
    assert imputed.complete([2, 2, 1])["x"].tolist() == [
        *imputed.complete(2)["x"],
        *imputed.complete(2)["x"],
        *imputed.complete(1)["x"],
    ]


def test_columns_that_are_not_imputed_are_named(imputed):
    with pytest.raises(DataError, match="column 'left' keeps its 1 missing cell: it is not in the model"):
        imputed.cells("left")
    with pytest.raises(DataError, match="no column 'nothing': known are 'score'"):
        imputed.cells("nothing")


def test_notices_are_said_once(imputed):
    with pytest.warns(BayesmiNotice) as caught:
        imputed.complete(1)
    lines = [str(w.message) for w in caught]
    assert any("'whole' is Int64 and comes back as Float64" in line for line in lines)
    assert any("'left' keeps its 1 missing cell" in line for line in lines)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        imputed.complete(2)


def test_integer_valued_columns_stay_integer(table):
    values = {"whole": np.array([[4.0, 9.0]])}
    imputed = Imputations(
        IncompleteFrame.from_table(table[["whole"]]), StoredDraws(values, ((0, 0),)), integer_valued={"whole"}
    )
    assert str(imputed[0]["whole"].dtype) == "Int64"
    assert imputed[0]["whole"].tolist() == [3, 4, 5, 6, 9]
    assert not any("comes back" in line for line in imputed.notices)


def test_printout_states_what_a_reader_needs(imputed):
    text = repr(imputed)
    for fact in (
        "3 completed data sets of 5 rows, 8 columns",
        "score ~ group",
        "score: 2 cells (40.0 %), continuous, gaussian",
        "group: 2 cells (40.0 %), binary",
        "seed 7",
        "passed",
        "'whole' is Int64 and comes back as Float64",
    ):
        assert fact in text
    page = imputed._repr_html_()
    assert "score ~ group" in page
    assert "<table>" in page


def test_html_escapes_names():
    frame = IncompleteFrame.from_table(pd.DataFrame({"<b>": [1.5, np.nan, 2.5]}))
    page = Imputations(
        frame, StoredDraws({"<b>": np.array([[1.0]])}, ((0, 0),)), formula="`<b>` ~ 1"
    )._repr_html_()
    assert "<b>:" not in page
    assert "&lt;b&gt;" in page


def test_no_imputation_is_refused():
    frame = IncompleteFrame.from_table(pd.DataFrame({"x": [1.5, np.nan, 2.5]}))
    with pytest.raises(BayesmiError, match="m = 0"):
        Imputations(frame, StoredDraws({}, ()))


def test_arrays_that_were_handed_over_stay_writeable():
    from bayesmi.pool import Estimates

    cells = np.array([[2.0], [2.5]])
    draws = StoredDraws({"x": cells}, ((0, 0), (0, 1)))
    with pytest.raises(ValueError, match="read-only"):
        draws.cells(0)["x"][0] = 1.0
    values, covariances = np.zeros((2, 1)), np.ones((2, 1, 1))
    estimates = Estimates(("a",), values, covariances)
    with pytest.raises(ValueError, match="read-only"):
        estimates.values[0] = 1.0
    assert cells.flags.writeable
    assert values.flags.writeable
    assert covariances.flags.writeable
