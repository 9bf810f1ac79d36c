"""Pattern blocks in the program: cross products, how cells and group effects enter, and sets of effects integrated out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bayesmi.build.joint_system import JointSystem
from bayesmi.build.pattern_groups import GroupTerm
from bayesmi.build.patterns import JointGroups, PatternBlock, PatternMember
from bayesmi.build.writer import Writer
from bayesmi.kernel import layout as k
from bayesmi.model.factor import Factor

__all__ = ["write_patterns"]


def write_patterns(
    writer: Writer,
    head: list[int],
    factors: tuple[Factor, ...],
    blocks: tuple[PatternBlock, ...],
    systems: Sequence[JointSystem],
    number: Mapping[str, int],
    effect_places: Mapping[tuple[str, str], int],
) -> None:
    """Write the blocks and the sets.

    `number` has the records of the equations, `effect_places` where the effects of each equation and grouping stand among all
    sampled ones, or, of those in a set, where their root stands among all roots.
    """
    sizes = {(key, e.grouping): e.n_effects for f in factors for key in f.keys for e in f.effects}

    def place(term: GroupTerm) -> int:
        own = term.source, term.grouping
        return effect_places[own] + term.group * sizes[own] + term.position

    def member_record(member: PatternMember) -> list[int]:
        entries: list[int] = []
        for entry in member.entries:
            own = writer.integers(entry.columns), writer.floats(entry.weights)
            entries += [len(entry.columns), *own, writer.floats([entry.constant]), len(entry.slopes)]
            entries.append(writer.integers([place(term) for term, _ in entry.slopes] or [0]))
            entries.append(writer.floats([weight for _, weight in entry.slopes]))
        terms = [(term.column, place(term), term.coefficient) for term in member.terms]
        own_number = number[factors[member.factor].keys[0]]
        return [own_number, member.start, writer.integers(entries), len(terms), writer.integers(terms or [0])]

    sets_of = [system.own_set.variables for system in systems]
    records: list[int] = []
    for block in blocks:
        record = [0] * k.T_SIZE
        record[k.T_ROWS] = block.n_rows
        record[k.T_CELLS] = len(block.members[0].entries)
        record[k.T_MEMBERS] = len(block.members)
        record[k.T_WIDTH] = block.gram.shape[0]
        record[k.T_GRAM] = writer.floats(block.gram)
        record[k.T_MEMBER_TABLE] = writer.integers(
            [entry for member in block.members for entry in member_record(member)]
        )
        record[k.T_SYSTEM] = -1
        if block.joint is not None:
            record[k.T_SYSTEM] = sets_of.index(block.joint.own_set.variables)
            _write_groups(writer, record, block.joint, systems[record[k.T_SYSTEM]])
        records.append(writer.integers(record))
    head[k.G_PATTERNS] = len(records)
    head[k.G_PATTERN_TABLE] = writer.integers(records or [0])
    sets: list[int] = []
    for system in systems:
        equations = [(effect_places[key, grouping], q) for key, grouping, q in system.equations]
        sets += [system.own_set.n_groups, system.width, len(equations), writer.integers(equations)]
        sets += [system.inner_width, system.n_outer, writer.integers(system.own_set.outer_of)]
    head[k.G_SYSTEMS] = len(systems)
    head[k.G_SYSTEM_TABLE] = writer.integers(sets or [0])


def _write_groups(writer: Writer, record: list[int], joint: JointGroups, system: JointSystem) -> None:
    record[k.T_GROUPS] = len(joint.groups)
    record[k.T_GROUP_TABLE] = writer.integers(joint.groups)
    record[k.T_BESIDE] = len(joint.columns)
    record[k.T_BESIDE_COLUMNS] = writer.integers(joint.columns)
    record[k.T_CROSS] = writer.floats(joint.cross)
    record[k.T_TERMS] = len(joint.terms)
    record[k.T_TERM_TABLE] = writer.integers(
        [(term.member, term.column, system.slot(term), term.coefficient) for term in joint.terms]
    )
