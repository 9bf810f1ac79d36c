"""filter, rbind, cbind and ibind keep what deltas came to: realised_difference() said that there was no delta."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError
from bayesmi.imputations import Imputations, StoredDraws

M = 4


def plain_imputations(seed: int = 1, n: int = 12) -> Imputations:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    y[::3] = np.nan
    table = pd.DataFrame(
        {"y": y, "z": rng.normal(size=n), "arm": np.where(np.arange(n) % 2, "active", "control")}
    )
    values = {"y": rng.normal(size=(M, int(np.isnan(y).sum())))}
    return Imputations(
        IncompleteFrame.from_table(table), StoredDraws(values, tuple((0, i) for i in range(M)))
    )


DELTA = bmi.Delta({"active": -5, "control": -1}, by="arm", kind="after")


def test_filter_keeps_the_difference_of_the_kept_rows() -> None:
    done = plain_imputations().delta_after({"y": DELTA})
    whole, part = done.realised_difference(), done.filter("arm == 'active'").realised_difference()
    assert part.index.tolist() == [("y", "arm active")]
    pd.testing.assert_frame_equal(part, whole.loc[[("y", "arm active")]])
    kept = done.filter(np.arange(12) < 7)
    assert kept.realised_difference()["cells"].sum() == 3
    assert kept.realised_difference()["difference"].to_numpy() == pytest.approx([-1.0, -5.0])


def test_filter_without_shifted_cells_holds_no_delta() -> None:
    done = plain_imputations().delta_after({"y": bmi.Delta(-5, kind="after", where="arm == 'active'")})
    observed = ~done.where["y"].to_numpy()
    with pytest.raises(DataError, match="hold no delta"):
        done.filter(observed).realised_difference()


def test_parts_put_together_again_are_the_whole() -> None:
    done = plain_imputations().delta_after({"y": DELTA})
    again = bmi.rbind(done.filter("arm == 'active'"), done.filter("arm == 'control'"))
    pd.testing.assert_frame_equal(
        again.realised_difference(), done.realised_difference(), check_like=True, check_exact=False
    )
    rest = plain_imputations().delta_after({"y": bmi.Delta(-5, kind="after", where="arm == 'active'")})
    other = rest.filter("arm == 'control'").realised_difference()
    assert other["difference"].to_numpy() == pytest.approx([0.0])


def test_rbind_keeps_the_difference_of_every_part() -> None:
    one = plain_imputations(1).delta_after({"y": DELTA})
    two = plain_imputations(2).delta_after({"y": DELTA})
    with pytest.warns(bmi.BayesmiNotice, match="row labels repeat"):
        both = bmi.rbind(one, two)
    table = both.realised_difference()
    assert table["cells"].to_numpy().sum() == 8
    assert table.loc[("y", "arm active"), "difference"] == pytest.approx(-5.0)
    mean = np.mean([part.realised_difference()["before"].to_numpy() for part in (one, two)], axis=0)
    assert table["before"].to_numpy() == pytest.approx(mean)


def test_rbind_counts_no_cells_of_a_part_without_delta() -> None:
    one, two = plain_imputations(1).delta_after({"y": -2}), plain_imputations(2)
    with pytest.warns(bmi.BayesmiNotice, match="row labels repeat"):
        both = bmi.rbind(one, two)
    pd.testing.assert_series_equal(
        both.realised_difference()["difference"], one.realised_difference()["difference"]
    )
    assert both.realised_difference()["cells"].to_numpy() == [4]


def test_rbind_of_two_deltas_says_so() -> None:
    one, two = plain_imputations(1).delta_after({"y": -2}), plain_imputations(2).delta_after({"y": -3})
    with (
        pytest.warns(bmi.BayesmiNotice, match="row labels"),
        pytest.warns(bmi.BayesmiNotice, match="different deltas"),
    ):
        both = bmi.rbind(one, two)
    with pytest.raises(DataError, match="hold no delta"):
        both.realised_difference()


def test_cbind_keeps_the_deltas_and_words_of_both() -> None:
    one = plain_imputations(1).delta_after({"y": -2})
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"x": np.where(np.arange(12) < 2, np.nan, rng.normal(size=12))})
    draws = StoredDraws({"x": rng.normal(size=(M, 2))}, tuple((0, i) for i in range(M)))
    two = Imputations(IncompleteFrame.from_table(table), draws).delta_after({"x": 7})
    both = bmi.cbind(one, two)
    assert both.realised_difference()["difference"].to_numpy() == pytest.approx([-2.0, 7.0])
    assert "-2" in both.post["y"]
    assert "7" in both.post["x"]
    more = bmi.cbind(one, {"site": ["a"] * 12})
    assert more.realised_difference()["difference"].to_numpy() == pytest.approx([-2.0])


def test_ibind_keeps_one_delta_and_says_where_there_are_two() -> None:
    base, other = plain_imputations(1), plain_imputations(1)
    rng = np.random.default_rng(9)
    other = Imputations(other.frame, StoredDraws({"y": rng.normal(size=(M, 4))}, base._draws.origins))
    both = bmi.ibind(base.delta_after({"y": -2}), other.delta_after({"y": -2}))
    assert both.m == 2 * M
    assert both.realised_difference()["difference"].to_numpy() == pytest.approx([-2.0])
    for second in (other, other.delta_after({"y": -3})):
        with pytest.warns(bmi.BayesmiNotice, match="'y' has different deltas"):
            mixed = bmi.ibind(base.delta_after({"y": -2}), second)
        with pytest.raises(DataError, match="hold no delta"):
            mixed.realised_difference()
