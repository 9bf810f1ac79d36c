"""What users ask for: log likelihoods by chain, draw and unit, with labels, and in a DataTree for ArviZ."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayesmi.build.tree_name import in_tree
from bayesmi.data.wording import did_you_mean
from bayesmi.errors import BayesmiNotice, FitError, NotSupportedError
from bayesmi.likelihood.integral import Nodes
from bayesmi.likelihood.part import Part, joint_part, without
from bayesmi.likelihood.units import unit_log_likelihood
from bayesmi.model.limited import known_at
from bayesmi.progress import Progress

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = ["log_likelihood", "with_log_likelihood"]

Floats = NDArray[np.float64]
_CHUNK = 2_000_000  # numbers in one array
_CHECKED = 12  # draws at which a quadrature is repeated with twice the nodes
_MOST_ERROR = 0.01  # of a unit's log likelihood: far below its spread between draws
_COMPARABLE = {
    "outcome": "log f(outcome | observed predictors, group effects): comparable between models of the same outcome",
    "joint": "log f(outcome, observed cells of the modelled predictors | group effects): comparable only between models in "
    "which the same variables are modelled; kind='outcome' is comparable whatever the predictors",
}


def log_likelihood(
    fit: Fit,
    *,
    kind: str = "outcome",
    unit: str = "row",
    marginal: bool = False,
    nodes: int | None = None,
    progress: bool = True,
) -> xr.DataArray:
    """Return log likelihoods; see `Fit.log_likelihood`."""
    model, table = fit.model, fit.model.table
    if fit.plan.holds:
        raise NotSupportedError(
            f"a log likelihood sums over all missing cells of a row, and {fit.plan.why_held}: cells are held instead; the "
            "nearest that is supported: .check(), or a model of fewer incomplete variables"
        )
    if kind not in _COMPARABLE:
        raise FitError(f"kind is 'outcome' or 'joint', not {kind!r}")
    if unit != "row" and unit not in table.groupings:
        raise FitError(f"unit={unit!r}: {did_you_mean(str(unit), ['row', *table.groupings])}")
    if nodes is not None and (
        isinstance(nodes, bool) or not isinstance(nodes, int | np.integer) or nodes < 3
    ):
        raise FitError(f"nodes must be a whole number, 3 or more, not {nodes!r}")
    if marginal and unit == "row":
        known = ", ".join(f"unit={name!r}" for name in table.groupings) or "a model with (1 | group)"
        raise FitError(f"marginal=True integrates the effects of a group out: it needs {known}")
    parts = _parts(fit, kind)
    for part, _ in parts:
        _refuse_unit(part, kind, unit)
    present = _present(parts[0][0], fit, kind, unit)
    if not present.any():
        raise FitError(f"no {unit} has an observed {model.response!r}: there is no likelihood")
    effects_of = [g for g in table.groupings if marginal and (g == unit or table.contains(unit, g))]
    values = np.empty((fit.draws.n, int(present.sum())))
    quadrature: set[str] = set()
    at = Nodes(nodes)
    with Progress(show=progress) as bar:
        step = max(1, _CHUNK // max(part.width for part, _ in parts))
        for start in range(0, fit.draws.n, step):
            some = np.arange(start, min(start + step, fit.draws.n))
            total: Any = 0.0
            for part, sign in parts:
                found = unit_log_likelihood(part, fit.draws.take(some), unit, effects_of=effects_of, nodes=at)
                total = total + sign * found.values
                quadrature |= set(found.quadrature)
            values[some] = np.broadcast_to(total, (len(some), len(present)))[:, present]
            bar.working("log likelihood", int(some[-1]) + 1, fit.draws.n)
    error = _error(fit, parts, unit, effects_of, at, present, values) if quadrature else 0.0
    return _labelled(fit, values, present, kind, unit, marginal, sorted(quadrature), error)


def with_log_likelihood(fit: Fit, **options: Any) -> xr.DataTree:
    """Return the fit's tree with a group log_likelihood; see `Fit.with_log_likelihood`."""
    values = log_likelihood(fit, **options)
    if values.attrs["kind"] == "joint":
        warnings.warn(f"kind='joint' is {_COMPARABLE['joint']}", BayesmiNotice, stacklevel=3)
    groups = {name: node.to_dataset() for name, node in fit.tree.children.items()}
    own = in_tree(xr.Dataset({str(values.name): values}, attrs=values.attrs))
    return xr.DataTree.from_dict({**groups, "log_likelihood": own})


def _parts(fit: Fit, kind: str) -> list[tuple[Part, float]]:
    """What is added and what is taken away."""
    joint = joint_part(fit.model, fit.plan, fit.tables)
    if kind == "joint":
        return [(joint, 1.0)]
    roles = {factor.role for factor in fit.model.factors}
    some = fit.draws.take(np.linspace(0, fit.draws.n - 1, min(48, fit.draws.n)).astype(np.intp))
    whole = without(fit.model, fit.plan, {"auxiliary"}, some) if "auxiliary" in roles else joint
    if "covariate" not in roles:
        return [(whole, 1.0)]
    return [(whole, 1.0), (without(fit.model, fit.plan, {"auxiliary", "analysis"}, some), -1.0)]


