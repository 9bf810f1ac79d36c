"""Affine in some columns: which designs are, and their base and coefficients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayesmi.errors import FormulaError
from bayesmi.formula import Design, Variable, fit_design, parse

N = 30
RNG = np.random.default_rng(3)
VALUES = {
    "x": RNG.normal(5.0, 2.0, N),
    "z": RNG.normal(-3.0, 1.0, N),
    "w": RNG.normal(1e3, 5.0, N),
    "a": RNG.integers(0, 3, N).astype(float),
    "k": RNG.integers(0, 2, N).astype(float),
}
VARIABLES = {
    name: Variable(name, tuple("pqr") if name == "a" else None, value) for name, value in VALUES.items()
}


def fitted(text: str) -> Design:
    formula = parse(f"~ {text}")
    return fit_design(formula.terms, formula.intercept, VARIABLES)


@pytest.mark.parametrize(
    ("text", "names", "affine"),
    [
        ("x + z", "xz", True),
        ("x:w", "x", True),
        ("x:z", "x", True),
        ("x:z", "xz", False),
        ("x*z", "xz", False),
        ("x:a", "x", True),
        ("x:a", "a", False),
        ("x + a", "xa", False),
        ("C(k)", "k", False),
        ("k", "k", True),
        ("I(x ** 2)", "x", False),
        ("I(x ** 1)", "x", True),
        ("I(x * z)", "xz", False),
        ("I(x * z)", "z", True),
        ("I(x * x)", "x", False),
        ("center(x):x", "x", False),
        ("center(x) + scale(z) + I(2 * x + 1)", "xz", True),
        ("I((x - z) / w)", "xz", True),
        ("I(w / x)", "x", False),
        ("I(-(x + 1) * w)", "x", True),
        ("log(x)", "x", False),
        ("log(w)", "x", True),
        ("abs(x)", "x", False),
        ("I(x > 2)", "x", False),
        ("poly(x, 1)", "x", True),
        ("poly(x, 2)", "x", False),
        ("poly(x, 1, raw=True)", "x", True),
        ("bs(x, df=4)", "x", False),
        ("bs(w, df=4):x", "x", True),
        ("x + I(x ** 2)", "x", False),
        ("x", "", True),
        ("w", "xz", True),
    ],
)
def test_which_designs_are_affine(text: str, names: str, affine: bool) -> None:
    variables = {**VARIABLES, "x": Variable("x", None, np.abs(VALUES["x"]) + 0.1)}
    design = fit_design(parse(f"~ {text}").terms, True, variables)
    assert design.is_affine_in(list(names)) is affine


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x", "x"),
        ("x + z + w + a", "xz"),
        ("x:w + a:z + x:a:w", "xz"),
        ("center(x) + scale(x):a + I(2*x - 3*z + 1)", "xz"),
        ("I((x - z) / w) + I(1 - x) + I(-(x + 1) * w / 2) + I(w*(z - 4))", "xz"),
        ("poly(x, 1) + poly(z, 1, raw=True) + bs(w, df=4):x + x:C(k)", "xz"),
        ("I(center(x) + x ** 1 * w)", "x"),
        ("w + a", "x"),
        ("x*a*w", "x"),
    ],
)
def test_base_and_coefficients_give_the_matrix(text: str, names: str) -> None:
    design = fitted(text)
    base, coefficients = design.affine(VALUES, names)
    assert set(coefficients) == set(names)
    total = base + sum(coefficients[name] * VALUES[name][:, None] for name in names)
    assert_allclose(total, design.matrix(VALUES), rtol=1e-12, atol=1e-12)
    assert_allclose(base, design.matrix({**VALUES, **{name: np.zeros(N) for name in names}}), atol=1e-10)


def test_missing_values_of_the_named_columns_do_not_matter() -> None:
    design = fitted("x*w + a")
    holes = {**VALUES, "x": np.full(N, np.nan)}
    base, coefficients = design.affine(holes, ["x"])
    assert np.isfinite(base).all()
    assert_allclose(base + coefficients["x"] * VALUES["x"][:, None], design.matrix(VALUES), rtol=1e-12)
    without = {name: value for name, value in VALUES.items() if name != "x"}
    assert_allclose(design.affine(without, ["x"])[0], base)


def test_values_of_other_columns_are_needed() -> None:
    with pytest.raises(FormulaError, match="needs values of 'w'"):
        fitted("x:w").affine({"x": VALUES["x"]}, ["x"])


def test_a_design_that_is_not_affine_is_refused() -> None:
    with pytest.raises(ValueError, match="not affine in x"):
        fitted("I(x ** 2)").affine(VALUES, ["x"])


FACTORS = [
    "x",
    "z",
    "w",
    "a",
    "center(x)",
    "scale(z)",
    "I(x + z)",
    "I(x * w)",
    "I(z / w)",
    "poly(x, 1)",
    "log(w)",
]


@given(
    st.lists(st.lists(st.sampled_from(FACTORS), min_size=1, max_size=3).map(":".join), min_size=1, max_size=4)
)
@settings(max_examples=100, deadline=None)
def test_affine_is_true_exactly_where_second_differences_vanish(texts: list[str]) -> None:
    try:
        design = fitted(" + ".join(texts))
    except FormulaError:
        return  # a term with itself
    rng = np.random.default_rng(0)
    start, step = rng.normal(size=(2, 2, N))
    moved = [
        design.matrix({**VALUES, "x": start[0] + t * step[0], "z": start[1] + t * step[1]}) for t in (0, 1, 2)
    ]
    bend = moved[0] - 2 * moved[1] + moved[2]
    straight = np.abs(bend).max() <= 1e-9 * max(1.0, np.abs(moved[2]).max())
    assert design.is_affine_in(["x", "z"]) == straight
    if straight:
        base, coefficients = design.affine(VALUES, ["x", "z"])
        total = base + sum(coefficients[name] * VALUES[name][:, None] for name in "xz")
        assert_allclose(total, design.matrix(VALUES), rtol=1e-10, atol=1e-10)
