"""bayesmi: Bayesian multiple imputation.

Say the analysis model once. Every missing value is an unknown of that model. Its posterior is the answer;
m draws from it are completed data sets for every other tool.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

# public name -> module that defines it; imported on first use so that `bayesmi --help` stays quick
_PUBLIC = {
    "Analyses": "bayesmi.analyses",
    "BayesmiError": "bayesmi.errors",
    "BayesmiNotice": "bayesmi.errors",
    "Delta": "bayesmi.mechanism",
    "Heckman": "bayesmi.mechanism",
    "SelfMasking": "bayesmi.mechanism",
    "SharedEffects": "bayesmi.mechanism",
    "Fit": "bayesmi.fit",
    "Imputations": "bayesmi.imputations",
    "IncompleteFrame": "bayesmi.data",
    "Model": "bayesmi.model",
    "Pooled": "bayesmi.pool",
    "Prior": "bayesmi.priors",
    "SeparateFits": "bayesmi.separate",
    "SeparateModels": "bayesmi.separate",
    "ampute": "bayesmi.ampute",
    "anova": "bayesmi.posthoc",
    "as_mids": "bayesmi.mice",
    "audit": "bayesmi.data",
    "bootstrapped": "bayesmi.posthoc",
    "cbind": "bayesmi.mice",
    "censored": "bayesmi.observation",
    "datasets": "bayesmi.datasets",
    "describe": "bayesmi.describe",
    "explain": "bayesmi.mice",
    "fico": "bayesmi.explore",
    "flux": "bayesmi.explore",
    "from_statsmodels": "bayesmi.mice",
    "ibind": "bayesmi.mice",
    "impute": "bayesmi.impute",
    "load": "bayesmi.files",
    "make_method": "bayesmi.mice",
    "make_predictor_matrix": "bayesmi.mice",
    "marginal_effects": "bayesmi.posthoc",
    "mcar_test": "bayesmi.explore",
    "md_pairs": "bayesmi.explore",
    "md_pattern": "bayesmi.data",
    "measured": "bayesmi.observation",
    "mice": "bayesmi.mice",
    "missing_by_group": "bayesmi.explore",
    "missingness_model": "bayesmi.explore",
    "missingness_t_tests": "bayesmi.explore",
    "multilevel_r_squared": "bayesmi.posthoc",
    "nelson_aalen": "bayesmi.simple",
    "overimpute": "bayesmi.overimpute",
    "pairwise_correlations": "bayesmi.explore",
    "plots": "bayesmi.plots",
    "pmm": "bayesmi.mice",
    "pool": "bayesmi.pool",
    "predictions": "bayesmi.posthoc",
    "quickpred": "bayesmi.explore",
    "rbind": "bayesmi.mice",
    "read_csv": "bayesmi.data",
    "read_mids": "bayesmi.mice",
    "read_table": "bayesmi.data",
    "recode_missing": "bayesmi.data",
    "rounded": "bayesmi.observation",
    "selection_weights": "bayesmi.explore",
    "simple": "bayesmi.simple",
    "stack_posteriors": "bayesmi.posthoc",
    "to_wide": "bayesmi.data",
    "translate_mice": "bayesmi.mice",
    "trial": "bayesmi.trial",
    "truncated": "bayesmi.observation",
}

_MODULES = {"datasets", "plots", "pool", "simple", "trial"}
_NAMES = {"md_pattern": "patterns"}  # public name -> name in its module, where they differ


class _Package(ModuleType):
    """The package; a folder named like a public function (`describe`, `impute`) does not hide the function."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and name in _PUBLIC and name not in _MODULES:
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'bayesmi' has no attribute {name!r}")
    module = importlib.import_module(_PUBLIC[name])
    value = module if name in _MODULES else getattr(module, _NAMES.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
