"""Shapes of model with held cells, laid out on the small table of tests/kernel."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np
from kernel_cases import small_table

from bayesmi import Model
from bayesmi.build import build_sampled
from bayesmi.gibbs.sweep import Sweep

SHAPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "rows": ("y ~ b1 + b2 + z", {"treatments": {"b1": "gibbs", "b2": "gibbs"}}),
    "grid_beside": (
        "yb ~ b1 + one_two + x + (1 | a)",
        {"treatments": {"b1": "gibbs", "one_two": "gibbs", "x__1|a": "noncentred"}},
    ),
    "integrals_beside": ("y ~ x + x2 + b1 * z + nom", {"treatments": {"b1": "gibbs", "nom": "gibbs"}}),
    "sum_beside": ("y ~ b1 * b2 + z + o", {"treatments": {"b1": "gibbs"}}),
    "cluster": (
        "y ~ flag + big + b1 + (1 | a)",
        {"treatments": {"flag": "gibbs", "big": "gibbs", "b1": "gibbs", "1|a": "noncentred"}},
    ),
    "cluster_centred": (
        "y ~ flag + b1 + x + (1 | a)",
        {"treatments": {"flag": "gibbs", "b1": "gibbs", "1|a": "centred", "x__1|a": "centred"}},
    ),
    "cluster_adaptive": (
        "yb ~ flag + b1 + (1 | a)",
        {"treatments": {"b1": "gibbs"}},
    ),
    "slope": ("y ~ b1 + z + (1 + b1 | a)", {"treatments": {"b1": "gibbs"}}),
    "scale": (("y ~ b1 + z", "sigma ~ b2"), {"treatments": {"b1": "gibbs", "b2": "gibbs"}}),
    "offset": ("yb ~ z + nom + offset(b2)", {"treatments": {"b2": "gibbs", "nom": "gibbs"}}),
    "ordered": (
        "y ~ grade + b1 + z",
        {"treatments": {"grade": "gibbs", "b1": "gibbs"}, "kinds": {"grade": "ordinal"}},
    ),
    "square": ("y ~ x + I(x ** 2) + b1 + z", {"treatments": {"x": "gibbs"}}),
    "positive": (
        "yb ~ np.log(x2) + x * z + b1",
        {"families": {"x2": "gamma"}, "treatments": {"x2": "gibbs", "x": "gibbs", "b1": "gibbs"}},
    ),
    "grid_and_held": (
        ("y ~ x2 + z + np.log(x2)", "sigma ~ x"),
        {"families": {"x2": "lognormal"}, "treatments": {"x2": "gibbs"}},
    ),
    "square_of_cluster": (
        "y ~ v + I(v ** 2) + b1 + (1 | a)",
        {"treatments": {"v": "gibbs", "1|a": "noncentred"}},
    ),
}
COLLAPSED: dict[str, tuple[Any, dict[str, Any]]] = {
    "collapsed": (
        "y ~ b1 + z + (1 | a)",
        {"treatments": {"b1": "gibbs"}, "formulas": {"b1": "~ z"}},
    ),
}


@functools.cache
def make_sweep(name: str) -> Sweep:
    """Lay out a shape; its state may be set at will."""
    formula, options = {**SHAPES, **COLLAPSED}[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Model(formula, small_table(), **options)
        plan = model.plan()
    asked = {key for key, how in options["treatments"].items() if how == "gibbs"}
    assert {group.variable for group in plan.cells if group.treatment == "gibbs"} == asked
    return Sweep(build_sampled(model, plan))


def states(sweep: Sweep, n: int) -> list[np.ndarray]:
    """Return states drawn at random."""
    rng = np.random.default_rng(8)
    built = sweep._built
    return [sweep.cells.start_at(built.model.factors, built.model.table, rng) for _ in range(n)]


def of_own_points(sweep: Sweep, state: np.ndarray) -> float:
    """Log weights of the grid points of a state, and what the density has of these alone: neither moves with parameters."""
    total = 0.0
    for name, grid in sweep.cells.grids.items():
        own = state[sweep.cells.place(name)]
        total += float(grid.log_weights[np.arange(len(own)), own].sum())
        values = sweep.cells.values(name, state)
        total += float(sweep._built.model.factor(name).family.constant(values).sum())
    return total


def point(sweep: Sweep, seed: int) -> np.ndarray:
    """Return a point of the sampler."""
    program = sweep._built.program
    return program.initial() + 0.5 * np.random.default_rng(seed).normal(size=program.dimensions)
