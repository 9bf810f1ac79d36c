"""Every family of the registry keeps the same promises: density, draws, mean, kernel, support, start, checks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numba import njit

from bayesmi.errors import ModelError
from bayesmi.families import REGISTRY, Family, get_family
from bayesmi.families.support import constrain, unconstrain
from bayesmi.kernel.families import CODES, PREPARED, prepare, single_density
from bayesmi.kernel.once import in_one_piece

# those that call the kernel's densities from Python, in the one process that compiles them
in_one_process = pytest.mark.xdist_group("families_in_kernel")

ETA = np.array([-1.3, -0.2, 0.4, 1.1])


@dataclass(frozen=True)
class Example:
    """A family with plausible parameters and values."""

    family: Family
    scales: dict[str, Any]
    y: np.ndarray
    eta: np.ndarray = field(default_factory=lambda: ETA)


def example(name: str) -> Example:
    scales: dict[str, Any] = {
        "gaussian": {"sigma": 0.7},
        "student": {"sigma": 0.7, "nu": 3.4},
        "skewnormal": {"sigma": 0.8, "alpha": -3.0},
        "lognormal": {"sigma": 0.6},
        "gamma": {"alpha": 2.3},
        "weibull": {"alpha": 1.7},
        "beta": {"kappa": 6.0},
        "ordinal": {"threshold": np.array([-0.8, 0.1, 1.5])},
        "ordinalprobit": {"threshold": np.array([-0.8, 0.1, 1.5])},
        "negativebinomial": {"alpha": 1.6},
        "zeroinflatedpoisson": {"zi": 0.3},
        "zeroinflatednegativebinomial": {"alpha": 1.6, "zi": 0.3},
        "hurdlepoisson": {"hu": 0.3},
        "hurdlenegativebinomial": {"alpha": 1.6, "hu": 0.3},
        "binomial": {"trials": np.array([5.0, 1.0, 3.0, 8.0])},
        "truncated(-1, 2)": {"sigma": 0.9},
        "truncated(0, inf)": {"sigma": 0.9},
        "truncated(-inf, 1.5)": {"sigma": 0.9},
        "bounded(-1, 2)": {"sigma": 0.9},
        "bounded(0, inf)": {"sigma": 0.6},
        "bounded(-inf, 1.5)": {"sigma": 0.6},
    }.get(name, {})
    family = get_family(name)
    values = {
        "bernoulli": [0, 1, 1, 0],
        "probit": [0, 1, 1, 0],
        "binomial": [2, 1, 0, 8],
        "ordinal": [0, 1, 2, 3],
        "ordinalprobit": [0, 1, 2, 3],
        "beta": [0.1, 0.4, 0.97, 0.6],
        "truncated(-1, 2)": [-0.9, 0.0, 1.9, 0.5],
        "bounded(-1, 2)": [-0.9, 0.0, 1.9, 0.5],
        "truncated(-inf, 1.5)": [-2.0, 0.0, 1.4, 0.5],
        "bounded(-inf, 1.5)": [-2.0, 0.0, 1.4, 0.5],
    }.get(name)
    if values is None and family.is_discrete:
        values = [0, 1, 30, 4]
    elif values is None and np.isfinite(family.support[0]):
        values = [0.2, 1.5, 0.01, 4.0]
    elif values is None:
        values = [-4.0, 0.1, 0.7, 2.5]
    return Example(family, scales, np.array(values, dtype=float))


BOUNDED = [f"{name}({ends})" for name in ("truncated", "bounded") for ends in ("-1, 2", "0, inf")]
BOUNDED += ["truncated(-inf, 1.5)", "bounded(-inf, 1.5)"]
ONE_PREDICTOR = [name for name in REGISTRY if name != "nominal"] + BOUNDED


def parameters(one: Example) -> np.ndarray:
    """The family's numbers as the kernel has them."""
    own = [np.atleast_1d(one.scales[p.name]) for p in one.family.parameters]
    rest = PREPARED + 2 * sum(len(numbers) for numbers in own)
    return np.concatenate([*own, np.array(one.family.constants), np.zeros(rest)])


