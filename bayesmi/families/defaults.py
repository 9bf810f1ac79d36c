"""What most families share, so that each file says only what is its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError
from bayesmi.priors import Prior

__all__ = ["FamilyDefaults", "refuse_values"]

Floats = NDArray[np.float64]


class FamilyDefaults:
    """Answers for a continuous family on the real line with identity link; override what differs."""

    name: str
    parameters: tuple[Any, ...] = ()
    constants: tuple[float, ...] = ()
    is_discrete: bool = False
    has_levels: bool = False
    has_equations: bool = False
    has_intercept: bool = True
    is_gaussian_identity: bool = False
    integer_valued: bool = False
    needs_trials: bool = False
    has_heavy_tails: bool = False
    grid_finer: float = 1.0

    @property
    def form(self) -> str:
        """Its own name."""
        return self.name

    def constant(self, y: Floats) -> Floats:
        """Nothing depends on y only."""
        return np.zeros(np.shape(y))

    def to_kernel(self, y: Floats) -> Floats:
        """Return y as it is."""
        return y

    def location_and_spread(self, y: Floats) -> tuple[float, float]:
        """Observed mean and sd."""
        return float(y.mean()), float(y.std(ddof=1))

    def default_prior(self, parameter: str, spread: float) -> Prior:
        """Half-Student-t with four degrees of freedom on the observed spread."""
        return Prior("HalfStudentT", 4.0, spread)

    def start(self, parameter: str, y: Floats, n_levels: int) -> Floats:
        """Return the observed spread."""
        return np.array([self.location_and_spread(y)[1]])

    def check(self, variable: str, y: Floats) -> None:
        """Accept every number."""

    def cell_values(self, y: Floats) -> Floats | None:
        """Continuous: no list of values."""
        return None

    def rough_response(self, y: Floats) -> tuple[Floats, float | None]:
        """Return the kernel's response; of levels four times whether a level is above the mean."""
        if self.has_levels:
            return np.asarray(4.0 * (y > y.mean()), dtype=float), 0.25
        return self.to_kernel(y), None

    def tail_rates(self, y: Floats) -> tuple[float, float]:
        """Tails as light as a Gaussian's."""
        return np.inf, np.inf

    @property
    def support(self) -> tuple[float, ...]:
        """The real line."""
        return -np.inf, np.inf

    @property
    def whitening_scale(self) -> float | None:
        """The observed spread."""
        return None

    @property
    def latent_residual_sd(self) -> float | None:
        """None: sigma is a parameter."""
        return None


def refuse_values(variable: str, y: Floats, wrong: NDArray[np.bool_], family: str, wanted: str) -> None:
    """Refuse observed values that a family cannot have, naming the first."""
    if wrong.any():
        raise ModelError(f"family {family!r} needs {wanted}; column {variable!r} holds {y[wrong][0]:g}")
