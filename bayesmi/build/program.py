"""The model as a program for the kernel: parameters get their places, tables become numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.centring import centrings
from bayesmi.build.correlation import beta_shapes, pairs
from bayesmi.build.distinct import DistinctRows, distinct_rows, every_row, with_classes
from bayesmi.build.gathered import gather
from bayesmi.build.integrals import Integrals
from bayesmi.build.joint_system import joint_systems
from bayesmi.build.links import LINK_FLOOR, typical_link_sds
from bayesmi.build.patterns import find_patterns, has_patterns
from bayesmi.build.regression import regression_of, whitening_beside, write_regression
from bayesmi.build.selection_centring import SelectionCentring, selection_centring
from bayesmi.build.statistics import gaussian_statistics, group_cross
from bayesmi.build.tables import EffectTable, FactorTable, Slab, Tables
from bayesmi.build.write_patterns import write_patterns
from bayesmi.build.writer import Parameter, Program, Writer
from bayesmi.families.interval import kernel_ends
from bayesmi.families.ordinal import anchor_of
from bayesmi.families.selected import prior_of_half
from bayesmi.kernel import layout as k
from bayesmi.kernel.families import CODES as FAMILY_CODES
from bayesmi.kernel.families import GAUSSIAN
from bayesmi.kernel.priors import encode_prior
from bayesmi.model.factor import Factor
from bayesmi.model.limited import ARRIVAL, INTERVAL
from bayesmi.plan import Plan
from bayesmi.priors import Prior

__all__ = ["Parameter", "Program", "kernel_response", "number_equations", "write_program"]

_TURN = 0.2  # of the prior's scale: where the transform of a group sd turns from exponential to linear
_TRANSFORMS = {
    "log": k.TRANSFORM_LOG,
    "ordered": k.TRANSFORM_ORDERED,
    "identity": k.TRANSFORM_IDENTITY,
    "logit": k.TRANSFORM_LOGIT,
    "correlation": k.TRANSFORM_LOGIT,  # of (correlation + 1) / 2
}


def write_program(factors: tuple[Factor, ...], plan: Plan, tables: Tables) -> Program:
    """Write the program of a joint model."""
    writer = Writer()
    writer.integers(np.zeros(k.GLOBAL_SIZE))
    cells = _write_cells(writer, factors, tables)
    number = number_equations(factors)
    rows = classes = effects = roots = work = 0
    effect_places: dict[tuple[str, str], int] = {}
    patterned = has_patterns(factors, tables) and not plan.joint
    left, pattern_blocks = (
        (tables, find_patterns(factors, tables, plan)) if patterned else gather(factors, tables, plan)
    )
    records: list[int] = []
    for factor in factors:
        whole = left.factors[factor.variable]
        planned = [plan.effect(factor.variable, effect.grouping) for effect in factor.effects]
        collapsed = any(own.treatment == "collapse" and not own.jointly for own in planned)
        elsewhere = selection_centring(factor, tables, plan)
        of_factor = every_row(whole) if collapsed else distinct_rows(whole)
        for part in factor.parts:
            table = left.of(part)
            distinct = of_factor if part is factor else with_classes(table, of_factor)
            for equation in range(len(part.keys)):
                record, effects, roots, added = _write_equation(
                    writer,
                    part,
                    equation,
                    table,
                    tables.of(part),
                    distinct,
                    factors,
                    plan,
                    cells,
                    number,
                    effects,
                    roots,
                    patterned,
                    effect_places,
                    elsewhere if part is factor else {},
                )
                if part is factor.selection:
                    record[k.F_OUTCOME] = number[factor.keys[0]]
                record[k.F_ROW_START], record[k.F_CLASS_START] = rows, classes
                if record[k.F_MODE] == k.MODE_ROWS:
                    rows += record[k.F_ROWS]
                    classes += record[k.F_CLASSES] if record[k.F_CLASS_CODES] >= 0 else 0
                records.append(writer.integers(record))
                work += added
    table_place = writer.integers(records)
    blocks = writer.integers(
        [
            entry
            for block in tables.expansion.blocks
            for entry in (block.start, block.n_units, block.n_combinations, writer.integers(block.parents))
        ]
        or [0]
    )
    base, constant = _constants(factors, tables)
    head = [0] * k.GLOBAL_SIZE
    head[k.G_DIMENSIONS] = sum(parameter.size for parameter in writer.parameters)
    head[k.G_FACTORS] = len(records)
    head[k.G_BASE] = writer.floats(base)
    head[k.G_CONSTANT] = writer.floats([constant])
    head[k.G_FACTOR_TABLE] = table_place
    head[k.G_EXPANDED] = tables.expansion.n
    head[k.G_BLOCKS] = len(tables.expansion.blocks)
    head[k.G_BLOCK_TABLE] = blocks
    head[k.G_CELLS] = len(cells)
    head[k.G_CELL_TABLE] = writer.integers([entry for record in cells.values() for entry in record[1]] or [0])
    head[k.G_ROWS] = rows
    _write_integrals(writer, head, factors, left, effect_places, patterned)
    systems = joint_systems(factors, plan)
    write_patterns(writer, head, factors, pattern_blocks, systems, number, effect_places)
    return writer.finish(head, work)


def number_equations(factors: tuple[Factor, ...]) -> dict[str, int]:
    """Return the number of each linear predictor's record; that of a scale follows those of its factor."""
    keys = [key for factor in factors for part in factor.parts for key in part.keys]
    return {key: n for n, key in enumerate(keys)}


