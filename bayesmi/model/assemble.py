"""From a formula and the table to one factor of the joint model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError
from bayesmi.families import Family
from bayesmi.formula import Design, Formula, fit_design, fit_offsets
from bayesmi.model.default_priors import choose_priors
from bayesmi.model.factor import EffectLink, Factor, GroupEffect, level_codes
from bayesmi.model.table import ModelTable
from bayesmi.model.trials import check_trials
from bayesmi.model.whitening import said_of_dependent, whitening_of
from bayesmi.priors import Prior

__all__ = ["assemble_factor", "column_names", "effect_sds", "group_effects", "read_columns"]


def column_names(design: Design) -> list[tuple[str, str]]:
    """Return (term, column) names of a design's columns, without the intercept."""
    names = []
    for block in design.blocks:
        if block.labels is None:
            names.append((block.name, block.name))
        else:
            names += [(block.name, f"{block.name}[{label}]") for label in block.labels]
    return names


def group_effects(formula: Formula, table: ModelTable) -> tuple[GroupEffect, ...]:
    """Return the group effects of a formula, one record a grouping."""
    by_grouping: dict[str, list[tuple[Design, bool]]] = {}
    for term in formula.groups:
        design = fit_design(term.terms, term.intercept, table.variables(_variables(term.terms)))
        by_grouping.setdefault(term.grouping, []).append((design, term.correlated))
    effects = []
    for grouping, parts in by_grouping.items():
        names: list[str] = []
        blocks: list[tuple[int, int]] = []
        for design, correlated in parts:
            start = len(names)
            names += (["1"] if design.intercept else []) + [column for _, column in column_names(design)]
            stop = len(names)
            blocks += [(start, stop)] if correlated else [(i, i + 1) for i in range(start, stop)]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ModelError(f"group effect {sorted(twice)[0]!r} of {grouping!r} stands twice in the formula")
        effects.append(
            GroupEffect(grouping, tuple(names), tuple(design for design, _ in parts), tuple(blocks))
        )
    return tuple(effects)


def assemble_factor(
    variable: str,
    formula: Formula,
    family: Family,
    table: ModelTable,
    *,
    role: str,
    level: str = "row",
    links: Sequence[EffectLink] = (),
    link_sds: Sequence[float] = (),
    given: Mapping[str, Prior] | None = None,
    reasons: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    uncentred: Collection[str] = (),
    between: Collection[str] = (),
) -> tuple[Factor, tuple[str, ...]]:
    """Return the factor f(variable | its formula) and notices about it.

    Columns named in `between` are group means that the model itself put in: they and the links share the prior variance
    that one of them would have, so that many of them beside few groups explain no more than one.
    Columns named in `uncentred` are zero in every observed row: indicators of missingness, told by their prior and by what
    depends on the variable.

    Raises
    ------
    ModelError
        If the response or a predictor is constant or wholly missing.
    """
    rows = table.rows_of_level(level)
    levels: tuple[float, ...] = table.levels_of(variable) if family.has_levels else ()
    response = table.values[variable][rows]
    if family.has_levels:
        response = level_codes(response, levels)
    seen = response[np.isfinite(response)]
    _check_varies(variable, seen, level)
    family.check(variable, seen)
    trials = check_trials(variable, formula, family, table, rows)
    if not family.has_levels:
        counts = family.cell_values(seen if trials is None else trials)
        levels = () if counts is None else tuple(counts.tolist())
    labels = table.level_labels(variable)[1:] if family.has_equations else ()
    design = fit_design(formula.terms, formula.intercept, table.variables(_variables(formula.terms)))
    if names:  # terms of derived variables keep the names they were written with
        blocks = tuple(replace(block, name=names.get(block.name, block.name)) for block in design.blocks)
        design = replace(design, blocks=blocks)
    offset_names = frozenset().union(*(part.variables for part in formula.offsets))
    offsets = fit_offsets(formula.offsets, table.variables(offset_names))
    matrix, observed, columns = read_columns(variable, design, table, rows)
    effects = group_effects(formula, table)
    sds_of_effects = {effect.grouping: effect_sds(effect, table, rows) for effect in effects}
    means = np.array([matrix[observed[:, j], j].mean() for j in range(len(columns))])
    sds = np.array([matrix[observed[:, j], j].std(ddof=1) for j in range(len(columns))])
    special = np.array([column in uncentred for _, column in columns], dtype=bool)
    centers = np.where(special, 0.0, means) if design.intercept else np.zeros_like(means)
    location, spread = family.location_and_spread(seen)
    prefix = "" if role == "analysis" else f"{variable}__"
    all_names = columns + [(link.name, link.name) for link in links]
    priors = choose_priors(
        prefix,
        family,
        intercept=design.intercept,
        columns=all_names,
        column_sds=np.concatenate([sds, np.asarray(link_sds, dtype=float)])
        * _shares([column in between for _, column in columns] + [True] * len(links)),
        effects=effects,
        effect_sds=sds_of_effects,
        location=location,
        spread=spread,
        given=given or {},
    )
    complete = np.all(observed, axis=1) & np.isfinite(response)
    if family.is_gaussian_identity and f"{prefix}sigma" not in (given or {}):
        _check_residual(variable, matrix[complete] - centers, sds, response[complete], design.intercept)
    whitening, dependent = whitening_of(matrix[complete] - centers, sds, family.whitening_scale or spread)
    notices: tuple[str, ...] = (
        *design.notices,
        *said_of_dependent([columns[j][1] for j in dependent if not special[j]], repr(variable)),
    )
    n_complete = int(complete.sum())
    if n_complete <= len(columns):
        notices += (
            f"{variable!r} and its predictors are all observed in {n_complete} rows, no more than there are predictors "
            f"({len(columns)}): the priors decide",
        )
    n_links = len(links)
    full = np.zeros((len(all_names), len(all_names)))
    full[: len(columns), : len(columns)] = whitening
    for i in range(n_links):
        full[len(columns) + i, len(columns) + i] = spread / float(link_sds[i])
    factor = Factor(
        variable=variable,
        role=role,
        family=family,
        level=level,
        formula=formula,
        design=design,
        offsets=offsets,
        effects=effects,
        links=tuple(links),
        column_names=tuple(column for _, column in all_names),
        centers=np.concatenate([centers, np.zeros(n_links)]),
        whitening=full,
        location=location,
        spread=spread,
        priors=priors,
        levels=levels,
        labels=labels,
        starts={p.name: family.start(p.name, seen, len(levels)) for p in family.parameters},
        reasons=tuple(reasons),
    )
    return factor, notices


