"""Successes out of a known number of trials, with logit link: `y | trials(n) ~ ...`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.defaults import FamilyDefaults, refuse_values
from bayesmi.families.functions import gammaln, logistic, softplus

__all__ = ["Binomial"]


@dataclass(frozen=True)
class Binomial(FamilyDefaults):
    """y ~ Binomial(trials, 1 / (1 + exp(-eta))); the trials of each row come with the parameters."""

    name: str = "binomial"
    link: str = "logit"
    kinds: tuple[str, ...] = ("count", "binary", "continuous")
    form: str = "bernoulli"
    is_discrete: bool = True
    integer_valued: bool = True
    needs_trials: bool = True

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log f(y); minus infinity beyond the trials."""
        trials = scales["trials"]
        ways = gammaln(xp, trials + 1.0) - gammaln(xp, y + 1.0) - gammaln(xp, trials - y + 1.0)
        return y * eta - trials * softplus(xp, eta) + ways

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return trials times the probability."""
        return scales["trials"] * logistic(xp, eta)

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw a number of successes."""
        trials = np.asarray(scales["trials"], dtype=np.int64)
        return rng.binomial(trials, logistic(np, eta), size=np.shape(eta)).astype(float)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.Binomial."""
        import pymc as pm

        return pm.Binomial(name, n=np.asarray(scales["trials"], dtype=np.int64), logit_p=eta, **kwargs)

    def constant(
        self, y: NDArray[np.float64], trials: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the log of the binomial coefficient."""
        assert trials is not None
        return np.asarray(gammaln(np, trials + 1.0) - gammaln(np, y + 1.0) - gammaln(np, trials - y + 1.0))

    def location_and_spread(self, y: NDArray[np.float64]) -> tuple[float, float]:
        """Logits are of order one around zero."""
        return 0.0, 1.0

    def check(self, variable: str, y: NDArray[np.float64]) -> None:
        """Refuse what is not a count."""
        refuse_values(variable, y, (y < 0) | (y != np.floor(y)), self.name, "whole numbers from 0 up")

    def cell_values(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """From 0 to the largest number of trials, which stand in the place of `y`."""
        return np.arange(float(y.max()) + 1.0)

    def rough_response(self, y: NDArray[np.float64]) -> tuple[NDArray[np.float64], float | None]:
        """Twice the deviation from the mean in sds: a slope of the right order; its information grows with the trials."""
        return 2.0 * (y - y.mean()) / max(float(y.std()), 1e-300), max(float(y.max()), 1.0) / 4.0

    @property
    def whitening_scale(self) -> float:
        """Standard deviation of a working response of a few trials near one half."""
        return 1.0

    @property
    def latent_residual_sd(self) -> float:
        """No residual on the scale of the linear predictor."""
        return float("nan")
