"""Sensitivity to known correlations of selection models: against refits by brute force, integrals, and each other."""

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import beta, multivariate_normal, norm

from bayesmi import BayesmiNotice, Heckman, Model, Prior, plots
from bayesmi.draw.across import group_log_density, integrated_group_density, laid_out_for
from bayesmi.draw.rho_likelihood import integrated_log_likelihood, rho_log_likelihood
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.model.remade import with_mechanisms
from models import two_level_heckman

pytestmark = [
    pytest.mark.xdist_group("sensitivity_rho"),
    pytest.mark.filterwarnings("ignore::bayesmi.BayesmiNotice"),
]
SHARED = Path(os.environ.get("BAYESMI_SHARED", Path(__file__).resolve().parents[3] / "shared"))
DATA = Path(os.environ.get("BAYESMI_DATA") or SHARED / "data")
FIT = {"seed": 5, "draws": 300, "tune": 300, "progress": False}
OPTIONS = {"m": 6, "despite_gate": True, "progress": False, "refit": {"tune": 300}}


def selected(n=300):
    rng = np.random.default_rng(4)
    x, w = rng.normal(size=(2, n))
    e = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=n)
    y = 0.5 * x + e[:, 0]
    return pd.DataFrame({"y": np.where(0.3 + 0.5 * x + w + e[:, 1] > 0, y, np.nan), "x": x, "w": w})


def quiet_fit(formula, data, mechanism, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, data, mechanisms={"y": mechanism}).fit(**{**FIT, **options})


@pytest.fixture(scope="module")
def fit():
    return quiet_fit("y ~ x", selected(), Heckman("~ x + w"))


@pytest.fixture(scope="module")
def reweighted(fit):
    return fit.sensitivity(rho=[0.5, 0.3], **OPTIONS)


@pytest.fixture(scope="module")
def refitted(fit):
    return fit.sensitivity(rho=[0.0, 0.3, 0.5, 0.9], reweight=False, **OPTIONS)


def test_the_likelihood_along_rho_is_that_of_the_definition(fit):
    """Definitions 4.7: seen rows log Phi((eta_s + rho z) / sqrt(1 - rho²)); others do not depend on rho."""
    draws = fit.draws.take(np.array([3, 77, 410]))
    found = rho_log_likelihood(fit.model, fit.tables, draws, "y", [-0.4, 0.7])
    data = selected()
    seen = data["y"].notna().to_numpy()
    x, w, y = (data.loc[seen, name].to_numpy() for name in ("x", "w", "y"))
    own, other = draws.factors["y"], draws.factors["y[selection]"]
    for s in range(3):
        z = (y - own.intercept[s] - own.coefficients[s, 0] * x) / own.scales["sigma"][s]
        eta = other.intercept[s] + other.coefficients[s] @ np.stack([x, w])
        for k, rho in enumerate([-0.4, 0.7]):
            wanted = norm.logcdf((eta + rho * z) / np.sqrt(1 - rho**2)).sum()
            assert found[k, s] == pytest.approx(wanted, abs=1e-9)


def test_it_is_integrated_under_its_prior(fit):
    draws = fit.draws.take(np.array([11]))
    prior = Prior("Beta", 2.0, 3.0)
    top = rho_log_likelihood(fit.model, fit.tables, draws, "y", [0.5])[0, 0]

    def density(rho):
        value = rho_log_likelihood(fit.model, fit.tables, draws, "y", [rho])[0, 0]
        return np.exp(value - top) * beta.pdf(0.5 * (rho + 1), 2.0, 3.0) / 2

    wanted = np.log(quad(density, -0.9999, 0.9999, limit=200)[0]) + top
    found = integrated_log_likelihood(fit.model, fit.tables, draws, "y", prior, (-2.5, 2.5, 0.1))
    assert found[0] == pytest.approx(wanted, abs=3e-5)


def test_a_refit_is_the_model_with_that_rho_to_the_digit(refitted):
    assert [point.how for point in refitted.points] == ["refitted"] * 4
    alone = quiet_fit("y ~ x", selected(), Heckman("~ x + w", rho=0.9))
    own = alone.summary().loc[["Intercept", "x"]]
    at = refitted.at(0.9)
    np.testing.assert_allclose(at["estimate"], own["mean"], atol=1e-12)
    np.testing.assert_allclose(at["std.error"], own["sd"], rtol=1e-3)
    cells = alone.impute(6, despite_gate=True)._cells_of(2)["y"]
    change = refitted.realised.loc[(0.9, "y", "")]
    assert change["after"] == pytest.approx(
        np.mean([alone.impute(6, despite_gate=True)._cells_of(i)["y"].mean() for i in range(6)])
    )
    assert len(cells) == change["cells"]


