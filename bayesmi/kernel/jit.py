"""How kernel functions are compiled: NumPy's rules for division, sums may be reordered, infinities and NaN are kept."""

from __future__ import annotations

from typing import Any

from numba import njit

__all__ = ["kernel"]


def kernel(function: Any) -> Any:
    """Compile a function for use inside the density."""
    return njit(error_model="numpy", fastmath={"reassoc", "contract", "arcp"})(function)
