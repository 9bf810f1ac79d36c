"""delta_conditional: a draw given all observed is shifted, and what else is missing there is drawn given the shifted value.

For each shifted variable, in the order of the product: its cells are drawn jointly with everything else, as under missing at
random, and shifted; the other missing cells of the units that changed are drawn again with the shifted values taken as known.
Parameters and group effects stay those of the posterior draw. Where the other cells are Gaussian and linear they move by the
change of their conditional mean, which is a draw from the new conditional by the same random numbers; else they are drawn anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import Tables, make_tables
from bayesmi.draw.cells import complete_cells
from bayesmi.draw.conditional import conditional
from bayesmi.draw.integrals import unit_moments
from bayesmi.draw.known import knowing, plan_of_known
from bayesmi.draw.masses import LevelMasses, level_masses, log_density_at
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.to_rows import to_rows
from bayesmi.errors import ModelError
from bayesmi.mechanism import Delta
from bayesmi.mechanism.cell_shift import CellShift, cell_shift
from bayesmi.mechanism.level_shift import (
    carry_ordered,
    carry_unordered,
    shift_cumulative,
    shift_odds,
    shift_weights,
)
from bayesmi.mechanism.value_shift import shifted_values
from bayesmi.model.derived import Derived, fill_derived
from bayesmi.model.factor import Factor
from bayesmi.model.limited import interval_at
from bayesmi.model.table import ModelTable
from bayesmi.plan import Plan
from bayesmi.seeds import DELTA, REDRAW, stream

__all__ = ["amounts_of", "complete_shifted", "full_columns", "shift_levels", "units_to_rows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_EDGE = 1e-4  # most mass that may lie at the largest count summed over


def complete_shifted(
    factors: tuple[Factor, ...],
    table: ModelTable,
    plan: Plan,
    tables: Tables,
    draw: PosteriorDraws,
    deltas: Mapping[str, Delta],
    treatments: Mapping[str, str | Mapping[str, str]],
    cells: Mapping[str, Floats],
    seed: int,
    i: int,
    derived: Sequence[Derived] = (),
    plans: dict[tuple[str, ...], Plan] | None = None,
) -> Mapping[str, Floats]:
    """Return the cells of one imputation with deltas applied to what was drawn under missing at random.

    Parameters
    ----------
    factors, table, plan, tables, draw
        The model as laid out and one draw, as `complete_cells` takes them.
    deltas : mapping of str to Delta
        By variable.
    treatments : mapping
        The user's, of cells.
    cells : mapping
        What `complete_cells` gave.
    seed, i : int
        The imputation's seed and number.
    derived : sequence of Derived
        Columns computed from the completed ones.
    plans : dict, optional
        Kept between imputations: the plan given the variables that are known.
    """
    plans = {} if plans is None else plans
    values = full_columns(table, cells)
    known: dict[str, Floats] = {}
    for step, factor in enumerate(f for f in factors if f.variable in deltas):
        name = factor.variable
        now = (
            _lay_known(factors, table, known, treatments, plans)
            if known
            else _Laid(factors, table, plan, tables)
        )
        shifted = _shift(factor, deltas[name], now, draw, values, seed, i, step)
        changed = (shifted != values[name]) & table.unknown[name]
        known[name] = shifted
        if changed.any():
            values = _redraw_others(
                factors, table, known, treatments, plans, draw, values, changed, seed, i, step
            )
    fill_derived(derived, table.frame, values)
    return {name: values[name][table.frame.columns[name].missing] for name in cells}


class _Laid:
    """A model as laid out."""

    def __init__(self, factors: tuple[Factor, ...], table: ModelTable, plan: Plan, tables: Tables) -> None:
        self.factors, self.table, self.plan, self.tables = factors, table, plan, tables


def _lay_known(
    factors: tuple[Factor, ...],
    table: ModelTable,
    known: Mapping[str, Floats],
    treatments: Mapping[str, str | Mapping[str, str]],
    plans: dict[tuple[str, ...], Plan],
) -> _Laid:
    own = knowing(factors, table, known, treatments)
    key = tuple(known)
    if key not in plans:
        plans[key] = plan_of_known(own)
    return _Laid(factors, own.table, plans[key], make_tables(factors, own.table, plans[key]))


def full_columns(table: ModelTable, cells: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the columns over all rows with missing cells filled in."""
    values = {name: column.copy() for name, column in table.values.items()}
    for name, filled in cells.items():
        values[name][table.frame.columns[name].missing] = filled
    return table.filled(values)


def units_to_rows(factor: Factor, table: ModelTable, units: Ints, at_units: Floats, column: Floats) -> Floats:
    """Return a column with the unknown cells of some units replaced."""
    out = column.copy()
    to_rows(factor, table, units, at_units, out)
    return out


