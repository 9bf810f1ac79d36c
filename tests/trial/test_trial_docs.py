"""The examples in docstrings run as printed."""

import doctest
import importlib
import warnings

import pytest

from bayesmi import BayesmiNotice

MODULES = [f"bayesmi.trial.{name}" for name in ("delta", "events", "expand", "model", "strategies")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, monkeypatch):
    from bayesmi.trial.strategies import STRATEGIES

    monkeypatch.setattr("bayesmi.trial.strategies.STRATEGIES", STRATEGIES.copy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0