def _shares(together: Sequence[bool]) -> NDArray[np.float64]:
    """Factors by which sds are taken larger, and so priors narrower, of columns that share a prior variance."""
    mine = np.asarray(together, dtype=bool)
    return np.where(mine, np.sqrt(max(1, int(mine.sum()))), 1.0)


def read_columns(
    of: str, design: Design, table: ModelTable, rows: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[tuple[str, str]]]:
    """Return the design matrix on some rows, (rows, p), where it is known, and its (term, column) names.

    Raises
    ------
    ModelError
        If a column is constant or wholly missing; `of` says whose predictor it is.
    """
    values = {name: table.values[name][rows] for name in design.variables}
    matrix = np.zeros((len(rows), 0))
    if design.n_columns:
        design.check_finite(values)
        matrix = design.matrix(values)
    columns = column_names(design)
    observed = np.isfinite(matrix)
    for j, (term, column) in enumerate(columns):
        known = matrix[observed[:, j], j]
        several = sum(other == term for other, _ in columns) > 1
        way_out = f"merge that level with another, or leave {term!r} out" if several else "leave it out"
        if known.size == 0:
            raise ModelError(f"predictor {column!r} of {of!r} has no observed value: {way_out}")
        if np.ptp(known) <= 1e-12 * float(np.abs(known).max()):
            where = "every row in which it is known" if not observed[:, j].all() else "every row"
            raise ModelError(
                f"predictor {column!r} of {of!r} is constant ({known[0] + 0.0:g} in {where}): {way_out}"
            )
    return matrix, observed, columns


def _check_varies(variable: str, seen: NDArray[np.float64], level: str) -> None:
    """Refuse a variable without at least two different observed values."""
    units = "row" if level == "row" else level
    if seen.size == 0:
        raise ModelError(
            f"{variable!r} has no observed value: it cannot be modelled; leave it out of the model"
        )
    if seen.size == 1:
        raise ModelError(
            f"{variable!r} is observed in one {units} only: it cannot be modelled; leave it out of the model"
        )
    if np.ptp(seen) == 0:
        raise ModelError(
            f"{variable!r} is constant ({seen[0]:g} wherever observed): it cannot be modelled; leave it out"
        )


def _check_residual(
    variable: str,
    centred: NDArray[np.float64],
    sds: NDArray[np.float64],
    response: NDArray[np.float64],
    intercept: bool,
) -> None:
    """Refuse a Gaussian variable that its predictors determine: the density has no bound as sigma goes to zero."""
    n, p = centred.shape
    if not p or n <= p + 1:
        return
    scaled = centred / sds
    if intercept:
        scaled, response = scaled - scaled.mean(axis=0), response - response.mean()
    slopes = np.linalg.lstsq(scaled, response, rcond=None)[0]
    if np.linalg.norm(response - scaled @ slopes) <= 1e-9 * np.linalg.norm(response):
        raise ModelError(
            f"{variable!r} is an exact linear combination of its predictors in the {n} rows where all are observed, so that "
            "nothing is left for a residual: leave out it or one of them, or compute it on the completed data"
        )


def _variables(terms: Sequence[object]) -> frozenset[str]:
    """Columns that a set of terms needs."""
    return frozenset().union(*(term.variables for term in terms)) if terms else frozenset()  # type: ignore[attr-defined]


def effect_sds(effect: GroupEffect, table: ModelTable, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Sd of each column of Z where observed; 1 for intercepts and constant columns."""
    values = {name: table.values[name][rows] for name in effect.variables}
    matrix = effect.matrix(values, len(rows))
    sds = []
    for j, name in enumerate(effect.names):
        seen = matrix[np.isfinite(matrix[:, j]), j]
        sd = seen.std(ddof=1) if name != "1" and seen.size > 1 else 1.0
        sds.append(sd if sd > 0 else 1.0)
    return np.array(sds)
