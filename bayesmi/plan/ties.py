"""Which missing parts an observed derived value ties together, row by row and for the cells of groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.model.constraints import Constraint
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.plan.settle import settle
from bayesmi.plan.systems import components, level_of

__all__ = ["Ties", "check_tied", "held_units", "tied_in_groups"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Ties:
    """Constraints by row: which parts are open in which."""

    constraints: tuple[Constraint, ...]
    parts: tuple[str, ...]
    open: Mask  # (n, constraints × parts)

    @classmethod
    def of(cls, constraints: Sequence[Constraint], table: ModelTable) -> Ties:
        """Gather them."""
        parts = tuple(dict.fromkeys(part for one in constraints for part in sorted(one.open)))
        nothing = np.zeros(table.n_rows, dtype=bool)
        columns = [one.open.get(part, nothing) for one in constraints for part in parts]
        whole = np.stack(columns, axis=1) if columns else np.zeros((table.n_rows, 0), dtype=bool)
        return cls(tuple(constraints), parts, whole)

    def at(self, pattern: Mask) -> Iterator[tuple[list[Constraint], list[frozenset[str]]]]:
        """Return the constraints that share open parts in one row of `open`, with these parts."""
        active = pattern.reshape(len(self.constraints), len(self.parts))
        for component in components(active):
            yield (
                [self.constraints[c] for c in component],
                [frozenset(self.parts[j] for j in np.flatnonzero(active[c])) for c in component],
            )


def held_units(
    constraints: Sequence[Constraint], factors: Sequence[Factor], table: ModelTable
) -> dict[str, Mask]:
    """Return for each part the units of its level whose cell an observed derived value says something about."""
    out: dict[str, Mask] = {}
    for one in constraints:
        for part, rows in one.open.items():
            level = table.level(part)
            mask = rows
            if level != "row":
                mask = np.zeros(len(table.groupings[level].labels), dtype=bool)
                mask[table.groupings[level].codes[rows]] = True
            out[part] = out[part] | mask if part in out else mask
    return out


def check_tied(names: Sequence[str], wanted: Mapping[str, str], constraints: Sequence[Constraint]) -> None:
    """Refuse to sample cells that are tied to others."""
    for name in names:
        if wanted.get(name) == "sample":
            by = " and ".join(one.derived.name for one in constraints if name in one.open)
            raise ModelError(
                f"treatments[{name!r}]='sample': some of its cells stand beside observed values of {by}, which tie them to "
                "others: leave it out, or say 'grid'"
            )


def tied_in_groups(
    level: str,
    own: Sequence[Factor],
    table: ModelTable,
    constraints: Sequence[Constraint],
    treatments: Mapping[str, Mapping[str, Mask]],
    wanted: Mapping[str, str],
) -> dict[str, dict[str, Mask]]:
    """Return the treatments of a level's continuous cells with those changed that are tied to others.

    A group's cell that is tied to cells of its rows runs over a grid, so that these are known given it; of cells tied
    to each other one is solved.
    """
    names = [factor.variable for factor in own]
    ties = Ties.of(constraints, table)
    if not ties.open.shape[1]:
        return {}
    codes = table.groupings[level].codes
    supports = {factor.variable: factor.support for factor in own}
    out = {name: {how: mask.copy() for how, mask in treatments[name].items()} for name in names}
    done: dict[int, dict[str, str]] = {}
    patterns, first, member = np.unique(ties.open, axis=0, return_index=True, return_inverse=True)
    member = member.reshape(-1)
    for p, pattern in enumerate(patterns):
        for equations, open_ in ties.at(pattern):
            parts = sorted(frozenset().union(*open_))
            here = [name for name in names if name in parts]
            if not here:
                continue
            check_tied(here, wanted, constraints)
            if level_of(parts, table, equations[0]) == "row":
                found = dict.fromkeys(here, "grid")
            else:
                found = settle(equations, open_, here, frozenset(here), table, int(first[p]), supports)
            for group in np.unique(codes[member == p]):
                before = done.setdefault(int(group), {})
                for name, how in found.items():
                    if before.get(name, how) != how:
                        raise NotSupportedError(
                            f"observed values of {equations[0].derived.name!r} tie {name!r}, missing in a {level}, to different "
                            "parts in different rows: not supported; the nearest that is: blank these values"
                        )
                    before[name] = how
    for group, found in done.items():
        for name, how in found.items():
            for mask in out[name].values():
                mask[group] = False
            nothing = np.zeros(len(table.groupings[level].labels), dtype=bool)
            out[name].setdefault(how, nothing)[group] = True
    return {name: {how: mask for how, mask in own.items() if mask.any()} for name, own in out.items()}
