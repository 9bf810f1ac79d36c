"""What a formula says: operators, functions, responses and group terms."""

from __future__ import annotations

import pytest

from bayesmi.errors import FormulaError
from bayesmi.formula import Formula, GroupTerm, Response, Term, parse
from bayesmi.formula.expression import Binary, Call, Column, Number, Unary

X, Z = Column("x"), Column("z")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("y~x+z", "y ~ x + z"),
        ("~ x + w", "~ x + w"),
        ("y ~ 1", "y ~ 1"),
        ("y ~ 0", "y ~ 0"),
        ("y ~ -1 + x", "y ~ 0 + x"),
        ("y ~ x - 1", "y ~ 0 + x"),
        ("y ~ 0 + x + 1", "y ~ x"),
        ("y ~ x + -1", "y ~ 0 + x"),
        ("y ~ x - 0", "y ~ x"),
        ("(y) ~ ((x) + z)", "y ~ x + z"),
        ("y ~ x + x + z:x + x:z", "y ~ x + z:x"),
        ("y ~ a*b*c", "y ~ a + b + c + a:b + a:c + b:c + a:b:c"),
        ("y ~ (a + b + c)**2 - a:b", "y ~ a + b + c + a:c + b:c"),
        ("y ~ (a + b)**3", "y ~ a + b + a:b"),
        ("y ~ a/b", "y ~ a + a:b"),
        ("y ~ (a + b)/c", "y ~ a + b + a:b:c"),
        ("y ~ a*b - a", "y ~ b + a:b"),
        ("y ~ a*b - (a + b)", "y ~ a:b"),
        ("y ~ a:b + a", "y ~ a:b + a"),
        ("y ~ {x**2} + I(x**2)", "y ~ I(x ** 2)"),
        ("y ~ np.log(x) + numpy.sqrt(x) + standardize(x)", "y ~ log(x) + sqrt(x) + scale(x)"),
        ("y ~ I((x+z)/2) + I(x+z/2)", "y ~ I((x + z) / 2) + I(x + z / 2)"),
        ("y ~ I(-x) + I(x*-2) + I(+x)", "y ~ I(-x) + I(x * -2) + I(x)"),
        (
            "y ~ I(x > 2) + I(1e-3*x) + I(.5*x) + I(2.*x)",
            "y ~ I(x > 2) + I(0.001 * x) + I(0.5 * x) + I(2 * x)",
        ),
        ("y ~ poly(x, degree=3, raw=True) + poly(z, 2, raw=False)", "y ~ poly(x, 3, raw=True) + poly(z, 2)"),
        ("y ~ bs(x, 4, degree=3) + bs(z, knots=c(-1, 2.5))", "y ~ bs(x, df=4) + bs(z, knots=[-1, 2.5])"),
        ("y ~ C(a, 'b') + C(d, Treatment)", 'y ~ C(a, Treatment("b")) + C(d)'),
        ("y ~ C(a, Treatment(reference='b'))", 'y ~ C(a, Treatment("b"))'),
        ("y ~ C(a, Sum) + C(b, Sum('q'))", 'y ~ C(a, Sum) + C(b, Sum("q"))'),
        ("""y ~ C(a, levels=["it's", '"x"', 3, True])""", """y ~ C(a, levels=["it's", '"x"', 3, True])"""),
        ("y ~ home.dest + `home dest`:_u + log(`a-b`)", "y ~ home.dest + `home dest`:_u + log(`a-b`)"),
        ("y ~ `x` + `True` + `1a`", "y ~ x + `True` + `1a`"),
        ("y ~ x + offset(log(n)) + offset(w)", "y ~ x + offset(log(n)) + offset(w)"),
        ("y ~ offset(w)", "y ~ offset(w)"),
        ("log(y) ~ x", "log(y) ~ x"),
        ("y | trials(n) ~ x", "y | trials(n) ~ x"),
        ("y | trials(10) ~ x", "y | trials(10) ~ x"),
        ("y ~ (1|g)", "y ~ 1 + (1 | g)"),
        ("y ~ x + (x|g)", "y ~ x + (1 + x | g)"),
        ("y ~ x + (x - 1|g)", "y ~ x + (0 + x | g)"),
        ("y ~ x + (a*b||g)", "y ~ x + (1 + a + b + a:b || g)"),
        ("y ~ x + (1||g)", "y ~ x + (1 | g)"),
        ("y ~ ((x + (1|g)))", "y ~ x + (1 | g)"),
        ("y ~ (1|a/b/c)", "y ~ 1 + (1 | a) + (1 | a:b) + (1 | a:b:c)"),
        ("y ~ (1|a:b) + (1|`my g`)", "y ~ 1 + (1 | a:b) + (1 | `my g`)"),
        ("y\n~ x\n+ z", "y ~ x + z"),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    formula = parse(text)
    assert str(formula) == canonical
    assert parse(canonical) == formula


