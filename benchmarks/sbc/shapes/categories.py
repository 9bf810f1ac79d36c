"""Discrete cells: categories and counts, summed out."""

from bayesmi import Prior
from benchmarks.sbc.shape import Effects, Shape, Variable
from benchmarks.sbc.shapes.columns import col, dummies, in_groups, rows, span

_Z = {"z": col("z")}
_LEVELS = ("low", "mid", "top")

categories = Shape(
    "categories",
    "binary, nominal and ordered covariates of a binary outcome, by logit and probit, two or three missing in a row",
    rows(60),
    (
        Variable("b", "bernoulli", _Z, span(0, 10)),
        Variable("p", "probit", {"z": col("z"), "b": col("b")}, span(6, 16)),
        Variable("nom", "nominal", {"z": col("z"), "b": col("b")}, span(8, 20), levels=("u", "v", "w")),
        Variable("o", "ordinal", _Z, span(18, 26), levels=_LEVELS),
        Variable("op", "ordinalprobit", {"z": col("z"), "p": col("p")}, span(24, 32), levels=_LEVELS),
        Variable(
            "y",
            "bernoulli",
            {
                "b": col("b"),
                "p": col("p"),
                "nom": dummies("nom", 3),
                "o": dummies("o", 3),
                "op": dummies("op", 3),
            },
            span(30, 36),
            is_response=True,
        ),
    ),
    "y ~ b + p + nom + o + op",
    {
        "families": {"p": "probit", "op": "cumulative probit"},
        "formulas": {"b": "~ z", "p": "~ z + b", "nom": "~ z + b", "o": "~ z", "op": "~ z + p"},
        "order": ["b", "p", "nom", "o", "op"],
    },
    treatments=("enumerate", "predict"),
)

counts = Shape(
    "counts",
    "counts and successes out of four as covariates, two missing in the same row",
    rows(40),
    (
        Variable("c", "poisson", _Z, span(0, 5)),
        Variable("n", "negativebinomial", _Z, span(4, 8)),
        Variable("w", "binomial", _Z, span(7, 13), trials=lambda v: 4 + 0 * v["row"]),
        Variable(
            "y", "gaussian", {"c": col("c"), "n": col("n"), "w": col("w")}, span(11, 15), is_response=True
        ),
    ),
    "y ~ c + n + w",
    {
        "kinds": {"c": "count", "n": "count", "w": "count"},
        "families": {"n": "negative binomial", "w": "binomial"},
        "formulas": {"c": "~ z", "n": "~ z", "w": "w | trials(4) ~ z"},
    },
    treatments=("enumerate", "predict"),
)

zeros = Shape(
    "zeros",
    "counts with extra zeros or zeros of their own as covariates",
    rows(56),
    (
        Variable("a", "zeroinflatedpoisson", _Z, span(0, 6), priors={"Intercept": Prior("Normal", 0.6, 0.4)}),
        Variable(
            "b",
            "zeroinflatednegativebinomial",
            _Z,
            span(6, 12),
            priors={"Intercept": Prior("Normal", 0.6, 0.4)},
        ),
        Variable("c", "hurdlepoisson", _Z, span(12, 18)),
        Variable("d", "hurdlenegativebinomial", _Z, span(18, 24)),
        Variable(
            "y", "gaussian", {"a": col("a"), "b": col("b"), "c": col("c"), "d": col("d")}, is_response=True
        ),
    ),
    "y ~ a + b + c + d",
    {
        "kinds": dict.fromkeys("abcd", "count"),
        "families": {
            "a": "zero inflated poisson",
            "b": "zero inflated negative binomial",
            "c": "hurdle poisson",
            "d": "hurdle negative binomial",
        },
        "formulas": dict.fromkeys("abcd", "~ z"),
    },
    treatments=("enumerate",),
)

beyond_budget = Shape(
    "beyond_budget",
    "binary, nominal and ordered covariates missing together, held and drawn in blocks as they are beyond the budget, with "
    "the groups' effects collapsed",
    in_groups(10, 6),
    (
        Variable("b", "bernoulli", _Z, span(0, 20)),
        Variable("nom", "nominal", {"z": col("z"), "b": col("b")}, span(4, 24), levels=("u", "v", "w")),
        Variable("o", "ordinal", {"b": col("b")}, span(8, 28), levels=_LEVELS),
        Variable(
            "y",
            "gaussian",
            {"b": col("b"), "nom": dummies("nom", 3), "o": dummies("o", 3), "z": col("z")},
            span(26, 32),
            {"g": Effects()},
            is_response=True,
        ),
    ),
    "y ~ b + nom + o + z + (1 | g)",
    {
        "formulas": {"b": "~ z", "nom": "~ z + b", "o": "~ b"},
        "order": ["b", "nom", "o"],
        "treatments": {"b": "gibbs", "nom": "gibbs", "o": "gibbs"},
    },
    treatments=("gibbs", "collapse", "predict"),
    draws=150,
    tune=150,
)

SHAPES = (categories, counts, zeros, beyond_budget)
