"""The Bernoulli family with probit link."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.families.bernoulli import Bernoulli
from bayesmi.families.functions import log_phi

__all__ = ["Probit"]


@dataclass(frozen=True)
class Probit(Bernoulli):
    """y ~ Bernoulli(Phi(eta)), y coded 0 and 1: 1 where a N(eta, 1) variable is positive."""

    name: str = "probit"
    link: str = "probit"

    def log_density(self, xp: Any, y: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return log f(y): log Phi(eta) of 1, log Phi(-eta) of 0."""
        return log_phi(xp, (2.0 * y - 1.0) * eta)

    def mean(self, xp: Any, eta: Any, scales: Mapping[str, Any]) -> Any:
        """Return the probability of 1."""
        return xp.exp(log_phi(xp, eta))

    def draw(self, rng: np.random.Generator, eta: Any, scales: Mapping[str, Any]) -> NDArray[np.float64]:
        """Draw 0 or 1."""
        return (eta + rng.standard_normal(np.shape(eta)) > 0).astype(float)

    def pymc(self, name: str, eta: Any, scales: Mapping[str, Any], **kwargs: Any) -> Any:
        """Return pm.Bernoulli."""
        import pymc as pm
        import pytensor.tensor as pt

        # the logit of Phi(eta): a probability itself would round to 1
        logit = log_phi(pt, pt.as_tensor(eta)) - log_phi(pt, -pt.as_tensor(eta))
        return pm.Bernoulli(name, logit_p=logit, **kwargs)

    @property
    def whitening_scale(self) -> float:
        """Standard deviation of a working response near one half."""
        return math.sqrt(math.pi / 2.0)

    @property
    def latent_residual_sd(self) -> float:
        """Standard deviation of the latent variable."""
        return 1.0
