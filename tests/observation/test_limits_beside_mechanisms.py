"""Limits beside mechanisms: a censored covariate of a selected outcome, a delta of what is plainly missing, what is refused."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi import BayesmiNotice, Delta, Heckman, Model, Prior, SelfMasking, censored, truncated
from bayesmi.errors import ModelError, NotSupportedError

pytestmark = [
    pytest.mark.xdist_group("limits_beside_mechanisms"),
    pytest.mark.filterwarnings("ignore::bayesmi.BayesmiNotice"),
]
FIT = {"seed": 2, "draws": 120, "tune": 150, "progress": False}
SHORT = {**FIT, "draws": 40, "tune": 60}  # where nothing depends on how good the draws are
LIMITS = {"x": censored("x", below="lod")}


def simulate(n=240):
    """x is below its limit (blank with a limit) or plainly missing (blank, without); y is seen by a second equation."""
    rng = np.random.default_rng(7)
    z, w = rng.normal(size=(2, n))
    x = 0.5 * z + rng.normal(size=n)
    e = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=n)
    y = 1 + 0.8 * x + e[:, 0]
    truth = pd.DataFrame({"z": z, "w": w, "x": x, "y": y, "count": rng.poisson(np.exp(1 + 0.4 * z))})
    data = truth.copy()
    data["lod"] = -0.3
    data.loc[rng.random(n) < 0.15, ["x", "lod"]] = np.nan
    data.loc[data["x"] < -0.3, "x"] = np.nan
    return data, truth, 0.4 + w + e[:, 1] > 0


def make(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, data, **options)


@pytest.fixture(scope="module")
def selected():
    data, truth, seen = simulate(80)
    data["y"] = data["y"].where(seen)
    model = make("y ~ x + z", data, observations=LIMITS, mechanisms={"y": Heckman("~ w")})
    return data, truth, model.fit(**FIT)


def test_a_censored_covariate_of_a_selected_outcome(selected):
    data, truth, fit = selected
    below = data["x"].isna() & data["lod"].notna()
    imputed = fit.impute(8, despite_gate=True)
    means = []
    for i in range(1, 9):
        table = imputed.complete(i)
        assert (table.loc[below, "x"] < -0.3).all()
        means.append(table.loc[below, "x"].mean())
    assert np.mean(means) == pytest.approx(truth.loc[below, "x"].mean(), abs=0.3)
    slope = fit.summary().loc["x"]
    assert slope["2.5%"] < 0.8 < slope["97.5%"]
    rho = fit.summary().loc["rho"]
    assert rho["2.5%"] < 0.6 < rho["97.5%"]


def test_its_answer_along_rho(selected):
    _, _, fit = selected
    found = fit.sensitivity(rho=[0.6], m=4, despite_gate=True, progress=False)
    assert found.points[0].how == "reweighted"
    alone = make(
        "y ~ x + z", selected[0], observations=LIMITS, mechanisms={"y": Heckman("~ w", rho=0.6)}
    ).fit(**FIT)
    one, two = found.at(0.6).loc["x"], alone.summary().loc["x"]
    assert abs(one["estimate"] - two["mean"]) < 5 * np.hypot(one["mcse"], two["mcse_mean"])


@pytest.mark.parametrize("kind", ["conditional", "after"])
def test_a_delta_moves_what_is_plainly_missing_and_nothing_else(kind):
    data, _, _ = simulate()
    plain = data["x"].isna() & data["lod"].isna()
    below = data["x"].isna() & data["lod"].notna()
    with_delta = make("y ~ x + z", data, observations=LIMITS, mechanisms={"x": Delta(-5.0, kind=kind)})
    fit = with_delta.fit(**SHORT)
    without = make("y ~ x + z", data, observations=LIMITS).fit(**SHORT)
    one, two = fit.impute(3, despite_gate=True), without.impute(3, despite_gate=True)
    for i in range(1, 4):
        a, b = one.complete(i)["x"], two.complete(i)["x"]
        np.testing.assert_array_equal(a[below], b[below])
        np.testing.assert_allclose(a[plain] - b[plain], -5.0, atol=1e-12)
    change = one.realised_difference()
    assert change["cells"].tolist() == [int(plain.sum())]
    assert change["difference"].iloc[0] == pytest.approx(-5.0)
    if kind == "after":
        again = two.delta_after({"x": -5.0})
        np.testing.assert_array_equal(again.complete(2)["x"], one.complete(2)["x"])


def test_a_delta_in_the_likelihood_knows_only_rows_without_limits():
    data, _, _ = simulate()
    model = make(
        "y ~ x + z",
        data,
        observations=LIMITS,
        mechanisms={"x": Delta(Prior("Normal", 0.0, 1.0), kind="model")},
    )
    column = next(name for name in model.table.made if name.startswith("missing(x)"))
    plain = data["x"].isna() & data["lod"].isna()
    np.testing.assert_array_equal(model.table.values[column], plain.astype(float))


@pytest.mark.parametrize("kind", ["conditional", "after"])
def test_counts_known_by_limits_are_not_shifted_either(kind):
    data, truth, _ = simulate(120)
    data["count"] = truth["count"].astype(float)
    data["top"] = np.where(truth["count"] >= 4, 4.0, np.nan)
    data.loc[truth["count"] >= 4, "count"] = np.nan
    data.loc[:19, ["count", "top"]] = np.nan
    limits = {"count": censored("count", above="top")}
    options = {"observations": limits, "kinds": {"count": "count"}}
    fits = [
        make("y ~ count + z", data, mechanisms=own, **options).fit(**SHORT)
        for own in ({}, {"count": Delta(-0.7, kind=kind)})
    ]
    known, plain = data["top"].notna(), data["count"].isna() & data["top"].isna()
    moved = 0
    for i in range(1, 4):
        a, b = (one.impute(3, despite_gate=True).complete(i)["count"] for one in fits)
        np.testing.assert_array_equal(a[known], b[known])
        moved += int((a[plain] != b[plain]).sum())
        assert (b[plain] <= a[plain]).all()
    assert moved > 0


@pytest.mark.parametrize(
    ("mechanism", "observation", "error", "match"),
    [
        (Heckman("~ w"), LIMITS["x"], NotSupportedError, "neither seen nor not seen"),
        (SelfMasking(), LIMITS["x"], NotSupportedError, "counts as missing in SelfMasking"),
        (Delta(-1), truncated("x", below=-9), NotSupportedError, "arrive between limits only"),
    ],
)
def test_what_is_refused_says_why(mechanism, observation, error, match):
    data, _, _ = simulate()
    with pytest.raises(error, match=match):
        make("x ~ z", data, observations={"x": observation}, mechanisms={"x": mechanism})


def test_a_delta_without_a_plainly_missing_value_is_refused():
    data, _, _ = simulate()
    data = data[data["lod"].notna()].reset_index(drop=True)
    with pytest.raises(ModelError, match="every missing value of 'x' is known by limits"):
        make("x ~ z", data, observations=LIMITS, mechanisms={"x": Delta(-1)})


def test_describe_counts_cells_by_their_limits():
    data, _, _ = simulate()
    below = int((data["x"].isna() & data["lod"].notna()).sum())
    found = bmi.describe(make("y ~ x + z", data, observations=LIMITS))
    row = found.columns.loc["x"]
    assert (row["below"], row["above"], row["between"]) == (below, 0, 0)
    assert row["missing"] == data["x"].isna().sum()
    assert f"{below} of the missing cells are known by limits ({below} below)" in repr(found)
    assert "below" in found._repr_html_()
    assert "below" not in bmi.describe(data).columns