def _constants(factors: tuple[Factor, ...], tables: Tables) -> tuple[NDArray[np.float64], float]:
    """Log weight of each entry of the expansion, and the sum over plain rows, of what depends on the data only."""
    base = tables.expansion.log_weights.copy()
    total = 0.0
    for factor in factors:
        table = tables.factors[factor.variable]
        total += float(table.constant[: table.n_plain].sum())
        np.add.at(base, table.pair_entries, table.constant[table.pair_rows])
    integrals = tables.integrals
    if integrals.log_jacobian.any():
        inside = integrals.expanded >= 0
        np.add.at(base, integrals.expanded[inside], integrals.log_jacobian[inside])
        total += float(integrals.log_jacobian[~inside].sum())
    return base, total


def _write_integrals(
    writer: Writer,
    head: list[int],
    factors: tuple[Factor, ...],
    tables: Tables,
    effect_places: Mapping[tuple[str, str], int],
    patterned: bool,
) -> None:
    """Units of the integrals, the factor rows in them, and how each cell enters each of these."""
    integrals = tables.integrals
    if patterned:
        head[k.G_UNIT_SIZES] = head[k.G_UNIT_EXPANDED] = head[k.G_UNIT_MEMBERS] = head[k.G_MEMBERS] = (
            writer.integers([0])
        )
        head[k.G_UNIT_LIMITED] = head[k.G_UNIT_SIZES]
        return
    most = integrals.most
    nothing, minus_one = writer.floats([0.0]), writer.floats([-1.0])
    head[k.G_UNITS] = integrals.n
    head[k.G_UNIT_MOST] = most
    head[k.G_UNIT_SIZES] = writer.integers(integrals.sizes)
    head[k.G_UNIT_EXPANDED] = writer.integers(integrals.expanded)
    head[k.G_UNIT_LIMITED] = writer.integers(integrals.limited)
    head[k.G_UNIT_ENDS] = writer.floats(integrals.ends)
    units: list[NDArray[np.intp]] = []
    members: list[NDArray[np.intp]] = []
    blocks: list[NDArray[np.int64]] = []
    number_of = number_equations(factors)
    for factor in factors:
        n = number_of[factor.keys[0]]
        table = tables.factors[factor.variable]
        positions = np.flatnonzero(table.integral_unit >= 0)
        if not positions.size:
            continue
        entries = np.zeros((len(positions), most, k.ENTRY_SIZE), dtype=np.int64)
        number = np.full(table.n_rows, -1, dtype=np.intp)
        number[positions] = np.arange(len(positions))
        entries[:, :, k.ENTRY_CONSTANT] = nothing
        own = table.integrated_response
        if own.size:
            entries[number[own], integrals.place[factor.variable][table.units[own]], k.ENTRY_CONSTANT] = (
                minus_one
            )
        own = table.solved_response
        if own.size:
            constants, width = writer.floats(-table.response_slopes), table.response_slopes.shape[1]
            # units with more cells may have been gathered: the slopes are as wide as they were with them
            first = constants + width * np.arange(len(own))
            entries[number[own], :, k.ENTRY_CONSTANT] = first[:, None] + np.arange(most)
        for slab in table.integrated:
            rows = number[slab.positions]
            places = integrals.place[slab.variable][table.units[slab.positions]]
            weights = writer.floats(slab.slab)
            entries[rows, places, 0] = len(slab.columns)
            entries[rows, places, k.ENTRY_COLUMNS] = writer.integers(slab.columns)
            entries[rows, places, k.ENTRY_WEIGHTS] = weights + len(slab.columns) * np.arange(len(rows))
        _write_slopes(writer, entries, number, factor, table, integrals, effect_places)
        units.append(table.integral_unit[positions])
        members.append(np.column_stack([np.full(len(positions), n), positions]))
        blocks.append(entries)
    if not units:
        head[k.G_UNIT_MEMBERS] = head[k.G_MEMBERS] = writer.integers([0])
        return
    all_units = np.concatenate(units)
    order = np.argsort(all_units, kind="stable")
    start = writer.integers(np.concatenate(blocks)[order])
    head[k.G_UNIT_MEMBERS] = writer.integers(np.searchsorted(all_units[order], np.arange(integrals.n + 1)))
    entries_at = start + np.arange(len(order)) * most * k.ENTRY_SIZE
    head[k.G_MEMBERS] = writer.integers(np.column_stack([np.concatenate(members)[order], entries_at]))


