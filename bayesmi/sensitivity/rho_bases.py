"""Posteriors that points of a grid of correlations are reweighted from: the fit itself, and refits at known values.

All of them have the parameters other than the correlations that are varied: theta, with the group effects. Given theta the
correlation of the errors enters the likelihood only, and that of the group effects their density only. A posterior in which a
correlation was estimated is one of theta in which it is integrated out under its prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.across import (
    common_groupings,
    group_log_density,
    has_pairs,
    integrated_group_density,
)
from bayesmi.draw.rho_likelihood import integrated_log_likelihood, rho_log_likelihood
from bayesmi.fit import Fit
from bayesmi.sensitivity.rho_grid import RhoAxis, RhoGrid

__all__ = ["Base"]

Floats = NDArray[np.float64]
_BEYOND = 1.0  # sds of the draws by which an integral over rho goes beyond them


@dataclass(frozen=True, eq=False)
class Base:
    """A posterior: the fit with its own correlations, or a refit at a point."""

    fit: Fit
    grid: RhoGrid
    point: tuple[float, ...] | None  # None: the fit, with what it estimates

    @property
    def can_serve(self) -> bool:
        """Whether the density of its theta is known, up to a constant."""
        estimated = [axis for axis in self.grid.axes if self._known(axis) is None]
        rhos = [axis for axis in self.grid.axes if axis.what == "rho"]
        if len(rhos) > 1 and self.fit.tables.expansion.n:
            return False  # the likelihood does not fall apart into one of each
        return all(
            axis.what == "rho" or has_pairs(self.fit.model.factor(axis.variable)) for axis in estimated
        )

    @property
    def at(self) -> tuple[float, ...]:
        """Where it lies on the grid: what is estimated at its posterior mean."""
        return tuple(self._mean(axis) for axis in self.grid.axes)

    @cached_property
    def own(self) -> Floats:
        """Log density of theta under its own posterior at its own draws, (S,), up to a constant."""
        return self.log_density(self)

    def log_density(self, other: Base) -> Floats:
        """Return the log density of theta under this posterior at another's draws, (S,), up to a constant."""
        total = np.zeros(other.fit.draws.n)
        for axis in self.grid.axes:
            value = self._known(axis)
            if value is not None:
                total += other.log_part(axis, value)
            elif axis.what == "rho":
                prior = self.fit.model.factor(axis.variable).priors.scales["rho"]
                total += integrated_log_likelihood(
                    other.fit.model,
                    other.fit.tables,
                    other.fit.draws,
                    axis.variable,
                    prior,
                    self._range(axis, other),
                )
            else:
                own = self.fit.model.factor(axis.variable)
                eta = {g: own.priors.correlations[g] for g in common_groupings(own)}
                total += integrated_group_density(other.fit.model.factor(axis.variable), other.fit.draws, eta)
        return total

    def ratio(self, point: tuple[float, ...]) -> Floats:
        """Return the log ratio of the densities of theta at a point and here, at the draws, (S,)."""
        there = sum(
            (self.log_part(axis, value) for axis, value in zip(self.grid.axes, point, strict=True)),
            np.zeros(self.fit.draws.n),
        )
        return np.asarray(there - self.own)

    def log_part(self, axis: RhoAxis, value: float) -> Floats:
        """Return what depends on one known correlation, at the draws, (S,)."""
        model, draws = self.fit.model, self.fit.draws
        if axis.what == "rho":
            return rho_log_likelihood(model, self.fit.tables, draws, axis.variable, [value])[0]
        factor = model.factor(axis.variable)
        if not has_pairs(factor):
            return np.zeros(draws.n)  # independent here and there: nothing else is possible
        return group_log_density(factor, draws, [value])[0]

    def _known(self, axis: RhoAxis) -> float | None:
        """The correlation, where it is known."""
        if self.point is not None:
            return self.point[self.grid.axes.index(axis)]
        own = self.fit.model.mechanisms[axis.variable]
        if axis.what == "rho":
            return own.fixed_rho if own.fixed_rho is None else float(own.fixed_rho)
        if own.group_rho is not None:
            return float(own.group_rho)
        factor = self.fit.model.factor(axis.variable)
        joint = any(factor.effect(g).elsewhere for g in common_groupings(factor))
        return None if joint else 0.0

    def _mean(self, axis: RhoAxis) -> float:
        known = self._known(axis)
        if known is not None:
            return known
        factor = self.fit.model.factor(axis.variable)
        own = self.fit.draws.factors[factor.keys[0]]
        if axis.what == "rho":
            return float(own.scales["rho"].mean())
        return float(np.mean([own.correlations[g][:, 0, -1].mean() for g in common_groupings(factor)]))

    def _range(self, axis: RhoAxis, other: Base) -> tuple[float, float, float]:
        """Where rho is on Fisher's scale, given theta of this posterior or of the other, and its sd."""
        z = np.arctanh(np.clip(self.fit.draws.factors[axis.variable].scales["rho"], -0.999999, 0.999999))
        sd = float(z.std()) + 1e-3
        low, high = float(z.min()) - _BEYOND * sd, float(z.max()) + _BEYOND * sd
        if other.point is not None:
            there = float(np.arctanh(other.point[self.grid.axes.index(axis)]))
            low, high = min(low, there - 5.0 * sd), max(high, there + 5.0 * sd)
        return low, high, sd
