"""What a factor predicts for completed rows under one draw of its parameters, and what a cell is expected to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bayesmi.draw import PosteriorDraws
    from bayesmi.model import Factor, Model

__all__ = ["Predictor", "expected_cells", "posterior_mean"]

Floats = NDArray[np.float64]
_GRID = 101  # points for cells whose conditional is not Gaussian
_AFFINE = 1e-8


@dataclass(frozen=True)
class Predictor:
    """Linear predictors of a model's factors under one posterior draw."""

    model: Model
    draw: PosteriorDraws  # one draw, with all group effects

    def eta(self, factor: Factor, values: Mapping[str, Floats]) -> Floats:
        """Return the linear predictor over the units of the factor's level, given completed columns over rows."""
        table = self.model.table
        rows = table.rows_of_level(factor.level)
        at = {name: column[rows] for name, column in values.items()}
        own = self.draw.factors[factor.variable]
        n_design = factor.design.n_columns
        eta = np.zeros(len(rows)) if own.intercept is None else np.full(len(rows), float(own.intercept[0]))
        if n_design:
            eta = eta + factor.matrix(at, len(rows)) @ own.coefficients[0, :n_design]
        if factor.offsets.n_columns:
            eta = eta + np.asarray(factor.offsets.matrix(at)).sum(axis=1)
        for j, link in enumerate(factor.links):
            effect = self.draw.factors[link.variable].effects[link.grouping][0, :, link.position]
            eta = (
                eta + own.coefficients[0, n_design + j] * effect[table.codes_at(link.grouping, factor.level)]
            )
        for group in factor.effects:
            u = own.effects[group.grouping][0][table.codes_at(group.grouping, factor.level)]
            eta = eta + (group.matrix(at, len(rows)) * u).sum(axis=1)
        return np.asarray(eta)

    def scales(self, factor: Factor) -> dict[str, Any]:
        """Return the scale parameters: numbers, or vectors such as thresholds."""
        table = self.model.table
        own = {name: value[0] for name, value in self.draw.factors[factor.variable].scales.items()}
        rows = table.rows_of_level(factor.level)
        return own | factor.known(lambda name: table.at(name, factor.level), len(rows))

    def has_one_predictor(self, factor: Factor) -> bool:
        """Whether the factor has one linear predictor (a nominal one has several)."""
        return bool(self.draw.factors[factor.variable].coefficients.ndim == 2)


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
    predictor: Predictor, variable: str, values: Mapping[str, Floats], active: Mapping[str, NDArray[np.bool_]]
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

    Notes
    -----
    The variable's own factor times every factor that it is a predictor in. Where all are Gaussian and linear in it the
    conditional is Gaussian and its mean exact; elsewhere the mean is that of a grid over the observed range. What nominal
    variables say of a cell is left out.
    """
    model, table = predictor.model, predictor.model.table
    factor = model.factor(variable)
    own_eta = predictor.eta(factor, values)
    children = [
        other for other in model.factors if variable in other.parents and active[other.variable].any()
    ]
    if not children and factor.family.name == "gaussian":
        return own_eta
    seen = table.values[variable][np.isfinite(table.values[variable])]
    low, high = float(seen.min()), float(seen.max())
    reach = float(seen.std()) or 1.0
    points = np.array([low, 0.5 * (low + high), high])
    etas = {
        child.variable: [predictor.eta(child, {**values, variable: np.full(table.n_rows, x)}) for x in points]
        for child in children
    }
    straight = {name: _is_affine(three) for name, three in etas.items()}
    gaussian = factor.family.name == "gaussian" and all(
        child.family.name == "gaussian" and straight[child.variable] for child in children
    )
    if gaussian:
        variance = predictor.scales(factor)["sigma"] ** 2
        precision, weighted = np.full(len(own_eta), 1 / variance), own_eta / variance
        for child in children:
            first, _, last = etas[child.variable]
            slope = (last - first) / (high - low)
            rest = _response(model, child, values) - (first - slope * low)
            share = np.where(active[child.variable], 1 / predictor.scales(child)["sigma"] ** 2, 0.0)
            precision += _to_units(model, factor, child, slope**2 * share)
            weighted += _to_units(model, factor, child, np.where(share > 0, slope * rest * share, 0.0))
        return np.asarray(weighted / precision)
    positive = factor.family.name != "gaussian" and low > 0  # families on the positive half-line
    start = low / 2 if positive else low - 3 * reach
    grid = np.linspace(start, high + 3 * reach, _GRID)
    log_weight = np.empty((_GRID, len(own_eta)))
    for k, x in enumerate(grid):
        log_weight[k] = factor.family.log_density(
            np, np.full(len(own_eta), x), own_eta, predictor.scales(factor)
        )
        for child in children:
            first, _, last = etas[child.variable]
            eta = (
                first + (last - first) * ((x - low) / (high - low))
                if straight[child.variable]
                else predictor.eta(child, {**values, variable: np.full(table.n_rows, x)})
            )
            terms = child.family.log_density(
                np, _response(model, child, values), eta, predictor.scales(child)
            )
            log_weight[k] += _to_units(model, factor, child, np.where(active[child.variable], terms, 0.0))
    weight = np.exp(log_weight - log_weight.max(axis=0))
    return np.asarray((weight * grid[:, None]).sum(axis=0) / weight.sum(axis=0))


def _is_affine(three: list[Floats]) -> bool:
    """Whether the middle of three equally spaced values is their mean."""
    first, middle, last = three
    size = np.abs([first, last]).max() + 1e-300
    return bool(np.abs(middle - 0.5 * (first + last)).max() <= _AFFINE * size)


def _response(model: Model, factor: Factor, values: Mapping[str, Floats]) -> Floats:
    """Return a factor's response as its family counts it, over the units of its level."""
    table = model.table
    y = values[factor.variable][table.rows_of_level(factor.level)]
    if factor.family.name == "bernoulli":
        return np.asarray((y == table.levels_of(factor.variable)[1]).astype(float))
    return y


def _to_units(model: Model, factor: Factor, child: Factor, terms: Floats) -> Floats:
    """Add up a child's terms within the units of the variable's level."""
    if factor.level == child.level:
        return terms
    codes = model.table.codes_at(factor.level, child.level)
    n_units = len(model.table.rows_of_level(factor.level))
    return np.bincount(codes, weights=terms, minlength=n_units)