def _levels_of_cells(part: Part) -> dict[str, list[str]]:
    """Groupings whose missing cells are integrated or summed out, with the variables."""
    out: dict[str, list[str]] = {}
    for name in part.tables.n_cells:
        out.setdefault(part.level_of_cells(name), []).append(name)
    for name in part.tables.expansion.values:
        out.setdefault(part.factor(name).level, []).append(name)
    return {level: names for level, names in out.items() if level != "row"}


def _refuse_unit(part: Part, kind: str, unit: str) -> None:
    """Refuse units that are not independent of each other given parameters and group effects."""
    table = part.table
    for level, names in _levels_of_cells(part).items():
        if unit != "row" and (unit == level or table.contains(unit, level)):
            continue
        groups = np.unique(
            np.concatenate(
                [
                    part.places_of_cells(name)[0] if how == "sample" else part.plan.units(name, how)
                    for name in names
                    for how in ("sample", "enumerate", "grid")
                ]
            )
        )
        rows = int(table.rows_of_units(groups, level).sum())
        raise FitError(
            f"{', '.join(names)} is missing in {len(groups)} groups of {level}: the {rows} rows there depend on each other "
            f"through that cell and have no likelihood of their own; say unit={level!r}"
        )
    for level in part.group_levels if kind == "joint" else ():
        if unit == "row" or not (unit == level or table.contains(unit, level)):
            names = [factor.variable for factor in part.factors if factor.level == level]
            raise FitError(
                f"{', '.join(names)} has one value a {level}, which belongs to no single {unit}: say unit={level!r}, or "
                "kind='outcome'"
            )


def _present(part: Part, fit: Fit, kind: str, unit: str) -> NDArray[np.bool_]:
    """Units with an observed outcome, or for the joint likelihood with any observed modelled value."""
    table = part.table
    seen = np.zeros(table.n_rows, dtype=bool)
    for factor in part.factors:
        of_outcome = factor.role == "analysis" or (
            factor.is_observation and fit.model.response in factor.column_names
        )
        if kind == "outcome" and not of_outcome:
            continue
        column = table.column(factor.variable)
        seen |= ~table.unknown[factor.variable] & ~column.absent
        if factor.selection is not None:  # that a value was not selected is an observation
            seen |= part.plan.active[factor.variable]
        seen |= known_at(factor.variable, "row", table)  # so is that it lies between limits
    return table.units_of_rows(seen, unit)


def _error(
    fit: Fit,
    parts: list[tuple[Part, float]],
    unit: str,
    effects_of: list[str],
    nodes: Nodes,
    present: NDArray[np.bool_],
    values: Floats,
) -> float:
    """Largest change of a value when the nodes are doubled, at some draws."""
    some = np.linspace(0, fit.draws.n - 1, min(_CHECKED, fit.draws.n)).astype(np.intp)
    error = 0.0
    for s in some:
        own, total = fit.draws.take(np.array([s])), np.zeros((1, len(present)))
        for part, sign in parts:
            total += (
                sign
                * unit_log_likelihood(part, own, unit, effects_of=effects_of, nodes=nodes.doubled()).values
            )
        error = max(error, float(np.abs(total[0, present] - values[s]).max()))
    if error > _MOST_ERROR:
        warnings.warn(
            f"log likelihoods by quadrature change by up to {error:.1g} with twice the nodes: give more by nodes=",
            BayesmiNotice,
            stacklevel=4,
        )
    return error


def _labelled(
    fit: Fit,
    values: Floats,
    present: NDArray[np.bool_],
    kind: str,
    unit: str,
    marginal: bool,
    quadrature: list[str],
    error: float,
) -> xr.DataArray:
    from bayesmi.fit.names import plain_labels, row_labels

    model, draws = fit.model, fit.draws
    if unit == "row":
        dim, labels = "__obs__", row_labels(model)[present]
    else:
        dim, labels = f"{unit}__factor_dim", plain_labels(model.table.groupings[unit].labels)[present]
    what = f"observed {model.response}" if kind == "outcome" else "observed value of a modelled variable"
    n_absent = int((~present).sum())
    attributes: dict[str, Any] = {
        "kind": kind,
        "unit": unit,
        "marginal": int(marginal),
        "meaning": _COMPARABLE[kind],
        "n_absent": n_absent,
    }
    if n_absent:
        units = "rows" if unit == "row" else f"groups of {unit}"
        attributes["note"] = f"{n_absent} of {len(present)} {units} have no {what}: they are left out"
        warnings.warn(attributes["note"], BayesmiNotice, stacklevel=4)
    if quadrature:
        attributes["quadrature"] = f"over the unknowns of each {', '.join(quadrature)}"
        attributes["quadrature_error"] = error
    return xr.DataArray(
        values.reshape(draws.n_chains, draws.n_draws, -1),
        {"chain": np.arange(draws.n_chains), "draw": np.arange(draws.n_draws), dim: labels},
        ("chain", "draw", dim),
        name=model.response if kind == "outcome" else "joint",
        attrs=attributes,
    )
