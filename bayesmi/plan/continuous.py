"""Continuous cells: which are integrated out, which run over a grid, which are sampled. Decided row by row.

What matters is which cells are missing in the same row: a product of two variables is linear in rows where only one of
them is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.mechanism import indicator_name
from bayesmi.model.constraints import Constraint
from bayesmi.model.factor import Factor
from bayesmi.model.limited import ARRIVAL, interval_at
from bayesmi.model.table import ModelTable
from bayesmi.plan.cells import children_of
from bayesmi.plan.settle import settle
from bayesmi.plan.ties import Ties, check_tied, tied_in_groups

__all__ = ["continuous_cells"]

Mask = NDArray[np.bool_]
Treatments = dict[str, dict[str, Mask]]  # variable -> treatment -> (units of its level,)


def continuous_cells(
    factors: Sequence[Factor],
    table: ModelTable,
    active: Mapping[str, Mask],
    wanted: Mapping[str, str],
    constraints: Sequence[Constraint] = (),
    with_cells: Mapping[str, Mask] | None = None,
    alone: Mapping[str, Mask] | None = None,
    rather_sampled: Collection[str] = (),
) -> Treatments:
    """Return for each continuous variable with informative cells which units get which treatment.

    Solved: it follows from other missing parts of an observed derived value (`constraints`). Integrated: linear in the
    means of Gaussian factors, given the group effects, which are sampled then. Grid: a nonlinear effect, a product with
    another cell of the row, a place in the model of a scale, or a family that is not Gaussian. Sampled: the rest, and of
    `rather_sampled` variables the cells that would be integrated, but for those that others are solved from.
    """
    out: Treatments = {}
    with_cells = with_cells or active  # without units whose own value has been integrated out
    by_level: dict[str, list[Factor]] = {}
    for factor in factors:
        informative = table.unknown_at(factor.variable, factor.level) & with_cells[factor.variable]
        if not factor.family.is_discrete and informative.any():
            by_level.setdefault(factor.level, []).append(factor)
    averaged = {mean.variable for factor in factors for mean in factor.means.values()}
    # group means of completed variables are latent in every row of their group
    sampled_above: set[str] = {name for factor in factors for name in factor.means}
    for level, own in by_level.items():
        if level == "row":
            continue
        names = [factor.variable for factor in own]
        # sampled cells of the levels before stay as they are: of a product with them the cells here are gridded
        chosen = _gridded(names, factors, own, wanted, fixed=sampled_above, confined=_confined(own, table))
        sampled_above |= set(names) - chosen
        for factor in own:
            informative = table.unknown_at(factor.variable, level) & active[factor.variable]
            how = "grid" if factor.variable in chosen else "sample"
            out[factor.variable] = {how: informative}
        out |= tied_in_groups(level, own, table, constraints, out, wanted)
    rows = by_level.get("row", [])
    if rows:
        out |= _by_pattern(
            rows,
            factors,
            table,
            active,
            wanted,
            sampled_above,
            constraints,
            with_cells,
            alone or {},
            averaged,
            rather_sampled,
        )
    return out


def _confined(own: Sequence[Factor], table: ModelTable) -> set[str]:
    """Variables with cells that are known to lie between limits."""
    return {f.variable for f in own if interval_at(f.variable, f.level, table)[2].any()}


def _by_pattern(
    own: Sequence[Factor],
    factors: Sequence[Factor],
    table: ModelTable,
    active: Mapping[str, Mask],
    wanted: Mapping[str, str],
    above: Collection[str],
    constraints: Sequence[Constraint],
    with_cells: Mapping[str, Mask],
    alone: Mapping[str, Mask],
    averaged: Collection[str] = (),
    rather_sampled: Collection[str] = (),
) -> Treatments:
    names = [factor.variable for factor in own]
    missing = np.stack([table.unknown[name] & with_cells[name] for name in names], axis=1)
    low = [factor for factor in factors if factor.level == "row"]
    measured = {name for factor in factors if factor.is_observation for name in factor.column_names}
    masked = {name for name in names if any(f.variable == indicator_name(name) for f in factors)}
    stands = np.stack([active[factor.variable] for factor in low], axis=1)
    ties = Ties.of(constraints, table)
    # cells between limits, and factors whose density is no longer Gaussian where their response is between limits
    inside = np.stack([interval_at(name, "row", table)[2] for name in names], axis=1)
    curved = np.stack([_curved(factor, table, alone) for factor in low], axis=1)
    whole = np.concatenate([missing, stands, ties.open, inside, curved], axis=1)
    patterns, first, member = np.unique(whole, axis=0, return_index=True, return_inverse=True)
    member = member.reshape(-1)
    supports = {factor.variable: factor.support for factor in factors if not factor.family.is_discrete}
    treatment = np.full((len(patterns), len(names)), "", dtype=object)
    gaussian = {factor.variable: factor.family.is_gaussian_identity for factor in own}
    kept: set[str] = set()  # with cells that cannot be sampled, being tied to others
    for p, pattern in enumerate(patterns):
        present = [name for name, on in zip(names, pattern, strict=False) if on]
        if not present:
            continue
        here = [factor for factor, on in zip(low, pattern[len(names) :][: len(low)], strict=True) if on]
        ends = len(names) + len(low) + ties.open.shape[1]
        confined = {name for name, on in zip(names, pattern[ends:], strict=False) if on}
        bending = {
            factor.variable for factor, on in zip(low, pattern[ends + len(names) :], strict=True) if on
        }
        bent = {name for name in present if not _enters_plainly(name, here, bending)}
        free = [
            name
            for name in present
            if name in confined - bent - bending and gaussian[name] and wanted.get(name) != "grid"
        ]
        # one cell between limits is integrated by differences of Phi, unless its density is divided by the probability of
        # arriving; others run over grids
        rest = (confined & set(present)) - set(free[-1:])
        gridded = _gridded(present, here, own, wanted, fixed=above, confined=rest)
        tied: dict[str, str] = {}
        for equations, open_ in ties.at(pattern[len(names) + len(low) : ends]):
            parts = [name for name in names if any(name in one for one in open_)]
            if parts:
                cannot = frozenset(gridded | bent)
                tied |= settle(equations, open_, parts, cannot, table, int(first[p]), supports)
        check_tied(list(tied), wanted, constraints)
        _check_averaged(set(averaged) & set(present), gridded | confined | set(tied), wanted)
        if confined & set(tied):
            raise NotSupportedError(
                f"{sorted(confined & set(tied))[0]!r} is known by limits in rows where an observed derived value ties it to "
                "other missing parts, which is not supported; the nearest that is: blank that derived value"
            )
        for name in present:
            j = names.index(name)
            if name in tied:
                treatment[p, j] = tied[name]
                if tied[name] != "grid":
                    kept.add(name)
                continue
            if name in gridded:
                treatment[p, j] = "grid"
                continue
            plain = name not in bent
            if name in averaged:
                treatment[p, j] = "sample"
                continue
            if name in confined:
                kept.add(name)
                treatment[p, j] = "integrate"
                continue
            treatment[p, j] = "integrate" if plain and wanted.get(name) != "sample" else "sample"
            if not plain and name in (measured | masked) and wanted.get(name) != "sample":
                # unknown in every row, or tied to its own missingness: as latents for NUTS they would mix badly
                treatment[p, j] = "grid"
    for j, name in enumerate(names):
        if name in rather_sampled and wanted.get(name) != "integrate" and name not in kept:
            treatment[treatment[:, j] == "integrate", j] = "sample"
    out: Treatments = {}
    for j, name in enumerate(names):
        of_rows = treatment[member, j]
        hows = ("integrate", "grid", "sample", "solve")
        out[name] = {how: of_rows == how for how in hows if (of_rows == how).any()}
    return out


def _check_averaged(averaged: Collection[str], otherwise: Collection[str], wanted: Mapping[str, str]) -> None:
    """Refuse variables with group means of completed data whose cells cannot be sampled."""
    for name in sorted(averaged):
        if name in otherwise:
            raise NotSupportedError(
                f"the mean of completed data of {name!r}, whose cells do not enter linearly or are known by limits or derived "
                f"values, is not supported; the nearest that is: the latent mean, between({name})"
            )
        if wanted.get(name, "sample") != "sample":
            raise ModelError(
                f"treatments[{name!r}]={wanted[name]!r}: its group means are predictors of all rows of a group, and its cells "
                "are sampled; leave it out"
            )


def _curved(factor: Factor, table: ModelTable, alone: Mapping[str, Mask]) -> Mask:
    """Rows in which a factor is, or is divided by, the probability of an interval."""
    out = alone.get(factor.variable, np.zeros(table.n_rows, dtype=bool)) if factor.limits else None
    if out is None:
        return np.zeros(table.n_rows, dtype=bool)
    return np.ones(table.n_rows, dtype=bool) if ARRIVAL in factor.limits else out


def _enters_plainly(name: str, here: Sequence[Factor], bending: Collection[str] = ()) -> bool:
    """Whether a variable is in the means of Gaussian factors only."""
    return all(f.family.is_gaussian_identity and f.variable not in bending for f in children_of(name, here))


def _gridded(
    present: Sequence[str],
    here: Sequence[Factor],
    own: Sequence[Factor],
    wanted: Mapping[str, str],
    fixed: Collection[str],
    confined: Collection[str] = (),
) -> set[str]:
    """Return which of the cells present in a unit have to run over a grid, so that the rest enter linearly.

    `fixed` are latent cells of a higher level that stay as they are, `confined` lie between limits.
    """
    family = {factor.variable: factor.family for factor in own}
    gridded = {
        name
        for name in present
        if not family[name].is_gaussian_identity or wanted.get(name) == "grid" or name in confined
    }
    for factor in here:
        gridded |= {name for name in present if name in factor.scale_parents}
        for design in factor.designs:
            latent = {name for name in present if name in design.variables} - gridded
            latent_above = {name for name in fixed if name in design.variables}
            gridded |= {name for name in latent if not design.is_affine_in({name})}
            latent -= gridded
            while not design.is_affine_in(latent | latent_above):
                if not latent:
                    names = " and ".join(sorted(latent_above))
                    raise NotSupportedError(
                        f"a product of the incomplete {names} of a higher level in the model of {factor.variable} is not "
                        "supported yet; the nearest that is: the variables without their product"
                    )
                # one whose leaving makes the rest linear, the last of them in the product of conditionals
                ordered = [name for name in present if name in latent]
                enough = [design.is_affine_in((latent - {name}) | latent_above) for name in ordered]
                pick = max(zip(enough, range(len(ordered)), strict=True))[1]
                gridded.add(ordered[pick])
                latent.discard(ordered[pick])
            if design is factor.offsets:
                gridded |= latent
    for name in gridded - set(confined):
        if wanted.get(name) in ("sample", "integrate") and family[name].is_gaussian_identity:
            raise ModelError(
                f"treatments[{name!r}]={wanted[name]!r}: some of its cells do not enter linearly; leave it out, or say 'grid'"
            )
    return gridded
