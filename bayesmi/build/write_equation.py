"""Linear predictors in the program: the record of each, with all that belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.centring import centrings
from bayesmi.build.distinct import DistinctRows
from bayesmi.build.factor_table import EffectTable, FactorTable
from bayesmi.build.links import LINK_FLOOR, typical_link_sds
from bayesmi.build.regression import regression_of, whitening_beside, write_regression
from bayesmi.build.selection_centring import SelectionCentring
from bayesmi.build.statistics import gaussian_statistics
from bayesmi.build.write_cells import write_slabs
from bayesmi.build.write_effects import write_centring, write_effect, write_shared
from bayesmi.build.write_parameters import write_parameters
from bayesmi.build.write_rows import write_limits, write_order, write_rows
from bayesmi.build.writer import Writer
from bayesmi.kernel import layout as k
from bayesmi.kernel.families import CODES as FAMILY_CODES
from bayesmi.kernel.priors import encode_prior
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan

__all__ = ["number_equations", "write_equation"]


def number_equations(factors: tuple[Factor, ...]) -> dict[str, int]:
    """Return the number of each linear predictor's record; that of a scale follows those of its factor."""
    keys = [key for factor in factors for part in factor.parts for key in part.keys]
    return {key: n for n, key in enumerate(keys)}


def write_equation(
    writer: Writer,
    factor: Factor,
    equation: int,
    table: FactorTable,
    whole: FactorTable,
    distinct: DistinctRows,
    factors: tuple[Factor, ...],
    plan: Plan,
    cells: Mapping[str, tuple[int, list[int]]],
    number: Mapping[str, int],
    effects: int,
    roots: int,
    patterned: bool,
    effect_places: dict[tuple[str, str], int],
    elsewhere: Mapping[str, SelectionCentring],
) -> tuple[list[int], int, int, int]:
    """Return the record of one linear predictor, how far work vectors of effects are used now, and its work."""
    key, priors = factor.keys[equation], factor.priors
    is_first = equation == 0 and not factor.parameter
    record = [-1] * k.F_SIZE
    record[k.F_FAMILY] = FAMILY_CODES.index(factor.family.form) if is_first else -1
    record[k.F_PARTNERS] = len(factor.keys) - 1 if is_first else 0
    if factor.scale is not None:
        record[k.F_SCALE_EQUATION] = number[factor.scale.keys[0]]
    if factor.selection is not None:
        record[k.F_SELECTION_EQUATION] = number[factor.selection.keys[0]]
        record[k.F_SELECTED] = writer.floats(table.known["selected"][distinct.first])
    write_limits(writer, record, factor, table, distinct)
    record[k.F_ROWS] = distinct.n
    record[k.F_COLUMNS] = factor.design.n_columns
    record[k.F_LINKS] = len(factor.links)
    record[k.F_SCALE] = writer.floats([factor.location, factor.spread])
    if priors.intercept is not None:
        record[k.F_INTERCEPT_X] = writer.parameter(f"{key}::intercept", ())
        record[k.F_INTERCEPT_PRIOR] = writer.floats(encode_prior(priors.intercept))
        record[k.F_INTERCEPT_AT_MEANS] = int(priors.intercept_at_means)
    p = factor.n_coefficients
    if not factor.is_observation:
        record[k.F_COEFFICIENTS_X] = writer.parameter(f"{key}::coefficients", (p,)) if p else 0
    record[k.F_CENTERS] = writer.floats(factor.centers)
    record[k.F_COEFFICIENT_PRIORS] = writer.floats([encode_prior(prior) for prior in priors.coefficients])
    aux = write_parameters(writer, factor) if equation == 0 else []
    record[k.F_AUX] = len(aux)
    record[k.F_AUX_N] = sum(one[k.A_N] for one in aux) + (factor.scale is not None)
    record[k.F_AUX_TABLE] = writer.integers([entry for one in aux for entry in one] or [0])
    record[k.F_CONSTANTS] = writer.floats(factor.family.constants)
    record[k.F_CONSTANTS_N] = len(factor.family.constants) if equation == 0 else 0
    if "trials" in table.known:
        record[k.F_TRIALS] = writer.floats(table.known["trials"][distinct.first])
    effect_records = []
    collapsed: EffectTable | None = None
    centring = centrings(factor, whole, plan)  # as posterior draws are read back, of gathered rows too
    regression = regression_of(factor, key, whole, plan, centring)
    record[k.F_WHITENING] = writer.floats(whitening_beside(factor, centring, regression))
    for e, effect in enumerate(table.effects):
        if effect.source:
            place = effect_places[effect.source, effect.grouping]
            effect_records.append(write_shared(writer, effect, distinct.members, place, cells))
            continue
        planned = plan.effect(factor.name, effect.grouping)
        treatment = planned.treatment
        if treatment == "collapse" and not planned.jointly:
            collapsed = effect
            record[k.F_COLLAPSED] = e
        own, effects, roots = write_effect(
            writer, factor, key, effect, distinct.members, treatment, planned.n_centred, cells, effects, roots
        )
        if effect.grouping in centring:
            of_effect = centring[effect.grouping]
            write_centring(writer, own, of_effect, planned.unseen, cells)
            if of_effect.intercept >= 0 and priors.intercept is None:
                (own[k.E_SHIFT_THRESHOLD],) = (
                    one[k.A_X] + one[k.A_ANCHOR] for one in aux if one[k.A_TRANSFORM] == k.TRANSFORM_ORDERED
                )
        if planned.unseen is not None:
            own[k.E_UNSEEN] = writer.integers(planned.unseen)
        own[k.E_ELSEWHERE] = planned.n_effects - factor.effect(effect.grouping).elsewhere
        if effect.grouping in elsewhere:
            own[k.E_ELSEWHERE_SHIFT] = writer.floats(elsewhere[effect.grouping].weights)
            own[k.E_ELSEWHERE_INTERCEPT] = elsewhere[effect.grouping].intercept
        effect_records.append(own)
        # of effects that are integrated out together their root
        effect_places[key, effect.grouping] = own[k.E_L if planned.jointly else k.E_U]
    rest = np.flatnonzero(table.integral_unit < 0)
    is_statistics = (
        factor.family.is_gaussian_identity
        and (table.is_static or patterned)
        and factor.scale is None
        and not factor.links
        and not table.has_limits
        and not table.expanded.size
        and all(effect is collapsed for effect in table.effects)
    )
    record[k.F_MODE] = k.MODE_STATISTICS if is_statistics else k.MODE_ROWS
    record[k.F_PAIRS] = len(table.pair_rows)
    if is_statistics:
        record[k.F_ROWS] = len(rest)
        statistics = gaussian_statistics(factor, table, collapsed, rest if patterned else None)
        record[k.F_GRAM] = writer.floats(statistics.gram)
        width = statistics.gram.shape[0]
        work = width * width
        if collapsed is not None:
            own = effect_records[record[k.F_COLLAPSED]]
            own[k.E_ZX] = writer.floats(statistics.zx.transpose(0, 2, 1))
            q = collapsed.base.shape[1]
            work += collapsed.n_groups * (2 * q * width + 4 * q**3 + 20)
    else:
        work = write_rows(writer, record, factor, key, table, distinct)
    if (table.integral_unit >= 0).any() and not patterned:
        record[k.F_UNITS] = writer.integers(table.integral_unit)
    record[k.F_RESPONSE_CELLS] = len(table.response_positions)
    if len(table.response_positions):
        record[k.F_RESPONSE_VARIABLE] = cells[factor.variable][0]
        record[k.F_RESPONSE_POSITIONS] = writer.integers(table.response_positions)
        record[k.F_RESPONSE_INDEX] = writer.integers(table.response_index)
    write_order(record, table, distinct)
    record[k.F_SLABS] = len(table.slabs)
    record[k.F_SLAB_TABLE] = write_slabs(writer, table.slabs, cells)
    record[k.F_EFFECTS] = len(effect_records)
    record[k.F_EFFECT_TABLE] = writer.integers([entry for own in effect_records for entry in own] or [0])
    record[k.F_LINK_TABLE] = _write_links(
        writer,
        factor,
        table,
        distinct.members,
        factors,
        number,
        () if regression is None else regression.links,
    )
    if regression is not None:
        number_of_effect = [effect.grouping for effect in table.effects].index(regression.grouping)
        own = effect_records[number_of_effect]
        first = record[k.F_INTERCEPT_X] if priors.intercept is not None else own[k.E_SHIFT_THRESHOLD]
        record[k.F_REGRESSION] = write_regression(
            writer, factor, regression, number_of_effect, first, record[k.F_COEFFICIENTS_X]
        )
    return record, effects, roots, work


def _write_links(
    writer: Writer,
    factor: Factor,
    table: FactorTable,
    rows: NDArray[np.intp],
    factors: tuple[Factor, ...],
    number: Mapping[str, int],
    mapped: Collection[int],
) -> int:
    """Write the records of a factor's links, those that are `mapped` by a group-level regression without a scale."""
    links: list[int] = []
    for m, (link, typical) in enumerate(zip(factor.links, typical_link_sds(factor), strict=True)):
        source = next(other for other in factors if other.variable == link.variable)
        groupings = [effect.grouping for effect in source.effects]
        entry = [0] * k.L_SIZE
        entry[k.L_FACTOR] = number[link.key]
        entry[k.L_EFFECT] = groupings.index(link.grouping)
        entry[k.L_POSITION] = link.position
        entry[k.L_CODES] = writer.integers(table.links[link.name][rows])
        entry[k.L_SCALE] = -1 if m in mapped else writer.floats([typical, LINK_FLOOR])
        links += entry
    return writer.integers(links or [0])
