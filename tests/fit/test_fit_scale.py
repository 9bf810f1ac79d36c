"""Models of a scale recover what was simulated, and imputed cells are as uneven as observed ones."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayesmi import BayesmiNotice, Model, load

pytestmark = pytest.mark.xdist_group("fit_scale")
TRUTH = {
    "w": 0.8,
    "z": 0.5,
    "sigma_Intercept": 0.3,
    "sigma_z": 0.5,
    "sigma_1|g_sigma": 0.35,
    "1|g_sigma": 0.7,
    "w__x": 0.5,
    "w__sigma_Intercept": -0.2,
    "w__sigma_x": 0.4,
}


@pytest.fixture(scope="module")
def simulated():
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(60), 15)
    n = len(g)
    x, z = rng.normal(size=(2, n))
    w = 0.5 * x + np.exp(-0.2 + 0.4 * x) * rng.normal(size=n)
    u, v = 0.7 * rng.normal(size=60), 0.35 * rng.normal(size=60)
    sd = np.exp(0.3 + 0.5 * z + v[g])
    mean = 1 + 0.8 * w + 0.5 * z + u[g]
    data = pd.DataFrame({"g": g, "x": x, "z": z, "w": w, "y": mean + sd * rng.normal(size=n)})
    whole = data.copy()
    data.loc[rng.random(n) < 0.3, "y"] = np.nan
    data.loc[rng.random(n) < 0.3, "w"] = np.nan
    return data, whole, sd, u[g]


@pytest.fixture(scope="module")
def fit(simulated):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model(
            ("y ~ w + z + x + (1 | g)", "sigma ~ z + (1 | g)"),
            simulated[0],
            formulas={"w": ("~ x + z", "sigma ~ x")},
        )
        return model.fit(seed=1, draws=300, tune=300, progress=False)


def test_the_truth_is_recovered(fit):
    for name, truth in TRUTH.items():
        draws = np.asarray(fit.posterior[name]).ravel()
        assert abs(draws.mean() - truth) < 3.5 * draws.std(), name
        assert draws.std() < 0.2, name


def test_summary_says_what_is_on_the_log_scale_and_has_no_icc(fit):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        summary = fit.summary(all_models=True)
    assert summary.loc["sigma_z", "kind"] == "effect on log sigma"
    assert summary.loc["sigma_1|g_sigma", "kind"] == "group sd on log sigma"
    assert summary.loc["w__sigma_x", "kind"] == "effect on log sigma"
    assert not summary.index.str.startswith("ICC").any()
    assert "sigma" not in summary.index


def test_imputed_cells_are_as_uneven_as_their_draw_says(fit, simulated):
    data, _, _, _ = simulated
    imputed = fit.impute(20, despite_gate=True)
    y, w = data["y"].isna().to_numpy(), data["w"].isna().to_numpy()
    x, z, g = (data[name].to_numpy() for name in ("x", "z", "g"))
    of_y, of_w, raw = [], [], []
    for i in range(20):
        chain, draw = imputed.origin.iloc[i][["chain", "draw"]]
        one = fit.draws.take(np.array([chain * fit.draws.n_draws + draw]))
        done = imputed.complete(i + 1)
        own, scale = one.factors["y"], one.factors["y[sigma]"]
        mean = (
            own.intercept[0] + own.coefficients[0] @ np.stack([done["w"], z, x]) + own.effects["g"][0, g, 0]
        )
        log_sd = scale.intercept[0] + scale.coefficients[0, 0] * z + scale.effects["g"][0, g, 0]
        of_y.append(((done["y"] - mean) / np.exp(log_sd))[y])
        raw.append(np.log(np.abs(done["y"] - mean))[y])
        own, scale = one.factors["w"], one.factors["w[sigma]"]
        mean = own.intercept[0] + own.coefficients[0] @ np.stack([x, z])
        log_sd = scale.intercept[0] + scale.coefficients[0, 0] * x
        of_w.append(((done["w"] - mean) / np.exp(log_sd))[w & y])  # where nothing else speaks of w
    for scaled, predictor in ((of_y, z[y]), (of_w, x[w & y])):
        assert stats.kstest(np.concatenate(scaled), "norm").pvalue > 1e-3
        for low, high in ((-9, -0.5), (-0.5, 0.5), (0.5, 9)):
            inside = (predictor > low) & (predictor <= high)
            assert 0.93 < np.concatenate([one[inside] for one in scaled]).std() < 1.07
    slope = np.polyfit(np.tile(z[y], 20), np.concatenate(raw), 1)[0]
    assert 0.3 < slope < 0.7  # of log |residual| on z, as simulated: .5


def test_integrated_cells_follow_their_conditional(fit, simulated):
    # w given y and its own model: precision 1 / s_w² + b² / sd_y², each with the row's own scales
    data, _, _, _ = simulated
    draws = fit.draws.take(np.array([7]))
    from bayesmi.draw.cells import complete_cells

    model = fit.model
    own, scale = draws.factors["w"], draws.factors["w[sigma]"]
    rows = fit.plan.units("w", "integrate")
    x, z = data["x"].to_numpy()[rows], data["z"].to_numpy()[rows]
    y = data["y"].to_numpy()[rows]
    mean_w = own.intercept[0] + own.coefficients[0] @ np.stack([x, z])
    sd_w = np.exp(scale.intercept[0] + scale.coefficients[0] @ x[None])
    of_y, scale_y = draws.factors["y"], draws.factors["y[sigma]"]
    codes = data["g"].to_numpy()[rows]
    sd_y = np.exp(scale_y.intercept[0] + scale_y.coefficients[0, 0] * z + scale_y.effects["g"][0][codes, 0])
    slope = of_y.coefficients[0, 0]
    rest = (
        y - of_y.intercept[0] - of_y.coefficients[0, 1:] @ np.stack([z, x]) - of_y.effects["g"][0][codes, 0]
    )
    precision = 1 / sd_w**2 + slope**2 / sd_y**2
    mean = (mean_w / sd_w**2 + slope * rest / sd_y**2) / precision
    pits = []
    for k in range(40):
        cells = complete_cells(
            model.factors, model.table, fit.plan, fit.tables, draws, np.random.default_rng(k)
        )["w"]
        drawn = np.full(len(data), np.nan)
        drawn[data["w"].isna().to_numpy()] = cells
        pits.append(stats.norm.cdf((drawn[rows] - mean) * np.sqrt(precision)))
    assert stats.kstest(np.concatenate(pits), "uniform").pvalue > 1e-3


def test_check_replicates_uneven_data(fit):
    assert "no statistic stands out" in repr(fit.check(replications=40))


def test_a_saved_fit_gives_the_same(fit, tmp_path):
    path = tmp_path / "scale.bmi"
    fit.save(path)
    again = load(path)
    assert again.model.to_dict() == fit.model.to_dict()
    first = fit.impute(3, despite_gate=True).complete(2)
    pd.testing.assert_frame_equal(again.impute(3, despite_gate=True).complete(2), first)
