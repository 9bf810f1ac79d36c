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
