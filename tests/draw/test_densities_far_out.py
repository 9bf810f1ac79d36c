"""Means beyond what a number can hold: a chain that is still far out gives densities of zero, and no warnings of numpy."""

import warnings

import numpy as np
import pytest

from bayesmi.draw.conditional import Conditional
from bayesmi.families import get_family


class Plain:
    limits = ()

    def __init__(self, name):
        self.family = get_family(name)


@pytest.mark.parametrize(("name", "eta"), [("poisson", 800.0), ("exponential", -800.0)])
def test_the_density_is_zero_without_a_warning(name, eta):
    own = Conditional(Plain(name), np.full(2, eta), {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert own.log_density(np.array([1.0, 3.0])).tolist() == [-np.inf, -np.inf]
