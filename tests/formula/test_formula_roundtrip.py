"""Canonical text reads back as the same formula, and arithmetic means what it means in Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmi.formula import parse
from bayesmi.formula.evaluate import evaluate
from bayesmi.formula.expression import Binary, Call, Column, Expression, Number, Unary

NAMES = st.sampled_from(["x", "z", "home.dest", "_u", "my x", "a-b", "True", "1a", "été", "c"])
NUMBERS = st.one_of(
    st.integers(0, 10**6).map(float), st.floats(0, 1e12, allow_subnormal=False), st.sampled_from([1e-7, 1e20])
)


def expressions() -> st.SearchStrategy[Expression]:
    leaves = st.one_of(NAMES.map(Column), NUMBERS.map(lambda number: Number(abs(number))))

    def grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        operators = st.sampled_from(["+", "-", "*", "/", "**", "==", "<", ">="])
        return st.one_of(
            st.builds(Binary, operators, inner, inner),
            st.builds(Unary, st.just("-"), inner),
            st.builds(
                lambda name, arg: Call(name, (Binary("+", Column("w"), arg),)),
                st.sampled_from(["I", "log", "abs", "center", "scale"]),
                inner,
            ),
        )

    return st.recursive(leaves, grown, max_leaves=12)


@given(expressions())
@settings(max_examples=300, deadline=None)
def test_every_expression_reads_back(expression: Expression) -> None:
    call = Call("I", (Binary("+", Column("v"), expression),))
    (term,) = parse(f"~ {call}").terms
    assert term.factors == (call,)


FACTORS = st.sampled_from(
    [
        "x",
        "z",
        "`a b`",
        "log(x)",
        "I(x**2 + z)",
        "C(g, Sum)",
        'C(g, "q")',
        "poly(x, 2)",
        "bs(z, df=4)",
        "{x - z}",
    ]
)
SUMS = st.recursive(
    FACTORS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", "*", ":", "/"]), inner).map("({0[0]}){0[1]}({0[2]})".format),
        st.tuples(inner, inner).map("(({0[0]}) + ({0[1]}) + w)**2".format),
    ),
    max_leaves=5,
)
GROUPS = st.tuples(
    st.sampled_from(["1", "0 + x", "x", "1 + x*z", "log(x)"]),
    st.sampled_from(["|", "||"]),
    st.sampled_from(["h", "i/j", "k:l", "`m n`"]),
).map(" ".join)


@given(
    st.sampled_from(["", "y", "log(y)", "y | trials(n)", "`the y` | trials(5)"]),
    st.sampled_from(["", "0 + ", "1 + "]),
    st.lists(SUMS, min_size=1, max_size=3),
    st.lists(GROUPS, max_size=2, unique_by=lambda group: group.split("|")[-1]),
    st.sampled_from(["", " + offset(log(e))"]),
)
@settings(max_examples=200, deadline=None)
def test_every_formula_reads_back(
    left: str, start: str, sums: list[str], groups: list[str], offset: str
) -> None:
    from bayesmi.errors import FormulaError

    text = f"{left} ~ {start}{' + '.join([*sums, *(f'({group})' for group in groups)])}{offset}"
    try:
        formula = parse(text)
    except FormulaError as error:
        assert "with itself" in str(error)  # noqa: PT017 - the one thing that this grammar can get wrong
        return
    assert parse(str(formula)) == formula
    assert str(parse(str(formula))) == str(formula)
    assert (" || " in str(formula)) == any(not group.correlated for group in formula.groups)


ARITHMETIC = st.recursive(
    st.sampled_from(["x", "z", "2", "3.5", "0.25"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " - ", "*", "/", "**"]), inner).map("".join),
        st.tuples(st.sampled_from(["-", "+"]), st.sampled_from(["x", "z", "2"])).map("".join),
        inner.map("({})".format),
    ),
    max_leaves=8,
)


@given(ARITHMETIC)
@settings(max_examples=400, deadline=None)
def test_arithmetic_is_python_arithmetic(text: str) -> None:
    values = {"x": np.array([0.5, 1.5, 2.0]), "z": np.array([3.0, 0.7, 1.1])}
    (term,) = parse(f"~ I(x*0 + ({text}))").terms
    with np.errstate(all="ignore"):
        found = evaluate(term.factors[0], values, {})
        try:
            truth = values["x"] * 0 + eval(text, {}, dict(values))  # a text made here, not a user's
        except (OverflowError, ZeroDivisionError, TypeError):
            return
    if np.iscomplexobj(truth):
        return
    np.testing.assert_allclose(found, truth, rtol=1e-12)
