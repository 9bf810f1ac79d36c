"""The gate: may this posterior be used? nutpie runs no checks, so they are ours, on parameters and on cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayesmi.build.lay_out import lay_out
from bayesmi.build.tables import Tables
from bayesmi.data.wording import counted
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import chunks, predictors, scales
from bayesmi.draw.weights import entry_probabilities, restricted, unit_log_weights
from bayesmi.errors import GateError
from bayesmi.fit import diagnostics
from bayesmi.fit.grids import GridAccuracy
from bayesmi.fit.held import beside_held, held_chains
from bayesmi.model import Factor, Model
from bayesmi.plan import Plan
from bayesmi.plan.held import HELD

__all__ = ["Gate", "judge", "refusal"]

Floats = NDArray[np.float64]
R_HAT_MAX = 1.01
ESS_MIN = 400.0  # Vehtari et al. (2021): at least 100 a chain with four chains
_MOST_CELLS = 200
_CANDIDATES = 1000
_SCREEN = 64  # draws on which the widest cells are found
_TREATMENTS = ("predict", "enumerate", "grid", "integrate")


def refusal(verdict: object, call: str = "impute") -> GateError:
    """What to raise when a posterior that failed its checks is asked for imputations."""
    steps = ", smaller steps (target_accept=0.95)" if getattr(verdict, "divergences", 0) else ""
    return GateError(
        f"{verdict}. Sample longer (draws=, tune=){steps} or simplify; {call}(…, despite_gate=True) uses it all the same"
    )


@dataclass(frozen=True)
class Gate:
    """The verdict that travels with a Fit.

    Attributes
    ----------
    passed : bool
        Whether every check holds.
    failures : tuple of str
        One line a failed check.
    r_hat, ess_bulk, ess_tail : float
        Worst over parameters, group effects that were sampled, and cells.
    worst : str
        Where the worst r-hat is.
    divergences : int
        Divergent transitions after warm-up.
    n_parameters, n_cells : int
        How many quantities were looked at.
    grids : tuple of str
        Accuracy of the sums over grids and counts, a line each.
    notes : tuple of str
        What is worth knowing beside the verdict, such as a second mode along rho of a selection model.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> fit.gate.passed, fit.gate.divergences, fit.gate.r_hat <= 1.01
    (True, 0, True)
    """

    passed: bool
    failures: tuple[str, ...]
    r_hat: float
    ess_bulk: float
    ess_tail: float
    worst: str
    divergences: int
    n_parameters: int
    n_cells: int
    grids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        seen = f"{counted(self.n_parameters, 'parameter')} and {counted(self.n_cells, 'cell')} looked at"
        facts = (
            f"r-hat ≤ {self.r_hat:.3f}, smallest ESS {self.ess_bulk:.0f} (bulk) and {self.ess_tail:.0f} (tail), "
            f"{counted(self.divergences, 'divergence')}; {seen}"
        )
        if self.passed:
            return f"checks passed: {facts}"
        return "checks FAILED: " + "; ".join(self.failures) + f" ({facts})"


def judge(
    model: Model,
    plan: Plan,
    tables: Tables,
    draws: PosteriorDraws,
    posterior: xr.Dataset,
    statistics: Mapping[str, NDArray[Any]],
    accuracy: Sequence[GridAccuracy] = (),
) -> Gate:
    """Judge a posterior: r-hat at most 1.01, bulk and tail ESS at least 400, no divergence.

    Parameters are those of `posterior` (group effects that were drawn back are left out: they are independent draws
    given the parameters). Cells that are not sampled are judged by the chain of E(cell | parameters, data), or of the
    probability of the upper level: up to 200 cells, widest first. Of held cells the draws themselves are judged; cells that
    are summed in the same unit are drawn given these.
    """
    chains: dict[str, Floats] = {}
    shape = (draws.n_chains, draws.n_draws)
    drawn_back = {
        f"{model.factor(e.variable).prefix}{name}|{e.grouping}"
        for e in plan.effects
        if e.treatment == "collapse"
        for name in model.factor(e.variable).effect(e.grouping).names
    }
    held = {f"cell__{group.variable}" for group in plan.cells if group.treatment == HELD}
    for name, variable in posterior.data_vars.items():
        if str(name) in drawn_back or str(name) in held:
            continue
        values = variable.transpose("chain", "draw", ...).values
        flat = values.reshape((*shape, -1))
        for j, label in enumerate(_labels(variable)):
            chains[label] = flat[:, :, j]
    n_sampled_cells = sum(name.startswith("cell__") for name in chains)
    expected = _expected_cells(model, plan, tables, draws) | held_chains(model, plan, draws)
    n_parameters = len(chains) - n_sampled_cells
    for name, values in expected.items():
        chains[name] = values.reshape(shape)
    divergences = int(np.sum(statistics["diverging"])) if "diverging" in statistics else 0
    gate = _verdict(chains, divergences, n_parameters, n_sampled_cells + len(expected), draws.n_chains)
    coarse = tuple(f"grid of {one}" for one in accuracy if not one.holds)
    return replace(
        gate,
        passed=gate.passed and not coarse,
        failures=gate.failures + coarse,
        grids=tuple(map(str, accuracy)),
    )


def _labels(variable: xr.DataArray) -> list[str]:
    """Return a name for each entry: cells by row label, group effects by group, coefficients by level."""
    dims = [variable[dim].values for dim in variable.dims if dim not in ("chain", "draw")]
    entries = product(*dims)
    return [
        f"{variable.name}[{', '.join(map(str, entry))}]" if entry else str(variable.name) for entry in entries
    ]


def _verdict(
    chains: Mapping[str, Floats], divergences: int, n_parameters: int, n_cells: int, n_chains: int
) -> Gate:
    names = [name for name, values in chains.items() if np.ptp(values) > 0.0]
    stacked = np.stack([chains[name] for name in names]) if names else np.zeros((0, n_chains, 1))
    r_hat = dict(zip(names, diagnostics.r_hat(stacked).tolist(), strict=True))
    bulk = dict(zip(names, diagnostics.ess_bulk(stacked).tolist(), strict=True))
    tail = dict(zip(names, diagnostics.ess_tail(stacked).tolist(), strict=True))
    worst = max(r_hat, key=lambda name: np.nan_to_num(r_hat[name], nan=0.0, posinf=np.inf), default="")
    failures = []
    high = [name for name, value in r_hat.items() if value > R_HAT_MAX]
    if high:
        failures.append(f"r-hat above {R_HAT_MAX} for {_some(high, r_hat, '.3f', reverse=True)}")
    low = [name for name in bulk if min(bulk[name], tail[name]) < ESS_MIN]
    if low:
        smallest = {name: min(bulk[name], tail[name]) for name in low}
        failures.append(f"ESS below {ESS_MIN:.0f} for {_some(low, smallest, '.0f', reverse=False)}")
    unknown = [name for name in bulk if np.isnan([bulk[name], tail[name]]).any()]
    unknown += [name for name in r_hat if np.isnan(r_hat[name]) and n_chains > 1 and name not in unknown]
    if unknown:
        failures.append(
            f"r-hat or ESS cannot be computed for {_first(unknown)} (too few draws, or not finite)"
        )
    stuck = [name for name in chains if name not in bulk and not name.startswith("E(")]
    if stuck:
        failures.append(f"{_first(stuck)} never moved")
    if divergences:
        failures.append(counted(divergences, "divergent transition"))
    if n_chains < 2:
        failures.append("one chain only: r-hat cannot be computed")
    return Gate(
        passed=not failures,
        failures=tuple(failures),
        r_hat=r_hat.get(worst, np.nan),
        ess_bulk=min(bulk.values(), default=np.nan),
        ess_tail=min(tail.values(), default=np.nan),
        worst=worst,
        divergences=divergences,
        n_parameters=n_parameters,
        n_cells=n_cells,
    )


def _first(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _some(names: list[str], values: Mapping[str, float], digits: str, *, reverse: bool) -> str:
    ordered = sorted(names, key=lambda name: values[name], reverse=reverse)
    shown = ", ".join(f"{name} ({values[name]:{digits}})" for name in ordered[:3])
    return shown + (f" and {len(ordered) - 3} more" if len(ordered) > 3 else "")


def _expected_cells(model: Model, plan: Plan, tables: Tables, draws: PosteriorDraws) -> dict[str, Floats]:
    """Chains (S,) of E(cell | parameters, data) of cells that are not sampled, widest first."""
    found: list[tuple[float, int, int, str]] = []  # (sd, factor, unit, treatment)
    screen = draws.take(np.linspace(0, draws.n - 1, min(_SCREEN, draws.n)).astype(np.intp))
    for n, factor in enumerate(model.factors):
        for treatment in _TREATMENTS:
            units = _some_units(_judged(factor, model, plan, treatment))
            if units.size:
                means = _expected(factor, model, tables, units, treatment, screen)
                found += [(sd, n, int(u), treatment) for sd, u in zip(means.std(0), units, strict=True)]
    found.sort(key=lambda entry: -entry[0])
    chosen = found[:_MOST_CELLS]
    out: dict[str, Floats] = {}
    for n, factor in enumerate(model.factors):
        for treatment in _TREATMENTS:
            own = np.array(sorted(u for _, m, u, how in chosen if m == n and how == treatment), dtype=np.intp)
            if not own.size:
                continue
            means = np.concatenate(
                [
                    _expected(factor, model, tables, own, treatment, draws.take(piece))
                    for piece in chunks(draws.n, max(len(own) * 8, _width(factor, tables, own)))
                ]
            )
            for j, unit in enumerate(own):
                named = factor.level == "row" and model.frame.index.is_unique
                label = model.frame.index[unit] if named else unit
                out[f"E({factor.variable}[{label}])"] = means[:, j]
    return out


def _width(factor: Factor, tables: Tables, units: NDArray[np.intp]) -> int:
    """Entries of the expansion that these units need, roughly."""
    if not tables.expansion.n:
        return 0
    if tables.expansion.group_level:
        return tables.expansion.n
    at = tables.expansion.units(factor.level)
    return int(np.isin(at, units).sum()) * 3


def _some_units(units: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the cells among which the widest are looked for: all, or 1000 evenly spaced ones."""
    if len(units) <= _CANDIDATES:
        return units
    return units[np.linspace(0, len(units) - 1, _CANDIDATES).astype(np.intp)]


