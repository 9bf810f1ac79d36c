"""What a family is: one record with the density, the draw and the mean of a conditional distribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Family"]


@runtime_checkable
class Family(Protocol):
    """A conditional distribution of one variable given its linear predictor.

    `xp` is numpy or pytensor.tensor: the density is written once and serves sampling, drawing back and comparison.
    """

    name: str
    link: str
    scale_parameters: tuple[str, ...]  # names of parameters beside the linear predictor, e.g. ("sigma",)
    is_discrete: bool
    is_gaussian_identity: bool
    integer_valued: bool

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log f(y | eta, scales), elementwise."""
        ...

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return E(y | eta, scales), elementwise."""
        ...

    def draw(
        self, rng: np.random.Generator, eta: NDArray[np.float64], scales: Mapping[str, Any]
    ) -> NDArray[np.float64]:
        """Draw y given the linear predictor."""
        ...

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return PyMC's random variable of this family (inside a model context)."""
        ...

    def level_values(self) -> NDArray[np.float64] | None:
        """Return the values a cell can take, for families that can be summed out; None otherwise."""
        ...

    @property
    def latent_residual_sd(self) -> float | None:
        """Residual standard deviation on the scale of the linear predictor; None where it is a parameter."""
        ...
