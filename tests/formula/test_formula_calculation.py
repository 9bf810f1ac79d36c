"""Calculations that stand outside a formula: read as a function's argument is, whole or not at all."""

from __future__ import annotations

import pytest

from bayesmi.errors import FormulaError, ModelError
from bayesmi.formula import parse, parse_calculation
from bayesmi.mechanism.expressions import read_expression
from bayesmi.model.derived import read_derived


@pytest.mark.parametrize(
    "text", ["x", "-4 + 1 * x", "x / z ** 2", "(x == 1) * z", "log(x + `a b`)", "{x + z} - z", "-x**2"]
)
def test_is_what_stands_inside_a_function(text):
    (term,) = parse(f"~ 0 + I({text})").terms
    assert parse_calculation(text) == term.factors[0].args[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("z*", "it stops short after `*`"),
        ("z) + (x", "`)` at position 2 closes nothing"),
        ("(z", "`(` at position 1 is not closed"),
        ("x, z", "`x, z` is not one calculation"),
        ("x = z", "`x = z` is not one calculation"),
        ("y ~ x", "`~` at position 3: this is a calculation, not a formula"),
        ("x z", "unexpected `z` at position 3 after `x`; is a `+` missing?"),
        ("x | z", "`|` in `x | z` has no meaning inside a function"),
        ("3 + 1", "`3 + 1` uses no column"),
        (" ", "there is nothing to calculate"),
        ("", "there is nothing to calculate"),
    ],
)
def test_refusals_speak_of_what_was_written(text, message):
    with pytest.raises(FormulaError) as problem:
        parse_calculation(text)
    assert str(problem.value) == message


def test_who_reads_calculations_says_where():
    with pytest.raises(ModelError, match=r"derived\['q'\]: it stops short after `\*`"):
        read_derived({"q": "z*"}, ["z"])
    with pytest.raises(ModelError, match=r"Delta\(shift='x\)'\): `\)` at position 2 closes nothing"):
        read_expression("x)")
