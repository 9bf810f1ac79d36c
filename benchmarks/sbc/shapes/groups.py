"""Group effects, cells of groups, and associations within and between groups."""

from dataclasses import replace

import numpy as np

from bayesmi import Prior
from benchmarks.sbc.shape import ONE, Effects, Shape, Values, Variable
from benchmarks.sbc.shapes.columns import col, deviation, dummies, group_mean, in_groups, span, square

_INTERCEPT = Effects()


def _ones(v: Values) -> np.ndarray:
    return 1.0 + 0.0 * v["row"]


def _slope(name: str) -> Effects:
    return Effects({ONE: _ones, name: col(name)})


collapse = Shape(
    "collapse",
    "correlated intercepts and slopes of groups, integrated out; missing outcomes",
    in_groups(10, 5),
    (Variable("y", "gaussian", {"z": col("z")}, span(0, 12), {"g": _slope("z")}, is_response=True),),
    "y ~ z + (1 + z | g)",
    treatments=("collapse", "predict"),
    target_replicates=500,
)

links = Shape(
    "links",
    "two incomplete covariates with associations within and between groups, in the models written for the user",
    in_groups(10, 6),
    (
        Variable(
            "x1",
            "gaussian",
            {"z": col("z"), "between(z)": group_mean("z", "g")},
            span(0, 14),
            {"g": _INTERCEPT},
        ),
        Variable(
            "x2",
            "gaussian",
            {
                "z": col("z"),
                "between(z)": group_mean("z", "g"),
                "x1": col("x1"),
                "between(x1|g)": col("x1__1|g"),
            },
            span(8, 26),
            {"g": _INTERCEPT},
        ),
        Variable(
            "y",
            "gaussian",
            {"x1": col("x1"), "x2": col("x2"), "z": col("z")},
            span(24, 30),
            {"g": _INTERCEPT},
            is_response=True,
        ),
    ),
    "y ~ x1 + x2 + z + (1 | g)",
    {"treatments": {"x1": "integrate", "x2": "sample"}},
    treatments=("integrate", "sample", "predict"),
    draws=400,
    tune=400,
)

joint = replace(
    links,
    name="joint",
    words="two incomplete covariates, and effects of all three models integrated out together with their cells",
    variables=(
        *links.variables[:2],
        Variable(
            "y",
            "gaussian",
            {"x1": col("x1"), "x2": col("x2"), "z": col("z")},
            span(24, 30),
            {"g": _slope("z")},
            is_response=True,
        ),
    ),
    formula="y ~ x1 + x2 + z + (1 + z | g)",
    options={},
    treatments=("integrate", "collapse", "predict"),
)

manifest = Shape(
    "manifest",
    "means and deviations of the completed values of an incomplete covariate",
    in_groups(12, 5),
    (
        Variable(
            "x",
            "gaussian",
            {"z": col("z"), "between(z)": group_mean("z", "g")},
            span(0, 14),
            {"g": _INTERCEPT},
        ),
        Variable(
            "y",
            "gaussian",
            {
                'between(x, "manifest")': group_mean("x", "g"),
                'within(x, "manifest")': deviation("x", "g"),
                "z": col("z"),
            },
            span(12, 18),
            {"g": _INTERCEPT},
            is_response=True,
        ),
    ),
    'y ~ between(x, "manifest") + within(x, "manifest") + z + (1 | g)',
    treatments=("sample", "collapse", "predict"),
    draws=400,
    tune=400,
)

cluster_cells = Shape(
    "cluster_cells",
    "a binary and a Gaussian cell of groups beside a missing binary of rows",
    in_groups(14, 4),
    (
        Variable("flag", "bernoulli", {}, (0, 1, 2, 3), level="g"),
        Variable("w", "gaussian", {"flag": col("flag")}, (2, 3, 4, 5), level="g"),
        Variable(
            "b", "bernoulli", {"z": col("z"), "w": col("w")}, (*span(0, 3), *span(9, 12), *span(28, 34))
        ),
        Variable(
            "y",
            "gaussian",
            {"flag": col("flag"), "w": col("w"), "b": col("b"), "z": col("z")},
            (1, 30, 40),
            {"g": _INTERCEPT},
            is_response=True,
        ),
    ),
    "y ~ flag + w + b + z + (1 | g)",
    {"formulas": {"flag": "~ 1", "w": "~ flag", "b": "~ z + w"}, "order": ["flag", "w", "b"]},
    treatments=("enumerate", "sample", "predict"),
    draws=400,
    tune=400,
)

cluster_grid = Shape(
    "cluster_grid",
    "a variable of groups with a square beside a missing nominal of groups",
    in_groups(14, 3),
    (
        Variable("kind", "nominal", {}, (0, 1, 2), level="g", levels=("u", "v", "w")),
        Variable("w", "gaussian", {}, (2, 3, 4), level="g"),
        Variable(
            "y",
            "gaussian",
            {
                "kind": dummies("kind", 3),
                "w": col("w"),
                "I(w ** 2)": square("w"),
                "z": col("z"),
            },
            (1, 30, 40),
            {"g": _INTERCEPT},
            is_response=True,
        ),
    ),
    "y ~ kind + w + I(w ** 2) + z + (1 | g)",
    {"formulas": {"kind": "~ 1", "w": "~ 1"}, "order": ["kind", "w"]},
    treatments=("enumerate", "grid", "predict"),
    draws=400,
    tune=400,
)


random_slope_cells = Shape(
    "random_slope_cells",
    "an incomplete variable with slopes of its own in each group",
    in_groups(10, 6),
    (
        Variable("x", "gaussian", {"z": col("z")}, span(0, 16)),
        Variable(
            "y",
            "gaussian",
            {"x": col("x"), "z": col("z")},
            span(14, 20),
            {"g": _slope("x")},
            is_response=True,
        ),
    ),
    "y ~ x + z + (1 + x | g)",
    {"formulas": {"x": "~ z"}},
    treatments=("integrate", "predict"),
    draws=400,
    tune=400,
)

group_counts = Shape(
    "group_counts",
    "counts in groups with an incomplete binary in groups, linked",
    in_groups(10, 5),
    (
        Variable(
            "b",
            "bernoulli",
            {"z": col("z"), "between(z)": group_mean("z", "g")},
            span(0, 12),
            {"g": _INTERCEPT},
        ),
        Variable(
            "y",
            "poisson",
            {"b": col("b"), "z": col("z")},
            span(10, 16),
            {"g": _INTERCEPT},
            priors={"1|g_sigma": Prior("HalfNormal", 0.5), "z": Prior("Normal", 0.0, 0.4)},
            is_response=True,
        ),
    ),
    "y ~ b + z + (1 | g)",
    {"kinds": {"y": "count"}},
    treatments=("enumerate", "predict", "adaptive"),
    draws=400,
    tune=400,
)

SHAPES = (collapse, links, joint, manifest, cluster_cells, cluster_grid, random_slope_cells, group_counts)
