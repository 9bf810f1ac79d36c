"""ignore= on the short roads: bmi.impute, the shell; and where it is refused."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.cli.impute import ImputeOptions, run_impute
from bayesmi.errors import BayesmiError

pytestmark = pytest.mark.xdist_group("ignore_roads")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(4)
    x = rng.normal(size=80)
    data = pd.DataFrame({"x": x, "y": 1 + x + rng.normal(size=80), "test": np.arange(80) >= 70})
    data.loc[rng.random(80) < 0.2, "x"] = np.nan
    data.loc[75:, "y"] = np.nan
    return data


def test_the_column_marks_rows_and_is_no_predictor(table):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        imputed = bmi.impute(
            table,
            m=2,
            seed=1,
            ignore="test",
            draws=200,
            tune=200,
            chains=2,
            progress=False,
            despite_gate=True,
        )
    done = imputed.complete(1)
    assert done.notna().all().all()
    assert done["test"].tolist() == table["test"].tolist()


def test_the_shell_has_it(table, tmp_path):
    table.to_csv(tmp_path / "table.csv", index=False)
    options = ImputeOptions(
        tmp_path / "table.csv", "y ~ x", tmp_path / "done.csv", 2, None, (), (), 1, 200, 200, 1, False, True, True,
        None, "test",
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_impute(options)
    done = pd.read_csv(tmp_path / "done.csv")
    assert len(done[done[".imp"] == 1]) == 80
    assert done.loc[done[".imp"] > 0, ["x", "y"]].notna().all().all()


def test_where_it_is_not_supported_it_is_refused(table):
    mask = table["test"].to_numpy()
    with pytest.raises(BayesmiError, match="ignore= beside by="):
        bmi.SeparateModels("y ~ x", table.assign(arm=np.arange(80) % 2), by="arm", ignore=mask)
    with pytest.raises(BayesmiError, match="beside where="):
        bmi.Model("y ~ x", table, ignore=mask, where={"x": ~mask})


def test_the_printout_says_what_became_of_the_rows(table):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lines = repr(bmi.Model("y ~ x", table, ignore="test")).splitlines()
        assert "ignore=" not in repr(bmi.Model("y ~ x", table))
    assert lines[1:3] == ["  70 rows", "  10 more rows of ignore=: imputed, and no part of what follows"]
