"""`Fit.sensitivity`: an answer over a grid of deltas, or of known correlations, in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.errors import FitError, ModelError, NotSupportedError
from bayesmi.fit.gate import refusal
from bayesmi.mechanism import Delta
from bayesmi.progress import shown
from bayesmi.seeds import check_seed
from bayesmi.sensitivity.evaluate import Evaluator
from bayesmi.sensitivity.grid import DeltaGrid, read_grid
from bayesmi.sensitivity.point import Point
from bayesmi.sensitivity.rho_evaluate import RhoEvaluator
from bayesmi.sensitivity.rho_grid import RhoGrid, read_rho_grid
from bayesmi.sensitivity.sensitivity import Sensitivity

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = ["default_analysis", "run_sensitivity"]


def run_sensitivity(
    fit: Fit,
    delta: Mapping[str, Any] | None,
    *,
    rho: Any = None,
    group_rho: Any = None,
    analysis: Callable[[Any], Any] | str | None = None,
    kind: str | None = None,
    like: Mapping[str, Delta] | None = None,
    m: int = 20,
    seed: int | None = None,
    n_jobs: int = 1,
    reweight: bool = True,
    refit: Mapping[str, Any] | None = None,
    progress: bool = True,
    despite_gate: bool = False,
) -> Sensitivity:
    """Evaluate a grid; see `Fit.sensitivity`."""
    if not fit.gate.passed and not despite_gate:
        raise refusal(fit.gate, "sensitivity")
    if isinstance(m, bool) or not isinstance(m, int | np.integer) or m < 2:
        raise FitError(f"m must be a whole number, 2 or more, not {m!r}")
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0:
        raise FitError(f"n_jobs={n_jobs!r} must be a number of processes, or -1 for all cores")
    grid: DeltaGrid | RhoGrid
    if rho is None and group_rho is None:
        grid = read_grid(delta, kind, like, fit.model)
    else:
        given = [
            name for name, value in (("delta", delta), ("kind", kind), ("like", like)) if value is not None
        ]
        if given:
            raise ModelError(
                f"{given[0]}= is of deltas, rho= of selection models: ask for one, and hold the other by mechanisms="
            )
        grid = read_rho_grid(rho, group_rho, fit.model)
    if fit.plan.holds and isinstance(grid, RhoGrid):
        raise NotSupportedError(
            "rho= evaluates the likelihood with missing cells summed out, which is not supported where cells are held and drawn "
            "in blocks; the nearest that is: models with Heckman(rho=…) fitted one by one"
        )
    if fit.plan.holds and grid.kind != "after":
        raise NotSupportedError(
            f"kind={grid.kind!r} redraws cells given shifted ones, which is not supported where cells are held and drawn in "
            "blocks; the nearest that is: kind='after'"
        )
    if isinstance(analysis, str):
        from bayesmi.mice.with_formula import FormulaAnalysis

        analysis = FormulaAnalysis.from_text(analysis, None, list(fit.model.frame.columns))
    if analysis is None and grid.kind != "model":
        analysis = default_analysis(fit)
    if analysis is not None and not callable(analysis):
        raise ModelError(f"analysis= is a function of a completed table or a formula, not {analysis!r}")
    own = fit.seed if seed is None else check_seed(seed)
    if isinstance(grid, RhoGrid):
        along = RhoEvaluator(fit, grid, analysis, int(m), own, despite_gate, reweight, dict(refit or {}))
        return Sensitivity(grid, tuple(along.every(grid.points, n_jobs, progress)), along, int(m), own)
    evaluator = Evaluator(fit, grid, analysis, int(m), own, despite_gate, reweight, dict(refit or {}))
    points = grid.points
    if grid.kind == "model":  # from the middle outwards, so that refits serve their neighbours
        order = sorted(range(len(points)), key=lambda k: float(np.hypot.reduce(points[k])))
        found = list(shown((evaluator(points[k]) for k in order), len(points), progress))
        by_place = dict(zip(order, found, strict=True))
        done: list[Point] = [by_place[k] for k in range(len(points))]
    else:
        evaluator(points[0])  # refuses what does not fit, and fails, in this process
        done = list(shown(_each(evaluator, points, n_jobs), len(points), progress))
    return Sensitivity(grid, tuple(done), evaluator, int(m), own)


def _each(evaluator: Evaluator, points: Sequence[tuple[float, ...]], n_jobs: int) -> Any:
    if n_jobs == 1:
        return (evaluator(point) for point in points)
    from joblib import Parallel, delayed

    return Parallel(n_jobs=n_jobs, return_as="generator")(delayed(evaluator)(point) for point in points)


def default_analysis(fit: Fit) -> Callable[[Any], Any]:
    """Return the analysis model as statsmodels fits it to a completed table.

    Raises
    ------
    NotSupportedError
        If that is no linear, logistic, Poisson or (with one grouping) linear mixed model.
    """
    from bayesmi.errors import FormulaError
    from bayesmi.mice.with_formula import FormulaAnalysis

    families = {"gaussian": None, "bernoulli": "binomial", "poisson": "poisson"}
    family = fit.model.analysis.family.name
    if family not in families:
        raise NotSupportedError(
            f"the analysis model is {family}: say which analysis of the completed tables is meant, analysis=lambda data: …"
        )
    try:
        return FormulaAnalysis.from_text(
            str(fit.model.formula), families[family], list(fit.model.frame.columns)
        )
    except FormulaError as problem:
        raise NotSupportedError(
            f"the analysis model {fit.model.formula} is not fitted to completed tables by itself ({problem}): say "
            "analysis=lambda data: …"
        ) from None
