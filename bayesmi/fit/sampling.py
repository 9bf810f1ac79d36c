"""How long and how carefully to sample."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from bayesmi.errors import FitError

__all__ = ["Sampling"]


@dataclass(frozen=True)
class Sampling:
    """What every sampler is told: see `Model.fit`.

    Raises
    ------
    FitError
        If a number is none, or out of its range.
    """

    draws: int
    tune: int
    chains: int
    cores: int | None = None  # None: those there are
    target_accept: float | None = None  # None: the plan's

    def __post_init__(self) -> None:
        whole = {"draws": self.draws, "tune": self.tune, "chains": self.chains}
        if self.cores is not None:
            whole["cores"] = self.cores
        for name, value in whole.items():
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise FitError(f"{name} must be a whole number, 1 or more, not {value!r}")
        rate = self.target_accept
        if rate is not None:
            is_number = isinstance(rate, int | float | np.number) and not isinstance(rate, bool)
            if not is_number or not 0.0 < rate < 1.0:
                raise FitError(f"target_accept must be a number between 0 and 1, not {rate!r}")

    @property
    def processes(self) -> int:
        """Chains that run at the same time."""
        return min(self.cores or _available_cores(), self.chains)

    @property
    def total(self) -> int:
        """Draws kept, of all chains."""
        return self.chains * self.draws


def _available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
