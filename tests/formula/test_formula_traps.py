"""What formulae drops or confuses silently is right, or an error that names the token."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bayesmi.errors import FormulaError
from bayesmi.formula import parse


@pytest.mark.parametrize(
    ("text", "token", "hint"),
    [
        ("y ~ x | g", "`|` at position 7", "(x | g)"),
        ("y ~ x || g", "`||` at position 7", "(x || g)"),
        ("~ x | g", "`|` at position 5", "(x | g)"),
        ("y ~ (1|g) | h", "`|` at position 11", "(1 | h)"),
        ("y ~ x z", "`z` at position 7 after `x`", "is a `+` missing?"),
        ("y ~ x 2", "`2` at position 7 after `x`", "is a `+` missing?"),
        ("y ~ (1|g) x", "`x` at position 11 after `)`", "is a `+` missing?"),
        ("y ~ x {z}", "`{` at position 7 after `x`", "is a `+` missing?"),
        ("y ~ x ) + z", "`)` at position 7", "closes nothing"),
        ("y z ~ x", "`z` at position 3 after `y`", "is a `+` missing?"),
        ("y ~ x, z", "`,` at position 6 after `x`", ""),
        ("y ~ x = z", "`=` at position 7", ""),
        ("y ~ a // b", "`//` at position 7 after `a`", ""),
        ("y ~ x == z", "`==` at position 7", "I(x == 1)"),
    ],
)
def test_text_that_formulae_would_drop_is_an_error_at_its_token(text: str, token: str, hint: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert token in str(caught.value)
    assert hint in str(caught.value)


def test_two_independent_group_terms_are_not_one_correlated_term() -> None:
    independent, correlated = parse("y ~ (1|g) + (0+x|g)"), parse("y ~ (1+x|g)")
    assert independent != correlated
    assert [(group.intercept, len(group.terms)) for group in independent.groups] == [(True, 0), (False, 1)]
    assert [(group.intercept, len(group.terms)) for group in correlated.groups] == [(True, 1)]
    assert correlated.groups[0].correlated


def test_double_bar_is_one_term_of_independent_effects() -> None:
    (group,) = parse("y ~ (1 + x || g)").groups
    assert not group.correlated
    assert group.intercept
    assert group.names == ("1|g", "x|g")
    assert parse("y ~ (1 + x || g)") != parse("y ~ (1 + x | g)")


def test_one_sided_formula() -> None:
    formula = parse("~ x + w + (1 | g)")
    assert formula.response is None
    assert [term.name for term in formula.terms] == ["x", "w"]
    assert len(formula.groups) == 1


def test_a_power_of_a_column_is_not_silently_the_column() -> None:
    with pytest.raises(FormulaError, match=r"I\(x \*\* 2\)"):
        parse("y ~ x**2")
    assert [term.name for term in parse("y ~ I(x**2)").terms] == ["I(x ** 2)"]


def test_brackets_stay_in_names() -> None:
    assert parse("y ~ I((x + z) / 2)").terms[0].name == "I((x + z) / 2)"


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, bayesmi.formula\n"
        "heavy = {'formulae', 'pandas', 'scipy', 'pytensor', 'pymc'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import numpy as np\n"
        "formula = bayesmi.formula.parse('y ~ log(x)')\n"
        "variable = bayesmi.formula.Variable('x', None, np.array([1.0, 2.0]))\n"
        "design = bayesmi.formula.fit_design(formula.terms, True, {'x': variable})\n"
        "design.matrix({'x': np.array([1.0])})\n"
        "assert 'pytensor' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
