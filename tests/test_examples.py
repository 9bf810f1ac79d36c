"""The examples in docstrings run as printed, and every public callable has one."""

import doctest
import importlib
import inspect
import re
import warnings
from pathlib import Path

import pytest

import bayesmi
from bayesmi import BayesmiNotice

ROOT = Path(bayesmi.__file__).parent
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
PUBLIC = [
    "bayesmi",
    *(
        f"bayesmi.{name}"
        for name in ("ampute", "compat", "data", "datasets", "explore", "mice", "plots", "pool")
    ),
    *(f"bayesmi.{name}" for name in ("posthoc", "predictive", "simple", "trial")),
]
RETURNED = [  # what public callables return, and is in none of these
    "describe.Description",
    "fit.Check",
    "fit.Gate",
    "overimpute.Overimputation",
    "plan.Plan",
    "sensitivity.Sensitivity",
    "sensitivity.TippingPoint",
]


def modules_with_examples():
    """Names of the modules with examples, found without importing them."""
    for path in sorted(ROOT.rglob("*.py")):
        if re.search(r"^ *>>> ", path.read_text(), re.MULTILINE):
            parts = path.relative_to(ROOT.parent).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_own(thing):
    """Whether it is a function or class of this package, exceptions aside."""
    own = (getattr(thing, "__module__", None) or "").startswith("bayesmi")
    is_error = inspect.isclass(thing) and issubclass(thing, BaseException)
    return own and callable(thing) and not inspect.ismodule(thing) and not is_error


def public_callables():
    """Public functions, classes and their methods by the name under which doctest finds them."""
    found = [
        getattr(module, name) for module in map(importlib.import_module, PUBLIC) for name in module.__all__
    ]
    for name in RETURNED:
        module, kind = name.split(".")
        found.append(getattr(importlib.import_module(f"bayesmi.{module}"), kind))
    things = {}
    for thing in filter(is_own, found):
        own = [thing]
        if inspect.isclass(thing):
            members = [inspect.getattr_static(thing, name) for name in dir(thing) if not name.startswith("_")]
            own += [getattr(member, "__func__", member) for member in members]
        things |= {f"{one.__module__}.{one.__qualname__}": one for one in own if is_own(one)}
    return things


@pytest.fixture
def _paste(monkeypatch, tmp_path):
    """Where a user would paste them: an empty folder, figures that nobody sees, no strategy registered before."""
    import matplotlib.pyplot as plt

    from bayesmi.trial.strategies import STRATEGIES

    backend = plt.get_backend()
    plt.switch_backend("Agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bayesmi.trial.strategies.STRATEGIES", STRATEGIES.copy())
    yield
    plt.close("all")
    plt.switch_backend(backend)


@pytest.mark.xdist_group("examples")
@pytest.mark.usefixtures("_paste")
@pytest.mark.parametrize("name", list(modules_with_examples()))
def test_examples_run(name):
    module, public = importlib.import_module(name), public_callables()
    runner, said = doctest.DocTestRunner(optionflags=FLAGS), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        for test in doctest.DocTestFinder(exclude_empty=True).find(module):
            assert not any(doctest.SKIP in one.options for one in test.examples), f"{test.name} is not run"
            if test.name in public:
                test.globs = {}  # a public example names all that it needs
            runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).attempted > 0
    assert not said, "".join(said)


def test_every_public_callable_has_an_example():
    without = [
        name for name, thing in public_callables().items() if ">>> " not in (inspect.getdoc(thing) or "")
    ]
    assert without == []
    assert len(public_callables()) > 250