def test_reweighted_draws_agree_with_refitted_ones(reweighted, refitted):
    assert [point.how for point in reweighted.points] == ["reweighted"] * 2
    assert all(point.pareto_k < 0.7 for point in reweighted.points)
    for one, two in zip(reweighted.points, refitted.points[1:3], strict=True):
        assert one.values == two.values
        a, b = one.answer.table(), two.answer.table()
        error = np.hypot(a["mcse"], b["mcse"])
        assert (np.abs(a["estimate"] - b["estimate"]) < 5 * error).all()
        np.testing.assert_allclose(a["std.error"], b["std.error"], rtol=0.2)
        assert one.log_likelihood == pytest.approx(two.log_likelihood, abs=0.15)
    assert refitted.points[0].log_likelihood == 0.0
    assert refitted.points[0].realised["difference"].iloc[0] == 0.0


def test_larger_rho_moves_imputations_down(refitted):
    change = refitted.table.query("term == 'x'")["realised_y"].to_numpy()
    assert change[0] == 0.0
    assert (np.diff(change) < 0).all()
    assert "Sensitivity to rho of y: 4 from 0 to 0.9 (4 refitted)" in repr(refitted)


def test_the_tipping_point_is_where_a_model_with_that_rho_has_the_estimate(fit, reweighted):
    target = float(np.mean([reweighted.at(v).loc["x", "estimate"] for v in (0.3, 0.5)]))
    found = reweighted.tipping_point("x", criterion=target, tolerance=0.01)
    assert 0.3 < found.value < 0.5
    alone = quiet_fit("y ~ x", selected(), Heckman("~ x + w", rho=found.value)).summary().loc["x"]
    assert alone["mean"] == pytest.approx(target, abs=4 * alone["mcse_mean"] + 0.01)
    assert "rho of y = 0." in repr(found)
    assert "from those under missing at random" in repr(found)
    ax = plots.sensitivity(found, "x")
    assert ax.get_xlabel() == "rho of y"
    again = fit.tipping_point("x", rho=(0.0, 0.5), criterion=target, tolerance=0.05, **OPTIONS)
    assert again.value == pytest.approx(found.value, abs=0.1)


def test_an_analysis_of_completed_tables_is_pooled(fit):
    found = fit.sensitivity(rho=[0.5], analysis="y ~ x", **OPTIONS)
    assert list(found.table["term"]) == ["Intercept", "x"]
    assert found.table["mcse"].gt(0).all()


# -- group effects of both equations ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clustered():
    data, _ = two_level_heckman.simulate(np.random.default_rng(3), clusters=12, rows=20, absent=1)
    names = {"x": "x", "w": "w"}
    return data.rename(columns=names)


@pytest.fixture(scope="module")
def two_level(clustered):
    right = " + ".join(name for name in clustered.columns if name not in ("y", "cluster", "seen"))
    return quiet_fit("y ~ x + (1 | cluster)", clustered, Heckman(f"~ {right} + (1 | cluster)"))


def test_effects_of_a_group_have_the_density_of_their_correlation(two_level):
    factor = two_level.model.factor("y")
    draws = two_level.draws.take(np.array([5, 500]))
    found = group_log_density(factor, draws, [0.0, 0.6])
    own = draws.factors["y"]
    for s in range(2):
        z = own.effects["cluster"][s] / own.sds["cluster"][s]
        for k, c in enumerate((0.0, 0.6)):
            density = multivariate_normal([0, 0], [[1, c], [c, 1]]).logpdf(z).sum()
            assert found[k, s] - density == pytest.approx(len(z) * np.log(2 * np.pi), abs=1e-9)

    def density(c, s):
        value = group_log_density(factor, draws, [c])[0, s]
        return np.exp(value - found[0, s]) * beta.pdf(0.5 * (c + 1), 2.0, 2.0) / 2

    for s in range(2):
        wanted = np.log(quad(density, -1 + 1e-9, 1 - 1e-9, args=(s,))[0]) + found[0, s]
        value = integrated_group_density(factor, draws, {"cluster": 2.0})[s]
        assert value == pytest.approx(wanted, abs=1e-5)


def test_draws_move_between_one_vector_and_two(two_level):
    model = two_level.model
    mechanism = model.mechanisms["y"].fixed_at(group_rho=0.0)
    apart = with_mechanisms(model, {"y": mechanism})
    moved = laid_out_for(apart, two_level.draws, ["y"])
    own, other = moved.factors["y"], moved.factors["y[selection]"]
    assert own.effects["cluster"].shape[2] == other.effects["cluster"].shape[2] == 1
    back = laid_out_for(model, moved, ["y"]).factors["y"]
    np.testing.assert_array_equal(back.effects["cluster"], two_level.draws.factors["y"].effects["cluster"])
    np.testing.assert_array_equal(back.sds["cluster"], two_level.draws.factors["y"].sds["cluster"])


