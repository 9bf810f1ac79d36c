"""The answer at one combination of deltas: imputations of the same draws, draws reweighted, or a refit."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.draw.likelihood_ratio import delta_log_ratio
from bayesmi.errors import BayesmiNotice
from bayesmi.fit.summary import term_draws
from bayesmi.imputations import Imputations
from bayesmi.imputations.realised import realised_difference
from bayesmi.model import Model
from bayesmi.model.remade import with_mechanisms
from bayesmi.plan import Plan, make_plan
from bayesmi.sensitivity.grid import DeltaGrid
from bayesmi.sensitivity.importance import Importance, bridge, smoothed
from bayesmi.sensitivity.point import Answer, ImputedAnswer, Point, PosteriorAnswer
from bayesmi.sensitivity.refits import check_refit, refit_options
from bayesmi.sensitivity.weighted import distance, log_mean_exp, weighted_imputations

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = ["Evaluator"]

Floats = NDArray[np.float64]


@dataclass
class Evaluator:
    """Evaluates points; keeps refits, so that points near one reweight it."""

    fit: Fit
    grid: DeltaGrid
    analysis: Callable[[Any], Any] | None
    m: int
    seed: int
    despite_gate: bool
    reweight: bool
    refit: Mapping[str, Any]
    bases: dict[tuple[float, ...], tuple[Fit, Floats]] = field(
        default_factory=dict
    )  # point -> fit, its log ratios
    at_random: list[Mapping[str, Floats]] = field(default_factory=list)  # cells without these deltas

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "bases": {}}

    def __call__(self, values: Sequence[float]) -> Point:
        """Return the answer at a point."""
        point = tuple(float(value) for value in values)
        others = {n: own for n, own in self.fit.model.mechanisms.items() if n not in self.grid.names}
        model = with_mechanisms(self.fit.model, self.grid.mechanisms(point, others))
        if self.grid.kind != "model":
            return self._imputed(point, replace(self.fit, model=model), "imputations")
        return self._modelled(point, model)

    # -- delta_after and delta_conditional: the draws stay -----------------------------------------------------

    def _imputed(self, point: tuple[float, ...], fit: Fit, how: str, **more: Any) -> Point:
        imputed = fit.impute(self.m, seed=self.seed, despite_gate=True)
        return Point(point, self._analysed(imputed), self._realised(imputed), how, **more)

    def _realised(self, imputed: Imputations) -> pd.DataFrame:
        """Realised differences against imputations without these deltas."""
        if not self.at_random:
            others = {n: own for n, own in self.fit.model.mechanisms.items() if n not in self.grid.names}
            model = with_mechanisms(self.fit.model, others)
            plain = replace(self.fit, model=model).impute(self.m, seed=self.seed, despite_gate=True)
            self.at_random += [plain._cells_of(i) for i in range(self.m)]
        after = [imputed._cells_of(i) for i in range(self.m)]
        return realised_difference(imputed._draws, imputed.frame, before=self.at_random, after=after)

    def _analysed(self, imputed: Imputations) -> Answer:
        assert self.analysis is not None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesmiNotice)
            analyses = imputed.analyze(self.analysis, progress=False)
        return ImputedAnswer(analyses.pool())

    # -- delta_model: parameters change ------------------------------------------------------------------------

    def _modelled(self, point: tuple[float, ...], model: Model) -> Point:
        plan = make_plan(model, finer=self.fit.plan.finer, wider=self.fit.plan.wider)
        base, importance = self._reweighted(point, model, plan)
        how = "reweighted" if any(value != 0.0 for value in point) else "draws"
        if importance is None:
            base, how = self._refitted(point, model), "refitted"
            n = base.draws.n
            importance = Importance(np.full(n, 1.0 / n), float("nan"))
            plan = base.plan
        ratio = delta_log_ratio(model, plan, base.draws)  # against delta 0 at the same parameters
        if how == "refitted" and _same_treatments(plan, self.fit.plan):
            change = bridge(delta_log_ratio(model, self.fit.plan, self.fit.draws), ratio)
        else:
            change = -log_mean_exp(-ratio, importance.weights)
        imputed = weighted_imputations(model, plan, base.draws, importance.weights, self.m, self.seed)
        realised = self._realised(imputed)
        answer: Answer
        if self.analysis is None:
            names, values = term_draws(model, base.draws)
            answer = PosteriorAnswer(names, values, importance.weights)
        else:
            answer = self._analysed(imputed)
        return Point(point, answer, realised, how, importance.pareto_k, change)

    def _reweighted(
        self, point: tuple[float, ...], model: Model, plan: Plan
    ) -> tuple[Fit, Importance | None]:
        """Reweight the nearest fit with the same treatments, if its weights hold."""
        zero = (0.0,) * len(point)
        bases = {zero: (self.fit, np.zeros(self.fit.draws.n)), **self.bases}
        near = sorted(bases, key=lambda other: distance(point, other))
        for other in near[:2]:
            base, own_ratio = bases[other]
            if not _same_treatments(plan, base.plan):
                continue
            if not self.reweight and other != point:
                continue
            ratio = delta_log_ratio(model, plan, base.draws) - own_ratio
            importance = smoothed(ratio)
            if importance.holds:
                return base, importance
        return self.fit, None

    def _refitted(self, point: tuple[float, ...], model: Model) -> Fit:
        fit = model.fit(seed=self.fit.seed, **refit_options(self.fit, self.refit))
        check_refit(fit, f"delta {', '.join(f'{value:g}' for value in point)}", self.despite_gate)
        self.bases[point] = (fit, delta_log_ratio(model, fit.plan, fit.draws))
        return fit


def _same_treatments(one: Plan, other: Plan) -> bool:
    def key(plan: Plan) -> list[tuple[str, str, int]]:
        return sorted((g.variable, g.treatment, len(g.units)) for g in plan.cells)

    def effects(plan: Plan) -> list[tuple[str, str]]:
        return sorted((e.variable, e.grouping) for e in plan.effects)

    return key(one) == key(other) and effects(one) == effects(other)
