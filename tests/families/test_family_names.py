"""Families by the names that users give them."""

import pytest

from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.families import get_family


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Student", "student"),
        ("negative binomial", "negativebinomial"),
        ("cumulative probit", "ordinalprobit"),
        ("zero_inflated_poisson", "zeroinflatedpoisson"),
        ("hurdle negative binomial", "hurdlenegativebinomial"),
        ("truncated(0, 10)", "truncated(0, 10)"),
        ("Truncated( -inf ,2.5 )", "truncated(-inf, 2.5)"),
        ("bounded(1e-3, 1)", "bounded(0.001, 1)"),
    ],
)
def test_names(given, name):
    assert get_family(given).name == name
    assert get_family(get_family(given).name) == get_family(given)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ("tweedie", NotSupportedError, "'tweedie' is not known; there are gaussian, student"),
        ("truncated", ModelError, r"needs its bounds: say 'truncated\(0, 10\)'"),
        ("truncated(0)", NotSupportedError, "is not known"),
        ("truncated(a, 2)", ModelError, "needs its bounds"),
        ("truncated(0, __import__)", ModelError, "needs its bounds"),
        ("truncated(3, 2)", ModelError, "a lower and a higher bound"),
        ("truncated(nan, 2)", ModelError, "a lower and a higher bound"),
        ("bounded(-inf, inf)", ModelError, "one of them finite"),
        ("gamma(0, 1)", ModelError, "takes nothing in parentheses"),
    ],
)
def test_names_that_are_refused(given, error, words):
    with pytest.raises(error, match=words):
        get_family(given)
