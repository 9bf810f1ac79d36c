"""The beta family with logit link: shares between 0 and 1 (Ferrari & Cribari-Neto 2004)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.base import FamilyParameter
from bayesmi.families.defaults import FamilyDefaults, refuse_values
from bayesmi.families.functions import gammaln, logistic
from bayesmi.families.support import unconstrain
from bayesmi.priors import Prior

__all__ = ["Beta"]

_EDGE = 1e-15


@dataclass(frozen=True)
class Beta(FamilyDefaults):
    """y ~ Beta(mu kappa, (1 - mu) kappa), mu = 1 / (1 + exp(-eta)); variance mu (1 - mu) / (1 + kappa)."""

    name: str = "beta"
    link: str = "logit"
    kinds: tuple[str, ...] = ("continuous",)
    parameters: tuple[FamilyParameter, ...] = (FamilyParameter("kappa", "log", "precision"),)
    grid_finer: float = 1.9

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the log density at y."""
        kappa = scales["kappa"]
        p, q = logistic(xp, eta) * kappa, logistic(xp, -eta) * kappa
        constant = gammaln(xp, kappa) - gammaln(xp, p) - gammaln(xp, q)
        return constant + (p - 1.0) * xp.log(y) + (q - 1.0) * xp.log1p(-y)

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return mu."""
        return logistic(xp, eta)

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw y; draws that round to 0 or 1 lie next to it."""
        kappa = scales["kappa"]
        p = np.maximum(logistic(np, eta) * kappa, 1e-300)
        q = np.maximum(logistic(np, -eta) * kappa, 1e-300)
        return np.clip(rng.beta(p, q), _EDGE, 1.0 - _EDGE)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.Beta."""
        import pymc as pm
        import pytensor.tensor as pt

        kappa = scales["kappa"]
        return pm.Beta(name, alpha=pt.sigmoid(eta) * kappa, beta=pt.sigmoid(-eta) * kappa, **kwargs)

    def constant(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return -log y - log(1 - y), the Jacobian of the logit."""
        return -np.log(y) - np.log1p(-y)

    def to_kernel(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the logit of y."""
        return unconstrain(y, (0.0, 1.0))

    def location_and_spread(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """Logit of the observed mean, and sd of the logits."""
        mean = float(y.mean())
        return float(np.log(mean) - np.log1p(-mean)), float(self.to_kernel(y).std(ddof=1))

    def default_prior(self, parameter: str, spread: float) -> Prior:
        """Half-Cauchy on about what the precision would be without predictors, 4 / (sd of the logits)²."""
        return Prior("HalfCauchy", 4.0 / spread**2)

    def start(self, parameter: str, y: NDArray[np.float64], n_levels: int) -> NDArray[np.float64]:
        """By the observed mean and variance."""
        mean = float(y.mean())
        return np.array([max(mean * (1.0 - mean) / float(y.var()) - 1.0, 0.1)])

    def check(self, variable: str, y: NDArray[np.float64]) -> None:
        """Refuse values outside of 0 to 1, and 0 and 1 themselves."""
        refuse_values(variable, y, (y <= 0) | (y >= 1), self.name, "numbers between 0 and 1, both left out")

    def tail_rates(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """The density of the logit falls as y^p below and (1 - y)^q above."""
        kappa = float(self.start("kappa", y, 0)[0])
        low, high = np.quantile(y, [0.05, 0.95])  # about the means of the lowest and the highest rows
        return float(np.clip(low * kappa, 0.4, 20.0)), float(np.clip((1.0 - high) * kappa, 0.4, 20.0))

    @property
    def support(self) -> tuple[float, ...]:
        """0 to 1."""
        return 0.0, 1.0

    @property
    def latent_residual_sd(self) -> float:
        """No residual sd on the scale of the linear predictor."""
        return float("nan")
