"""Rows with summed cells, written out once for each combination of their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Expansion"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Expansion:
    """Rows with summed cells, each as often as its cells have combinations of values."""

    rows: Ints  # (E,) original row
    values: Mapping[str, Floats]  # enumerated variable -> (E,) predictor value
    blocks: tuple[tuple[int, int, int], ...]  # (start, rows, combinations): contiguous, combinations equal

    @property
    def n(self) -> int:
        """Number of expanded rows, E."""
        return len(self.rows)
