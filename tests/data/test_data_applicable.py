"""Structural holes, cells outside where=, and the condition language."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from bayesmi.data import IncompleteFrame
from bayesmi.data.conditions import columns_of, parse_condition
from bayesmi.data.truth import evaluate
from bayesmi.errors import DataError, NotSupportedError


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "debut": [0, 0, 1, 1, np.nan, 1],
            "regret": [np.nan, np.nan, 0.0, np.nan, 1.0, 1.0],
            "age": [13, 14, 15, np.nan, 16, 17],
            "arm": ["drug", "placebo", "drug", None, "drug", "placebo"],
            "grade": pd.Categorical(["lo", "mid", "hi", None, "lo", "hi"], ["lo", "mid", "hi"], ordered=True),
            "home.dest": ["a", "b", "a", "b", "a", "b"],
            "two words": [1, 2, 3, 4, 5, 6],
            "flag": [True, False, None, True, False, True],
        }
    )


def truth(table, text):
    result = evaluate(parse_condition(text), IncompleteFrame.from_table(table).columns)
    assert not (result.true & result.false).any()
    return "".join("T" if t else "F" if f else "?" for t, f in zip(result.true, result.false, strict=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("debut == 0", "TTFF?F"),
        ("debut != 0", "FFTT?T"),
        ("0 == debut", "TTFF?F"),
        ("age < 15", "TTF?FF"),
        ("15 > age", "TTF?FF"),
        ("age >= 1.5e1", "FFT?TT"),
        ("age <= -3", "FFF?FF"),
        ("age > .5", "TTT?TT"),
        ("not debut == 0", "FFTT?T"),
        ("debut == 0 and age < 14", "TFFFFF"),
        ("debut == 0 or age < 14", "TTF??F"),
        ("debut == 0 or age > 15", "TTF?TT"),
        ("debut == 1 and debut == 0 or age > 15", "FFF?TT"),
        ("debut == 1 and (debut == 0 or age > 15)", "FFF??T"),
        ("not (debut == 0 or age > 15)", "FFT?FF"),
        ("arm == 'drug'", "TFT?TF"),
        ('arm != "drug"', "FTF?FT"),
        ("grade >= 'mid'", "FTT?FT"),
        ("'mid' > grade", "TFF?TF"),
        ("home.dest == 'a'", "TFTFTF"),
        ("`two words` > 4", "FFFFTT"),
        ("flag == true", "TF?TFT"),
        ("flag == False", "FT?FTF"),
        ("age > debut", "TTT??T"),
    ],
)
def test_condition_means_what_it_says(table, text, expected):
    assert truth(table, text) == expected


def test_levels_that_are_numbers_compare_as_numbers():
    data = pd.DataFrame({"x": pd.Categorical([10, 30, None, 20])})
    assert truth(data, "x > 15") == "FT?T"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("debut", "expected a comparison such as '== 0' after 'debut', found nothing"),
        ("debut = 0", "cannot read '=' at '= 0'; equality is written =="),
        ("debut == ", "it ends where a column or a value should follow"),
        ("(debut == 0", "a closing bracket is missing"),
        ("debut == 0 arm == 'drug'", "did not expect 'arm'"),
        ("0 == 0", "needs a column"),
        ("debut == and", "found 'and'"),
        ("debt == 0", "did you mean 'debut'"),
        ("arm == 'druk'", "'druk' is not a level of column 'arm': did you mean 'drug'"),
        ("arm < 'drug'", "'arm' has no order"),
        ("arm == 1", "compare it with one of its labels: 'drug', 'placebo'"),
        ("debut == 'no'", "compare it with a number"),
        ("arm == debut", "both must be numbers"),
        ("__import__('os') == 1", "expected a comparison"),
        ("age.__class__ == 1", "not in the table"),
        ("debut == 0; age", "cannot read ';'"),
    ],
)
def test_conditions_that_cannot_be_read_are_refused(table, text, message):
    with pytest.raises(DataError, match=message) as caught:
        truth(table, text)
    assert "\n" not in str(caught.value)


def test_identifiers_are_not_for_conditions():
    data = pd.DataFrame({"x": ["a", "b", "c"]})
    with pytest.raises(DataError, match="identifier"):
        truth(data, "x == 'a'")


def test_columns_of_a_condition():
    assert columns_of(parse_condition("not (a == 1 or b < c) and 'x' == d")) == {"a", "b", "c", "d"}


def test_cells_that_do_not_apply_are_absent(table):
    frame = IncompleteFrame.from_table(table, not_applicable={"regret": "debut == 0"})
    column = frame.columns["regret"]
    assert column.absent.tolist() == [True, True, False, False, False, False]
    assert column.missing.tolist() == [False, False, False, True, False, False]
    assert (column.n_missing, column.n_absent, column.n_observed) == (1, 2, 3)
    assert np.isnan(column.values[:4]).tolist() == [True, True, False, True]


def test_observed_values_where_nothing_applies_are_refused(table):
    with pytest.raises(
        DataError, match=r"'regret' does not apply where debut == 1, but is observed there in rows 2, 5"
    ):
        IncompleteFrame.from_table(table, not_applicable={"regret": "debut == 1"})


def test_undecided_cells_are_refused_unless_observed_or_decided(table):
    table.loc[4, "regret"] = np.nan
    condition = {"regret": "debut == 0"}
    with pytest.raises(
        DataError, match=r"missing cells of column 'regret' in row 4, .*where=\{'regret': mask\}"
    ):
        IncompleteFrame.from_table(table, not_applicable=condition)
    mask = np.array([False, False, False, True, True, False])
    column = IncompleteFrame.from_table(table, not_applicable=condition, where={"regret": mask}).columns[
        "regret"
    ]
    assert column.missing.tolist() == mask.tolist()
    mask[4] = False
    column = IncompleteFrame.from_table(table, not_applicable=condition, where={"regret": mask}).columns[
        "regret"
    ]
    assert column.absent.tolist() == [True, True, False, False, True, False]


def test_where_as_condition(table):
    column = IncompleteFrame.from_table(table, where={"regret": "age < 14 or debut == 1"}).columns["regret"]
    assert column.missing.tolist() == [True, False, False, True, False, False]
    assert column.absent.tolist() == [False, True, False, False, False, False]
    with pytest.raises(DataError, match="where: 'age < 14' cannot be decided"):
        IncompleteFrame.from_table(table, where={"regret": "age < 14"})


@pytest.mark.parametrize("form", ["table", "array", "mapping", "series", "polars"])
def test_where_as_mask(table, form):
    where = table.isna()
    where.loc[0, "regret"] = False
    given = {
        "table": where,
        "array": where.to_numpy(),
        "mapping": {name: where[name].to_numpy() for name in where},
        "series": {"regret": where["regret"]},
        "polars": pl.from_pandas(where),
    }[form]
    frame = IncompleteFrame.from_table(table, where=given)
    assert {n: c.n_absent for n, c in frame.columns.items() if c.n_absent} == {"regret": 1}
    assert frame.columns["regret"].absent[0]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"regret": np.ones(6, dtype=bool)}, r"observed cells of column 'regret' \(rows 2, 4, 5\)"),
        ({"regrets": np.ones(6, dtype=bool)}, "did you mean 'regret'"),
        ({"regret": np.ones(5, dtype=bool)}, "has 5 entries, the table has 6 rows"),
        ({"regret": [1, 1, 0, 0, 0, 0]}, "is not boolean"),
        ({"regret": [True, None, False, True, False, False]}, "is not boolean"),
        ({"regret": pd.Series([True] * 6, index=range(1, 7))}, "has other row labels"),
        (np.ones((6, 2), dtype=bool), r"has shape \(6, 2\), the table has 6 rows x 8 columns"),
    ],
)
def test_impossible_where_is_refused(table, where, message):
    expected = NotSupportedError if "observed cells" in message else DataError
    with pytest.raises(expected, match=message):
        IncompleteFrame.from_table(table, where=where)


def test_unknown_column_is_refused(table):
    with pytest.raises(DataError, match="not_applicable= names 'regretted'"):
        IncompleteFrame.from_table(table, not_applicable={"regretted": "debut == 0"})
