"""What a factor predicts for completed rows under one draw of its parameters, and what a cell is expected to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bayesmi.draw import Conditional, PosteriorDraws
    from bayesmi.likelihood.part import Part
    from bayesmi.model import Factor, Model

__all__ = ["Predictor", "expected_cells", "posterior_mean"]

Floats = NDArray[np.float64]
_GRID = 101  # points for cells whose conditional is not Gaussian


@dataclass(frozen=True)
class Predictor:
    """Linear predictors of a model's factors under one posterior draw, for its own rows or for new ones."""

    model: Model | Part
    draw: PosteriorDraws  # one draw, with all group effects

    def at(self, factor: Factor, values: Mapping[str, Floats]) -> Conditional:
        """Return a factor over the units of its level, given completed columns over rows."""
        from bayesmi.draw import conditional

        units = np.arange(len(self.model.table.rows_of_level(factor.level)))
        return conditional(factor, self.model.table, units, values, self.draw)

    def eta(self, factor: Factor, values: Mapping[str, Floats]) -> Any:
        """Return its linear predictor over these units (a list of them where the family has several)."""
        return self.at(factor, values).eta


def posterior_mean(draws: PosteriorDraws) -> PosteriorDraws:
    """Return the means of all parameters and group effects, as one draw."""
    from bayesmi.draw import FactorDraws, PosteriorDraws

    def mean(array: Floats) -> Floats:
        return np.asarray(array.mean(axis=0, keepdims=True))

    factors = {
        name: FactorDraws(
            None if own.intercept is None else mean(own.intercept),
            mean(own.coefficients),
            {key: mean(value) for key, value in own.scales.items()},
            {key: mean(value) for key, value in own.sds.items()},
            {key: mean(value) for key, value in own.correlations.items()},
            {key: mean(value) for key, value in own.effects.items()},
        )
        for name, own in draws.factors.items()
    }
    return PosteriorDraws(1, 1, factors, {name: mean(cells) for name, cells in draws.cells.items()})


def expected_cells(
    predictor: Predictor,
    variable: str,
    values: Mapping[str, Floats],
    active: Mapping[str, NDArray[np.bool_]],
    observed: Floats | None = None,
) -> Floats:
    """Return E(variable | everything else in its rows, parameters), over the units of its level.

    Parameters
    ----------
    predictor : Predictor
        Model and draw.
    variable : str
        A continuous variable with a factor of its own.
    values : mapping of str to ndarray, shape (n,)
        Completed columns; those of the variable itself are not used.
    active : mapping of str to boolean array
        Per factor, the units whose response says something: observed, or missing with something observed behind it.
    observed : ndarray, optional
        Observed values of the variable, which say where its values lie; by default those of these rows.

    Notes
    -----
    The variable's own factor times every factor that it is a predictor in. Where all are Gaussian and linear in it the
    conditional is Gaussian and its mean exact; elsewhere the mean is that of a grid over the observed range.
    """
    model, table = predictor.model, predictor.model.table
    factor = model.factor(variable)
    own = predictor.at(factor, values)
    children = [
        other for other in model.factors if variable in other.parents and active[other.variable].any()
    ]
    if not children and factor.family.is_gaussian_identity:
        return np.asarray(own.eta)
    seen = table.values[variable] if observed is None else observed
    seen = seen[np.isfinite(seen)]
    low, high = float(seen.min()), float(seen.max())
    reach = float(seen.std()) or 1.0

    def child_at(child: Factor, x: float) -> Conditional:
        return predictor.at(child, {**values, variable: np.full(table.n_rows, x)})

    ends = {child.variable: (child_at(child, low), child_at(child, high)) for child in children}
    straight = {child.variable: _is_affine_in(child, variable) for child in children}
    if factor.family.is_gaussian_identity and all(
        child.family.is_gaussian_identity and straight[child.variable] for child in children
    ):
        variance = own.scales["sigma"] ** 2
        precision, weighted = np.full(len(own.eta), 1 / variance), own.eta / variance
        for child in children:
            first, last = ends[child.variable]
            slope = (last.eta - first.eta) / (high - low)
            rest = _response(model, child, values) - (first.eta - slope * low)
            share = np.where(active[child.variable], 1 / first.scales["sigma"] ** 2, 0.0)
            precision += _to_units(model, factor, child, slope**2 * share)
            weighted += _to_units(model, factor, child, np.where(share > 0, slope * rest * share, 0.0))
        return np.asarray(weighted / precision)
    positive = not factor.family.is_gaussian_identity and low > 0  # families on the positive half-line
    start = low / 2 if positive else low - 3 * reach
    grid = np.linspace(start, high + 3 * reach, _GRID)
    n_units = len(table.rows_of_level(factor.level))
    log_weight = np.empty((_GRID, n_units))
    for k, x in enumerate(grid):
        log_weight[k] = own.log_density(np.full(n_units, x))
        for child in children:
            if straight[child.variable]:
                there = _between(*ends[child.variable], (x - low) / (high - low))
            else:
                there = child_at(child, x)
            terms = there.log_density(_response(model, child, values))
            log_weight[k] += _to_units(model, factor, child, np.where(active[child.variable], terms, 0.0))
    weight = np.exp(log_weight - log_weight.max(axis=0))
    return np.asarray((weight * grid[:, None]).sum(axis=0) / weight.sum(axis=0))


def _is_affine_in(factor: Factor, variable: str) -> bool:
    """Whether a variable enters a factor's predictor linearly wherever it does."""
    return variable not in factor.scale_parents and all(
        design.is_affine_in({variable}) for design in factor.designs
    )


def _between(first: Conditional, last: Conditional, share: float) -> Conditional:
    """Return the conditional on the straight line from one to the other."""
    if first.factor.family.has_equations:
        eta: Any = [a + (b - a) * share for a, b in zip(first.eta, last.eta, strict=True)]
    else:
        eta = first.eta + (last.eta - first.eta) * share
    return replace(first, eta=eta)


def _response(model: Model | Part, factor: Factor, values: Mapping[str, Floats]) -> Floats:
    """Return a factor's response as its family counts it, over the units of its level; a missing one counts as 0."""
    codes = factor.codes(values[factor.variable][model.table.rows_of_level(factor.level)])
    return np.where(np.isfinite(codes), codes, 0.0)


def _to_units(model: Model | Part, factor: Factor, child: Factor, terms: Floats) -> Floats:
    """Add up a child's terms within the units of the variable's level."""
    if factor.level == child.level:
        return terms
    codes = model.table.codes_at(factor.level, child.level)
    n_units = len(model.table.rows_of_level(factor.level))
    return np.bincount(codes, weights=terms, minlength=n_units)