@njit
def densities_of_rows(code, y, trials, eta, aux, n_aux):
    prepare(code, aux, n_aux)
    out = np.empty((len(y), 4))
    for t in range(len(y)):
        out[t] = single_density(code, y[t], trials[t], eta[t], aux, n_aux)
    return out


def in_kernel(one: Example, eta: np.ndarray, aux: np.ndarray) -> np.ndarray:
    y = one.family.to_kernel(one.y)
    if one.family.form == "gaussian":  # stands in the loop over rows itself
        z = (y - eta) / aux[0]
        value = -0.5 * z**2 - np.log(aux[0]) - 0.5 * np.log(2 * np.pi)
        return np.stack([value, z / aux[0], (z**2 - 1) / aux[0], 0 * z], axis=1)
    trials = one.scales.get("trials", np.ones(len(y)))
    n_aux = sum(np.size(one.scales[p.name]) for p in one.family.parameters)
    given = (CODES.index(one.family.form), y, trials, eta, aux.copy(), n_aux)
    if not densities_of_rows.signatures:
        with in_one_piece("densities_of_rows"):
            return densities_of_rows(*given)
    return densities_of_rows(*given)


def constant(one: Example) -> np.ndarray:
    known = {"trials": one.scales["trials"]} if "trials" in one.scales else {}
    return one.family.constant(one.y, **known)


@pytest.mark.parametrize("name", ONE_PREDICTOR)
def test_density_is_pymcs(name):
    pm = pytest.importorskip("pymc")
    one = example(name)
    with pm.Model() as model:
        scales = {key: np.asarray(value) for key, value in one.scales.items()}
        if name == "hurdlepoisson":  # latents of a hurdle need a distribution of ours
            pm.HurdlePoisson("y", psi=1 - scales["hu"], mu=np.exp(one.eta), observed=one.y)
        elif name == "hurdlenegativebinomial":
            pm.HurdleNegativeBinomial(
                "y", psi=1 - scales["hu"], mu=np.exp(one.eta), alpha=scales["alpha"], observed=one.y
            )
        else:
            one.family.pymc("y", one.eta, scales, observed=one.y)
    (mine,) = model.compile_logp(sum=False, mode="FAST_COMPILE")({})
    # PyMC's normal distribution function has sqrt(2) in single precision (pt.sqrt(2.0) is float32)
    is_single = one.family.form in ("truncated", "ordinalprobit", "skewnormal")
    tolerance = 2e-7 if is_single else 1e-9
    found = one.family.log_density(np, one.y, one.eta, one.scales)
    assert found == pytest.approx(mine, rel=tolerance, abs=tolerance)


@in_one_process
@pytest.mark.parametrize("name", ONE_PREDICTOR)
def test_kernel_is_numpys(name):
    one = example(name)
    mine = in_kernel(one, one.eta, parameters(one))[:, 0] + constant(one)
    assert mine == pytest.approx(one.family.log_density(np, one.y, one.eta, one.scales), rel=1e-11, abs=1e-11)


@in_one_process
@pytest.mark.parametrize("far", [3.0, 12.0, 60.0])
@pytest.mark.parametrize("name", ["probit", "ordinalprobit", "truncated(-1, 2)", "skewnormal", "ordinal"])
def test_kernel_is_numpys_in_the_tails(name, far):
    one = example(name)
    for sign in (-1.0, 1.0):
        eta = one.eta + sign * far
        mine = in_kernel(one, eta, parameters(one))[:, 0] + constant(one)
        assert mine == pytest.approx(one.family.log_density(np, one.y, eta, one.scales), rel=1e-10)


@in_one_process
@pytest.mark.parametrize("name", ONE_PREDICTOR)
def test_kernel_derivatives_are_its_densitys(name):
    one, h = example(name), 1e-3
    aux = parameters(one)
    found = in_kernel(one, one.eta, aux)

    def difference(at):
        return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)

    slope = difference(lambda step: in_kernel(one, one.eta + step, aux)[:, 0])
    assert found[:, 1] == pytest.approx(slope, rel=1e-7, abs=1e-8)
    if name.startswith("ordinal"):
        return  # by threshold, in tests/kernel
    for j in range(len(one.family.parameters)):

        def moved(step, j=j):
            other = aux.copy()
            other[j] += step
            return in_kernel(one, one.eta, other)[:, 0]

        assert found[:, 2 + j] == pytest.approx(difference(moved), rel=1e-7, abs=1e-8), one.family.parameters[
            j
        ]


