"""Categories: hand-computed matrices, and the full-rank rule against formulae and against brute force."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from bayesmi.errors import FormulaError
from bayesmi.formula import Design, Sum, Treatment, Variable, fit_design, fit_offsets, parse

A = np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0])
B = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
X = np.array([1.0, 2.0, 3.0, 5.0, 7.0, 11.0])
SIX = {"a": A, "b": B, "x": X, "z": X[::-1].copy(), "k": np.array([1.0, 2.0, 2.0, 10.0, 1.0, 10.0])}
VARIABLES = {
    "a": Variable("a", ("p", "q", "r"), A),
    "b": Variable("b", ("u", "v"), B),
    "x": Variable("x", None, X),
    "z": Variable("z", None, SIX["z"]),
    "k": Variable("k", None, SIX["k"]),
}


def fitted(text: str, **kwargs: object) -> Design:
    formula = parse(text)
    return fit_design(formula.terms, formula.intercept, VARIABLES, **kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "names", "matrix"),
    [
        ("~ x", ["x"], [[1], [2], [3], [5], [7], [11]]),
        ("~ a", ["a[q]", "a[r]"], [[0, 0], [1, 0], [0, 1], [0, 0], [1, 0], [0, 1]]),
        ("~ 0 + b", ["b[u]", "b[v]"], [[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]]),
        ("~ 0 + b + a", ["b[u]", "b[v]", "a[q]", "a[r]"], None),
        ("~ 0 + x + b", ["x", "b[u]", "b[v]"], None),
        ("~ 0 + x:b", ["x:b[u]", "x:b[v]"], [[1, 0], [2, 0], [3, 0], [0, 5], [0, 7], [0, 11]]),
        ("~ x:b", ["x:b[u]", "x:b[v]"], [[1, 0], [2, 0], [3, 0], [0, 5], [0, 7], [0, 11]]),
        (
            "~ x*b",
            ["x", "b[v]", "x:b[v]"],
            [[1, 0, 0], [2, 0, 0], [3, 0, 0], [5, 1, 5], [7, 1, 7], [11, 1, 11]],
        ),
        ("~ x:b + x", ["x:b[v]", "x"], None),
        ("~ 0 + a:b", ["a:b[p, u]", "a:b[p, v]", "a:b[q, u]", "a:b[q, v]", "a:b[r, u]", "a:b[r, v]"], None),
        ("~ a*b", ["a[q]", "a[r]", "b[v]", "a:b[q, v]", "a:b[r, v]"], None),
        ("~ a/b", ["a[q]", "a[r]", "a:b[p, v]", "a:b[q, v]", "a:b[r, v]"], None),
        ("~ a:b + a + b", ["a:b[q, v]", "a:b[r, v]", "a[q]", "a[r]", "b[v]"], None),
        ("~ a:b", ["a:b[*, v]", "a:b[q, u]", "a:b[q, v]", "a:b[r, u]", "a:b[r, v]"], None),
        ("~ C(b, 'v')", ['C(b, Treatment("v"))[u]'], [[1], [1], [1], [0], [0], [0]]),
        (
            "~ C(a, Sum)",
            ["C(a, Sum)[p]", "C(a, Sum)[q]"],
            [[1, 0], [0, 1], [-1, -1], [1, 0], [0, 1], [-1, -1]],
        ),
        ("~ C(a, Sum('p'))", ['C(a, Sum("p"))[q]', 'C(a, Sum("p"))[r]'], None),
        ("~ C(b, levels=['v', 'u'])", ['C(b, levels=["v", "u"])[u]'], [[1], [1], [1], [0], [0], [0]]),
        ("~ C(k)", ["C(k)[2]", "C(k)[10]"], [[0, 0], [1, 0], [1, 0], [0, 1], [0, 0], [0, 1]]),
        ("~ C(k, 10)", ["C(k, Treatment(10))[1]", "C(k, Treatment(10))[2]"], None),
        ("~ b:x:a", [f"b:x:a[{u}, {p}]" for u in "uv" for p in "pqr"], None),
        ("~ poly(x, 2, raw=True)", ["poly(x, 2, raw=True)[1]", "poly(x, 2, raw=True)[2]"], None),
        ("~ poly(x, 2, raw=True):b", [f"poly(x, 2, raw=True):b[{d}, {u}]" for d in "12" for u in "uv"], None),
        ("~ x:z", ["x:z"], [[11], [14], [15], [15], [14], [11]]),
        ("~ 1", [], np.empty((6, 0))),
    ],
)
def test_columns_and_their_names(text: str, names: list[str], matrix: object) -> None:
    design = fitted(text)
    assert list(design.column_names) == names
    found = design.matrix(SIX)
    assert found.shape == (6, len(names)) == (6, design.n_columns)
    if matrix is not None:
        assert_array_equal(found, matrix)
    with_intercept = np.column_stack([np.ones((6, int(design.intercept))), found])
    assert np.linalg.matrix_rank(with_intercept) == min(6, with_intercept.shape[1])


def test_interaction_columns_are_products_of_the_named_levels() -> None:
    design = fitted("~ a:b")
    for (block,), label, column in zip(
        [design.blocks] * 5, design.blocks[0].labels or (), design.matrix(SIX).T, strict=True
    ):
        assert block.name == "a:b"
        first, second = label.split(", ")
        truth = (np.array(list("pqrpqr")) == first) | (first == "*")
        assert_array_equal(column, truth & (np.array(list("uuuvvv")) == second))


def test_blocks_say_where_the_columns_are() -> None:
    design = fitted("~ x + a + x:a + z")
    assert [(block.name, block.labels, block.start, block.stop) for block in design.blocks] == [
        ("x", None, 0, 1),
        ("a", ("q", "r"), 1, 3),
        ("x:a", ("q", "r"), 3, 5),
        ("z", None, 5, 6),
    ]
    assert design.variables == {"x", "a", "z"}
    assert design.categorical == {"a"}


@pytest.mark.parametrize(
    "text",
    ["y ~ x + a", "y ~ 0 + a + b", "y ~ a*b", "y ~ 0 + a:b", "y ~ x*a", "y ~ x:a", "y ~ x:a + x", "y ~ a*b*x",
     "y ~ b:a:x", "y ~ np.log(x) + I(x**2) + a", "y ~ 0 + x:a + b", "y ~ poly(x, 2):b + center(z)",
     "y ~ C(a, Sum) + b", "y ~ C(a, Treatment('q'))*x", "y ~ `my x`:a"],
)  # fmt: skip
def test_same_columns_as_formulae(text: str) -> None:
    import pandas as pd
    from formulae import design_matrices

    rng = np.random.default_rng(1)
    n = 40
    codes = {"a": np.repeat(np.arange(20) % 3, 2).astype(float), "b": rng.integers(0, 2, n).astype(float)}
    numbers = {name: rng.gamma(2.0, size=n) for name in ("x", "z", "my x")}
    table = pd.DataFrame(
        {
            **numbers,
            "a": np.array(list("pqr"))[codes["a"].astype(int)],
            "b": np.array(list("uv"))[codes["b"].astype(int)],
        }
    ).assign(y=1.0)
    truth = design_matrices(text, table).common
    values = {**codes, **numbers}
    variables = {name: Variable(name, None, numbers[name]) for name in numbers}
    variables |= {"a": Variable("a", ("p", "q", "r"), codes["a"]), "b": Variable("b", ("u", "v"), codes["b"])}
    formula = parse(text)
    design = fit_design(formula.terms, formula.intercept, variables)
    ours = design.matrix(values)
    theirs = {
        name.replace("np.", "").replace("'", '"'): (np.asarray(truth[name]).reshape(n, -1), term)
        for name, term in truth.terms.items()
        if name != "Intercept"
    }
    assert {block.name for block in design.blocks} == set(theirs)
    for block in design.blocks:
        columns, term = theirs[block.name]
        assert_allclose(ours[:, block.start : block.stop], columns, atol=1e-12)
        if not block.name.startswith("poly"):  # formulae numbers these from 0, and not in interactions
            levels = getattr(term, "levels", None)
            assert block.labels == (None if levels is None else tuple(levels))


CATEGORIES = {"a": 3, "b": 2, "c": 4}
MARGINS = st.sets(
    st.sampled_from(["a", "b", "c", "a:b", "a:c", "b:c", "a:b:c", "x", "x:a", "x:b", "x:a:b", "x:a:c"]),
    min_size=1,
)


@given(MARGINS.map(sorted).flatmap(st.permutations), st.booleans())
@settings(max_examples=150, deadline=None)
def test_codings_never_lose_or_repeat_a_dimension(terms: list[str], intercept: bool) -> None:
    grid = np.array(
        np.meshgrid(*(np.arange(k, dtype=float) for k in CATEGORIES.values()), [0.0, 1.0])
    ).reshape(4, -1)
    values = dict(zip(CATEGORIES, grid[:3], strict=True)) | {
        "x": np.random.default_rng(0).normal(size=grid.shape[1])
    }
    variables = {name: Variable(name, tuple("pqrs"[:k]), values[name]) for name, k in CATEGORIES.items()}
    variables["x"] = Variable("x", None, values["x"])
    formula = parse(f"~ {'1' if intercept else '0'} + {' + '.join(terms)}")
    design = fit_design(formula.terms, intercept, variables)
    ones = np.ones((grid.shape[1], int(intercept)))
    ours = np.column_stack([ones, design.matrix(values)])
    spanned = [ones]
    for term in formula.terms:  # every product of full indicators
        full = np.ones((grid.shape[1], 1))
        for name in term.variables:
            one = values[name][:, None] if name == "x" else np.eye(CATEGORIES[name])[values[name].astype(int)]
            full = (full[:, :, None] * one[:, None, :]).reshape(len(full), -1)
        spanned.append(full)
    truth = np.column_stack(spanned)
    rank = np.linalg.matrix_rank(truth)
    assert ours.shape[1] == np.linalg.matrix_rank(ours) == rank
    assert np.linalg.matrix_rank(np.column_stack([ours, truth])) == rank
    assert len(set(design.column_names)) == design.n_columns


def test_contrasts_by_column_and_the_formula_before_them() -> None:
    design = fitted("~ a + C(b, 'v')", contrasts={"a": Sum(), "b": Treatment("u")})
    assert design.blocks[0].labels == ("p", "q")
    assert design.blocks[1].labels == ("u",)
    assert design.codings == (
        "a: p, q against the mean of all, without r",
        'C(b, Treatment("v")): u against v',
    )
    assert fitted("~ a", contrasts={"a": Treatment("r")}).blocks[0].labels == ("p", "q")


def test_absent_and_unknown_codes_make_their_rows_nan() -> None:
    values = {"a": np.array([-1.0, np.nan, 1.0, 7.0]), "x": np.array([1.0, 1.0, np.nan, 1.0])}
    assert_array_equal(fitted("~ a").matrix(values)[:, 0], [np.nan, np.nan, 1.0, np.nan])
    assert_array_equal(fitted("~ I(x > 0)").matrix(values)[:, 0], [1.0, 1.0, np.nan, 1.0])
    assert np.isnan(fitted("~ C(k)").matrix({"k": np.array([3.0, np.nan])})).all()


def test_a_level_that_never_occurs_has_no_column_and_a_notice() -> None:
    variables = {"a": Variable("a", ("p", "q", "r"), np.array([0.0, 2.0, 2.0, np.nan]))}
    design = fit_design(parse("~ a").terms, True, variables)
    assert design.blocks[0].labels == ("r",)
    assert design.notices == ("level 'q' of 'a' is never observed and has no coefficient",)
    assert_array_equal(design.matrix({"a": np.array([0.0, 1.0, 2.0])})[:, 0], [0.0, np.nan, 1.0])


def test_labels_that_are_not_text() -> None:
    codes = np.array([0.0, 1.0])
    flags = {
        "f": Variable("f", (False, True), codes),
        "i": Variable("i", (1, 2), codes),
        "d": Variable("d", (0.5, 2.0), codes),
    }
    for text, label in [
        ("~ f", "True"), ("~ C(f, True)", "False"), ("~ C(i, 2)", "1"), ("~ C(i, '2')", "1"), ("~ C(d, 2)", "0.5"),
        ("~ C(i, levels=[2, 1])", "1"),
    ]:  # fmt: skip
        assert fit_design(parse(text).terms, True, flags).blocks[0].labels == (label,)
    with pytest.raises(FormulaError, match="no level 'True'"):
        fit_design(parse("~ C(i, True)").terms, True, flags)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("~ nope", "no column `nope`"),
        ("~ I(a * 2)", "'a', which holds the levels p, q, r"),
        ("~ log(a)", "calculates with 'a'"),
        ("~ C(a, 'Q')", "did you mean 'q'?"),
        ("~ C(a, 'zzz')", "it has p, q, r"),
        ("~ C(a, levels=['p', 'q'])", "leaves out observed levels of 'a': r"),
        ("~ C(a, levels=['p', 'q', 'r', 'zz'])", "no level 'zz'"),
        ("~ C(k, 3)", "no level '3'"),
        ("~ log(x - 5)", "no finite value at 4 of 6 observed values of 'x', the first being 1"),
        ("~ scale(log(x - 5))", "no finite value at 4 of 6"),
        ("~ center(x * z)", "takes one column, not x and z"),
        ("~ poly(k, 3)", "more than 3 different observed values, there are 3"),
        ("~ bs(x, df=2)", "df is at least the degree, 3"),
        ("~ bs(x, knots=[0.5])", "do not lie apart inside the observed range 1 to 11"),
        ("~ bs(x, df=5, knots=[4])", "make df=4, not 5"),
        ("~ bs(k, df=8)", "do not lie apart"),
    ],
)
def test_what_cannot_be_fitted_is_refused_by_name(text: str, part: str) -> None:
    with pytest.raises(FormulaError) as caught:
        fitted(text)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "variable", "part"),
    [
        ("~ a", Variable("a", ("p", "q"), np.array([1.0, 1.0])), "only the level 'q'"),
        ("~ a", Variable("a", ("p", "q"), np.array([np.nan])), "no values among its observed values"),
        ("~ scale(a)", Variable("a", None, np.array([2.0, 2.0])), "all the same"),
        ("~ scale(a)", Variable("a", None, np.array([2.0])), "all the same"),
        ("~ center(a)", Variable("a", None, np.array([np.nan])), "'a' has no observed values"),
        ("~ bs(a, df=4)", Variable("a", None, np.array([])), "'a' has no observed values"),
    ],
)
def test_columns_with_too_little_in_them(text: str, variable: Variable, part: str) -> None:
    with pytest.raises(FormulaError, match=part):
        fit_design(parse(text).terms, True, {"a": variable})


def test_missing_values_of_a_variable_are_named() -> None:
    with pytest.raises(FormulaError, match="needs values of 'z'"):
        fitted("~ x + z").columns({"x": X})


def test_check_finite_names_term_and_row_and_passes_over_unknown_values() -> None:
    design = fitted("~ I(x / z) + log(x):b")
    values = {
        "x": np.array([1.0, np.nan, 1.0]),
        "z": np.array([1.0, 0.0, 0.0]),
        "b": np.array([0.0, 1.0, -1.0]),
    }
    with pytest.raises(
        FormulaError, match=r"`I\(x / z\)` has no finite value in 1 rows, the first being row 2"
    ):
        design.check_finite(values)
    values["z"] = np.ones(3)
    design.check_finite(values)


def test_offsets() -> None:
    formula = parse("y ~ a + offset(log(x)) + offset(2 * center(z))".replace("2 * center(z)", "center(z)"))
    design = fit_offsets(formula.offsets, VARIABLES)
    assert_allclose(sum(design.columns(SIX)), np.log(X) + SIX["z"] - SIX["z"].mean())
    with pytest.raises(FormulaError, match="'a' is a category"):
        fit_offsets(parse("y ~ offset(a)").offsets, VARIABLES)


def test_a_design_can_be_rebuilt_from_json_without_the_data() -> None:
    text = "~ center(x)*a + scale(log(z)) + poly(x, 2) + bs(z, df=4) + C(k) + C(a, Sum)"
    design = fitted(text)
    constants = json.loads(json.dumps(design.frozen))
    empty = {name: Variable(name, variable.categories, np.array([])) for name, variable in VARIABLES.items()}
    formula = parse(str(parse(text)))
    again = fit_design(formula.terms, formula.intercept, empty, constants=constants)
    assert again == design
    assert_array_equal(again.matrix(SIX), design.matrix(SIX))


def test_constants_come_from_observed_values_only_and_are_said() -> None:
    observed = np.array([1.0, 2.0, np.nan, 6.0])
    design = fit_design(
        parse("~ center(x) + scale(x) + center(x):scale(x)").terms, True, {"x": Variable("x", None, observed)}
    )
    assert design.constants == (
        "center(x): mean 3 of 3 observed values",
        "scale(x): mean 3, sd 2.64575 of 3 observed values",
    )
    new = design.matrix({"x": np.array([100.0])})
    assert_allclose(new, [[97.0, 97.0 / 7.0**0.5, 97.0**2 / 7.0**0.5]])


def test_a_million_rows_are_quick() -> None:
    rng = np.random.default_rng(0)
    values = {"a": rng.integers(0, 3, 10**6).astype(float), "x": rng.normal(size=10**6)}
    variables = {"a": Variable("a", ("p", "q", "r"), values["a"]), "x": Variable("x", None, values["x"])}
    design = fit_design(parse("~ a*scale(x)").terms, True, variables)
    assert design.matrix(values).shape == (10**6, 5)
