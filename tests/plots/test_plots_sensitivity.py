"""What the plots of sensitivity analyses show."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi import BayesmiNotice, Model, plots
from bayesmi.errors import DataError, ModelError

pytestmark = [
    pytest.mark.xdist_group("plots_sensitivity"),
    pytest.mark.filterwarnings("ignore::bayesmi.BayesmiNotice"),
]
OPTIONS = {"m": 4, "despite_gate": True, "progress": False, "analysis": "y ~ x"}


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(2)
    x = rng.normal(size=80)
    data = pd.DataFrame({"x": x, "y": 0.4 * x + rng.normal(size=80)})
    data.loc[:19, "y"] = np.nan
    data.loc[15:34, "x"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model("y ~ x", data).fit(seed=1, draws=60, tune=100, progress=False)


def test_the_curve_has_estimates_and_the_mark(fit):
    grid = fit.sensitivity({"x": [-2, -1, 0, 1, 2]}, **OPTIONS)
    middle = float(np.mean([grid.at(v).loc["x", "estimate"] for v in (0.0, 1.0)]))
    found = grid.tipping_point("x", criterion=middle, tolerance=0.05)
    ax = plots.sensitivity(found, "x")
    own = found.sensitivity.table.query("term == 'x'").sort_values("delta_x")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), own["estimate"])
    np.testing.assert_allclose(ax.lines[0].get_xdata(), own["delta_x"])
    assert ax.get_xlabel() == "delta_conditional of x"
    assert any(f"estimate crosses {middle:g}" in text.get_text() for text in ax.texts)
    assert found.sensitivity.plot("x", ax=ax) is ax
    with pytest.raises(DataError, match="one axis"):
        plots.sensitivity_map(found.sensitivity, "x")
    with pytest.raises(ModelError, match="no term"):
        plots.sensitivity(found, "zz")


def test_the_map_has_every_combination_and_the_line(fit):
    found = fit.sensitivity({"x": [-2, 0, 2], "y": [-1, 0, 1]}, kind="after", **OPTIONS)
    estimates = found.table.query("term == 'x'")["estimate"]
    ax = plots.sensitivity_map(found, "x", criterion=float(estimates.median()))
    mesh = ax.collections[0].get_array()
    np.testing.assert_allclose(sorted(np.ravel(mesh)), sorted(estimates))
    wanted = found.table.query("term == 'x' and delta_x == 2 and delta_y == -1")["estimate"].item()
    assert np.reshape(mesh, (3, 3))[0, 2] == pytest.approx(wanted)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[0].startswith("estimate crosses")
    assert labels[1] == "missing at random"
    with pytest.raises(DataError, match="two axes"):
        plots.sensitivity(found, "x")


def test_estimates_under_several_assumptions(fit):
    import statsmodels.formula.api as smf

    complete = smf.ols("y ~ x", fit.model.frame.original().dropna()).fit()
    pooled = (
        fit.impute(4, despite_gate=True).analyze(lambda d: smf.ols("y ~ x", d).fit(), progress=False).pool()
    )
    axes = plots.estimates(complete_case=complete, MAR=pooled, one_step=fit)
    assert [ax.get_title(loc="left") for ax in axes] == ["Intercept", "x"]
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["complete case", "MAR", "one step"]
    assert axes[1].lines[1].get_xdata()[0] == pytest.approx(complete.params["x"])
    with pytest.raises(DataError, match="nothing to compare"):
        plots.estimates()
    other = pd.DataFrame({"estimate": [1.0]}, index=["q"])
    with pytest.raises(DataError, match="no term in common"):
        plots.estimates(a=pooled, b=other)


def test_the_term_is_that_of_the_tipping_point_or_the_only_one(fit):
    grid = fit.sensitivity({"x": [-1, 0, 1]}, **OPTIONS)
    with pytest.raises(ModelError, match="say which term: "):
        plots.sensitivity(grid)
    with pytest.raises(ModelError, match="say which term: "):
        plots.sensitivity_map(fit.sensitivity({"x": [0, 1], "y": [0, 1]}, **OPTIONS))
    middle = float(np.mean([grid.at(v).loc["x", "estimate"] for v in (0.0, 1.0)]))
    found = grid.tipping_point("x", criterion=middle, tolerance=0.05)
    assert plots.sensitivity(found).get_ylabel() == plots.sensitivity(grid, "x").get_ylabel()