def test_parts_of_a_formula() -> None:
    formula = parse("popular ~ texp*sex + offset(w) + (1 + sex | school/`class 1`)")
    assert formula.response == Response("popular", Column("popular"))
    assert formula.response is not None
    assert not formula.response.is_transformed
    assert [term.name for term in formula.terms] == ["texp", "sex", "texp:sex"]
    assert formula.offsets == (Column("w"),)
    assert formula.groups == (
        GroupTerm("school", ("school",), True, (Term((Column("sex"),)),)),
        GroupTerm("school:class 1", ("school", "class 1"), True, (Term((Column("sex"),)),)),
    )
    assert formula.groups[1].names == ("1|school:class 1", "sex|school:class 1")
    assert formula.variables == {"texp", "sex", "w"}
    assert formula.columns == {"popular", "texp", "sex", "w", "school", "class 1"}


def test_names_have_no_backticks_but_text_has() -> None:
    (term,) = parse("~ `my x`:log(`a b`)").terms
    assert term.name == "my x:log(`a b`)"
    assert str(term) == "`my x`:log(`a b`)"


def test_response_with_trials_and_with_function() -> None:
    formula = parse("y | trials(n) ~ x")
    assert formula.response == Response("y", Column("y"), "n")
    assert formula.columns == {"y", "n", "x"}
    assert formula.variables == {"x"}
    assert parse("y | trials(12) ~ x").response == Response("y", Column("y"), 12)
    assert parse("log(y) ~ x").response == Response("y", Call("log", (Column("y"),)))
    assert parse("~ x").response is None


def test_a_sign_binds_looser_than_a_power_as_in_python_and_not_as_in_formulae() -> None:
    square = Binary("**", X, Number(2.0))
    assert parse("~ I(-x**2)").terms[0].factors[0] == Call("I", (Unary("-", square),))
    assert parse("~ I((-x)**2)").terms[0].factors[0] == Call("I", (Binary("**", Unary("-", X), Number(2.0)),))
    tower = Call("I", (Binary("**", X, Binary("**", Z, Number(2.0))),))
    assert parse("~ I(x**z**2)").terms[0].factors[0] == tower


def test_same_thing_said_differently_is_equal() -> None:
    assert parse("y ~ bs(x, 4)") == parse("y~bs(x,df = 4)")
    assert parse("y ~ {x + 1}") == parse("y ~ I(x + 1)")
    assert parse("y ~ (x | g)") == parse("y ~ 1 + (1 + x | g)")
    assert parse("y ~ a + b") != parse("y ~ b + a")


def test_formulas_are_frozen_and_hashable() -> None:
    assert len({parse("y ~ x"), parse("y~x"), parse("y ~ z")}) == 2
    with pytest.raises(AttributeError):
        parse("y ~ x").intercept = False  # type: ignore[misc]


