"""Milliseconds per gradient of our density beside a kernel written by hand for the case, at the same points."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.engine_cases import Case

__all__ = ["compare_gradients", "same_density"]

Floats = NDArray[np.float64]
_POINTS = 4
_BATCHES = 25
_BATCH_SECONDS = 0.04


def compare_gradients(case: Case, points: Floats | None = None) -> dict[str, float]:
    """Return ms of both, their ratio, and the largest relative difference of values and gradients.

    Both are called from compiled code, in turns, so that what disturbs the machine disturbs both; each counts with its
    fastest batch, in processor time. Raises AssertionError where the densities are not the same up to a constant.
    """
    from bayesmi.build import build_sampled

    data = case.data()
    model = case.model(data)
    built = build_sampled(model)
    hand = importlib.import_module(f"benchmarks.kernels.{case.kernel}")
    arguments = hand.prepare(model, built, data)
    start = built.program.initial()
    if points is None or points.shape[1] != len(start):
        rng = np.random.default_rng(1)
        points = start + rng.normal(0.0, 0.2, (_POINTS, len(start)))
    own_points = points
    if hasattr(hand, "natural"):  # a kernel in coordinates of its own
        own_points = hand.natural(model, built, points)
        difference = _agrees(hand.density, arguments, own_points, hand.reference(model, built, points))
    else:
        difference = same_density(built, hand.density, arguments, points)
    ours, theirs = _timers(built, hand.density, arguments, points[0], own_points[0])
    times = np.array([(ours(), theirs()) for _ in range(_BATCHES)])
    fastest = times.min(axis=0) * 1e3
    return {
        "gradient_ms": fastest[0],
        "kernel_ms": fastest[1],
        "ratio": fastest[0] / fastest[1],
        "difference": difference,
    }


def same_density(built: Any, density: Any, arguments: tuple[Any, ...], points: Floats) -> float:
    """Return the largest relative difference, of values (less those at the first point) and of gradients."""
    pairs = []
    for x in points:
        gradient = np.empty(len(x))
        pairs.append((built.log_density(x), (density(x, gradient, *arguments), gradient)))
    worst = 0.0
    (first, _), (first_hand, _) = pairs[0]
    for (value, gradient), (own_value, own) in pairs:
        moved, own_moved = value - first, own_value - first_hand
        worst = max(worst, abs(moved - own_moved) / max(1.0, abs(value)))
        worst = max(worst, float(np.max(np.abs(gradient - own)) / max(1.0, float(np.abs(gradient).max()))))
    assert worst < 1e-8, f"the hand-written kernel is another density: relative difference {worst:.2g}"
    return worst


def _agrees(density: Any, arguments: tuple[Any, ...], points: Floats, expected: Floats) -> float:
    """Return the largest relative difference of values, and of gradients to central differences of these."""
    worst = 0.0
    for x, value in zip(points, expected, strict=True):
        gradient, unused = np.empty(len(x)), np.empty(len(x))
        worst = max(worst, abs(density(x, gradient, *arguments) - value) / abs(value))
        for j in np.random.default_rng(1).choice(np.flatnonzero(gradient), 12):
            step = np.zeros(len(x))
            step[j] = 1e-4
            ahead, back = (density(x + sign * step, unused, *arguments) for sign in (1.0, -1.0))
            off = abs((ahead - back) / 2e-4 - gradient[j]) / max(1.0, float(np.abs(gradient).max()))
            assert off < 1e-6, f"the hand-written kernel has another gradient in place {j}: {off:.2g}"
    assert worst < 1e-8, f"the hand-written kernel is another density: relative difference {worst:.2g}"
    return worst


def _timers(
    built: Any, density: Any, arguments: tuple[Any, ...], x: Floats, own_x: Floats
) -> tuple[Callable[[], float], Callable[[], float]]:
    """Return two functions that give the seconds of one evaluation, by a loop in compiled code."""
    from bayesmi.kernel import compiled_density

    function = compiled_density().ctypes

    @njit
    def ours(times, x, gradient, value, program):  # type: ignore[no-untyped-def]
        for _ in range(times):
            function(len(x), x.ctypes, gradient.ctypes, value.ctypes, program.ctypes)

    @njit
    def theirs(times, x, gradient, *arguments):  # type: ignore[no-untyped-def]
        total = 0.0
        for _ in range(times):
            total += density(x, gradient, *arguments)
        return total

    gradient, own_gradient, value = np.empty(len(x)), np.empty(len(own_x)), np.empty(1)

    def timer(run: Callable[[int], Any]) -> Callable[[], float]:
        run(1)  # compiles
        started = time.thread_time()
        run(3)
        times = max(1, int(_BATCH_SECONDS / ((time.thread_time() - started) / 3)))

        def one() -> float:
            started = time.thread_time()
            run(times)
            return (time.thread_time() - started) / times

        return one

    return (
        timer(lambda times: ours(times, x, gradient, value, built.program.buffer)),
        timer(lambda times: theirs(times, own_x, own_gradient, *arguments)),
    )