def _judged(factor: Factor, model: Model, plan: Plan, treatment: str) -> NDArray[np.intp]:
    """Units of a factor's cells under a treatment; of predicted ones those whose predictors are observed or sampled."""
    units = plan.units(factor.variable, treatment)
    if plan.holds and treatment != "predict":
        units = units[~beside_held(model, plan, factor.level)[units]]
    if treatment != "predict" or not units.size:
        return units
    known = np.ones(len(units), dtype=bool)
    for name in factor.parents:
        if name not in model.table.made:
            known &= ~model.table.unknown_at(name, factor.level)[units]
    return units[known]


def _expected(
    factor: Factor,
    model: Model,
    tables: Tables,
    units: NDArray[np.intp],
    treatment: str,
    draws: PosteriorDraws,
) -> Floats:
    """E(cell | parameters, data) of each unit, (S, units); of two levels P(upper), of several P(not the first)."""
    if treatment == "predict":
        table = lay_out(factor, model.table, units, tables.expansion, None, tables.cell_position)
        eta = predictors(factor, table, draws)
        return np.asarray(factor.family.mean(np, eta, scales(factor, table, draws)))
    some = restricted(model.factors, model.table, tables, factor.level, units)
    log_weights, moments = unit_log_weights(model.factors, some, draws)
    weights = entry_probabilities(some.expansion, log_weights)
    number = np.full(len(model.table.rows_of_level(factor.level)), -1, dtype=np.intp)
    number[units] = np.arange(len(units))
    out = np.zeros((draws.n, len(units)))
    if treatment in ("enumerate", "grid"):
        at = some.expansion.units(factor.level)
        on = some.expansion.choice[factor.variable] >= 0
        mine = np.flatnonzero((at >= 0) & on)
        mine = mine[number[at[mine]] >= 0]
        values = factor.codes(some.expansion.values[factor.variable][mine])
        if factor.family.has_equations:
            values = (values > 0).astype(float)
        np.add.at(out.T, number[at[mine]], (weights[:, mine] * values).T)
        return out
    integrals = some.integrals
    place = integrals.place[factor.variable][integrals.rows[moments.units]]
    at = number[integrals.rows[moments.units]]
    mine = np.flatnonzero((place >= 0) & (at >= 0))
    means = moments.mean[:, mine, place[mine]]
    expanded = integrals.expanded[moments.units[mine]]
    share = np.ones_like(means)
    inside = expanded >= 0
    share[:, inside] = weights[:, expanded[inside]]
    np.add.at(out.T, at[mine], (share * means).T)
    return out
