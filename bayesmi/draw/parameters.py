"""Posterior draws of all parameters on the scale of the data, as arrays with the draws first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.model.factor import Factor

__all__ = ["FactorDraws", "PosteriorDraws"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FactorDraws:
    """S draws of one linear predictor's parameters, and of the family's (with the first predictor)."""

    intercept: Floats | None  # (S,) with all predictors at zero
    coefficients: Floats  # (S, p), links last
    scales: Mapping[str, Floats]  # (S,), or (S, K - 1) for thresholds
    sds: Mapping[str, Floats]  # grouping -> (S, q)
    correlations: Mapping[str, Floats]  # grouping -> (S, q, q)
    effects: Mapping[str, Floats]  # grouping -> (S, G, q); absent until drawn back

    def centred_intercept(self, factor: Factor) -> Floats:
        """Return the linear predictor at the centres of the design, (S,)."""
        shift = self.coefficients @ factor.centers if factor.n_coefficients else 0.0
        if self.intercept is None:
            return np.zeros(len(self.coefficients)) + shift
        return self.intercept + shift

    def root(self, grouping: str) -> Floats:
        """Return L with the effects' covariance L L', (S, q, q)."""
        return np.asarray(self.sds[grouping][:, :, None] * np.linalg.cholesky(self.correlations[grouping]))

    def take(self, draws: NDArray[np.intp] | slice) -> FactorDraws:
        """Return some of the draws."""
        return FactorDraws(
            None if self.intercept is None else self.intercept[draws],
            self.coefficients[draws],
            {name: values[draws] for name, values in self.scales.items()},
            {name: values[draws] for name, values in self.sds.items()},
            {name: values[draws] for name, values in self.correlations.items()},
            {name: values[draws] for name, values in self.effects.items()},
        )


@dataclass(frozen=True)
class PosteriorDraws:
    """S = chains × draws posterior draws, chain by chain."""

    n_chains: int
    n_draws: int
    factors: Mapping[str, FactorDraws]  # by linear predictor: the variable, or variable[level]
    cells: Mapping[str, Floats]  # variable -> (S, sampled cells) on the scale of the data

    @property
    def n(self) -> int:
        """Number of draws in all."""
        return self.n_chains * self.n_draws

    def take(self, draws: NDArray[np.intp] | slice) -> PosteriorDraws:
        """Return some of the draws, as one chain."""
        factors = {name: factor.take(draws) for name, factor in self.factors.items()}
        cells = {name: values[draws] for name, values in self.cells.items()}
        count = len(np.arange(self.n)[draws])
        return PosteriorDraws(1, count, factors, cells)

    def scales(self, factor: Factor, trailing: int = 0) -> dict[str, Floats]:
        """Return the family's parameters, (S, 1 × trailing) so that they go with (S, T) predictors.

        One that has a model is another number in each row: see `draw/predictor.py: scales`.
        """
        own = self.factors[factor.keys[0]].scales
        shape = (1,) * trailing
        return {
            p.name: own[p.name].reshape((self.n, *shape, *own[p.name].shape[1:])) for p in factor.parameters
        }

    def with_effects(self, variable: str, grouping: str, effects: Floats) -> PosteriorDraws:
        """Return the draws with group effects added."""
        factor = self.factors[variable]
        changed = replace(factor, effects={**factor.effects, grouping: effects})
        return replace(self, factors={**self.factors, variable: changed})
