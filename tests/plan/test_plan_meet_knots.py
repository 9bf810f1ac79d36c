"""Grids of cells in splines have points at the boundary knots, and errors that fall as the fourth power of the spacing."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import bayesmi as bmi
from bayesmi import BayesmiNotice
from bayesmi.plan import make_plan
from bayesmi.plan.meet_knots import meet_knots


def model(family: str = "gaussian", n: int = 80) -> bmi.Model:
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=n), rng.normal(size=n)
    x = np.exp(0.5 * x) if family == "lognormal" else x
    data = pd.DataFrame({"x": x, "z": z, "y": np.sin(x) + 0.5 * rng.normal(size=n)})
    data.loc[:9, "x"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return bmi.Model("y ~ bs(x, df=4) + z", data, families={"x": family})


@pytest.mark.parametrize("family", ["gaussian", "lognormal"])
@pytest.mark.parametrize(("finer", "wider"), [(1.0, 1.0), (3.3, 1.0), (2.0, 1.7)])
def test_both_boundary_knots_are_points(family: str, finer: float, wider: float) -> None:
    own = model(family)
    grid = make_plan(own, finer={"x": finer}, wider={"x": wider}).grids["x"]
    seen = own.table.values["x"][10:]
    for knot in (np.min(seen), np.max(seen)):
        assert np.abs(grid.values - knot).min(axis=1).max() < 1e-9 * np.ptp(seen)


def test_grids_are_no_shorter_and_no_coarser() -> None:
    rng = np.random.default_rng(1)
    starts, widths, spacings = -3 + rng.normal(size=50), 5 + 3 * rng.random(50), 0.05 + rng.random(50)
    first, wide, fine = meet_knots(starts, widths, spacings, (-1.3, 2.2))
    assert (first <= starts + 1e-9).all()
    assert (first + wide >= starts + widths - 1e-9).all()
    assert (fine <= spacings + 1e-12).all()
    for knot in (-1.3, 2.2):
        place = (knot - first) / fine
        np.testing.assert_allclose(place, np.round(place), atol=1e-8)


def test_errors_fall_as_the_fourth_power() -> None:
    """A density times exp(spline), summed on grids of a spacing and half of it, with and without points at the knots."""
    low, high = -1.3, 2.2

    def log_density(x: np.ndarray) -> np.ndarray:
        bend = np.where(x < low, 0.0, np.where(x > high, (high - low) * (2 * x - high - low), (x - low) ** 2))
        return stats.norm.logpdf(x) + 0.4 * bend

    def total(starts: float, spacing: float, width: float) -> float:
        points = starts + spacing * np.arange(round(width / spacing) + 1)
        return float(np.exp(log_density(points)).sum() * spacing)

    def errors(meets: bool) -> list[float]:
        out = []
        for spacing in (0.4, 0.2, 0.1):
            grid = np.array([-9.03]), np.array([20.0]), np.array([spacing])
            start, width, step = (
                float(own[0]) for own in (meet_knots(*grid, (low, high)) if meets else grid)
            )
            out.append(abs(total(start, step, width) - exact))
        return out

    pieces = [(-np.inf, low), (low, high), (high, np.inf)]
    exact = sum(integrate.quad(lambda x: np.exp(log_density(x)), *piece, epsabs=1e-13)[0] for piece in pieces)
    met, missed = errors(True), errors(False)
    assert met[0] / met[2] > 100  # 2 ** 8 where the error is of the order h⁴
    assert missed[2] > 10 * met[2]


def test_cells_with_windows_of_their_own_stay_in_them() -> None:
    """They have no more of their small steps than they need, however many others need."""
    rng = np.random.default_rng(3)
    x, n = rng.normal(size=120), 120
    error = np.where(np.arange(n) % 3 == 0, 0.02, 0.5)
    data = pd.DataFrame({"seen": x + error * rng.normal(size=n), "error": error})
    data["y"] = np.sin(x) + 0.5 * rng.normal(size=n)
    data.loc[5, "seen"], data.loc[:4, "seen"] = 40.0, np.nan  # without a measurement: the whole line
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        observed = {"x": bmi.measured("seen", sd="error")}
        grid = make_plan(bmi.Model("y ~ bs(x, df=4)", data, observations=observed)).grids["x"]
    assert grid.spacing is not None
    assert (np.ptp(grid.values, axis=1) < 1.25 * 18.0 * error + 3.0 * grid.spacing)[5:].all()
