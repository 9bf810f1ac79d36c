"""Joint log likelihoods, log prior and densities of effects add up to the sampled density, for every shape of model.

The sampled density has some group effects integrated out and some missing cells at sampled values; the likelihood has it
the other way round. With u the effects that were integrated out and s the sampled cells

    log p(theta, u', s | data) = log prior(theta) + log f(u, u') + log f(data | theta, u, u')
                                 + log f(s | data, theta, u, u') - log f(u | data, s, theta, u'),

for any u. Both conditionals are Gaussian (s: in all shapes but those with a logit child, compared by quadrature).
"""

from dataclasses import replace

import numpy as np
import pytest
from kernel_cases import every_shape, make_case
from prior_density import log_prior
from scipy import stats

from bayesmi.build.statistics import group_cross
from bayesmi.draw.predictor import linear_predictor, responses
from bayesmi.errors import NotSupportedError
from bayesmi.fit.constrain import constrained, posterior_draws
from bayesmi.likelihood.densities import densities, sum_combinations
from bayesmi.likelihood.integral import Nodes
from bayesmi.likelihood.latents import find_latents
from bayesmi.likelihood.part import joint_part
from bayesmi.likelihood.units import _terms, unit_log_likelihood


def whole_draw(case, x, rng):
    """A draw with arbitrary values for the effects that the sampled density has integrated out."""
    draws = posterior_draws(case.built, constrained(case.built.program, x[None]), 1, 1)
    for e in case.built.plan.effects:
        if e.treatment == "collapse":
            u = rng.normal(size=(1, e.n_groups, e.n_effects))
            draws = draws.with_effects(e.variable, e.grouping, u)
    return draws


def log_conditional_of_collapsed(case, x, draws):
    """log f(u | data, s, theta, u') of the effects that the sampled density has integrated out."""
    total = log_conditional_of_joint(case, x, draws)
    for e in case.built.plan.effects:
        if e.treatment != "collapse" or e.jointly:
            continue
        factor = case.model.factor(e.variable)
        table = case.built.tables.factors[e.variable]
        effect = table.effect(e.grouping)
        own = draws.factors[e.variable]
        residual = (
            responses(table, draws) - linear_predictor(factor, table, draws, without=e.grouping)
        ).reshape(-1)
        covariance = own.root(e.grouping)[0] @ own.root(e.grouping)[0].T
        weight = own.scales["sigma"][0] ** -2.0
        precision = np.linalg.inv(covariance) + weight * group_cross(effect)
        for g in range(e.n_groups):
            rows = effect.codes == g
            score = weight * effect.base[rows].T @ residual[rows]
            conditional = stats.multivariate_normal(
                np.linalg.solve(precision[g], score), np.linalg.inv(precision[g])
            )
            total += conditional.logpdf(own.effects[e.grouping][0, g])
    return total


def log_conditional_of_joint(case, x, draws):
    """The same of effects that are integrated out together with cells: from the Gaussian block of the plain model."""
    if not any(e.jointly for e in case.built.plan.effects):
        return 0.0
    mean, precision, _ = case.conditional(case.natural(x)[0])
    covariance = np.linalg.inv(precision)
    values, places, first = [], [], 0
    for e in case.built.plan.effects:
        if e.treatment != "collapse":
            continue
        for start, stop in case.model.factor(e.variable).effect(e.grouping).blocks:
            own = draws.factors[e.variable].effects[e.grouping][0, :, start:stop].ravel()
            if e.jointly:
                values.append(own)
                places.append(first + np.arange(len(own)))
            first += len(own)
    at = np.concatenate(places)
    return stats.multivariate_normal(mean[at], covariance[np.ix_(at, at)]).logpdf(np.concatenate(values))


def log_joint_at_cells(part, draws):
    """log f(data, s | theta, effects): the likelihood with the sampled cells at their values."""
    terms = sum_combinations(part, densities(part, draws))
    return float(terms.rows.sum() + sum(own.sum() for own in terms.groups.values()))


def unit_of(case):
    """Rows, or the grouping that holds everything that rows share."""
    part = joint_part(case.model, case.built.plan, case.built.tables)
    levels = {part.level_of_cells(name) for name in part.tables.n_cells} | set(part.group_levels)
    levels |= {case.built.tables.expansion.group_level} - {""}
    levels -= {"row"}
    return max(levels, key=lambda g: -len(case.model.table.groupings[g].labels), default="row")


