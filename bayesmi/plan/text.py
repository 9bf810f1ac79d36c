"""How a plan reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmi.plan.held import held_lines
from bayesmi.plan.system_text import system_lines

if TYPE_CHECKING:
    from bayesmi.plan.plan import Plan

__all__ = ["plan_text"]

# seconds for one row of a factor: 7e-9 of a Gaussian one, 2e-8 of others (benchmarks/engine.py)
_ROW_COST = 1.5e-8
_EVALUATIONS = 4 * 2000 * 10  # of a fit of the usual length
_CORES = 2
_LONG = 5.0  # minutes
_WORDS = {
    "predict": "predicted afterwards",
    "enumerate": "summed out, drawn back",
    "gibbs": "held, drawn in blocks",
    "integrate": "integrated out, drawn back",
    "grid": "summed over a grid, drawn back",
    "sample": "sampled by NUTS",
    "solve": "solved from the others",
    "deduce": "filled by deduction",
    "collapse": "integrated out, drawn back",
    "adaptive": "sampled, between centred and non-centred as the data say",
    "centred": "sampled, centred",
    "partly centred": "sampled, partly centred",
    "noncentred": "sampled, non-centred",
}


def plan_text(plan: Plan) -> str:
    """Return the plan in words and counts."""
    lines = ["Plan"]
    rows = [
        (
            f"{group.variable}",
            f"{len(group.units):,} {'cell' if len(group.units) == 1 else 'cells'}{_at(group.level)}",
            _WORDS[group.treatment],
            group.reason,
        )
        for group in plan.cells
    ]
    rows += [
        (
            f"{effect.variable}: effects of {effect.grouping}",
            f"{effect.n_groups:,} × {effect.n_effects}",
            _WORDS[effect.treatment],
            effect.reason,
        )
        for effect in plan.effects
    ]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    for row in rows:
        lines.append("  " + "  ".join(row[i].ljust(widths[i]) for i in range(3)) + f"  ({row[3]})")
    if plan.n_expanded:
        lines.append(
            f"  rows with summed cells expand to {plan.n_expanded:,} weighted rows: one evaluation of the density costs about "
            f"{_milliseconds(plan):.2g} ms more"
        )
        lines += _if_long(plan)
    for name, grid in (*plan.grids.items(), *((f"{key}, held", own) for key, own in plan.held_grids.items())):
        if grid.spacing is not None:
            few, many = grid.sizes.min(), grid.sizes.max()
            points = f"{many}" if few == many else f"{few} to {many}"
            lines.append(
                f"  grid of {name}: {points} points; its error is measured at the posterior, above 1e-6 it is refined"
            )
    lines += held_lines(plan.cells, plan.why_held, plan.held_grids)
    lines += system_lines(plan.systems)
    lines += [f"  note: {remark}" for remark in plan.remarks]
    return "\n".join(lines)


def _milliseconds(plan: Plan) -> float:
    """Rough cost of the weighted rows: each stands in about all factors of its variables."""
    n_factors = len({group.variable for group in plan.cells}) + 1
    return plan.n_expanded * n_factors * _ROW_COST * 1e3


def _if_long(plan: Plan) -> list[str]:
    """Return how long sampling with the usual numbers of draws takes, where that is long, and what else there is."""
    minutes = _milliseconds(plan) / 60e3 * _EVALUATIONS / _CORES
    if minutes < _LONG:
        return []
    spaced = {name: int(grid.sizes.max()) for name, grid in plan.grids.items() if grid.spacing is not None}
    instead = ""
    if spaced:
        name = max(spaced, key=lambda key: spaced[key])
        instead = f"; treatments={{{name!r}: 'gibbs'}} holds these cells instead, which is cheaper and mixes more slowly"
    return [f"  about {minutes:,.0f} minutes for 4 × (1,000 + 1,000) draws on {_CORES} cores{instead}"]


def _at(level: str) -> str:
    return "" if level == "row" else f" (one a {level})"
