"""Densities, means and draws of values with a selection equation: what each says about the others."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from bayesmi.families import get_family
from bayesmi.families.selected import BY_DESIGN, NOT_SELECTED, NOT_SELECTED_KNOWN, SELECTED, Selected
from models.heckman import selection_logp

FAMILIES = ["gaussian", "lognormal", "student", "probit", "ordinalprobit"]
SCALES = {
    "gaussian": {"sigma": 1.3},
    "lognormal": {"sigma": 0.6},
    "student": {"sigma": 1.3, "nu": 6.0},
    "probit": {},
    "ordinalprobit": {"threshold": np.array([-0.4, 0.3, 1.1])},
}


def scales_of(name, kind, s=0.35, rho=-0.7, n=1):
    return {**SCALES[name], "rho": rho, "selection": np.full(n, s), "selected": np.full(n, float(kind))}


def values_of(name):
    return np.arange(2.0) if name == "probit" else np.arange(4.0)


def mass(name, kind, eta=0.2, power=0):
    """Sum or integral of y**power f(y, seen or not)."""
    family = Selected(get_family(name))

    def density(y):
        return float(np.exp(family.log_density(np, np.array([y]), eta, scales_of(name, kind)))[0]) * y**power

    if get_family(name).has_levels:
        return sum(density(y) for y in values_of(name))
    low, high = (1e-9, 60.0) if name == "lognormal" else (-60.0, 60.0)
    if name == "student":
        low, high = -np.inf, np.inf
    return quad(density, low, high, limit=400, points=None if name == "student" else (0.5, 2.0, 5.0))[0]


@pytest.mark.parametrize("name", FAMILIES)
def test_not_seen_is_the_integral_over_the_value(name):
    family = Selected(get_family(name))
    alone = np.exp(family.log_density(np, np.zeros(1), 0.2, scales_of(name, NOT_SELECTED)))[0]
    assert mass(name, NOT_SELECTED_KNOWN) == pytest.approx(alone, rel=1e-7)
    assert mass(name, SELECTED) == pytest.approx(1.0 - alone, rel=1e-7)
    assert mass(name, BY_DESIGN) == pytest.approx(1.0, rel=1e-7)


@pytest.mark.parametrize("kind", [SELECTED, NOT_SELECTED_KNOWN, BY_DESIGN])
@pytest.mark.parametrize("name", FAMILIES)
def test_means_and_draws_are_the_densitys(name, kind):
    family, n = Selected(get_family(name)), 200_000
    expected = mass(name, kind, power=1) / mass(name, kind)
    own = scales_of(name, kind, n=n)
    assert family.mean(np, np.full(n, 0.2), own)[0] == pytest.approx(expected, rel=1e-6)
    drawn = family.draw(np.random.default_rng(3), np.full(n, 0.2), own)
    assert drawn.mean() == pytest.approx(expected, abs=4.5 * drawn.std() / np.sqrt(n))


@pytest.mark.parametrize("name", ["probit", "ordinalprobit"])
def test_levels_are_drawn_with_their_probabilities(name):
    family, n = Selected(get_family(name)), 100_000
    own = scales_of(name, NOT_SELECTED_KNOWN, n=n)
    joint = np.array(
        [
            np.exp(family.log_density(np, np.full(1, y), 0.2, scales_of(name, NOT_SELECTED_KNOWN)))[0]
            for y in values_of(name)
        ]
    )
    drawn = family.draw(np.random.default_rng(4), np.full(n, 0.2), own)
    share = np.bincount(drawn.astype(int), minlength=len(joint)) / n
    np.testing.assert_allclose(share, joint / joint.sum(), atol=0.007)
    if name == "ordinalprobit":
        found = family.probabilities(np.full(1, 0.2), scales_of(name, NOT_SELECTED_KNOWN))[0]
        np.testing.assert_allclose(found, joint / joint.sum(), rtol=1e-8)


def test_variance_of_exact_imputations():
    """At rho .9 and selection index 0: .484 sigma², not sigma² (definitions.md 4.7)."""
    n = 400_000
    own = {
        "sigma": 2.0,
        "rho": 0.9,
        "selection": np.zeros(n),
        "selected": np.full(n, float(NOT_SELECTED)),
    }
    drawn = Selected(get_family("gaussian")).draw(np.random.default_rng(1), np.zeros(n), own)
    lam = np.sqrt(2 / np.pi)
    expected = 1 - 0.81 * lam * lam
    assert expected == pytest.approx(0.484, abs=5e-4)
    assert drawn.var() / 4.0 == pytest.approx(expected, abs=4 * expected * np.sqrt(2 / n))
    assert drawn.mean() == pytest.approx(-0.9 * 2.0 * lam, abs=0.01)


@pytest.mark.parametrize("rho", [-0.8, 0.0, 0.6])
def test_likelihood_is_that_of_the_definitions(rho):
    rng = np.random.default_rng(5)
    y, eta, s = rng.normal(size=(3, 50))
    y[::3] = np.nan
    kinds = np.where(np.isnan(y), float(NOT_SELECTED), float(SELECTED))
    family = Selected(get_family("gaussian"), rho)
    found = family.log_density(np, np.nan_to_num(y), eta, {"sigma": 0.7, "selection": s, "selected": kinds})
    np.testing.assert_allclose(found, selection_logp(y, eta, s, 0.7, rho), rtol=0, atol=1e-10)


def test_student_errors_with_many_degrees_of_freedom_are_normal():
    own = scales_of("student", SELECTED) | {"nu": 1e7}
    found = Selected(get_family("student")).log_density(np, np.array([0.8]), 0.2, own)
    normal = Selected(get_family("gaussian")).log_density(
        np, np.array([0.8]), 0.2, scales_of("gaussian", SELECTED)
    )
    assert found[0] == pytest.approx(normal[0], abs=1e-5)


def test_truncation_far_out_is_drawn_all_the_same():
    n = 1000
    own = scales_of("gaussian", NOT_SELECTED, s=9.0, rho=0.999, n=n)
    drawn = Selected(get_family("gaussian")).draw(np.random.default_rng(6), np.zeros(n), own)
    assert np.isfinite(drawn).all()
    assert drawn.mean() < -11.0  # sigma rho times an error below -9
    assert ndtr(-9.0) < 1e-18