def grid(one: Example, j: int) -> tuple[np.ndarray, np.ndarray]:
    """All values that the j-th variable can take (or a fine grid), and their weights."""
    family = one.family
    if "threshold" in one.scales:
        return np.arange(4.0), np.ones(4)
    if family.has_levels:
        return np.arange(2.0), np.ones(2)
    if family.is_discrete:
        top = one.scales["trials"][j] if "trials" in one.scales else 3000.0
        return np.arange(top + 1), np.ones(int(top) + 1)
    support = (*family.support, 0.0, 1.0) if family.has_heavy_tails else family.support
    points = np.linspace(-40.0, 40.0, 200_001)
    low, high = support[:2]
    if np.isfinite(low) or np.isfinite(high):  # beyond it values are equal to a bound
        points = np.linspace(-30.0, 30.0, 200_001)
    values, jacobian = constrain(points, support)
    if np.isfinite(low) and np.isfinite(high):
        inside = (values > low) & (values < high)
        points, values, jacobian = points[inside], values[inside], jacobian[inside]
    return values, np.exp(jacobian) * (points[1] - points[0])


@pytest.mark.parametrize("name", ONE_PREDICTOR)
def test_density_sums_to_one_and_has_the_mean(name):
    one = example(name)
    for j, eta in enumerate(one.eta):
        y, weight = grid(one, j)
        scales = one.scales | ({"trials": one.scales["trials"][j]} if "trials" in one.scales else {})
        density = weight * np.exp(one.family.log_density(np, y, np.full(len(y), eta), scales))
        assert density.sum() == pytest.approx(1.0, abs=1e-7)
        mean = one.family.mean(np, np.array([eta]), scales)
        assert (density * y).sum() == pytest.approx(float(mean[0]), abs=1e-4 if name == "student" else 1e-6)


