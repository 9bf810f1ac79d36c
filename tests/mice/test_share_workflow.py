"""The SHARE article's workflow, code by code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.mice import translate_mice

PATH = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "share.csv"
pytestmark = [
    pytest.mark.skipif(not PATH.exists(), reason="../shared/data/share.csv is not here"),
    pytest.mark.xdist_group("share"),
    pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice"),
]


@pytest.fixture(scope="module")
def share() -> pd.DataFrame:
    return bmi.read_csv(PATH, notify=False)[["school", "arm", "sex", "scpar", "kscore"]]


def workflow(share: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    pred = bmi.make_predictor_matrix(share)
    assert pred.to_numpy().tolist() == (1 - np.eye(5, dtype=int)).tolist()
    pred.loc["kscore", "school"] = -2
    pred["school"] = -2
    for name in ("arm", "sex", "scpar", "kscore"):
        pred[name] = 3
    pred.loc[["school", "arm", "sex"]] = 0
    pred.loc["scpar", "arm"] = 0
    method = bmi.make_method(share)
    assert method.to_dict() == {"school": "", "arm": "", "sex": "", "scpar": "pmm", "kscore": "pmm"}
    method[["scpar", "kscore"]] = "2l.pmm"
    return pred, method


def test_pattern_counts(share):
    pattern = bmi.md_pattern(share)
    assert list(pattern.index) == [5399, 321, 102, 32, ""]
    assert pattern.iloc[-1].tolist() == [0, 0, 0, 134, 353, 487]
    assert list(pattern.columns) == ["school", "arm", "sex", "scpar", "kscore", ""]
    assert share.groupby("arm").size().to_dict() == {0: 2987, 1: 2867}


def test_predictor_matrix_code_by_code(share):
    pred, method = workflow(share)
    said = bmi.explain(pred, method)
    assert said.loc[("scpar", "school"), "meaning"] == "names the cluster: random intercept"
    assert said.loc[("kscore", "arm"), "meaning"] == "overall effect and effect of the cluster mean"
    assert said.loc[("kscore", "kscore"), "meaning"].startswith("not used")
    assert ("scpar", "arm") not in said.index
    got = translate_mice(share, method, pred)
    # as mice prints it afterwards: the diagonal is 0
    printed = [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [-2, 0, 3, 0, 3], [-2, 3, 3, 3, 0]]
    matrix = got.mids().predictor_matrix
    assert matrix.to_numpy().tolist() == printed
    assert got.formulas == {
        "scpar": "scpar ~ sex + `between(sex)` + (1 | school)",
        # scpar is incomplete: its cluster mean is latent
        "kscore": "kscore ~ arm + sex + `between(sex)` + scpar + group_effect(scpar, school) + (1 | school)",
    }
    text = "\n".join(event for _, _, event in got.events)
    assert "the diagonal is 0: 'scpar'" in text
    assert "'arm' is constant within 'school'" in text
    assert not translate_mice(share, method, pred, analysis="kscore ~ arm + (1 | school)").events[4:]


def test_imputed_values_are_scores_and_classes(share):
    pred, method = workflow(share)
    # few draws, so that the test is quick: what is checked here is the way, not the sampler
    quick = {"draws": 400, "tune": 400, "progress": False, "despite_gate": True}
    imputed = bmi.mice(share, 5, method, pred, seed=1234, **quick)
    for one in imputed:
        assert not one.isna().any(axis=None)
        assert set(one["kscore"]) <= set(range(-8, 9))
        assert set(one["scpar"]) <= {10, 20, 31, 32, 40, 50, 99}
    long = imputed.complete("long")
    assert list(long.columns[-2:]) == [".imp", ".id"]
    assert len(long) == 5 * 5854
    # complete cases: intercept 4.12, arm 0.54; imputed sets in the article 4.12, 0.52 to 0.53, pooled 4.11, 0.54
    pooled = imputed.with_("kscore ~ arm + (1 | school)").pool(dfcom="between-within")
    assert pooled.table.loc["arm", "estimate"] == pytest.approx(0.54, abs=0.04)
    assert pooled.table.loc["Intercept", "estimate"] == pytest.approx(4.11, abs=0.04)
    assert pooled.table.loc["arm", "std.error"] == pytest.approx(0.17, abs=0.01)
    assert pooled.table.loc["arm", "df"] < 23
    observed, filled = share["kscore"].mean(), imputed.cells("kscore").to_numpy().mean()
    assert filled < observed  # the article: imputed scores tend to be lower
