"""Group effects integrated out: against the multivariate normal, scipy's quadrature, brute force and lme4."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_fit import hand_fit
from kernel_cases import small_table
from scipy import integrate, stats

from bayesmi import BayesmiNotice
from bayesmi.errors import FitError, NotSupportedError


def quiet(fit, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return fit.log_likelihood(*args, progress=False, **kwargs)


def fixed_part(fit, data, names):
    own = fit.draws.factors[fit.model.response]
    eta = np.repeat(own.intercept[:, None], len(data), axis=1)
    for j, name in enumerate(names):
        eta += own.coefficients[:, [j]] * data[name].to_numpy()
    return eta


@pytest.mark.parametrize("how", ["collapse", "centred"])
def test_gaussian_slopes_as_the_multivariate_normal(how):
    data = small_table().dropna(subset="y").reset_index(drop=True)
    fit = hand_fit("y ~ z + (1 + z | a)", data, treatments={"1|a": how})
    found = quiet(fit, unit="a", marginal=True)
    own, eta = fit.draws.factors["y"], fixed_part(fit, data, ["z"])
    for s in range(fit.draws.n):
        covariance = own.root("a")[s] @ own.root("a")[s].T
        for g in range(4):
            rows = np.flatnonzero(data["a"] == g)
            z = np.column_stack([np.ones(len(rows)), data["z"][rows]])
            v = z @ covariance @ z.T + own.scales["sigma"][s] ** 2 * np.eye(len(rows))
            expected = stats.multivariate_normal(eta[s, rows], v).logpdf(data["y"][rows])
            assert found.values[0, s, g] == pytest.approx(expected, rel=1e-9)
    assert "quadrature" not in found.attrs


def test_nested_groupings_go_together():
    data = small_table().dropna(subset="y").reset_index(drop=True)
    fit = hand_fit("y ~ z + (1 | a/b)", data)
    found = quiet(fit, unit="a", marginal=True)
    own, eta = fit.draws.factors["y"], fixed_part(fit, data, ["z"])
    for g in range(4):
        rows = np.flatnonzero(data["a"] == g)
        same = (data["b"].to_numpy()[rows, None] == data["b"].to_numpy()[rows]).astype(float)
        v = own.sds["a"][0, 0] ** 2 + own.sds["a:b"][0, 0] ** 2 * same
        v = v + own.scales["sigma"][0] ** 2 * np.eye(len(rows))
        expected = stats.multivariate_normal(eta[0, rows], v).logpdf(data["y"][rows])
        assert found.values[0, 0, g] == pytest.approx(expected, rel=1e-9)


def test_effects_of_a_crossed_grouping_stay_given():
    data = small_table().dropna(subset="y").reset_index(drop=True)
    fit = hand_fit("y ~ z + (1 | a) + (1 | c)", data)
    found = quiet(fit, unit="a", marginal=True)
    own = fit.draws.factors["y"]
    eta = fixed_part(fit, data, ["z"]) + own.effects["c"][:, data["c"].to_numpy(), 0]
    rows = np.flatnonzero(data["a"] == 1)
    v = own.sds["a"][0, 0] ** 2 + own.scales["sigma"][0] ** 2 * np.eye(len(rows))
    expected = stats.multivariate_normal(eta[0, rows], v).logpdf(data["y"][rows])
    assert found.values[0, 0, 1] == pytest.approx(expected, rel=1e-9)


def logistic_table(n_groups=8, size=12):
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(n_groups), size)
    z = rng.normal(size=len(g))
    u = 1.3 * rng.normal(size=n_groups)
    y = (rng.random(len(g)) < 1 / (1 + np.exp(-(0.3 + z + u[g])))).astype(float)
    return pd.DataFrame({"g": g, "z": z, "y": y})


def log_normal(x, sd):
    return -0.5 * (x / sd) ** 2 - np.log(sd * np.sqrt(2 * np.pi))


def by_quad(data, eta, sd, g):
    rows = np.flatnonzero(data["g"] == g)
    sign = 2 * data["y"].to_numpy()[rows] - 1

    def height(u):
        return -np.logaddexp(0, -sign * (eta[rows] + u)).sum() + log_normal(u, sd)

    top = max(height(u) for u in np.linspace(-8, 8, 401))
    value, _ = integrate.quad(lambda u: np.exp(height(u) - top), -12 * sd, 12 * sd, points=[0], epsabs=1e-13)
    return np.log(value) + top


def test_bernoulli_random_intercept_as_scipys_quadrature():
    data = logistic_table()
    fit = hand_fit("y ~ z + (1 | g)", data, sd=0.8)
    found = quiet(fit, unit="g", marginal=True)
    own, eta = fit.draws.factors["y"], fixed_part(fit, data, ["z"])
    for s in range(fit.draws.n):
        for g in range(8):
            expected = by_quad(data, eta[s], own.sds["g"][s, 0], g)
            assert found.values[0, s, g] == pytest.approx(expected, rel=1e-7)
    assert found.attrs["quadrature_error"] < 1e-6


def test_large_groups_and_large_effects_need_the_nodes_to_move():
    data = logistic_table(4, 600)
    data["y"] = np.where(data["g"] == 0, 1.0, data["y"])
    fit = hand_fit("y ~ z + (1 | g)", data, sd=0.3)
    found = quiet(fit, unit="g", marginal=True)
    own, eta = fit.draws.factors["y"], fixed_part(fit, data, ["z"])
    for g in range(4):
        assert found.values[0, 0, g] == pytest.approx(by_quad(data, eta[0], own.sds["g"][0, 0], g), rel=1e-6)


def test_too_few_nodes_are_said():
    data = logistic_table(4, 9)
    data.loc[data["g"] == 0, "y"] = 1.0
    fit = hand_fit("y ~ z + (1 | g)", data, sd=2.5, n=12)
    with pytest.warns(BayesmiNotice, match=r"change by up to .* with twice the nodes"):
        fit.log_likelihood(unit="g", marginal=True, nodes=3, progress=False)


def test_two_dimensions_as_a_fine_grid():
    data = logistic_table(3, 8)
    fit = hand_fit("y ~ z + (1 + z | g)", data, n=2)
    found = quiet(fit, unit="g", marginal=True)
    own, eta = fit.draws.factors["y"], fixed_part(fit, data, ["z"])
    for s in range(2):
        covariance = own.root("g")[s] @ own.root("g")[s].T
        axes = [np.linspace(-9, 9, 301) * np.sqrt(covariance[j, j]) for j in range(2)]
        a, b = np.meshgrid(*axes, indexing="ij")
        prior = stats.multivariate_normal(np.zeros(2), covariance).logpdf(np.stack([a, b], axis=-1))
        for g in range(3):
            rows = np.flatnonzero(data["g"] == g)
            sign = 2 * data["y"].to_numpy()[rows] - 1
            mean = eta[s, rows] + a[..., None] + b[..., None] * data["z"].to_numpy()[rows]
            total = prior - np.logaddexp(0, -sign * mean).sum(axis=-1)
            expected = np.log(np.exp(total).sum() * (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0]))
            assert found.values[0, s, g] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("how", ["sample", "integrate"])
def test_incomplete_covariate_with_effects_of_its_own_as_brute_force(how):
    """log f(y, x_obs) - log f(x_obs) of a group: multivariate normals of (y, x) and of x, missing cells left out."""
    data = small_table().dropna(subset="y").reset_index(drop=True)
    fit = hand_fit("y ~ x + z + (1 | a)", data, treatments={"x": how})
    found, joint = quiet(fit, unit="a", marginal=True), quiet(fit, "joint", unit="a", marginal=True)
    y, x = fit.draws.factors["y"], fit.draws.factors["x"]
    names = fit.model.factor("x").column_names
    assert names == ("z", "between(z)")
    assert fit.model.factor("y").column_names == ("x", "z")
    for s in range(fit.draws.n):
        for g in range(4):
            rows = np.flatnonzero(data["a"] == g)
            n = len(rows)
            z = data["z"].to_numpy()
            mean_x = x.intercept[s] + x.coefficients[s, 0] * z[rows]
            mean_x = mean_x + x.coefficients[s, 1] * z[rows].mean()
            v_x = x.sds["a"][s, 0] ** 2 + x.scales["sigma"][s] ** 2 * np.eye(n)
            b = y.coefficients[s, 0]
            mean_y = y.intercept[s] + b * mean_x + y.coefficients[s, 1] * z[rows]
            v_y = b**2 * v_x + y.sds["a"][s, 0] ** 2 + y.scales["sigma"][s] ** 2 * np.eye(n)
            mean = np.concatenate([mean_y, mean_x])
            v = np.block([[v_y, b * v_x], [b * v_x, v_x]])
            value = np.concatenate([data["y"][rows], data["x"][rows]])
            seen = np.isfinite(value)
            both = stats.multivariate_normal(mean[seen], v[np.ix_(seen, seen)]).logpdf(value[seen])
            known = seen[n:]
            alone = stats.multivariate_normal(mean_x[known], v_x[np.ix_(known, known)])
            alone = alone.logpdf(value[n:][known])
            assert joint.values[0, s, g] == pytest.approx(both, rel=1e-8)
            assert found.values[0, s, g] == pytest.approx(both - alone, rel=1e-7)


def test_a_missing_group_variable_and_effects_go_together():
    """v_g missing and u_g: only their sum matters, so the multivariate normal has it in closed form."""
    data = small_table().dropna(subset="y").reset_index(drop=True)
    fit = hand_fit("y ~ z + v + (1 | a)", data)
    found = quiet(fit, unit="a", marginal=True)
    y, v = fit.draws.factors["y"], fit.draws.factors["v"]
    g = 1
    rows = np.flatnonzero(data["a"] == g)
    assert data["v"][rows].isna().all()
    mean_v = fit.model.factor("v")
    assert mean_v.column_names == ("between(z)",)
    for s in range(fit.draws.n):
        centre = v.intercept[s] + v.coefficients[s, 0] * data["z"][rows].mean()
        b = y.coefficients[s, list(fit.model.factor("y").column_names).index("v")]
        c = y.coefficients[s, list(fit.model.factor("y").column_names).index("z")]
        mean = y.intercept[s] + b * centre + c * data["z"].to_numpy()[rows]
        cov = b**2 * v.scales["sigma"][s] ** 2 + y.sds["a"][s, 0] ** 2
        cov = cov + y.scales["sigma"][s] ** 2 * np.eye(len(rows))
        expected = stats.multivariate_normal(mean, cov).logpdf(data["y"][rows])
        assert found.values[0, s, g] == pytest.approx(expected, rel=1e-8)


def test_binary_covariate_summed_inside_the_effects_by_scipy():
    data = small_table()[["a", "z", "b1", "y"]].dropna(subset="y").reset_index(drop=True)
    fit = hand_fit("y ~ b1 + z + (1 | a)", data, formulas={"b1": "~ z"}, n=2)
    found = quiet(fit, "joint", unit="a", marginal=True)
    y, b1 = fit.draws.factors["y"], fit.draws.factors["b1"]
    at = {name: j for j, name in enumerate(fit.model.factor("y").column_names)}
    for s in range(2):
        sigma, sd = y.scales["sigma"][s], y.sds["a"][s, 0]
        for g in range(4):
            rows = np.flatnonzero(data["a"] == g)
            z, seen = data["z"].to_numpy()[rows], data["b1"].to_numpy()[rows]
            p = 1 / (1 + np.exp(-(b1.intercept[s] + b1.coefficients[s, 0] * z)))

            u = np.linspace(-12 * sd, 12 * sd, 2001)
            mean = y.intercept[s] + y.coefficients[s, at["z"]] * z + u[:, None]
            f = [
                np.exp(log_normal(data["y"].to_numpy()[rows] - mean - k * y.coefficients[s, at["b1"]], sigma))
                * (p if k else 1 - p)
                for k in (0, 1)
            ]
            terms = np.where(np.isnan(seen), f[0] + f[1], np.where(seen == 1, f[1], f[0]))
            heights = log_normal(u, sd) + np.log(terms).sum(axis=1)
            top = heights.max()
            expected = np.log(np.exp(heights - top).sum() * (u[1] - u[0])) + top
            assert found.values[0, s, g] == pytest.approx(expected, rel=1e-7)


def test_refusals():
    data = small_table()
    with pytest.raises(FitError, match=r"marginal=True .* unit='a'"):
        hand_fit("y ~ z + (1 | a)", data).log_likelihood(marginal=True, progress=False)
    fit = hand_fit("yb ~ z + (1 + z + w + o | a)", data)
    with pytest.raises(NotSupportedError, match=r"4 unknowns of each a .*4 effects of a in the model of yb"):
        quiet(fit, unit="a", marginal=True)
    with pytest.raises(FitError, match="nodes must be"):
        quiet(fit, nodes=2)


def test_many_gaussian_effects_need_no_quadrature():
    fit = hand_fit("y ~ z + w + (1 + z + w + o | a)", small_table())
    found = quiet(fit, unit="a", marginal=True)
    assert np.isfinite(found.values).all()
    assert "quadrature" not in found.attrs


def test_as_lme4_at_its_estimate():
    golden = Path(__file__).resolve().parents[1] / "golden" / "marginal"
    estimate = pd.read_csv(golden / "estimate.csv").set_index("name")["value"]
    fit = hand_fit("y ~ z + (1 | g)", pd.read_csv(golden / "data.csv"), n=1)
    own = fit.draws.factors["y"]
    own = replace(
        own,
        intercept=np.array([estimate["Intercept"]]),
        coefficients=np.array([[estimate["z"]]]),
        sds={"g": np.array([[estimate["sd"]]])},
    )
    fit = replace(fit, draws=replace(fit.draws, factors={"y": own}))
    found = quiet(fit, unit="g", marginal=True, nodes=25)
    assert float(found.sum()) == pytest.approx(estimate["logLik"], rel=1e-7)


def test_nested_effects_inside_a_summed_cell_of_the_outer_cluster():
    """log Σ_w f(w) N(y; X b(w), v) with w the missing flag of group 2 and v of both levels' effects."""
    data = small_table().dropna(subset="y").reset_index(drop=True)
    fit = hand_fit("y ~ flag + z + (1 | a/b)", data, formulas={"flag": "~ 1"})
    found = quiet(fit, "joint", unit="a", marginal=True)
    y, flag = fit.draws.factors["y"], fit.draws.factors["flag"]
    at = {name: j for j, name in enumerate(fit.model.factor("y").column_names)}
    for s in range(fit.draws.n):
        p = 1 / (1 + np.exp(-flag.intercept[s]))
        for g in range(4):
            rows = np.flatnonzero(data["a"] == g)
            same = (data["b"].to_numpy()[rows, None] == data["b"].to_numpy()[rows]).astype(float)
            v = y.sds["a"][s, 0] ** 2 + y.sds["a:b"][s, 0] ** 2 * same
            v = v + y.scales["sigma"][s] ** 2 * np.eye(len(rows))
            mean = y.intercept[s] + y.coefficients[s, at["z"]] * data["z"].to_numpy()[rows]
            each = [
                np.log(p if w else 1 - p)
                + stats.multivariate_normal(mean + w * y.coefficients[s, at["flag"]], v).logpdf(
                    data["y"][rows]
                )
                for w in (0, 1)
            ]
            seen = data["flag"].to_numpy()[rows[0]]
            expected = np.logaddexp(*each) if np.isnan(seen) else each[int(seen)]
            assert found.values[0, s, g] == pytest.approx(expected, rel=1e-7)