def test_a_formula_may_have_thousands_of_terms() -> None:
    text = " + ".join(f"x{i}" for i in range(3000))
    assert len(parse(f"y ~ {text}").terms) == 3000
    assert isinstance(parse(f"y ~ {text}"), Formula)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("y", "no `~`"),
        ("y = x", "no `~`"),
        ("y ~", "stops short after `~`"),
        ("y ~ x +", "stops short after `+`"),
        ("y ~ x ~ z", "more than one `~`"),
        ("(y ~ x)", "inside brackets"),
        ("y ~ (x", "`(` at position 5 is not closed"),
        ("y ~ x ) + z", "`)` at position 7 closes nothing"),
        ("y ~ {x)", "closes nothing"),
        ("y ~ `abc", "is not closed"),
        ("y ~ ``", "no name between"),
        ('y ~ C(x, "ab)', "is not closed"),
        ("y ~ C(x, 'ab\")", "is not closed"),
        ("y ~ x^2", "write ** for a power"),
        ("y ~ a %in% b", "`%`"),
        ("y ~ x; import os", "`;`"),
        ("y ~ .", "name the columns one by one"),
        ("y ~ x**2", "I(x ** 2)"),
        ("y ~ (x)**2", "I(x ** 2)"),
        ("y ~ log(x)**2", "I(log(x) ** 2)"),
        ("y ~ (a+b)**z", "whole number"),
        ("y ~ (a+b)**0.5", "whole number"),
        ("y ~ x*x", "I(x ** 2)"),
        ("y ~ x:x", "I(x ** 2)"),
        ("y ~ 2*x", "I(2 * x)"),
        ("y ~ x/2", "I(x / 2)"),
        ("y ~ 2", "`2` is not a term"),
        ("y ~ x + True", "`True` is not a term"),
        ("y ~ x + [1, 2]", "is not a term"),
        ("y ~ 'x'", "backticks"),
        ("y ~ x > 2", "I(x > 1)"),
        ("y ~ (x > 2)", "I(x > 2)"),
        ("y ~ (x + 1)*z", "outside the product"),
        ("y ~ a - b", "not there"),
        ("y ~ -a", "nothing before it"),
        ("y ~ -a:b", "sign before `a`"),
        ("y ~ (a - a)*b", "leaves no term"),
        ("y ~ x[a]", "C(x, levels=[...])"),
        ("y ~ y + x", "both sides"),
        ("y ~ (1 | y)", "both the outcome and a grouping"),
        ("y | trials(y) ~ x", "both the outcome and its number of trials"),
        ("a + b ~ x", "one outcome a formula"),
        ("cbind(a, b) ~ x", "trials(n)"),
        ("I(a + b) ~ x", "several columns"),
        ("a * 2 ~ x", "I(a * 2)"),
        ("False ~ x", "`False` is not an outcome"),
        ("1 ~ x", "`1` is not an outcome"),
        ("poly(y, 2) ~ x", "no place on the left"),
        ("y | censored(n) ~ x", "`censored()`"),
        ("y | n ~ x", "trials(n)"),
        ("y | trials(0) ~ x", "at least 1"),
        ("y | trials(n + 1) ~ x", "one column"),
        ("y || trials(n) ~ x", "one outcome"),
        ("y ~ mi(x)", "unknown function `mi`"),
        (
            "y ~ mean(x)",
            "I, log, log2, log10, log1p, exp, expm1, sqrt, abs, center, scale, poly, bs, C, offset, between, within",
        ),
        ("y ~ lgo(x)", "did you mean `log`?"),
        ("y ~ x (1|g)", "is a `+` missing before the bracket?"),
        ("y ~ os.system('ls')", "unknown function `os.system`"),
        ("y ~ I(__import__('os').system('ls'))", "`.`"),
        ("y ~ (x | g)(z)", "is not a function"),
        ("y ~ log()", "lacks its argument"),
        ("y ~ log(x, 2)", "at most 1"),
        ("y ~ log(x, base=2)", "no argument `base=`"),
        ("y ~ log(x=x)", "no argument `x=`"),
        ("y ~ bs(df=3, x)", "plain argument follows"),
        ("y ~ poly(x)", "lacks its argument `degree`"),
        ("y ~ poly(x, 2, degree=3)", "twice"),
        ("y ~ poly(x, 0)", "at least 1"),
        ("y ~ poly(x, 1.5)", "whole number"),
        ("y ~ poly(x, 2, raw=1)", "True or False"),
        ("y ~ bs(x)", "needs df="),
        ("y ~ bs(x, knots=[2, 1])", "increasing"),
        ("y ~ bs(x, knots=[a])", "increasing"),
        ("y ~ C(x + 1)", "one column"),
        ("y ~ C(x, Helmert)", "contrast is"),
        ("y ~ C(x, Treatment('a', 'b'))", "contrast is"),
        ("y ~ C(x, levels=['a'])", "levels="),
        ("y ~ C(x, levels=['a', 'a'])", "levels="),
        ("y ~ C(x, levels=None)", "leave the argument out"),
        ("y ~ I(C(x))", "term of its own"),
        ("y ~ log(poly(x, 2))", "term of its own"),
        ("y ~ I(a:b)", "no meaning inside a function"),
        ("y ~ I(x | g)", "no meaning inside a function"),
        ("y ~ I('a')", "cannot be calculated"),
        ("y ~ I(1)", "no column of the table"),
        ("y ~ I(x == 2 == z)", "not chained"),
        ("y ~ I(x * 1e999)", "too large"),
        ("y ~ x + offset(log(n)):z", "only be added"),
        ("y ~ x - offset(n)", "taken away"),
        ("y ~ x*(1 | g)", "only be added"),
        ("y ~ x - (1 | g)", "taken away"),
        ("y ~ (0 | g)", "no effect that varies"),
        ("y ~ (offset(x) | g)", "inside the group term"),
        ("y ~ ((1 | g) | h)", "inside the group term"),
        ("y ~ (1 | g + h)", "(1 | g) + (1 | h)"),
        ("y ~ (1 | C(g))", "is not a grouping"),
        ("y ~ (1 | 2)", "is not a grouping"),
        ("y ~ (1 | g:g)", "twice"),
        ("y ~ (1 | g) + (1 | g)", "is there twice"),
        ("y ~ (1 | g) + (x | g)", "the intercept varies twice over `g`"),
        ("y ~ (0 + x | g) + (0 + x + z | g)", "`x` varies twice over `g`"),
        ("y ~ (1 | a:b) + (1 | b:a)", "varies twice"),
        ("y ~ a:b + `a:b`", "same name"),
        ("y ~ " + "(" * 5000 + "x" + ")" * 5000, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(text: str, part: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text)
    message = str(caught.value)
    assert part in message
    assert "\n" not in message
    assert len(message) < 400


def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(FormulaError, match="not int"):
        parse(3)  # type: ignore[arg-type]
