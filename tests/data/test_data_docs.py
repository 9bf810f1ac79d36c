"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import bayesmi.data
import bayesmi.datasets

MODULES = [
    f"{package.__name__}.{module.name}"
    for package in (bayesmi.data, bayesmi.datasets)
    for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.failed == 0


def test_every_public_function_has_an_example():
    for package in (bayesmi.data, bayesmi.datasets):
        for name in package.__all__:
            if name != "SimulatedPupils":
                assert ">>>" in getattr(package, name).__doc__, name
