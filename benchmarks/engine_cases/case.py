"""What a case of the benchmark is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """A table with holes and the model that is fitted to it."""

    name: str
    title: str
    formula: str
    data: Callable[[], pd.DataFrame]
    kernel: str  # file of benchmarks/kernels
    options: Mapping[str, Any] = field(default_factory=dict)
    missing_reason: Callable[[], str] = lambda: ""  # why it cannot run here, "" if it can

    def model(self, data: pd.DataFrame | None = None) -> Any:
        """Return the model of the case."""
        import bayesmi as bmi

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bmi.BayesmiNotice)
            return bmi.Model(self.formula, self.data() if data is None else data, **self.options)
