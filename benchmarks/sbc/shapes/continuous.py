"""Continuous cells: integrated, sampled, on a grid, and all kinds in one row."""

from bayesmi import Prior
from benchmarks.sbc.shape import Shape, Variable
from benchmarks.sbc.shapes.columns import col, dummies, log, product, rows, span, square

_Z = {"z": col("z")}
_SMALL = Prior("Normal", 0.0, 0.15)

integrate = Shape(
    "integrate",
    "two Gaussian covariates, missing alone, together, and with the outcome",
    rows(40),
    (
        Variable("x1", "gaussian", _Z, span(0, 10)),
        Variable("x2", "gaussian", {"x1": col("x1"), "z": col("z")}, span(6, 18)),
        Variable(
            "y", "gaussian", {"x1": col("x1"), "x2": col("x2"), "z": col("z")}, span(16, 22), is_response=True
        ),
    ),
    "y ~ x1 + x2 + z",
    treatments=("integrate", "predict"),
    target_replicates=500,
)

sampled = Shape(
    "sampled",
    "a Gaussian covariate of a Student outcome as latent",
    rows(40),
    (
        Variable("x", "gaussian", _Z, span(0, 12)),
        Variable("y", "student", {"x": col("x"), "z": col("z")}, span(10, 16), is_response=True),
    ),
    "y ~ x + z",
    {"family": "student"},
    treatments=("sample", "predict"),
    target_replicates=500,
)

quadratic = Shape(
    "quadratic",
    "a covariate with a square, 30 % missing",
    rows(40),
    (
        Variable("x", "gaussian", _Z, span(0, 12)),
        Variable(
            "y",
            "gaussian",
            {"x": col("x"), "I(x ** 2)": square("x"), "z": col("z")},
            span(10, 14),
            is_response=True,
        ),
    ),
    "y ~ x + I(x ** 2) + z",
    treatments=("grid", "predict"),
    target_replicates=500,
)

two_squares = Shape(
    "two_squares",
    "two covariates with squares and their product, both missing in one row",
    rows(40),
    (
        Variable("x1", "gaussian", _Z, span(0, 4), priors={"sigma": Prior("Gamma", 30.0, 30.0)}),
        Variable(
            "x2", "gaussian", {"x1": col("x1")}, span(3, 7), priors={"sigma": Prior("Gamma", 30.0, 30.0)}
        ),
        Variable(
            "y",
            "gaussian",
            {
                "x1": col("x1"),
                "x2": col("x2"),
                "I(x1 ** 2)": square("x1"),
                "I(x2 ** 2)": square("x2"),
                "x1:x2": product("x1", "x2"),
            },
            priors={
                "sigma": Prior("Gamma", 30.0, 30.0),
                **dict.fromkeys(("x1", "x2"), Prior("Normal", 0.0, 0.3)),
                **dict.fromkeys(("I(x1 ** 2)", "I(x2 ** 2)", "x1:x2"), _SMALL),
            },
            is_response=True,
        ),
    ),
    "y ~ x1 * x2 + I(x1 ** 2) + I(x2 ** 2)",
    {"formulas": {"x1": "~ z", "x2": "~ x1"}, "order": ["x1", "x2"]},
    treatments=("grid",),
)

positive = Shape(
    "positive",
    "positive covariates in logarithms",
    rows(36),
    (
        Variable("a", "lognormal", _Z, span(0, 4)),
        Variable("b", "gamma", _Z, span(4, 8)),
        Variable("c", "exponential", _Z, span(8, 12)),
        Variable("d", "weibull", _Z, span(12, 16)),
        Variable(
            "y",
            "gaussian",
            {"log(a)": log("a"), "log(b)": log("b"), "log(c)": log("c"), "log(d)": log("d")},
            is_response=True,
        ),
    ),
    "y ~ log(a) + log(b) + log(c) + log(d)",
    {
        "families": {"a": "lognormal", "b": "gamma", "c": "exponential", "d": "weibull"},
        "formulas": dict.fromkeys("abcd", "~ z"),
    },
    treatments=("grid",),
)

bounded = Shape(
    "bounded",
    "a share, bounded and skew covariates, one with heavy tails",
    rows(36),
    (
        Variable("s", "beta", _Z, span(0, 3)),
        Variable("t", "truncated", _Z, span(3, 6), bounds=(0.0, float("inf"))),
        Variable("u", "bounded", _Z, span(6, 9), bounds=(0.0, 10.0)),
        Variable("k", "skewnormal", _Z, span(9, 12), priors={"alpha": Prior("Normal", 0.0, 3.0)}),
        Variable("h", "student", _Z, span(12, 15)),
        Variable(
            "y",
            "gaussian",
            {"s": col("s"), "t": col("t"), "u": col("u"), "k": col("k"), "h": col("h")},
            priors={"s": Prior("Normal", 0.0, 1.5), "u": _SMALL},
            is_response=True,
        ),
    ),
    "y ~ s + t + u + k + h",
    {
        "families": {
            "s": "beta", "t": "truncated(0, inf)", "u": "bounded(0, 10)", "k": "skewnormal", "h": "student",
        },
        "formulas": dict.fromkeys("stukh", "~ z"),
    },
    treatments=("grid",),
)  # fmt: skip

mix = Shape(
    "mix",
    "a nominal, a binary, two Gaussian cells and one with a square, in the same rows",
    rows(44),
    (
        Variable("nom", "nominal", _Z, span(0, 8), levels=("u", "v", "w")),
        Variable("b", "bernoulli", _Z, span(4, 12)),
        Variable("x1", "gaussian", {"z": col("z"), "b": col("b")}, span(6, 16)),
        Variable("x2", "gaussian", {"z": col("z"), "x1": col("x1")}, span(2, 10)),
        Variable("q", "gaussian", {"x1": col("x1")}, (7, 16, 17)),
        Variable(
            "y",
            "gaussian",
            {
                "nom": dummies("nom", 3),
                "b": col("b"),
                "x1": col("x1"),
                "x2": col("x2"),
                "q": col("q"),
                "I(q ** 2)": square("q"),
                "x1:b": product("x1", "b"),
            },
            is_response=True,
        ),
    ),
    "y ~ nom + b + x1 + x2 + q + I(q ** 2) + x1:b",
    {
        "formulas": {"nom": "~ z", "b": "~ z", "x1": "~ z + b", "x2": "~ z + x1", "q": "~ x1"},
        "order": ["nom", "b", "x1", "x2", "q"],
    },
    treatments=("enumerate", "grid", "integrate"),
)

held_on_grids = Shape(
    "held_on_grids",
    "two covariates with squares and their product, held at points of their grids as they are beyond the budget",
    two_squares.complete,
    two_squares.variables,
    two_squares.formula,
    {**two_squares.options, "treatments": {"x1": "gibbs", "x2": "gibbs"}},
    treatments=("gibbs",),
    draws=300,
    tune=200,
)

SHAPES = (integrate, sampled, quadratic, two_squares, held_on_grids, positive, bounded, mix)
