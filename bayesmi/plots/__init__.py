"""Plots of incomplete data, imputations and results: plain matplotlib, one function a file.

Every function takes ``ax=`` and returns the Axes. Observed is blue and imputed red, as in mice; both are told
apart in grey as well. matplotlib is imported when the first plot is drawn.
"""

from __future__ import annotations

import importlib
from typing import Any

_MODULES = {
    "bar": "bayesmi.plots.bar_plot",
    "box": "bayesmi.plots.box_plot",
    "coefficients": "bayesmi.plots.coefficient_plot",
    "correlations": "bayesmi.plots.correlation_plot",
    "density": "bayesmi.plots.density_plot",
    "estimates": "bayesmi.plots.estimate_plot",
    "flux": "bayesmi.plots.flux_plot",
    "imputed_rank": "bayesmi.plots.imputed_rank_plot",
    "imputed_trace": "bayesmi.plots.imputed_trace_plot",
    "margin": "bayesmi.plots.margin_plot",
    "missing_map": "bayesmi.plots.missing_map_plot",
    "overimputation": "bayesmi.plots.overimputation_plot",
    "pattern": "bayesmi.plots.pattern_plot",
    "predictor_matrix": "bayesmi.plots.predictor_matrix_plot",
    "qq": "bayesmi.plots.qq_plot",
    "replicated": "bayesmi.plots.replicated_plot",
    "sensitivity": "bayesmi.plots.sensitivity_plot",
    "sensitivity_map": "bayesmi.plots.sensitivity_map_plot",
    "strip": "bayesmi.plots.strip_plot",
    "trace": "bayesmi.plots.trace_plot",
    "upset": "bayesmi.plots.upset_plot",
    "worm": "bayesmi.plots.worm_plot",
    "xy": "bayesmi.plots.xy_plot",
}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'bayesmi.plots' has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
