"""Latents integrated out of the built density give the likelihood: log f(y, u) - log f(u | y) = log f(y)."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp

GAUSSIAN = ("linear", "random_intercept", "random_slope", "random_intercept_covariate")


def only(*names):
    params = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in names]
    return pytest.mark.parametrize("case", params, indirect=True)


def marginal_logp(case, point):
    parameters = {name: np.squeeze(value) for name, value in case.posterior(point).items()}
    return case.module.marginal_logp(case.data, parameters)


@only(*GAUSSIAN)
@pytest.mark.parametrize("seed", [1, 2])
def test_gaussian_latents(case, seed):
    """The density is Gaussian in the latents: at any u its gradient and Hessian there give log f(u | y)."""
    point = case.point(seed)
    gradient = case.latent_dlogp(point)
    columns = []
    for name in (case.value_names[v.name] for v in case.latents):
        for k in range(point[name].size):
            step = np.arange(point[name].size) == k
            columns.append(gradient - case.latent_dlogp({**point, name: point[name] + step}))
    precision = np.column_stack(columns)
    np.testing.assert_allclose(precision, precision.T, atol=1e-8)
    given_data = 0.5 * np.linalg.slogdet(precision / (2 * np.pi))[1]
    given_data -= 0.5 * gradient @ np.linalg.solve(precision, gradient)
    assert case.conditional_logp(point) - given_data == pytest.approx(marginal_logp(case, point), abs=1e-8)


@only("quadratic", "censored", "heckman")
def test_cells_that_are_independent_given_the_parameters(case):
    """Each cell is integrated numerically, on the sampler's unconstrained scale."""
    point = case.point(3)
    column = "y" if case.data["y"].isna().any() else "x"
    missing = case.data[column].isna().to_numpy()
    grid = np.linspace(-24, 24, 1601)
    names = [v.name for v in case.model.observed_RVs]
    # a factor over all rows holds the cell too; one over the observed rows does not
    whole = [name for name, terms in case.rowwise_logp(point).items() if terms.size == missing.size]
    total = sum(case.rowwise_logp(point)[name].sum() for name in names if name not in whole)
    total += sum(case.rowwise_logp(point)[name][~missing].sum() for name in whole)
    for name in (v.name for v in case.latents):
        value = case.value_names[name]
        along = []
        for step in grid:
            terms = case.rowwise_logp({**point, value: np.full(point[value].shape, step)})
            along.append(terms[name] + sum(terms[factor][missing] for factor in whole))
        total += (logsumexp(along, axis=0) + np.log(grid[1] - grid[0])).sum()
    assert total == pytest.approx(marginal_logp(case, point), abs=1e-8)


@only("logistic_binary")
@pytest.mark.parametrize("seed", [4, 5])
def test_binary_cells_summed_over_all_their_joint_values(case, seed):
    point = case.point(seed)
    cells = itertools.product([0, 1], repeat=point["cell__x"].size)
    joint = [case.conditional_logp({**point, "cell__x": np.array(values)}) for values in cells]
    assert logsumexp(joint) == pytest.approx(marginal_logp(case, point), abs=1e-9)


@only("logistic_binary")
def test_weights_of_binary_cells(case):
    """The weights of a missing cell are its two joint densities; an observed cell has one possible value."""
    point = case.point(6)
    weights = case.module.cell_logweights(case.data, case.posterior(point))
    missing = case.data["x"].isna().to_numpy()
    assert np.isfinite(weights[missing]).all()
    np.testing.assert_array_equal(np.isfinite(weights[~missing]).sum(axis=1), 1)
    zero = {**point, "cell__x": np.zeros_like(point["cell__x"])}
    one = {**zero, "cell__x": np.eye(1, zero["cell__x"].size, dtype=int)[0]}
    first = weights[missing][0]
    assert case.conditional_logp(one) - case.conditional_logp(zero) == pytest.approx(first[1] - first[0])


@only("censored")
def test_far_tails_of_an_interval_keep_their_digits(case):
    """Phi(b) - Phi(a) forty residual sds out on either side, against the leading term of Mills' ratio."""
    parameters = {"Intercept": 0.0, "x": 0.0, "sigma": 1.0}
    row = case.data.iloc[:1].assign(y=np.nan)
    above = case.module.marginal_logp(row.assign(lower=40.0, upper=41.0), parameters)
    below = case.module.marginal_logp(row.assign(lower=-41.0, upper=-40.0), parameters)
    assert above == pytest.approx(below, abs=1e-12)
    assert above == pytest.approx(-0.5 * 40**2 - 0.5 * np.log(2 * np.pi) - np.log(40), abs=1e-3)
