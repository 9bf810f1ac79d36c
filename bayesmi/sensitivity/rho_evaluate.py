"""The answer at known correlations of a selection model: draws reweighted where that is accurate, else a refit."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.draw.across import correlations_across, laid_out_for
from bayesmi.errors import BayesmiNotice
from bayesmi.fit.summary import term_draws
from bayesmi.imputations import Imputations
from bayesmi.model import Model
from bayesmi.model.remade import with_mechanisms
from bayesmi.plan import make_plan
from bayesmi.progress import shown
from bayesmi.sensitivity.importance import Importance, bridged, smoothed
from bayesmi.sensitivity.point import Answer, ImputedAnswer, Point, PosteriorAnswer, weighted_quantile
from bayesmi.sensitivity.refits import check_refit, refit_options
from bayesmi.sensitivity.rho_bases import Base
from bayesmi.sensitivity.rho_grid import RhoGrid
from bayesmi.sensitivity.weighted import distance, log_mean_exp, weighted_imputations

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = ["RhoEvaluator"]

Floats = NDArray[np.float64]
Values = tuple[float, ...]
_LOOKED_AT = 2  # nearest posteriors that a point is reweighted from, if they serve


@dataclass(frozen=True, eq=False)
class _Placed:
    """Which posterior a point is reweighted from, and how."""

    base: Base
    importance: Importance
    log_ratio: float  # of marginal likelihoods, the point's over the base's
    how: str


@dataclass
class RhoEvaluator:
    """Evaluates points; keeps refits, so that points near one reweight it."""

    fit: Fit
    grid: RhoGrid
    analysis: Callable[[Any], Any] | None
    m: int
    seed: int
    despite_gate: bool
    reweight: bool
    refit: Mapping[str, Any]
    bases: dict[Values | None, Base] = field(default_factory=dict)
    evidence: dict[Values | None, float] = field(
        default_factory=dict
    )  # log marginal likelihood over the fit's
    placed: dict[Values, _Placed] = field(default_factory=dict)
    at_zero: list[Mapping[str, Floats]] = field(default_factory=list)  # imputed cells where all are zero

    def __post_init__(self) -> None:
        """Begin with the fit."""
        self.bases[None] = Base(self.fit, self.grid, None)
        self.evidence[None] = 0.0

    def __call__(self, values: Sequence[float]) -> Point:
        """Return the answer at a point."""
        point = tuple(float(value) for value in values)
        self._place([point, self.grid.zero], 1, lambda running, _: running)
        return self._found(point)

    def every(self, points: Sequence[Values], n_jobs: int, progress: bool) -> list[Point]:
        """Return the answers at points in their order; posteriors are sampled n_jobs at a time."""
        needed = list(dict.fromkeys([self.grid.zero, *points]))
        self._place(needed, n_jobs, lambda running, total: shown(running, total, progress, "refits"))
        return list(shown((self._found(point) for point in points), len(points), progress, "points"))

    # -- which posterior serves which point --------------------------------------------------------------------

    def _place(self, points: Sequence[Values], n_jobs: int, show: Callable[[Any, int], Any]) -> None:
        """Reweight what can be reweighted; refit every other of the rest, until nothing is left."""
        left = [point for point in points if point not in self.placed]
        left.sort(key=lambda point: (distance(point, self.grid.zero), point))
        while left := [point for point in left if not self._reweighted(point)]:
            wave: list[Values] = []
            for point in left:
                if not self.reweight or not any(self.grid.neighbours(point, other) for other in wave):
                    wave.append(point)
            fits = list(show(self._fitted(wave, n_jobs), len(wave)))
            for point, fit in zip(wave, fits, strict=True):
                self._check(point, fit)
                self.bases[point] = Base(fit, self.grid, point)
            self._compare(wave)

    def _reweighted(self, point: Values) -> bool:
        """Place a point on the nearest posterior whose weights hold."""
        own = self.bases.get(point)
        if own is not None:
            n = own.fit.draws.n
            self.placed[point] = _Placed(own, Importance(np.full(n, 1.0 / n), float("nan")), 0.0, "refitted")
            return True
        near = sorted(self.bases.values(), key=lambda base: distance(point, base.at))
        for base in [one for one in near if one.can_serve][:_LOOKED_AT]:
            ratio = base.ratio(point)
            same = float(np.ptp(ratio)) < 1e-10  # the fit's own point
            if not self.reweight and not same:
                continue
            importance = smoothed(ratio)
            if importance.holds:
                how = "draws" if same else "reweighted"
                equal = np.full(len(ratio), 1.0 / len(ratio))
                self.placed[point] = _Placed(base, importance, log_mean_exp(ratio, equal), how)
                return True
        return False

    def _fitted(self, points: Sequence[Values], n_jobs: int) -> Any:
        options = refit_options(self.fit, self.refit)
        models = (self._model(point) for point in points)
        if n_jobs == 1 or len(points) == 1:
            return (_fit(model, self.fit.seed, options) for model in models)
        from joblib import Parallel, delayed

        running = Parallel(n_jobs=n_jobs, return_as="generator")
        return running(delayed(_fit)(model, self.fit.seed, options) for model in models)

    def _check(self, point: Values, fit: Fit) -> None:
        named = zip(self.grid.names, point, strict=True)
        where = ", ".join(f"{self.grid.label(name)} = {value:g}" for name, value in named)
        check_refit(fit, where, self.despite_gate)

    def _compare(self, points: Sequence[Values]) -> None:
        """Compare marginal likelihoods of new posteriors with known ones, the nearest first, by the surest bridge."""
        left = list(points)
        while left:

            def near(point: Values) -> list[Values | None]:
                return sorted(self.evidence, key=lambda other: distance(point, self.bases[other].at))

            new = min(left, key=lambda point: distance(point, self.bases[near(point)[0]].at))
            found = [self._bridge(known, new) for known in dict.fromkeys([None, *near(new)[:_LOOKED_AT]])]
            self.evidence[new] = min(found, key=lambda one: one[1])[0]
            left.remove(new)

    def _bridge(self, known: Values | None, new: Values) -> tuple[float, float]:
        """Log marginal likelihood of a new posterior by one whose own is known, and the standard error of the step."""
        one, other = self.bases[known], self.bases[new]
        if not (one.can_serve and other.can_serve):
            return float("nan"), float("inf")
        at_one, at_other = other.log_density(one) - one.own, other.own - one.log_density(other)
        value, error = bridged(at_one, at_other)
        return self.evidence[known] + value, error

    # -- the answer there --------------------------------------------------------------------------------------

    def _model(self, point: Values) -> Model:
        return with_mechanisms(self.fit.model, self.grid.mechanisms(point, self.fit.model.mechanisms))

    def _found(self, point: Values) -> Point:
        placed = self.placed[point]
        weights = placed.importance.weights
        model = self._model(point)
        draws = laid_out_for(model, placed.base.fit.draws, self.grid.variables)
        imputed = self._imputed(point, model, placed)
        answer: Answer
        if self.analysis is None:
            names, values = term_draws(model, draws)
            answer = PosteriorAnswer(names, values, weights)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", BayesmiNotice)
                answer = ImputedAnswer(imputed.analyze(self.analysis, progress=False).pool())
        across = [
            _described(name, grouping, pair, values, weights)
            for name in self.grid.variables
            for (grouping, pair), values in correlations_across(model.factor(name), draws).items()
        ]
        return Point(
            point,
            answer,
            self._realised(point, imputed),
            placed.how,
            placed.importance.pareto_k,
            self._evidence(point) - self._evidence(self.grid.zero),
            pd.DataFrame.from_records(across),
        )

    def _imputed(self, point: Values, model: Model, placed: _Placed) -> Imputations:
        base = placed.base.fit
        plan = make_plan(model, finer=base.plan.finer, wider=base.plan.wider)
        draws = laid_out_for(model, base.draws, self.grid.variables)
        return weighted_imputations(model, plan, draws, placed.importance.weights, self.m, self.seed)

    def _evidence(self, point: Values) -> float:
        placed = self.placed[point]
        return self.evidence[placed.base.point] + placed.log_ratio

    def _realised(self, point: Values, imputed: Imputations) -> pd.DataFrame:
        """Means of imputed cells here and where all correlations are zero."""
        zero = self.grid.zero
        if not self.at_zero:
            plain = imputed
            if point != zero:
                plain = self._imputed(zero, self._model(zero), self.placed[zero])
            self.at_zero += [plain._cells_of(i) for i in range(self.m)]
        records = []
        for name in self.grid.variables:
            column = self.fit.model.frame.columns[name]
            inside = self.fit.model.table.unknown[name][column.missing]
            old = np.stack([np.asarray(one[name], dtype=float)[inside].mean() for one in self.at_zero])
            new = np.stack(
                [np.asarray(imputed._cells_of(i)[name], dtype=float)[inside].mean() for i in range(self.m)]
            )
            seen = float(column.values[column.observed].mean())
            record: dict[str, Any] = {"variable": name, "group": "", "cells": int(inside.sum())}
            record |= {"before": old.mean(), "after": new.mean(), "difference": (new - old).mean()}
            record |= {
                "mcse": (new - old).std(ddof=1) / np.sqrt(self.m),
                "observed": seen,
                "imputed - observed": new.mean() - seen,
            }
            records.append(record)
        return pd.DataFrame.from_records(records).set_index(["variable", "group"])


def _fit(model: Model, seed: int, options: Mapping[str, Any]) -> Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return model.fit(seed=seed, **options)


def _described(name: str, grouping: str, pair: str, values: Floats, weights: Floats) -> dict[str, Any]:
    mean = float(weights @ values)
    return {
        "variable": name,
        "grouping": grouping,
        "pair": pair,
        "mean": mean,
        "sd": float(np.sqrt(weights @ (values - mean) ** 2)),
        "conf.low": weighted_quantile(values, weights, 0.025),
        "conf.high": weighted_quantile(values, weights, 0.975),
    }
