"""Missing values of a truncated variable that has detection limits too lie where their rows arrive."""

import numpy as np
import pandas as pd
import pytest
from hand_fit import hand_fit
from scipy import stats

from bayesmi import censored, truncated
from bayesmi.draw.cells import complete_cells

BOTH = {"y": [truncated("y", below="low"), censored("y", below="lod")]}


@pytest.mark.parametrize("limits", [BOTH, {"y": BOTH["y"][0]}], ids=["beside limits", "alone"])
def test_a_plainly_missing_value_lies_where_its_row_arrives(limits):
    rng = np.random.default_rng(4)
    x = rng.normal(size=60)
    y = 1 + 0.5 * x + rng.normal(size=60)
    low = np.where(np.arange(60) % 2, 0.6, np.nan)
    data = pd.DataFrame({"y": y, "x": x, "low": low})[~(y < low)].reset_index(drop=True)
    data["lod"] = np.where(data.index % 5 == 0, data["y"] + 0.3, np.nan)
    data.loc[(data.index % 5 < 2) | (data["lod"].notna() & ("lod" in str(limits))), "y"] = np.nan
    fit = hand_fit("y ~ x", data, observations=limits, n=1)
    own, model, blank = fit.draws.factors["y"], fit.model, data["y"].isna()
    drawn = np.array(
        [
            complete_cells(model.factors, model.table, fit.plan, fit.tables, fit.draws, rng)["y"]
            for _ in range(300)
        ]
    )
    mean = own.intercept[0] + own.coefficients[0, 0] * data["x"][blank].to_numpy()
    lower = data["low"][blank].fillna(-np.inf).to_numpy()
    upper = data["lod"][blank].fillna(np.inf).to_numpy() if limits is BOTH else np.full(len(mean), np.inf)
    assert ((drawn > lower) & (drawn < upper)).all()
    sigma = own.scales["sigma"][0]
    below, above = (stats.norm.cdf((end - mean) / sigma) for end in (lower, upper))
    share = (stats.norm.cdf((drawn - mean) / sigma) - below) / (above - below)
    assert stats.kstest(share.ravel(), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("limits", [BOTH, {"y": BOTH["y"][0]}], ids=["beside limits", "alone"])
def test_what_depends_on_a_missing_value_knows_that_its_row_arrived(limits):
    """Else the value would be integrated over where rows never arrive."""
    rng = np.random.default_rng(4)
    x, low = rng.normal(size=40), np.where(np.arange(40) % 2, 0.6, np.nan)
    y = 1 + 0.5 * x + rng.normal(size=40)
    data = pd.DataFrame({"y": y, "x": x, "low": low, "w": 0.8 * y + rng.normal(size=40)})[~(y < low)]
    data = data.reset_index(drop=True)
    data["lod"] = np.where(data.index % 5 == 0, data["y"] + 0.3, np.nan)
    data.loc[(data.index % 5 == 1) | (data["lod"].notna() & ("lod" in str(limits))), "y"] = np.nan
    options = {"auxiliary": ["w"], "formulas": {"w": "~ y + x"}, "finer": 1.5, "n": 1}
    fit = hand_fit("y ~ x", data, observations=limits, **options)
    found = fit.log_likelihood("joint", progress=False).values[0, 0]
    own, child = fit.draws.factors["y"], fit.draws.factors["w"]
    for i, row in data.iterrows():
        at = stats.norm(own.intercept[0] + own.coefficients[0, 0] * row["x"], own.scales["sigma"][0])
        lower = row["low"] if np.isfinite(row["low"]) else -np.inf
        upper = row["lod"] if limits is BOTH and np.isfinite(row["lod"]) else np.inf
        ends = np.clip([lower, upper], at.mean() - 12 * at.std(), at.mean() + 12 * at.std())
        values = np.linspace(*ends, 20_001) if np.isnan(row["y"]) else np.array([row["y"]])
        mean = child.intercept[0] + child.coefficients[0, 0] * values + child.coefficients[0, 1] * row["x"]
        density = at.pdf(values) * stats.norm.pdf(row["w"], mean, child.scales["sigma"][0])
        total = np.trapezoid(density, values) if len(values) > 1 else density[0]
        assert found[i] == pytest.approx(np.log(total / at.sf(lower)), abs=1e-6)
    model, rng = fit.model, np.random.default_rng(2)
    drawn = np.array(
        [
            complete_cells(model.factors, model.table, fit.plan, fit.tables, fit.draws, rng)["y"]
            for _ in range(50)
        ]
    )
    assert (drawn >= data["low"][data["y"].isna()].fillna(-np.inf).to_numpy()).all()
