"""Student's t: a Gaussian with heavy tails, in which single far values count for little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.base import FamilyParameter
from bayesmi.families.defaults import FamilyDefaults
from bayesmi.families.functions import HALF_LOG_2PI, log_rising
from bayesmi.priors import Prior

__all__ = ["Student"]


@dataclass(frozen=True)
class Student(FamilyDefaults):
    """(y - eta) / sigma ~ t with nu degrees of freedom; sigma is the scale, not the sd."""

    name: str = "student"
    link: str = "identity"
    kinds: tuple[str, ...] = ("continuous", "count")
    parameters: tuple[FamilyParameter, ...] = (
        FamilyParameter("sigma", "log", "residual scale"),
        FamilyParameter("nu", "log", "degrees of freedom"),
    )
    grid_finer: float = 2.0
    has_heavy_tails: bool = True

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the log density at y."""
        sigma, nu = scales["sigma"], scales["nu"]
        constant = log_rising(xp, 0.5, 0.5 * nu) - HALF_LOG_2PI
        return constant - xp.log(sigma) - 0.5 * (nu + 1.0) * xp.log1p(((y - eta) / sigma) ** 2 / nu)

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the centre: the mean where nu > 1."""
        return eta

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw y."""
        return np.asarray(eta + scales["sigma"] * rng.standard_t(scales["nu"], size=np.shape(eta)))

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.StudentT."""
        import pymc as pm

        return pm.StudentT(name, mu=eta, sigma=scales["sigma"], nu=scales["nu"], **kwargs)

    def location_and_spread(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """Median, and 1.4826 times the median absolute deviation (the sd where that is zero)."""
        middle = float(np.median(y))
        spread = 1.4826 * float(np.median(np.abs(y - middle)))
        return middle, spread if spread > 0 else float(y.std(ddof=1))

    def default_prior(self, parameter: str, spread: float) -> Prior:
        """Degrees of freedom ~ Gamma(2, 0.1) (Juárez & Steel 2010), as in brms; sigma as in the Gaussian family."""
        return Prior("Gamma", 2.0, 0.1) if parameter == "nu" else super().default_prior(parameter, spread)

    def start(self, parameter: str, y: NDArray[np.float64], n_levels: int) -> NDArray[np.float64]:
        """Ten degrees of freedom; the observed spread."""
        return np.array([10.0]) if parameter == "nu" else super().start(parameter, y, n_levels)

    def tail_rates(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """On the arsinh scale the density falls as exp(-nu |z|); nu is rarely below 2."""
        return 2.0, 2.0

    @property
    def latent_residual_sd(self) -> float:
        """No sd where nu <= 2."""
        return float("nan")
