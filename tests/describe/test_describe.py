"""describe(): counts, patterns, flux, clusters, printout."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesmi.data import IncompleteFrame
from bayesmi.describe import Description, describe, flux, icc_anova, missing_patterns
from bayesmi.errors import DataError

GOLDEN = Path(__file__).parents[1] / "golden" / "flux"


def nhanes_mask() -> pd.DataFrame:
    """The five patterns of nhanes: 13, 3, 1, 1 and 7 rows (columns age, bmi, hyp, chl)."""
    patterns = [(13, "1111"), (3, "1110"), (1, "1011"), (1, "1001"), (7, "1000")]
    rows = [[c == "1" for c in bits] for count, bits in patterns for _ in range(count)]
    return pd.DataFrame(rows, columns=["age", "bmi", "hyp", "chl"])


def test_flux_of_nhanes_is_that_of_mice():
    wanted = pd.read_csv(GOLDEN / "nhanes.csv", index_col=0)
    pd.testing.assert_frame_equal(flux(nhanes_mask()), wanted, rtol=1e-12, check_names=False)


def test_flux_of_many_patterns_is_that_of_mice():
    data = pd.read_csv(GOLDEN / "simulated_data.csv")
    wanted = pd.read_csv(GOLDEN / "simulated.csv", index_col=0)
    pd.testing.assert_frame_equal(flux(data.notna()), wanted, rtol=1e-12, check_names=False)


def test_flux_without_partners_is_undefined_not_wrong():
    alone = flux(pd.DataFrame({"a": [True, False]}))
    assert np.isnan(alone.loc["a", "ainb"])
    assert alone.loc["a", "fico"] == 0
    empty = flux(pd.DataFrame({"a": [False, False], "b": [True, True]}))
    assert empty.loc["a", "influx"] == 1
    assert np.isnan(empty.loc["a", "fico"])


@pytest.fixture
def pupils() -> pd.DataFrame:
    """Cluster a is complete, b misses y sporadically, c systematically; z is at the cluster level."""
    return pd.DataFrame(
        {
            "g": ["a"] * 4 + ["b"] * 4 + ["c"] * 2,
            "y": [1.5, 2.0, 2.5, 3.0, np.nan, 6.0, 7.5, np.nan, np.nan, np.nan],
            "z": [1.5] * 4 + [2.5] * 4 + [3.5] * 2,
            "sex": [0, 1] * 5,
            "arm": pd.Categorical(["t", "c", "t", None, "t", "c", "t", "c", "t", "t"]),
        }
    )


def test_clusters_are_systematically_or_sporadically_missing(pupils):
    found = describe(pupils, cluster="g")
    y = found.clusters.loc["y"]
    assert (y["systematic"], y["systematic_cells"], y["sporadic"], y["sporadic_cells"]) == (1, 2, 1, 2)
    assert (y["lowest_share"], y["highest_share"]) == (0.0, 1.0)
    assert found.clusters.loc["z", "level"] == "g"
    assert np.isnan(found.clusters.loc["z", "icc"])
    assert np.isnan(found.clusters.loc["arm", "icc"])
    assert "g" not in found.clusters.index
    assert found.groupings["g"].sizes.tolist() == [4, 4, 2]


def test_icc_is_the_analysis_of_variance_estimator(pupils):
    y, g = np.array([1.5, 2.0, 2.5, 3.0, 6.0, 7.5]), np.array([0, 0, 0, 0, 1, 1])
    msb = (4 * (2.25 - 3.75) ** 2 + 2 * (6.75 - 3.75) ** 2) / 1
    msw = (1.25 + 1.125) / 4
    n0 = 6 - (16 + 4) / 6
    wanted = (msb - msw) / (msb + (n0 - 1) * msw)
    assert icc_anova(y, g) == pytest.approx(wanted, rel=1e-12)
    assert describe(pupils, cluster="g").clusters.loc["y", "icc"] == pytest.approx(wanted, rel=1e-12)


def test_icc_recovers_a_known_one_and_ignores_empty_clusters():
    rng = np.random.default_rng(1)
    sizes = rng.integers(5, 40, 400)
    codes = np.repeat(np.arange(400) * 2, sizes)  # every other cluster is empty
    values = rng.normal(0, 1, 800)[codes] + rng.normal(0, 2, len(codes))
    assert icc_anova(values, codes) == pytest.approx(0.2, abs=0.03)
    assert icc_anova(rng.normal(size=len(codes)), codes) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    ("values", "codes"), [([1.0, 2.0], [0, 0]), ([1.0, 2.0], [0, 1]), ([1.0, 1.0, 1.0, 1.0], [0, 0, 1, 1])]
)
def test_icc_is_not_invented(values, codes):
    assert np.isnan(icc_anova(np.array(values), np.array(codes)))


def test_columns_count_what_is_there(pupils):
    frame = IncompleteFrame.from_table(pupils, groups=["g"], not_applicable={"y": "g == 'c'"})
    found = describe(frame)
    y = found.columns.loc["y"]
    assert (y["observed"], y["missing"], y["absent"]) == (6, 2, 2)
    assert y["missing_percent"] == pytest.approx(25)
    assert found.clusters.loc["y", "systematic"] == 0
    assert found.columns["kind"].to_dict()["sex"] == "binary"
    assert found.columns.loc["g", "values"] == "3 clusters"
    assert found.n_complete == 7


def test_patterns_come_in_the_order_of_mice():
    mask = nhanes_mask()
    table = pd.DataFrame({name: np.where(mask[name], np.arange(25.0), np.nan) for name in mask}).sample(
        frac=1, random_state=1
    )
    got = missing_patterns(IncompleteFrame.from_table(table))
    assert list(got.columns) == ["age", "hyp", "bmi", "chl", "rows", "missing"]
    assert got["rows"].tolist() == [13, 3, 1, 1, 7]
    assert got["missing"].tolist() == [0, 1, 1, 2, 3]
    assert got.loc[3, ["age", "hyp", "bmi", "chl"]].tolist() == ["observed", "missing", "missing", "observed"]


def test_a_model_brings_its_clusters(pupils):
    class Model:
        frame = IncompleteFrame.from_table(pupils, groups=["g"])
        groupings = ("g",)

    assert describe(Model()).clusters.loc["y", "systematic"] == 1


def test_clusters_can_be_asked_of_a_frame_that_has_none(pupils):
    frame = IncompleteFrame.from_table(pupils, kinds={"sex": "continuous"}, where={"y": np.arange(10) == 4})
    found = describe(frame, cluster=["g"])
    assert found.columns.loc["sex", "kind"] == "continuous"
    assert found.columns.loc["y", ["missing", "absent"]].tolist() == [1, 3]
    assert found.clusters.loc["y", "sporadic_cells"] == 1


def test_polars_is_described_too(pupils):
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({"g": pupils["g"].tolist(), "y": [None if v != v else v for v in pupils["y"]]})
    assert describe(table, cluster="g").clusters.loc["y", "systematic_cells"] == 2


def test_unknown_cluster_is_refused(pupils):
    with pytest.raises(DataError, match="'school'"):
        describe(pupils, cluster="school")


def test_printout(pupils):
    pupils.loc[0, "sex"] = -99
    found = describe(pupils.assign(word=["NA", *"abcdefghi"]), cluster="g")
    assert isinstance(found, Description)
    text = repr(found)
    for part in (
        "10 rows, 6 columns; 5 missing cells; 5 complete rows (50.0 %)",
        "4 (40.0 %)",
        "3 patterns, most frequent first",
        "Clusters 'g': 3, of 2 to 4 rows (median 4, mean 3.3)",
        "1 (2 cells)",
        "0 … 100 %",
        "one-way random-effects ANOVA (Donner 1986)",
        "Look at",
        "word: text looks like a missing code",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) <= 112
    page = found._repr_html_()
    assert page.count("<table") == 4
    assert "Donner 1986" in page


def test_a_complete_table_is_short(pupils):
    text = repr(describe(pupils[["z", "sex"]]))
    assert "0 missing cells; 10 complete rows (100.0 %)" in text
    assert "pattern" not in text
    assert "influx" not in text


def test_many_patterns_and_columns_are_cut_with_a_remark():
    rng = np.random.default_rng(1)
    wide = pd.DataFrame(rng.normal(size=(200, 20)), columns=[f"v{k}" for k in range(20)])
    wide = wide.mask(rng.random(wide.shape) < 0.3)
    text = repr(describe(wide))
    assert "more patterns hold" in text
    assert "12 of 20 incomplete variables" in text


def test_names_are_escaped_in_html():
    page = describe(pd.DataFrame({"<i>": [1.5, np.nan, 3.0, 4.0]}))._repr_html_()
    assert "<i>" not in page


def test_the_public_name_can_be_called_whatever_was_imported_before():
    import bayesmi

    assert bayesmi.describe(pd.DataFrame({"a": [1.5, np.nan, 3.0, 4.0]})).n_complete == 3
    assert sys.modules["bayesmi.describe"](pd.DataFrame({"a": [1.5, 2.5, 3.0]})).n_rows == 3


def test_the_audit_does_not_ask_for_a_kind_that_was_said():
    table = pd.DataFrame({"score": [1.0, 2.0, 3.0, np.nan], "visits": [0.0, 2.0, 5.0, np.nan]})
    assert [line.split(":")[0] for line in describe(table).audit] == ["score", "visits"]
    frame = IncompleteFrame.from_table(table, kinds={"score": "ordinal"})
    assert [line.split(":")[0] for line in describe(frame).audit] == ["visits"]


def test_variables_named_like_the_counts_keep_their_patterns():
    table = pd.DataFrame({"rows": [1.5, 2.2, np.nan, 4.1], "missing": [np.nan, 2.0, 3.0, 4.5]})
    got = missing_patterns(IncompleteFrame.from_table(table))
    assert list(got.columns) == ["rows", "missing", "rows_", "missing_"]
    assert got["rows_"].tolist() == [2, 1, 1]
    assert got["missing_"].tolist() == [0, 1, 1]
    assert got["rows"].tolist() == ["observed", "observed", "missing"]
    found = describe(table)
    assert found.n_complete == 2
    assert "rows_" in repr(found)