def amounts_of(
    factor: Factor,
    delta: Delta,
    table: ModelTable,
    units: Ints,
    values: Mapping[str, Floats],
    seed: int,
    i: int,
    step: int,
) -> CellShift:
    """Return the amounts of a variable's cells in imputation i; priors are drawn once for the imputation."""
    rows = table.rows_of_level(factor.level)[units]
    uniforms = stream(seed, DELTA + 1000 * step, i).random(len(delta.priors))
    levels = table.level_labels(factor.variable) if factor.family.has_levels else ()
    found = cell_shift(delta, table.frame, rows, values, uniforms, levels)
    limited = interval_at(factor.variable, factor.level, table)[2][units]  # these stay between their limits
    return found.at(np.where(limited, -1, np.arange(len(units)))) if limited.any() else found


def _shift(
    factor: Factor,
    delta: Delta,
    now: _Laid,
    draw: PosteriorDraws,
    values: Mapping[str, Floats],
    seed: int,
    i: int,
    step: int,
) -> Floats:
    """Return the variable's column over all rows, its missing cells shifted."""
    table, name = now.table, factor.variable
    units = np.flatnonzero(
        table.unknown_at(name, factor.level) & ~table.column(name).absent[table.rows_of_level(factor.level)]
    )
    if not factor.family.is_discrete:
        amounts = amounts_of(factor, delta, table, units, values, seed, i, step)
        drawn = values[name][table.rows_of_level(factor.level)][units]
        moved = shifted_values(name, drawn, amounts, delta.on, factor.family.support)
        return units_to_rows(factor, table, units, moved, values[name])
    rng = stream(seed, REDRAW + 1000 * step + 500, i)
    uniforms = rng.random((2, len(table.rows_of_level(factor.level))))
    column = values[name]
    room = _largest(amounts_of(factor, delta, table, units, values, seed, i, step))
    for masses in level_masses(factor, now.factors, table, now.plan, now.tables, draw, values, room):
        amounts = amounts_of(factor, delta, table, masses.units, values, seed, i, step)
        drawn = values[name][table.rows_of_level(factor.level)][masses.units]
        new = shift_levels(factor, table, masses, amounts, drawn, values, draw, uniforms[:, masses.units])
        column = units_to_rows(factor, table, masses.units, new, column)
    return column


def _largest(amounts: CellShift) -> float:
    return max(0.0, float(amounts.shift.max(initial=0.0)))


def shift_levels(
    factor: Factor,
    table: ModelTable,
    masses: LevelMasses,
    amounts: CellShift,
    drawn: Floats,
    values: Mapping[str, Floats],
    draw: PosteriorDraws,
    uniforms: Floats,
) -> Floats:
    """Return levels or counts redrawn from their shifted probabilities, as predictors see them.

    Parameters
    ----------
    factor, table, masses
        The variable, and the probabilities its cells were drawn from.
    amounts : CellShift
        Of the same cells.
    drawn : (cells,) array
        What was drawn.
    values, draw
        Completed columns and the posterior draw: a count's rate is shifted given its predictors there.
    uniforms : (2, cells) array
        Random numbers.

    Raises
    ------
    ModelError
        If counts are shifted beyond the range that is summed over.
    """
    moves = amounts.moves
    out = drawn.copy()
    if not moves.any():
        return out
    p = masses.probabilities[moves]
    shift = amounts.shift[moves]
    codes = factor.codes(drawn[moves]).astype(np.intp)
    u, v = uniforms[:, moves]
    if factor.family.has_equations or shift.ndim > 1:
        new = carry_unordered(codes, p, shift_odds(p, shift), u, v)
    elif factor.family.has_levels:
        new = carry_ordered(codes, p, shift_cumulative(p, shift), u)
    else:
        units = masses.units[moves]
        before = log_density_at(factor, table, units, values, draw, masses.support)
        after = log_density_at(factor, table, units, values, draw, masses.support, shift)
        with np.errstate(invalid="ignore"):
            ratio = np.where(np.isfinite(after), after - before, 0.0)
        moved = shift_weights(p, ratio)
        if masses.summed and not factor.family.needs_trials and moved[:, -1].max() > _EDGE:
            raise ModelError(
                f"mechanisms[{factor.variable!r}]: a log rate shifted by {shift.max():g} makes counts beyond "
                f"{masses.support[-1]:g}, up to which they are summed: take a smaller shift"
            )
        new = carry_ordered(codes, p, moved, u)
    out[moves] = factor.values(masses.support[new])
    return out