def test_effects_of_the_very_cluster_whose_cell_is_summed_are_integrated_exactly_in_each_combination():
    data = small_table().dropna(subset="y").reset_index(drop=True)
    fit = hand_fit(
        "y ~ flag + v + z + (1 | a)",
        data,
        formulas={"flag": "~ 1", "v": "~ flag"},
        treatments={"v": "sample"},
    )
    found = quiet(fit, "joint", unit="a", marginal=True)
    assert "quadrature" not in found.attrs
    y, flag, v = (fit.draws.factors[name] for name in ("y", "flag", "v"))
    at = {name: j for j, name in enumerate(fit.model.factor("y").column_names)}
    for s in range(fit.draws.n):
        p = 1 / (1 + np.exp(-flag.intercept[s]))
        for g in range(4):
            rows = np.flatnonzero(data["a"] == g)
            each = []
            for w in (0, 1):
                b, sd = y.coefficients[s, at["v"]], v.scales["sigma"][s]
                centre = v.intercept[s] + w * v.coefficients[s, 0]
                seen = data["v"].to_numpy()[rows[0]]
                mean = y.intercept[s] + y.coefficients[s, at["z"]] * data["z"].to_numpy()[rows]
                mean = mean + w * y.coefficients[s, at["flag"]] + b * (centre if np.isnan(seen) else seen)
                cov = y.sds["a"][s, 0] ** 2 + (b * sd) ** 2 * np.isnan(seen)
                cov = cov + y.scales["sigma"][s] ** 2 * np.eye(len(rows))
                own = np.log(p if w else 1 - p) + stats.multivariate_normal(mean, cov).logpdf(data["y"][rows])
                each.append(own + (0.0 if np.isnan(seen) else stats.norm.logpdf(seen, centre, sd)))
            known = data["flag"].to_numpy()[rows[0]]
            expected = np.logaddexp(*each) if np.isnan(known) else each[int(known)]
            assert found.values[0, s, g] == pytest.approx(expected, rel=1e-8)
