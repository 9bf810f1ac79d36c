"""Levels that never occur are in the coding where kinds= names them, and nowhere else."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Model
from bayesmi.cli.impute import _kinds
from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError, ModelError


def read(values, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return IncompleteFrame.from_table(pd.DataFrame({"s": values}), kinds={"s": kind})


@pytest.mark.parametrize(
    ("values", "levels", "codes"),
    [
        ([2, 4, np.nan, 2], range(1, 6), [1, 3, np.nan, 1]),
        (["mid", "low", None, "mid"], ["low", "mid", "top"], [1, 0, np.nan, 1]),
        (pd.Categorical(["b", "a", None], categories=["c", "b", "a"]), ["a", "b", "c"], [1, 0, np.nan]),
    ],
)
def test_codes_run_over_the_levels_that_are_named(values, levels, codes):
    column = read(values, ("ordinal", levels)).columns["s"]
    np.testing.assert_array_equal(column.values, codes)
    assert column.categories == tuple(levels)
    assert column.kind == "ordinal"


def test_what_is_not_named_is_left_out():
    assert read([2, 4, np.nan, 2], "ordinal").columns["s"].categories == (2, 4)


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ([1, 7], ("ordinal", range(1, 6)), "holds 7, not among the levels"),
        ([1, 2, 2], ("count", range(5)), "levels are said of ordinal and nominal"),
        ([1, 2], ("ordinal", [1, 1, 2]), "each once"),
        ([1, 2], ("ordinal",), "a kind, or a kind with its levels"),
        ([1, 2], ("ordinal", "low"), "a kind, or a kind with its levels"),
        (pd.Categorical(["a", "b"]), ("nominal", ["a", "b", "c"]), "'c' are no categories of its dtype"),
    ],
)
def test_wrong_levels_are_refused(values, kind, words):
    with pytest.raises(DataError, match=words):
        read(values, kind)


def test_the_shell_reads_levels():
    assert _kinds(("score=ordinal:-2..1", "age=continuous", "x=nominal:a,b", "z=ordinal:1,2.5")) == {
        "score": ("ordinal", [-2, -1, 0, 1]),
        "age": "continuous",
        "x": ("nominal", ["a", "b"]),
        "z": ("ordinal", [1, 2.5]),
    }


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(3)
    x = rng.normal(size=90)
    data = pd.DataFrame({"x": x, "s": np.digitize(x + rng.logistic(size=90), [-1.0, 0.5, 1.5]) + 1.0})
    data.loc[:29, "s"] = np.nan
    return data


@pytest.mark.xdist_group("named_levels")
def test_levels_that_never_occur_are_imputed_where_they_are_named(answers, tmp_path):
    import bayesmi

    options = {"seed": 1, "draws": 150, "tune": 200, "progress": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        plain = Model("s ~ x", answers, kinds={"s": "ordinal"}).fit(**options)
        with pytest.warns(BayesmiNotice, match="5 never occur"):
            named = Model("s ~ x", answers, kinds={"s": ("ordinal", range(1, 6))})
        fit = named.fit(**options)
        seen = [
            {v for i in range(1, 41) for v in one.impute(40, despite_gate=True).complete(i)["s"]}
            for one in (plain, fit)
        ]
        fit.save(tmp_path / "s.bmi")
        again = bayesmi.load(tmp_path / "s.bmi")
    assert plain.posterior["threshold"].shape[-1] == 3
    assert fit.posterior["threshold"].shape[-1] == 4
    assert seen == [{1, 2, 3, 4}, {1, 2, 3, 4, 5}]
    assert again.model.frame.columns["s"].categories == (1, 2, 3, 4, 5)


@pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")
def test_a_level_without_effect_to_learn_is_refused(answers):
    data = answers.assign(y=np.arange(90.0) % 7)
    with pytest.raises(ModelError, match=r"5 of 's' never occur .* predictor of 'y'"):
        Model("y ~ s + x", data, kinds={"s": ("ordinal", range(1, 6))})