def _redraw_others(
    factors: tuple[Factor, ...],
    table: ModelTable,
    known: Mapping[str, Floats],
    treatments: Mapping[str, str | Mapping[str, str]],
    plans: dict[tuple[str, ...], Plan],
    draw: PosteriorDraws,
    values: Mapping[str, Floats],
    changed: NDArray[np.bool_],
    seed: int,
    i: int,
    step: int,
) -> dict[str, Floats]:
    """Return the columns with the last known one changed, and the other missing cells of these rows drawn given it."""
    last = list(known)[-1]
    out = {**values, **known}
    others = [f for f in factors if f.variable not in known and table.unknown[f.variable].any()]
    rows = _connected(others, table, changed)
    missing = {f.variable: table.unknown[f.variable] & rows for f in others}
    if not any(mask.any() for mask in missing.values()):
        return out
    laid = _lay_known(factors, table, known, treatments, plans)
    moving = _moving_rows(last, others, laid, rows)

    if not (moving | ~rows).all():
        rng = stream(seed, REDRAW + 1000 * step, i)
        new = full_columns(
            laid.table, complete_cells(laid.factors, laid.table, laid.plan, laid.tables, draw, rng)
        )
    if moving.any():
        before_table = laid.table.with_values({last: values[last]})
        before = _Laid(factors, before_table, laid.plan, make_tables(factors, before_table, laid.plan))
        old_mean, new_mean = _means(before, draw, moving), _means(laid, draw, moving)
    for name, mask in missing.items():
        column = values[name].copy()
        fresh = mask & ~moving
        if fresh.any():
            column[fresh] = new[name][fresh]
        along = mask & moving
        if along.any():
            column[along] += new_mean[name][along] - old_mean[name][along]
        out[name] = column
    return out


def _means(laid: _Laid, draw: PosteriorDraws, rows: NDArray[np.bool_]) -> dict[str, Floats]:
    """Return the columns with the Gaussian cells of some rows at their conditional means."""
    values = {name: column.copy() for name, column in laid.table.values.items()}
    integrals = laid.tables.integrals
    if integrals.n:
        moments = unit_moments(laid.factors, laid.tables.factors, integrals, draw)
        at = integrals.rows[moments.units]
        for name in integrals.names:
            place = integrals.place[name][at]
            own = rows[at] & (place >= 0)
            values[name][at[own]] = moments.mean[0][own, place[own]]
    for factor in laid.factors:
        units = laid.plan.units(factor.variable, "predict")
        if factor.level == "row" and factor.family.is_gaussian_identity and rows[units].any():
            units = units[rows[units]]
            values[factor.variable][units] = conditional(factor, laid.table, units, values, draw).eta
    return values


def _connected(others: Sequence[Factor], table: ModelTable, changed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows that share a unit with a changed cell: the row, and its whole group where the group has a missing value."""
    rows = changed.copy()
    for _ in range(len(table.groupings) + 1):
        before = rows.copy()
        for factor in others:
            if factor.level == "row":
                continue
            group = table.groupings[factor.level]
            holes = table.unknown_at(factor.variable, factor.level)
            rows |= (holes & table.units_of_rows(rows, factor.level))[group.codes]
        if (rows == before).all():
            break
    return rows


def _moving_rows(
    last: str, others: Sequence[Factor], laid: _Laid, rows: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Rows whose other missing cells are jointly Gaussian and linear in the changed one: they move with it."""
    table, plan = laid.table, laid.plan
    if any(f.level != "row" and table.unknown[f.variable][rows].any() for f in others):
        return np.zeros(table.n_rows, dtype=bool)
    out = np.zeros(table.n_rows, dtype=bool)
    own = [f for f in others if f.level == "row"]
    holes = (
        np.stack([table.unknown[f.variable] for f in own], axis=1)
        if own
        else np.zeros((table.n_rows, 0), bool)
    )
    soft = {
        f.variable: np.isin(
            np.arange(table.n_rows),
            np.concatenate([plan.units(f.variable, "integrate"), plan.units(f.variable, "predict")]),
        )
        for f in own
    }
    patterns, member = np.unique(holes[rows], axis=0, return_inverse=True)
    where = np.flatnonzero(rows)
    for p, pattern in enumerate(patterns):
        here = [f for f, on in zip(own, pattern, strict=True) if on]
        names = {f.variable for f in here} | {last}
        linear = all(f.family.is_gaussian_identity for f in here) and all(
            design.is_affine_in(names)
            for f in laid.factors
            if f.family.is_gaussian_identity or f.parents & names
            for design in f.designs
            if design.variables & names
        )
        if not linear:
            continue
        mine = where[member.reshape(-1) == p]
        fits = np.ones(len(mine), dtype=bool)
        for f in here:
            fits &= soft[f.variable][mine]
        out[mine[fits]] = True
    return out