def test_both_correlations_make_a_map(two_level):
    found = two_level.sensitivity(rho=[0.0, 0.4], group_rho=[0.0, 0.3], **OPTIONS)
    assert list(found.columns) == ["rho_y", "group_rho_y"]
    assert len(found.points) == 4
    across = found.across
    assert set(across.index.get_level_values("group_rho_y")) == {0.3}  # at zero there is no correlation
    np.testing.assert_allclose(across["mean"], 0.3)
    again = two_level.sensitivity(rho=[0.4], group_rho=[0.3], reweight=False, **OPTIONS)
    one, two = found.at(0.4, 0.3), again.at(0.4, 0.3)
    assert (np.abs(one["estimate"] - two["estimate"]) < 5 * np.hypot(one["mcse"], two["mcse"])).all()
    last = found.points[-1].log_likelihood
    assert last == pytest.approx(again.points[0].log_likelihood, abs=0.4)
    ax = plots.sensitivity_map(found, "x")
    assert ax.get_xlabel() == "rho of y"
    assert ax.get_ylabel() == "group_rho of y"


def test_what_becomes_of_the_correlation_of_group_effects_is_said(two_level):
    found = two_level.sensitivity(rho=[0.2], **OPTIONS)
    assert "correlation estimated anew at each rho, prior LKJ(2), see .across" in repr(found)
    assert found.across["pair"].tolist() == ["Intercept~~selection_1"]
    assert found.grid.at_zero == "rho = 0"  # not at random, as long as group effects correlate


@pytest.mark.skipif(
    not (DATA / "mroz87.csv").exists(), reason="mroz87.csv is in neither $BAYESMI_DATA nor ../shared/data"
)
def test_wages_of_married_women():
    """Slopes at rho = 0 are least squares; the data like the maximum, rho .027, as well, and rho .9 not at all."""
    import statsmodels.formula.api as smf

    table = pd.read_csv(DATA / "mroz87.csv", skipinitialspace=True)
    works = table["lfp"] == 1
    table = table.assign(y=np.log(table["wage"].where(works)), exper2=table["exper"] ** 2)
    fit = quiet_fit(
        "y ~ educ + exper + exper2",
        table,
        Heckman("~ nwifeinc + educ + exper + exper2 + age + kids5 + kids618"),
    )
    found = fit.sensitivity(rho=[0.0, 0.0266, 0.9], **OPTIONS)
    ols = smf.ols("y ~ educ + exper + exper2", table).fit()
    assert found.at(0.0).loc["educ", "estimate"] == pytest.approx(
        ols.params["educ"], abs=0.25 * ols.bse["educ"]
    )
    change = [point.log_likelihood for point in found.points]
    assert change[1] == pytest.approx(0.02, abs=0.1)
    assert change[2] < -20


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"rho": [1.0]}, "between -1 and 1"),
        ({"rho": ["a"]}, "between -1 and 1"),
        ({"rho": {"x": [0.0]}}, "no Heckman model"),
        ({"rho": [0.0], "group_rho": [0.0]}, "group effects of one grouping in both"),
        ({"rho": [0.0], "delta": {"y": [0.0]}}, "ask for one"),
        ({"rho": {}}, "is empty"),
    ],
)
def test_what_is_refused(fit, options, match):
    with pytest.raises(ModelError, match=match):
        fit.sensitivity(**{**OPTIONS, **options})


@pytest.mark.parametrize("kind", ["after", "conditional", "model"])
def test_a_delta_does_not_take_the_place_of_a_selection_model(fit, kind):
    """Its draws without its selection are of no model: neither missing at random nor Heckman's."""
    with pytest.raises(NotSupportedError, match=r"Heckman\(\).*rho=.*delta_after"):
        fit.sensitivity({"y": [0.0, 1.0]}, kind=kind, **OPTIONS)
    with pytest.raises(NotSupportedError, match="Heckman"):
        fit.tipping_point("x", {"y": (-1, 0)}, **OPTIONS)


def test_a_model_without_selection_is_refused():
    fit = Model("w ~ x", selected()[["w", "x"]]).fit(seed=1, draws=50, tune=50, progress=False)
    with pytest.raises(ModelError, match="no variable has one"):
        fit.sensitivity(rho=[0.0], **OPTIONS)


def test_marginal_likelihoods_do_not_depend_on_the_way(fit, refitted):
    """From the fit to a far refit by one bridge, or from refit to refit."""
    found = fit.sensitivity(rho=[-0.3, 0.9], **OPTIONS)
    assert [point.how for point in found.points] == ["refitted"] * 2
    assert found.points[1].log_likelihood == pytest.approx(refitted.points[-1].log_likelihood, abs=0.4)
    near = fit.sensitivity(rho=[-0.3, -0.1], reweight=False, **OPTIONS)
    assert found.points[0].log_likelihood == pytest.approx(near.points[0].log_likelihood, abs=0.4)
