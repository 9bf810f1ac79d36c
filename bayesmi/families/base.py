"""What a family is: one record with the density, the draw and the mean of a conditional distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bayesmi.priors import Prior

__all__ = ["Family", "FamilyParameter"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FamilyParameter:
    """A parameter beside the linear predictor.

    Attributes
    ----------
    name : str
        Its name in the posterior: sigma, threshold, alpha.
    transform : str
        How the sampler sees it: "log" (positive), "ordered" (increasing), "identity" (real), "logit" (0 to 1),
        "correlation" (-1 to 1).
    words : str
        What it is, for the printout: "residual sd".
    per_level : bool
        One value for each boundary between two levels.
    """

    name: str
    transform: str
    words: str
    per_level: bool = False

    @property
    def support(self) -> str:
        """Support that a prior of it must have."""
        return {"log": "positive", "logit": "unit", "correlation": "correlation"}.get(self.transform, "real")


@runtime_checkable
class Family(Protocol):
    """A conditional distribution of one variable given its linear predictor.

    `xp` is numpy or pytensor.tensor: the density is written once and serves drawing back, checks and comparison.
    `eta` is the linear predictor, or for a family with several (`has_equations`) a list of them, one for each level
    but the first. Levels of categories are coded 0 … K-1 on the family's scale.
    """

    name: str
    link: str
    kinds: tuple[str, ...]  # kinds of columns it can describe, the first its own
    parameters: tuple[FamilyParameter, ...]
    is_discrete: bool
    has_levels: bool  # its values are codes of levels
    has_equations: bool  # a linear predictor for each level but the first
    has_intercept: bool  # False where thresholds take its place
    is_gaussian_identity: bool
    integer_valued: bool
    needs_trials: bool  # its parameters come with "trials", a number for each row
    has_heavy_tails: bool  # so that its grid needs a scale on which they are light
    grid_finer: (
        float  # how much finer its grid is at first than the sd of its own density asks for in a Gaussian one
    )
    form: str  # name of its density in the kernel
    constants: tuple[float, ...]  # numbers that the kernel needs beside the parameters, such as bounds

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log f(y | eta, scales), elementwise; a parameter with one value a level has them on its last axis."""
        ...

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return E(y | eta, scales), elementwise; of codes for ordered levels."""
        ...

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> Floats:
        """Draw y given the linear predictor."""
        ...

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return PyMC's random variable of this family (inside a model context)."""
        ...

    def constant(self, y: Floats) -> Floats:
        """Return the part of log f that depends on y only, which the kernel leaves out."""
        ...

    def to_kernel(self, y: Floats) -> Floats:
        """Return y as the kernel wants it (the logarithm for the log-normal)."""
        ...

    def location_and_spread(self, y: Floats) -> tuple[float, float]:
        """Return where the linear predictor lies and how far it reaches, from the observed values."""
        ...

    def default_prior(self, parameter: str, spread: float) -> Prior:
        """Return the default prior of a parameter."""
        ...

    def start(self, parameter: str, y: Floats, n_levels: int) -> Floats:
        """Return a plausible value of a parameter from the observed values, one a level where it has as many."""
        ...

    def check(self, variable: str, y: Floats) -> None:
        """Refuse observed values that the family cannot have."""
        ...

    def cell_values(self, y: Floats) -> Floats | None:
        """Return the values of a count over which a cell is summed; None where it has levels or is continuous."""
        ...

    def rough_response(self, y: Floats) -> tuple[Floats, float | None]:
        """Return a response to regress on for rough slopes, and the information of one observation if that is known."""
        ...

    def tail_rates(self, y: Floats) -> tuple[float, float]:
        """Return r of a density that falls as exp(-r |z|) below and above on the scale of its grid; inf: faster."""
        ...

    @property
    def support(self) -> tuple[float, ...]:
        """The open interval that a continuous variable lives in."""
        ...

    @property
    def whitening_scale(self) -> float | None:
        """Rough sd of one observation on the scale of the linear predictor; None: the observed spread."""
        ...

    @property
    def latent_residual_sd(self) -> float | None:
        """Residual standard deviation on the scale of the linear predictor; None where it is sigma, NaN: no such scale."""
        ...
