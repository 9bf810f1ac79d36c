"""How kernel functions are compiled: NumPy's rules for division, infinities and NaN are kept, sums keep their order.

Sums that may be reordered ("reassoc") would be vectorised, behind a check at run time whether arrays could overlap that
depends on where these happen to lie: one point then has densities that differ in the last bit, and a seed repeats nothing.
"""

from __future__ import annotations

from typing import Any

from numba import njit

__all__ = ["FUNCTIONS", "kernel"]

FUNCTIONS: list[Any] = []


def kernel(function: Any) -> Any:
    """Compile a function for use inside the density."""
    compiled = njit(error_model="numpy", fastmath={"contract", "arcp"})(function)
    FUNCTIONS.append(compiled)
    return compiled
