"""Imputations out of the posterior of somebody's own PyMC model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError
from bayesmi.imputations import Imputations

CHAINS, DRAWS = 3, 50


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "age": [30.5, np.nan, 41.0, np.nan, 50.0],
            "smokes": ["no", None, None, "yes", "no"],
            "hyp": [1.0, 2.0, np.nan, 1.0, 1.0],
        },
        index=["d", "b", "c", "a", "e"],
    )


@pytest.fixture
def posterior():
    """Values that say which chain and draw they are of."""
    stamp = np.arange(CHAINS)[:, None] * 1000.0 + np.arange(DRAWS)[None, :]
    return xr.Dataset(
        {
            "age_missing": (("chain", "draw", "gap"), stamp[:, :, None] + np.array([0.25, 0.5])),
            "smokes_missing": (("gap2", "draw", "chain"), np.stack([stamp.T % 2, (stamp.T + 1) % 2])),
            "hyp_missing": (("chain", "draw", "one"), np.ones((CHAINS, DRAWS, 1)) + (stamp[:, :, None] % 2)),
            "everyone": (("chain", "draw", "row"), np.zeros((CHAINS, DRAWS, 5))),
            "slope": (("chain", "draw"), stamp),
        }
    )


def test_all_cells_of_an_imputation_come_from_one_draw(table, posterior):
    imputed = Imputations.from_posterior(
        table,
        posterior,
        {"age": "age_missing", "smokes": "smokes_missing", "hyp": "hyp_missing"},
        m=7,
        seed=3,
    )
    assert len(imputed) == 7
    for number, (chain, draw) in enumerate(imputed.origin.to_numpy(), start=1):
        stamp = 1000 * chain + draw
        done = imputed.complete(number)
        assert done["age"].tolist() == [30.5, stamp + 0.25, 41.0, stamp + 0.5, 50.0]
        assert done["smokes"].tolist() == [
            "no",
            ["no", "yes"][stamp % 2],
            ["no", "yes"][(stamp + 1) % 2],
            "yes",
            "no",
        ]
        assert done["hyp"].tolist() == [1.0, 2.0, 1.0 + stamp % 2, 1.0, 1.0]


def test_datatree_node_and_dataset_are_the_same(table, posterior):
    tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset()})
    wanted = Imputations.from_posterior(table, posterior, {"age": "age_missing"}, m=5, seed=2).cells("age")
    for source in (tree, tree["posterior"]):
        got = Imputations.from_posterior(table, source, {"age": "age_missing"}, m=5, seed=2).cells("age")
        pd.testing.assert_frame_equal(got, wanted)


def test_row_labels_as_coordinate_decide_the_order(table, posterior):
    named = posterior.assign_coords(gap=["a", "b"])  # missing rows are b, a
    plain = Imputations.from_posterior(table, posterior, {"age": "age_missing"}, m=2, seed=2).cells("age")
    turned = Imputations.from_posterior(table, named, {"age": "age_missing"}, m=2, seed=2).cells("age")
    assert turned.loc["b"].tolist() == plain.loc["a"].tolist()


def test_an_unseeded_choice_can_be_repeated(table, posterior):
    first = Imputations.from_posterior(table, posterior, {"age": "age_missing"}, m=4)
    again = Imputations.from_posterior(table, posterior, {"age": "age_missing"}, m=4, seed=first.seed)
    pd.testing.assert_frame_equal(first.origin, again.origin)


def test_kinds_of_the_frame_hold(table, posterior):
    frame = IncompleteFrame.from_table(table, kinds={"hyp": "continuous"})
    free = posterior.assign(hyp_missing=posterior["hyp_missing"] + 0.1)
    assert (
        Imputations.from_posterior(frame, free, {"hyp": "hyp_missing"}, m=2, seed=1)[0]["hyp"].iloc[2] % 1 > 0
    )
    with pytest.raises(DataError, match=r"binary column 'hyp' takes 1 or 2.*kinds=.'hyp': 'continuous'"):
        Imputations.from_posterior(table, free, {"hyp": "hyp_missing"}, m=2, seed=1)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({}, "cells= is empty"),
        ({"agee": "age_missing"}, "column 'agee', which the table does not have: did you mean 'age'"),
        ({"age": "age_mising"}, "has no variable 'age_mising'; did you mean 'age_missing'"),
        ({"age": "slope"}, "has 2 missing cells.*it has none"),
        ({"age": "everyone"}, "has 2 missing cells.*row 5; it holds all rows"),
        ({"smokes": "age_missing"}, "binary column 'smokes' takes the codes 0 … 1 of 'no', 'yes'"),
    ],
)
def test_refusals(table, posterior, cells, message):
    with pytest.raises(DataError, match=message):
        Imputations.from_posterior(table, posterior, cells, m=2, seed=1)


def test_more_refusals(table, posterior):
    with pytest.raises(DataError, match="no posterior with dims chain and draw"):
        Imputations.from_posterior(table, xr.Dataset({"a": ("x", [1.0])}), {"age": "a"}, m=2)
    broken = posterior.assign(age_missing=posterior["age_missing"] * np.nan)
    with pytest.raises(DataError, match=r"'age_missing' is nan in a chosen draw \(missing cell 0 of 'age'\)"):
        Imputations.from_posterior(table, broken, {"age": "age_missing"}, m=2)
    with pytest.raises(DataError, match="column 'age', which has no missing cell"):
        Imputations.from_posterior(table.fillna({"age": 1.5}), posterior, {"age": "age_missing"}, m=2)
