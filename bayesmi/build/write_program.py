"""The model as a program for the kernel: parameters get their places, tables become numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.distinct import distinct_rows, every_row, with_classes
from bayesmi.build.gathered import gather
from bayesmi.build.joint_system import joint_systems
from bayesmi.build.patterns import find_patterns, has_patterns
from bayesmi.build.program import Program
from bayesmi.build.selection_centring import selection_centring
from bayesmi.build.tables import Tables
from bayesmi.build.write_cells import write_cells
from bayesmi.build.write_equation import number_equations, write_equation
from bayesmi.build.write_integrals import write_integrals
from bayesmi.build.write_patterns import write_patterns
from bayesmi.build.writer import Writer
from bayesmi.kernel import layout as k
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan

__all__ = ["write_program"]


def write_program(factors: tuple[Factor, ...], plan: Plan, tables: Tables) -> Program:
    """Write the program of a joint model."""
    writer = Writer()
    writer.integers(np.zeros(k.GLOBAL_SIZE))
    cells = write_cells(writer, factors, tables)
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
                record, effects, roots, added = write_equation(
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
    write_integrals(writer, head, factors, left, effect_places, patterned)
    systems = joint_systems(factors, plan)
    write_patterns(writer, head, factors, pattern_blocks, systems, number, effect_places)
    return writer.finish(head, work)


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
