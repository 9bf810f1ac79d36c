"""Rows in order take a way of their own through the kernel; it ends where the way of all rows does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.build import build_sampled
from bayesmi.build.sampled import BuiltModel
from bayesmi.build.write_equation import number_equations
from bayesmi.kernel import layout as k
from bayesmi.kernel.families import GAUSSIAN

HEADER = 3


def table(n: int = 1200, seed: int = 5) -> pd.DataFrame:
    """More rows than a tile, few values of z so that rows agree."""
    rng = np.random.default_rng(seed)
    z = rng.integers(0, 4, n).astype(float)
    g = rng.integers(0, 6, n)
    b = (rng.random(n) < 0.5).astype(float)
    x = 0.5 * z + rng.normal(size=n)
    y = 1.0 + x + 0.3 * x**2 + 0.5 * b + 0.4 * np.sin(g) + rng.normal(size=n)
    data = pd.DataFrame(
        {"y": y, "x": x, "z": z, "b": b, "g": g, "rounded": np.round(y), "c": (y > 2.0) * 1.0}
    )
    data.loc[rng.random(n) < 0.1, "x"] = np.nan
    data.loc[rng.random(n) < 0.2, "b"] = np.nan
    return data


def records(model: bmi.Model, built: BuiltModel) -> dict[str, tuple[np.ndarray, int]]:
    """The program's integers and the place of each factor's record in them."""
    buffer = built.program.buffer
    integers = buffer[HEADER + int(buffer[:HEADER].view(np.int64)[1]) :].view(np.int64)
    first = integers[k.G_FACTOR_TABLE]
    return {
        name: (integers, int(integers[first + number]))
        for name, number in number_equations(model.factors).items()
    }


SHAPES = {
    "grid": ("y ~ x + I(x ** 2) + z", {}, {"y"}),
    "rows of a group": ("y ~ b + z + (1 | g)", {}, {"y"}),
    "summed, and rows that agree": ("rounded ~ b + z", {"formulas": {"b": "~ 1"}}, set()),
    "binary, summed": ("rounded ~ b + y", {}, {"rounded", "b"}),
    "binary, rows that agree": ("b ~ x + z", {"formulas": {"x": "~ z"}}, {"b"}),
    "binary, shared rows": ("c ~ x + z + (1 | g)", {"families": {"x": "student"}}, set()),
    "every row a class": ("y ~ x + z + (1 | g)", {"families": {"x": "student"}}, {"y"}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_short_way_gives_the_density_of_the_long_one(shape: str) -> None:
    formula, options, short = SHAPES[shape]
    data = table()
    used = [name for name in data if name in formula]
    model = bmi.Model(formula, data[used], **options)
    built = build_sampled(model)
    places = records(model, built)
    taken = {name for name, (integers, at) in places.items() if integers[at + k.F_PLAIN] >= 0}
    assert short <= taken
    rng = np.random.default_rng(1)
    start = built.program.initial()
    points = [start + rng.normal(0.0, 0.3, len(start)) for _ in range(3)]
    by_short_way = [built.log_density(point) for point in points]
    for name in taken:
        integers, at = places[name]
        if integers[at + k.F_FAMILY] == GAUSSIAN:  # read on that way alone
            integers[at + k.F_PLAIN_TOTAL] += 1
            assert built.log_density(points[0])[0] != by_short_way[0][0]
        integers[at + k.F_PLAIN] = -1
    for point, (value, gradient) in zip(points, by_short_way, strict=True):
        other, other_gradient = built.log_density(point)
        assert value == pytest.approx(other, rel=1e-12)
        np.testing.assert_allclose(gradient, other_gradient, rtol=1e-9, atol=1e-8)