def _write_slopes(
    writer: Writer,
    entries: NDArray[np.int64],
    number: NDArray[np.intp],
    factor: Factor,
    table: FactorTable,
    integrals: Integrals,
    effect_places: Mapping[tuple[str, str], int],
) -> None:
    """Write how integrated cells enter a factor through group effects: slopes that vary."""
    parts: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]] = []
    for effect in table.effects:
        q = effect.base.shape[1]
        for slab in effect.integrated:
            place = integrals.place[slab.variable][table.units[slab.positions]]
            at = effect_places[factor.keys[0], effect.grouping] + effect.codes[slab.positions] * q
            for c, column in enumerate(slab.columns):
                parts.append((number[slab.positions] * integrals.most + place, at + column, slab.slab[:, c]))
    if not parts:
        return
    entry, where, weights = (np.concatenate([part[j] for part in parts]) for j in range(3))
    order = np.argsort(entry, kind="stable")
    own, first, counts = np.unique(entry[order], return_index=True, return_counts=True)
    flat = entries.reshape(-1, k.ENTRY_SIZE)
    flat[own, k.ENTRY_EFFECTS] = counts
    flat[own, k.ENTRY_PLACES] = writer.integers(where[order]) + first
    flat[own, k.ENTRY_SLOPES] = writer.floats(weights[order]) + first


def _write_cells(
    writer: Writer, factors: tuple[Factor, ...], tables: Tables
) -> dict[str, tuple[int, list[int]]]:
    """Write the records of sampled cells: variable -> (number, record)."""
    cells: dict[str, tuple[int, list[int]]] = {}
    for factor in factors:
        n = tables.n_cells.get(factor.variable, 0)
        if n:
            record = [0] * k.C_SIZE
            record[k.C_X] = writer.parameter(f"cell::{factor.variable}", (n,))
            record[k.C_N] = n
            record[k.C_F] = writer.floats([factor.location, factor.spread])
            cells[factor.variable] = (len(cells), record)
    return cells


