"""What families of positive numbers with a log link share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.defaults import FamilyDefaults, refuse_values

__all__ = ["PositiveDefaults"]

Floats = NDArray[np.float64]


class PositiveDefaults(FamilyDefaults):
    """A positive variable with mean exp(eta); the kernel sees its logarithm."""

    grid_finer: float = 1.9
    name: str

    def mean(self, xp: Any, eta: Any, scales: Any) -> Any:
        """Return exp(eta)."""
        return xp.exp(eta)

    def constant(self, y: Floats) -> Floats:
        """Return -log y, the Jacobian."""
        return -np.log(y)

    def to_kernel(self, y: Floats) -> Floats:
        """Return log y."""
        return np.log(y)

    def location_and_spread(self, y: Floats) -> tuple[float, float]:
        """Logarithm of the observed mean, and sd of the logarithm."""
        return float(np.log(y.mean())), float(np.log(y).std(ddof=1))

    def check(self, variable: str, y: Floats) -> None:
        """Refuse values that are not positive."""
        refuse_values(variable, y, y <= 0, self.name, "positive numbers")

    @property
    def support(self) -> tuple[float, ...]:
        """Positive numbers."""
        return 0.0, np.inf

    @property
    def latent_residual_sd(self) -> float | None:
        """No residual sd on the scale of the linear predictor."""
        return float("nan")
