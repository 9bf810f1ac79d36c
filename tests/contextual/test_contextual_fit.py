"""Contextual effects against their truths: latent with an incomplete covariate, manifest with its attenuation."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.errors import FitError, NotSupportedError

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


def test_explained_variance_has_the_latent_means(latent, complete):
    """Fixed part: .4 within of variance 1, 1.2 of a mean of variance .6² + .7² and .3 w, which are correlated through w."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = latent.summary()
    fixed = WITHIN**2 * SIGMA**2 + np.var(BETWEEN * complete["mean"] + W * complete["w"])
    marginal, conditional = fixed / (fixed + 0.25 + 1.0), (fixed + 0.25) / (fixed + 0.25 + 1.0)
    for name, truth in {"R2 (marginal)": marginal, "R2 (conditional)": conditional}.items():
        assert abs(table.loc[name, "mean"] - truth) < 3 * table.loc[name, "sd"], name
        assert table.loc[name, "sd"] < 0.04


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


@pytest.fixture(scope="module")
def manifest(holes):
    return fitted('y ~ within(x, "manifest") + between(x, "manifest") + w + (1 | g)', holes)


def test_manifest_effects_of_an_incomplete_variable_are_those_of_the_whole_data(manifest, complete, holes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = manifest.summary()
        whole = fitted('y ~ within(x, "manifest") + between(x, "manifest") + w + (1 | g)', complete).summary()
    reliability = TAU**2 / (TAU**2 + SIGMA**2 / SIZE)
    truth = {"within": WITHIN, "between": WITHIN + reliability * (BETWEEN - WITHIN)}
    for which, value in truth.items():
        row, known = table.loc[f'{which}(x, "manifest")'], whole.loc[f'{which}(x, "manifest")']
        assert abs(row["mean"] - value) < 3 * row["sd"], which
        assert abs(row["mean"] - known["mean"]) < 2 * row["sd"], which
    seen = holes.dropna()
    means = seen.groupby("g")["x"].transform("mean")
    design = np.column_stack([np.ones(len(seen)), seen["x"] - means, means, seen["w"]])
    ignoring = np.linalg.lstsq(design, seen["y"], rcond=None)[0]  # means of what is seen: attenuated further
    assert (
        ignoring[2] < table.loc['between(x, "manifest")', "mean"] - table.loc['between(x, "manifest")', "sd"]
    )
    assert {"R2 (marginal)", "R2 (conditional)"} <= set(table.index)


def test_completed_tables_have_the_means_that_the_draws_were_made_with(manifest):
    """What is predicted is that of the completed means: y of the model less its mean has the residual sd."""
    draws = manifest.posterior
    predicted = manifest.predict(progress=False, seed=1)
    sigma = float(draws["sigma"].mean())
    spread = [
        (table["y"].to_numpy() - predicted.isel(chain=0, draw=0).values).std()
        for table in manifest.impute(2, despite_gate=True)
    ]
    assert np.mean(spread) == pytest.approx(sigma, rel=0.25)
    with pytest.raises(FitError, match=r"depend on each other through that cell .* say unit='g'"):
        manifest.log_likelihood(progress=False)
    found = manifest.log_likelihood(unit="g", marginal=True, progress=False)
    assert found.sizes["g__factor_dim"] == GROUPS
    assert "quadrature" not in found.attrs
    with pytest.raises(NotSupportedError, match="new rows of a model with"):
        manifest.predict(pd.DataFrame({"g": [1], "w": [0.0], "x": [1.0]}), progress=False)


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
