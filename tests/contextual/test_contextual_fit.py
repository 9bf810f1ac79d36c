"""Contextual effects against their truths: latent with an incomplete covariate, manifest with its attenuation."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.errors import FitError

pytestmark = pytest.mark.xdist_group("contextual_fit")
GROUPS, SIZE = 250, 6
WITHIN, BETWEEN, W = 0.4, 1.2, 0.3
TAU, SIGMA = 0.7, 1.0


@pytest.fixture(scope="module")
def complete():
    rng = np.random.default_rng(12)
    g = np.repeat(np.arange(GROUPS), SIZE)
    w = rng.normal(size=GROUPS)
    mean = 2 + 0.6 * w + TAU * rng.normal(size=GROUPS)
    x = mean[g] + SIGMA * rng.normal(size=len(g))
    y = 1 + WITHIN * (x - mean[g]) + BETWEEN * mean[g] + W * w[g]
    y += 0.5 * rng.normal(size=GROUPS)[g] + rng.normal(size=len(g))
    return pd.DataFrame({"g": g, "w": w[g], "x": x, "y": y, "mean": mean[g]})


@pytest.fixture(scope="module")
def holes(complete):
    rng = np.random.default_rng(5)
    y = complete["y"]
    chance = 1 / (1 + np.exp(1.0 - (y - y.mean()) / y.std()))
    return complete.assign(x=complete["x"].mask(rng.random(len(y)) < chance))


def fitted(formula, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bmi.Model(formula, data[["g", "w", "x", "y"]]).fit(
            seed=2, draws=400, tune=400, chains=2, progress=False
        )


@pytest.fixture(scope="module")
def latent(holes):
    return fitted("y ~ within(x) + between(x) + w + (1 | g)", holes)


def test_latent_effects_are_unbiased_with_an_incomplete_covariate(latent):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = latent.summary()
    for term, truth in {"within(x)": WITHIN, "between(x)": BETWEEN, "w": W, "Intercept": 1.0}.items():
        row = table.loc[term]
        assert abs(row["mean"] - truth) < 3 * row["sd"], term
    assert table.loc["between(x)", "sd"] < 0.12
    assert latent.posterior["between(x)"].dims == ("chain", "draw")


def test_latent_means_are_those_of_the_groups_and_of_the_imputations(latent, complete):
    means = latent.latent_means()
    truth = complete.groupby("g")["mean"].first().to_numpy()
    assert means["draws"].dims == ("chain", "draw", "g")
    inside = (means["conf.low"].values < truth) & (truth < means["conf.high"].values)
    assert 0.90 < inside.mean() < 0.99
    of_data = np.mean(
        [d.groupby("g")["x"].mean().to_numpy() for d in latent.impute(10, despite_gate=True)], axis=0
    )
    estimate = means["estimate"].values
    assert np.corrcoef(of_data, estimate)[0, 1] > 0.95
    assert estimate.std() < of_data.std()  # shrunk
    with pytest.raises(FitError, match="'w' has none"):
        latent.latent_means("w")


def test_manifest_effects_have_their_own_truth(complete):
    """The mean of n rows measures the latent one with reliability tau² / (tau² + sigma² / n) given w."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = fitted('y ~ within(x, "manifest") + between(x, "manifest") + w + (1 | g)', complete)
        table = fit.summary()
    reliability = TAU**2 / (TAU**2 + SIGMA**2 / SIZE)
    truth = WITHIN + reliability * (BETWEEN - WITHIN)
    row = table.loc['between(x, "manifest")']
    assert abs(row["mean"] - truth) < 3 * row["sd"]
    assert abs(row["mean"] - BETWEEN) > 3 * row["sd"]
    assert (
        abs(table.loc['within(x, "manifest")', "mean"] - WITHIN)
        < 3 * table.loc['within(x, "manifest")', "sd"]
    )
    new = complete[["g", "w", "x"]].iloc[:3].assign(g=[0, 999, 999], x=[1.0, 2.0, 4.0])
    found = fit.predict(new, groups="zero", progress=False)
    posterior = fit.posterior
    by_hand = (
        posterior["Intercept"] + posterior["w"] * new["w"].iloc[1] + posterior['between(x, "manifest")'] * 3.0
    )
    by_hand = by_hand - posterior['within(x, "manifest")']
    np.testing.assert_allclose(found.sel(row=1).values, by_hand.values, rtol=1e-9)


def test_predictions_of_new_groups_use_their_latent_mean(latent):
    rows = pd.DataFrame({"g": ["new"] * 40 + ["other"] * 40, "w": 0.0, "x": [6.0] * 40 + [2.0] * 40})
    found = latent.predict(rows, groups="zero", progress=False, draws=200).mean(("chain", "draw"))
    high, low = float(found[0]), float(found[40])
    assert high - low == pytest.approx(4 * BETWEEN, rel=0.15)


def test_a_saved_fit_has_the_same_effects(latent, tmp_path):
    latent.save(tmp_path / "fit.bmi")
    again = bmi.load(tmp_path / "fit.bmi")
    pd.testing.assert_frame_equal(
        again.impute(2, despite_gate=True).complete(1), latent.impute(2, despite_gate=True).complete(1)
    )
    np.testing.assert_allclose(again.latent_means()["estimate"], latent.latent_means()["estimate"])
