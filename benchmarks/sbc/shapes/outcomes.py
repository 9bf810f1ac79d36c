"""Auxiliary variables, and every family as an outcome that informs missing values."""

from bayesmi import Prior
from benchmarks.sbc.shape import Shape, Variable
from benchmarks.sbc.shapes.columns import col, rows, span

_XZ = {"x": col("x"), "z": col("z")}
_LEVELS = ("low", "mid", "top")
_FEW = Prior("Normal", 0.0, 0.4)

auxiliary = Shape(
    "auxiliary",
    "auxiliary variables given outcome and covariates, one complete and one not; missing outcomes and covariates",
    rows(40),
    (
        Variable("x", "gaussian", {"z": col("z")}, span(0, 10)),
        Variable("y", "gaussian", _XZ, span(8, 20), is_response=True),
        Variable("a", "gaussian", {"x": col("x"), "y": col("y")}),
        Variable("c", "poisson", {"y": col("y")}, span(18, 24), priors={"y": _FEW}),
    ),
    "y ~ x + z",
    {"auxiliary": ["a", "c"], "formulas": {"a": "~ x + y", "c": "~ y"}, "kinds": {"c": "count"}},
    treatments=("sample", "predict"),
    target_replicates=500,
)


def _child(name: str, family: str, **more) -> Variable:
    return Variable(name, family, {"x": col("x"), "b": col("b")}, **more)


def _outcomes(
    name: str, words: str, children: tuple[Variable, ...], families: dict[str, str], **more
) -> Shape:
    """A Gaussian and a binary covariate, both missing, with children of many families."""
    special = more.pop("formulas", {})
    hidden = more.pop("hidden", span(4, 14))
    parents = (
        Variable("b", "bernoulli", {"z": col("z")}, span(0, 8)),
        Variable("x", "gaussian", {"z": col("z"), "b": col("b")}, hidden),
        Variable("y", "gaussian", {"x": col("x"), "b": col("b")}, is_response=True),
    )
    names = [child.name for child in children]
    formulas = {"b": "~ z", "x": "~ z + b", **dict.fromkeys(names, "~ x + b"), **special}
    return Shape(
        name,
        words,
        rows(44),
        (*parents, *children),
        "y ~ x + b",
        {
            "auxiliary": names,
            "families": families,
            "formulas": formulas,
            "order": ["b", "x"],
            **more.pop("options", {}),
        },
        treatments=("enumerate", *more.pop("treatments", ("sample",))),
        **more,
    )


outcomes_continuous = _outcomes(
    "outcomes_continuous",
    "continuous families as children of a latent and a summed cell",
    (
        _child("st", "student"),
        _child("sk", "skewnormal", priors={"alpha": Prior("Normal", 0.0, 3.0)}),
        _child("ln", "lognormal"),
        _child("ga", "gamma"),
        _child("ex", "exponential"),
        _child("we", "weibull"),
        _child("be", "beta"),
        _child("tr", "truncated", bounds=(0.0, 8.0)),
        _child("bo", "bounded", bounds=(0.0, 10.0)),
    ),
    {"st": "student", "sk": "skewnormal", "ln": "lognormal", "ga": "gamma", "ex": "exponential", "we": "weibull",
     "be": "beta", "tr": "truncated(0, 8)", "bo": "bounded(0, 10)"},
)  # fmt: skip

outcomes_discrete = _outcomes(
    "outcomes_discrete",
    "categories as children of a cell on a grid and a summed cell",
    (
        _child("pr", "probit"),
        _child("or", "ordinal", levels=_LEVELS),
        _child("op", "ordinalprobit", levels=_LEVELS),
        _child("no", "nominal", levels=("u", "v", "w")),
        _child("bi", "binomial", trials=lambda v: 4 + 0 * v["row"]),
    ),
    {"pr": "probit", "op": "cumulative probit", "bi": "binomial"},
    formulas={"bi": "bi | trials(4) ~ x + b"},
    options={"treatments": {"x": "grid"}, "kinds": {"bi": "count"}},
    treatments=("grid",),
    hidden=span(6, 10),
)

outcomes_counts = _outcomes(
    "outcomes_counts",
    "counts as children of a latent and a summed cell",
    (
        _child("po", "poisson", priors={"x": _FEW}),
        _child("nb", "negativebinomial", priors={"x": _FEW}),
        _child("zp", "zeroinflatedpoisson", priors={"x": _FEW}),
        _child("zn", "zeroinflatednegativebinomial", priors={"x": _FEW}),
        _child("hp", "hurdlepoisson", priors={"x": _FEW}),
        _child("hn", "hurdlenegativebinomial", priors={"x": _FEW}),
    ),
    {"nb": "negative binomial", "zp": "zero inflated poisson", "zn": "zero inflated negative binomial",
     "hp": "hurdle poisson", "hn": "hurdle negative binomial"},
    options={"kinds": dict.fromkeys(("po", "nb", "zp", "zn", "hp", "hn"), "count")},
)  # fmt: skip

SHAPES = (auxiliary, outcomes_continuous, outcomes_discrete, outcomes_counts)