@pytest.mark.xdist_group("kernel_open_means_of_two")
def test_means_of_completed_data_in_crossed_groups_have_no_units():
    case = make_case("open_means_of_two")
    part = joint_part(case.model, case.built.plan, case.built.tables)
    draws = whole_draw(case, case.point(0), np.random.default_rng(3))
    with pytest.raises(NotSupportedError, match="of which neither lie in the other"):
        unit_log_likelihood(part, draws, "a")


@pytest.mark.parametrize("name", [one for one in every_shape() if one.values[0] != "open_means_of_two"])
def test_adds_up_to_the_sampled_density(name):
    case = make_case(name)
    part = joint_part(case.model, case.built.plan, case.built.tables)
    rng = np.random.default_rng(3)
    for seed in range(2):
        x = case.point(seed)
        _, jacobian = case.natural(x)
        sampled = case.built.log_density(x)[0] - jacobian
        draws = whole_draw(case, x, rng)
        # the sampled density, from the likelihood with cells at their values
        at_cells = log_prior(case.model, draws) + log_joint_at_cells(part, draws)
        assert at_cells - log_conditional_of_collapsed(case, x, draws) == pytest.approx(sampled, rel=1e-8)
        # and by unit, cells integrated out: what is left is their conditional density
        found = unit_log_likelihood(part, draws, unit_of(case))
        summed = float(found.values.sum())
        conditional = log_joint_at_cells(part, draws) - summed
        assert conditional == pytest.approx(
            log_density_of_cells(part, draws), rel=1e-8, abs=1e-7 if not found.quadrature else 1e-5
        )


def log_density_of_cells(part, draws):
    """log f(s | data, theta, effects) by a fine grid over the sampled cells of each unit, with those of inner levels (which
    the unit's likelihood integrates out already) gone.
    """
    total = 0.0
    levels = sorted(
        {part.level_of_cells(name) for name in part.tables.n_cells},
        key=lambda level: -len(part.table.rows_of_level(level)),
    )
    inner = []
    for level in levels:
        names = [f.variable for f in part.sampled_at(level)]
        units = {name: part.places_of_cells(name)[0] for name in names}
        for unit in sorted(set(np.concatenate(list(units.values())))):
            mine = [(n, int(place)) for n in names for place in np.flatnonzero(units[n] == unit)]
            total += log_share(part, draws, mine, inner)
        inner.append(find_latents(part, level, ()))
    return total


def log_share(part, draws, cells, inner):
    """log of the density at the cells' values over its integral, by a grid."""
    n = {1: 2001, 2: 201, 3: 61}[len(cells)]
    axes = [window(part, draws, name, place, n, inner) for name, place in cells]
    mesh = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)
    values = all_of(part, moved_to(draws, cells, mesh), inner)
    step = np.prod([a[1] - a[0] for a in axes])
    top = values.max()
    return all_of(part, draws, inner)[0] - (top + np.log(np.exp(values - top).sum() * step))


def window(part, draws, name, place, n, inner):
    """Where a cell's conditional has its mass, other cells at their values."""
    factor = part.factor(name)
    wide = factor.location + factor.spread * np.linspace(-30, 30, 3001)
    values = all_of(part, moved_to(draws, [(name, place)], wide[:, None]), inner)
    mass = np.exp(values - values.max())
    mass /= mass.sum()
    mean, sd = (mass * wide).sum(), np.sqrt((mass * wide**2).sum() - (mass * wide).sum() ** 2)
    return mean + sd * np.linspace(-1, 1, n) * (9.0 if n > 1000 else 14.0)


def moved_to(draws, cells, values):
    many = draws.take(np.zeros(len(values), dtype=np.intp))
    moved = dict(many.cells)
    for j, (name, place) in enumerate(cells):
        moved[name] = moved[name].copy()
        moved[name][:, place] = values[:, j]
    return replace(many, cells=moved)


def all_of(part, draws, inner):
    terms = _terms(part, draws, inner, Nodes(), [])
    return terms.rows.sum(axis=1) + sum(own.sum(axis=1) for own in terms.groups.values())
