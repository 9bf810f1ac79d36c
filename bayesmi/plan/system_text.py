"""How a plan speaks of observed derived values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bayesmi.plan.levelset import leaves
from bayesmi.plan.systems import System

__all__ = ["system_lines"]


def system_lines(systems: Sequence[System]) -> list[str]:
    """Return a line for each derived value and each way of dealing with its missing parts, with counts."""
    alike: dict[tuple[object, ...], list[System]] = {}
    for system in systems:
        ways = tuple(
            bool(names) for names in (system.discrete, system.grid, system.integrated, system.linear)
        )
        alike.setdefault((system.shown, system.level, system.above, ways), []).append(system)
    return [f"  {_line(group)}" for group in alike.values()]


def _line(systems: Sequence[System]) -> str:
    first = systems[0]
    n = sum(len(system.units) for system in systems)
    what = "row" if first.level == "row" else first.level
    units = f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
    parts = []
    if first.discrete:
        names = _names(system.discrete for system in systems)
        if first.above:
            parts.append(f"combinations of {names} that give it, by value of {', '.join(first.above)}")
        else:
            kept = whole = 0
            for system in systems:
                unit, _ = leaves(system, np.arange(len(system.units)), {})
                kept += len(unit)
                each = 1
                for name in system.discrete:
                    each *= len(system.levels[name])
                whole += each * len(system.units)
            parts.append(f"{kept:,} of {whole:,} combinations of {names} give it")
    if first.grid:
        parts.append(f"{_names(s.grid for s in systems)} on a grid between the limits that it leaves")
    if first.integrated:
        parts.append(f"{_names(s.integrated for s in systems)} integrated out under it")
    if first.solved:
        given = f" given {', '.join(first.above)}" if first.above else ""
        jacobian = "" if first.linear else ", with the Jacobian"
        parts.append(f"{_names(s.solved for s in systems)} solved from it{given}{jacobian}")
    return f"observed {first.shown} in {units}: {'; '.join(parts)}"


def _names(each: Iterable[Sequence[str]]) -> str:
    return ", ".join(dict.fromkeys(name for names in each for name in names))