def _write_equation(
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
    _write_limits(writer, record, factor, table, distinct)
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
    aux = _write_parameters(writer, factor) if equation == 0 else []
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
            effect_records.append(_write_shared(writer, effect, distinct.members, place, cells))
            continue
        planned = plan.effect(factor.name, effect.grouping)
        treatment = planned.treatment
        if treatment == "collapse" and not planned.jointly:
            collapsed = effect
            record[k.F_COLLAPSED] = e
        own, effects, roots = _write_effect(
            writer, factor, key, effect, distinct.members, treatment, planned.n_centred, cells, effects, roots
        )
        if effect.grouping in centring:
            own[k.E_SHIFT] = writer.floats(centring[effect.grouping].weights)
            own[k.E_SHIFT_INTERCEPT] = centring[effect.grouping].intercept
            if centring[effect.grouping].intercept >= 0 and priors.intercept is None:
                (own[k.E_SHIFT_THRESHOLD],) = (
                    one[k.A_X] + one[k.A_ANCHOR] for one in aux if one[k.A_TRANSFORM] == k.TRANSFORM_ORDERED
                )
            absorbed = centring[effect.grouping].links
            own[k.E_LINKS] = len(absorbed)
            own[k.E_LINK_TABLE] = writer.integers(absorbed or [0])
            unseen = planned.unseen
            moved = [
                one for one in centring[effect.grouping].cells if unseen is None or not unseen[one.group]
            ]
            own[k.E_CELLS] = len(moved)
            own[k.E_CELL_WEIGHTS] = writer.floats([one.weight for one in moved])
            own[k.E_CELL_TABLE] = writer.integers(
                [(one.group, one.effect, one.column, cells[one.variable][0], one.index) for one in moved]
                or [0]
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
        work = _write_rows(writer, record, factor, key, table, distinct)
    if (table.integral_unit >= 0).any() and not patterned:
        record[k.F_UNITS] = writer.integers(table.integral_unit)
    record[k.F_RESPONSE_CELLS] = len(table.response_positions)
    if len(table.response_positions):
        record[k.F_RESPONSE_VARIABLE] = cells[factor.variable][0]
        record[k.F_RESPONSE_POSITIONS] = writer.integers(table.response_positions)
        record[k.F_RESPONSE_INDEX] = writer.integers(table.response_index)
    _write_order(record, table, distinct)
    record[k.F_SLABS] = len(table.slabs)
    record[k.F_SLAB_TABLE] = _write_slabs(writer, table.slabs, cells)
    record[k.F_EFFECTS] = len(effect_records)
    record[k.F_EFFECT_TABLE] = writer.integers([entry for own in effect_records for entry in own] or [0])
    links: list[int] = []
    for link, typical in zip(factor.links, typical_link_sds(factor), strict=True):
        source = next(other for other in factors if other.variable == link.variable)
        groupings = [effect.grouping for effect in source.effects]
        entry = [0] * k.L_SIZE
        entry[k.L_FACTOR] = number[link.key]
        entry[k.L_EFFECT] = groupings.index(link.grouping)
        entry[k.L_POSITION] = link.position
        entry[k.L_CODES] = writer.integers(table.links[link.name][distinct.members])
        mapped = regression is not None and len(links) // k.L_SIZE in regression.links
        entry[k.L_SCALE] = -1 if mapped else writer.floats([typical, LINK_FLOOR])
        links += entry
    record[k.F_LINK_TABLE] = writer.integers(links or [0])
    if regression is not None:
        number_of_effect = [effect.grouping for effect in table.effects].index(regression.grouping)
        own = effect_records[number_of_effect]
        first = record[k.F_INTERCEPT_X] if priors.intercept is not None else own[k.E_SHIFT_THRESHOLD]
        record[k.F_REGRESSION] = write_regression(
            writer, factor, regression, number_of_effect, first, record[k.F_COEFFICIENTS_X]
        )
    return record, effects, roots, work


def _write_rows(
    writer: Writer, record: list[int], factor: Factor, key: str, table: FactorTable, distinct: DistinctRows
) -> int:
    """Write a factor's rows, and the design by their classes; returns the work."""
    members, columns = distinct.members, table.base.shape[1]
    record[k.F_CLASSES] = len(members)
    design = table.base[members]
    record[k.F_OWN] = len(distinct.own)
    if distinct.classes is not None:
        record[k.F_CLASS_CODES] = writer.integers(distinct.classes)
        record[k.F_OWN_COLUMNS] = writer.integers(distinct.own)
        record[k.F_OWN_DESIGN] = writer.floats(table.base[np.ix_(distinct.first, distinct.own)].T)
        design[:, distinct.own] = 0.0
    record[k.F_DESIGN] = writer.floats(design)
    offset = table.offset[members]
    if key in table.shifts:
        offset = offset + table.shifts[key][members]
    record[k.F_OFFSET] = writer.floats(offset)
    record[k.F_RESPONSE] = writer.floats(kernel_response(factor, table)[distinct.first])
    if table.pair_rows.size or (distinct.counts != 1.0).any():
        record[k.F_COUNTS] = writer.floats(distinct.counts)
    record[k.F_PAIR_ENTRIES] = writer.integers(table.pair_entries)
    record[k.F_PAIR_ROWS] = writer.integers(distinct.row_of[table.pair_rows])
    each = 2 * len(distinct.own) + 20
    return distinct.n * each + 2 * len(members) * columns + 2 * len(table.pair_rows)


def _write_order(record: list[int], table: FactorTable, distinct: DistinctRows) -> None:
    """Say where a Gaussian factor's plain rows come first and its others stand for one entry each, in order."""
    special = (k.F_SCALE_EQUATION, k.F_SELECTION_EQUATION, k.F_COLLAPSED)
    if (
        record[k.F_MODE] != k.MODE_ROWS
        or record[k.F_FAMILY] != GAUSSIAN
        or any(record[one] >= 0 for one in special)
        or record[k.F_INTERVALS]
        or len(table.response_positions)
        or (table.integral_unit >= 0).any()
    ):
        return
    rows, entries = distinct.row_of[table.pair_rows], table.pair_entries
    plain = distinct.n - len(rows)
    in_order = plain >= 0 and (
        np.array_equal(rows, np.arange(plain, distinct.n))
        and np.array_equal(entries, np.arange(len(entries)) + (entries[0] if len(entries) else 0))
        and not distinct.counts[plain:].any()
    )
    if in_order:
        record[k.F_PLAIN] = plain
        record[k.F_PLAIN_TOTAL] = round(float(distinct.counts[:plain].sum()))
        record[k.F_FIRST_ENTRY] = int(entries[0]) if len(entries) else 0


def _write_limits(
    writer: Writer, record: list[int], factor: Factor, table: FactorTable, distinct: DistinctRows
) -> None:
    """Write the rows whose density is, or is divided by, the probability of an interval."""
    rows, ends = [np.zeros((0, 2), dtype=np.int64)], [np.zeros((0, 2))]
    for which, divides in ((INTERVAL, 0), (ARRIVAL, 1)):
        if which[0] not in table.known:
            continue
        lower, upper = (table.known[key][distinct.first] for key in which)
        on = np.flatnonzero((lower <= upper) & (np.isfinite(lower) | np.isfinite(upper)))
        rows.append(np.column_stack([on, np.full(len(on), divides)]))
        ends.append(np.column_stack(kernel_ends(factor.family, lower[on], upper[on])))
    record[k.F_INTERVALS] = sum(len(part) for part in rows)
    record[k.F_INTERVAL_ROWS] = writer.integers(np.concatenate(rows))
    record[k.F_INTERVAL_ENDS] = writer.floats(np.concatenate(ends))


def kernel_response(factor: Factor, table: FactorTable) -> NDArray[np.float64]:
    """Response as the kernel wants it, 0 where latent."""
    response = table.response.copy()
    known = np.ones(table.n_rows, dtype=bool)
    known[table.response_positions] = False
    known[table.integrated_response] = False
    if "selected" in table.known:
        known &= table.known["selected"] != k.NOT_SELECTED
    if "lower" in table.known:
        known &= table.known["lower"] > table.known["upper"]
    response[known] = factor.family.to_kernel(response[known])
    return response


def _write_parameters(writer: Writer, factor: Factor) -> list[list[int]]:
    """Write the records of the family's parameters."""
    records = []
    first = 0 if factor.scale is None else 1  # the place of a parameter that has a model is filled row by row
    for parameter in factor.parameters:
        start = np.asarray(factor.starts[parameter.name], dtype=float)
        prior = factor.priors.scales[parameter.name]
        locations, initial, anchor = np.zeros(len(start)), 0.0, 0
        if parameter.transform == "log":
            initial = float(np.log(start[0])) if prior.name not in ("Flat", "HalfFlat") else 0.0
        elif parameter.transform == "logit":
            initial = float(np.log(start[0]) - np.log1p(-start[0]))
        elif parameter.transform == "correlation":
            initial = 2.0 * float(np.arctanh(start[0]))
            prior = prior_of_half(prior)
        elif parameter.transform == "ordered":
            anchor = anchor_of(start)
            locations = np.concatenate(
                [np.diff(start[: anchor + 1]), start[[anchor]], np.diff(start[anchor:])]
            )
        else:
            locations = start
        record = [0] * k.A_SIZE
        record[k.A_X] = writer.parameter(
            f"{factor.variable}::{parameter.name}",
            (len(start),) if parameter.per_level else (),
            parameter.transform,
            initial,
            locations=tuple(locations.tolist()),
            anchor=anchor,
        )
        record[k.A_N] = len(start)
        record[k.A_ANCHOR] = anchor
        record[k.A_TRANSFORM] = _TRANSFORMS[parameter.transform]
        record[k.A_F] = writer.floats(locations)
        record[k.A_START] = first
        record[k.A_PRIOR] = writer.floats(encode_prior(prior))
        record[k.A_AT_MEANS] = int(factor.priors.scales_at_means or not parameter.per_level)
        first += len(start)
        records.append(record)
    return records


def _write_effect(
    writer: Writer,
    factor: Factor,
    key: str,
    effect: EffectTable,
    rows: NDArray[np.intp],
    treatment: str,
    n_centred: int,
    cells: Mapping[str, tuple[int, list[int]]],
    effects: int,
    roots: int,
) -> tuple[list[int], int, int]:
    grouping = effect.grouping
    spec = factor.effect(grouping)
    q = spec.n_effects
    record = [-1] * k.E_SIZE
    record[k.E_GROUPS] = effect.n_groups
    record[k.E_CELLS] = 0
    record[k.E_Q] = q
    record[k.E_TREATMENT] = k.COLLAPSE if treatment == "collapse" else k.SAMPLED
    record[k.E_CENTRED] = n_centred
    record[k.E_CODES] = writer.integers(effect.codes[rows])
    record[k.E_Z] = writer.floats(effect.base[rows])
    if treatment == "collapse":
        record[k.E_ZZ] = writer.floats(group_cross(effect))
    priors = factor.priors.group_sds[grouping]
    scales = tuple(_TURN * _scale_of_sd(prior, factor.spread) for prior in priors)
    record[k.E_SD_X] = writer.parameter(f"{key}::sd::{grouping}", (q,), "softplus", 0.0, scales)
    record[k.E_SD_SCALES] = writer.floats(scales)
    record[k.E_SD_PRIORS] = writer.floats([encode_prior(prior) for prior in priors])
    blocks = []
    for b, (start, stop) in enumerate(spec.blocks):
        size = stop - start
        if size > 1 and spec.known_correlation is not None:
            x, shape_place = -1, writer.floats([0.5 * (1.0 + spec.known_correlation)])
        elif size > 1:
            shapes = beta_shapes(size, factor.priors.correlations[grouping])
            x = writer.parameter(f"{key}::partial::{grouping}::{b}", (len(pairs(size)),), "logit")
            shape_place = writer.floats([(shape, _beta_constant(shape)) for shape in shapes])
        else:
            x, shape_place = 0, 0
        blocks += [start, stop, x, shape_place]
    record[k.E_BLOCKS] = len(spec.blocks)
    record[k.E_BLOCK_TABLE] = writer.integers(blocks)
    record[k.E_L] = roots
    record[k.E_SCALE] = writer.floats([factor.spread])
    if treatment != "collapse":
        record[k.E_EFFECTS_X] = writer.parameter(f"{key}::effects::{grouping}", (effect.n_groups, q))
        record[k.E_U] = effects
        effects += effect.n_groups * q
    record[k.E_SLABS] = len(effect.slabs)
    record[k.E_SLAB_TABLE] = _write_slabs(writer, effect.slabs, cells)
    return record, effects, roots + q * q


def _write_shared(
    writer: Writer,
    effect: EffectTable,
    rows: NDArray[np.intp],
    place: int,
    cells: Mapping[str, tuple[int, list[int]]],
) -> list[int]:
    """Return the record of effects that an earlier linear predictor holds, with this one's own Z."""
    record = [-1] * k.E_SIZE
    record[k.E_GROUPS] = effect.n_groups
    record[k.E_CELLS] = record[k.E_BLOCKS] = record[k.E_LINKS] = record[k.E_CENTRED] = 0
    record[k.E_Q] = effect.base.shape[1]
    record[k.E_TREATMENT] = k.SHARED
    record[k.E_CODES] = writer.integers(effect.codes[rows])
    record[k.E_Z] = writer.floats(effect.base[rows])
    record[k.E_U] = place
    record[k.E_SLABS] = len(effect.slabs)
    record[k.E_SLAB_TABLE] = _write_slabs(writer, effect.slabs, cells)
    return record


def _beta_constant(shape: float) -> float:
    """Return -log B(shape, shape), the constant of a symmetric Beta density."""
    return math.lgamma(2.0 * shape) - 2.0 * math.lgamma(shape)


def _scale_of_sd(prior: Prior, spread: float) -> float:
    """Return the scale of a group sd's prior, or the response's spread where it has none."""
    p = prior.parameters
    match prior.name:
        case "HalfNormal" | "HalfStudentT":
            return p["sigma"]
        case "HalfCauchy" | "Weibull":
            return p["beta"]
        case "Exponential":
            return 1.0 / p["lam"]
        case "Gamma":
            return p["alpha"] / p["beta"]
        case "InverseGamma":
            return p["beta"] / p["alpha"]
        case "LogNormal":
            return float(np.exp(p["mu"]))
    return spread


def _write_slabs(writer: Writer, slabs: tuple[Slab, ...], cells: Mapping[str, tuple[int, list[int]]]) -> int:
    out: list[int] = []
    for slab in slabs:
        record = [0] * k.S_SIZE
        record[k.S_VARIABLE] = cells[slab.variable][0]
        record[k.S_N] = len(slab.positions)
        record[k.S_POSITIONS] = writer.integers(slab.positions)
        record[k.S_INDEX] = writer.integers(slab.index)
        record[k.S_COLUMNS_N] = len(slab.columns)
        record[k.S_COLUMNS] = writer.integers(slab.columns)
        record[k.S_WEIGHTS] = writer.floats(slab.slab)
        out += record
    return writer.integers(out or [0])