def of_draws(one: Example, n: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Linear predictors and parameters of n draws that are all alike, for the rows of an example."""
    scales = {
        key: np.broadcast_to(value, (n, *np.shape(value)))[:, None] if key != "trials" else value
        for key, value in one.scales.items()
    }
    return np.tile(one.eta, (n, 1)), scales


@pytest.mark.parametrize("name", ONE_PREDICTOR)
def test_draws_have_the_density(name):
    one, n = example(name), 4_000
    rng = np.random.default_rng(3)
    drawn = one.family.draw(rng, *of_draws(one, n))
    assert drawn.shape == (n, 4)
    assert drawn.dtype == float
    low, high = one.family.support if not one.family.is_discrete else (-1.0, np.inf)
    assert ((drawn >= low) & (drawn <= high)).all()
    for j, eta in enumerate(one.eta):
        y, weight = grid(one, j)
        scales = one.scales | ({"trials": one.scales["trials"][j]} if "trials" in one.scales else {})
        below = np.cumsum(weight * np.exp(one.family.log_density(np, y, np.full(len(y), eta), scales)))
        for q in (0.1, 0.35, 0.65, 0.9):
            at = min(int(np.searchsorted(below, q)), len(y) - 1)
            share, p = float((drawn[:, j] <= y[at]).mean()), min(float(below[at]), 1.0)
            assert abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / len(drawn)) + 2e-4


@pytest.mark.parametrize("name", ONE_PREDICTOR)
def test_draws_fill_whole_shapes_of_draws_and_rows(name):
    one = example(name)
    eta, scales = of_draws(one, 7)
    value = one.family.log_density(np, one.y, eta, scales)
    assert value.shape == (7, 4)
    assert value[3] == pytest.approx(one.family.log_density(np, one.y, one.eta, one.scales), rel=1e-12)
    assert np.shape(one.family.mean(np, eta, scales)) == (7, 4)


@pytest.mark.parametrize("name", ONE_PREDICTOR)
def test_starts_and_scales_are_sane(name):
    one = example(name)
    rng = np.random.default_rng(4)
    eta = np.repeat(0.3, 400)
    scales = one.scales | ({"trials": np.full(400, 6.0)} if "trials" in one.scales else {})
    y = one.family.draw(rng, eta, scales)
    one.family.check("y", y)
    location, spread = one.family.location_and_spread(y)
    assert np.isfinite(location)
    assert 0 < spread < 20
    for parameter in one.family.parameters:
        start = one.family.start(parameter.name, y, 4)
        assert start.shape == ((3,) if parameter.per_level else (1,))
        truth = np.atleast_1d(one.scales[parameter.name])
        if parameter.transform == "log":
            assert 0.1 < start[0] / truth[0] < 10
        prior = one.family.default_prior(parameter.name, spread)
        assert prior.support == parameter.support
    if not one.family.has_levels and one.family.is_discrete:
        values = one.family.cell_values(scales.get("trials", y))
        assert values[0] == 0
        assert values[-1] >= y.max()
    if not one.family.is_discrete:
        support = (*one.family.support, 0.0, 1.0) if one.family.has_heavy_tails else one.family.support
        assert constrain(unconstrain(y, support), support)[0] == pytest.approx(y, rel=1e-9)
        assert all(rate > 0 for rate in one.family.tail_rates(y))


REFUSED = {
    "lognormal": 0.0,
    "gamma": 0.0,
    "exponential": -1.0,
    "weibull": 0.0,
    "beta": 1.0,
    "poisson": 1.5,
    "negativebinomial": -1.0,
    "zeroinflatedpoisson": 0.5,
    "hurdlenegativebinomial": 0.5,
    "binomial": 0.5,
    "truncated(-1, 2)": 2.5,
    "bounded(-1, 2)": 2.0,
}


@pytest.mark.parametrize("name", REFUSED)
def test_values_that_cannot_be_are_refused(name):
    with pytest.raises(ModelError, match=r"'income' holds"):
        get_family(name).check("income", np.array([1.0, REFUSED[name]]))


@pytest.mark.parametrize(
    ("name", "scales"),
    [("hurdlepoisson", {"hu": 0.3}), ("hurdlenegativebinomial", {"alpha": 1.6, "hu": 0.3})],
)
def test_hurdle_counts_are_counts_however_small_or_large_their_mean(name, scales):
    family = REGISTRY[name]
    rng = np.random.default_rng(8)
    for eta, least, most in (
        (-800.0, 1, 1),
        (-60.0, 1, 1),
        (-30.0, 1, 1),
        (5.0, 20, 2000),
        (32.0, 1e11, 1e16),
    ):
        drawn = family.draw(rng, np.full(2000, eta), scales)
        assert np.isfinite(drawn).all()
        assert (drawn == 0).mean() == pytest.approx(scales["hu"], abs=0.05)
        assert least <= np.median(drawn[drawn > 0]) <= most


@in_one_process
@pytest.mark.parametrize("name", ["hurdlepoisson", "hurdlenegativebinomial"])
@pytest.mark.parametrize("eta", [-290.0, -310.0, -800.0, -5000.0])
def test_hurdle_counts_of_means_that_underflow_are_ones(name, eta):
    one = replace(example(name), y=np.array([0.0, 1.0, 1.0, 2.0]))
    at = np.full(4, eta)
    found = in_kernel(one, at, parameters(one))
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        theirs = one.family.log_density(np, one.y, at, one.scales)
        assert one.family.mean(np, at, one.scales) == pytest.approx(np.full(4, 1.0 - one.scales["hu"]))
    assert found[:, 0] + constant(one) == pytest.approx(theirs, rel=1e-11)
    assert theirs[:2] == pytest.approx(np.log([0.3, 0.7]), rel=1e-11)
    assert theirs[3] < eta + 1.0
    assert found[:, 1] == pytest.approx([0.0, 0.0, 0.0, 1.0], abs=1e-9)
