"""Delta by arm over a grid: what follows if outcomes after the event are worse than the strategy says, and where it turns."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesmi.data.wording import did_you_mean, list_some, plain
from bayesmi.errors import FitError, ModelError
from bayesmi.seeds import check_seed
from bayesmi.sensitivity import Sensitivity
from bayesmi.sensitivity.grid import axis_values
from bayesmi.sensitivity.point import ImputedAnswer, Point
from bayesmi.trial.delta import delta_table
from bayesmi.trial.events import StrategyChoice

if TYPE_CHECKING:
    from bayesmi.trial.fit import TrialFit

__all__ = ["ArmGrid", "trial_sensitivity"]


@dataclass(frozen=True)
class ArmGrid:
    """Deltas of one or two arms."""

    arms: Mapping[str, Hashable]  # name of the axis -> label of the arm
    values: Mapping[str, tuple[float, ...]]
    lines: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Finished imputations are shifted."""
        return "after"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the axes: the arms as text."""
        return tuple(self.arms)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of their columns."""
        return tuple(f"delta_{name}" for name in self.names)

    @property
    def variables(self) -> tuple[str, ...]:
        """Whose imputed outcomes change."""
        return self.names

    @property
    def points(self) -> tuple[tuple[float, ...], ...]:
        """Every combination, in the order of the names."""
        return tuple(itertools.product(*(self.values[name] for name in self.names)))

    @property
    def at_zero(self) -> str:
        """What the zero of all deltas means."""
        return "the strategy itself"

    @property
    def title(self) -> str:
        """What the answer is sensitive to."""
        return f"delta in {' and '.join(self.names)}"

    def label(self, name: str) -> str:
        """Return an axis in words."""
        return f"delta in {name}"


@dataclass(frozen=True)
class ArmEvaluator:
    """Imputes with the same posterior draws and random numbers at every delta, and analyses covariance."""

    fit: TrialFit
    grid: ArmGrid
    strategy: StrategyChoice
    dlag: Sequence[float] | None
    formula: str | None
    visits: Sequence[Hashable] | None
    m: int
    seed: int

    def __call__(self, values: Sequence[float]) -> Point:
        """Return the answer at a point."""
        point = tuple(float(value) for value in values)
        data = self.fit.model.data
        by_arm = {self.grid.arms[name]: value for name, value in zip(self.grid.names, point, strict=True)}
        table = delta_table(data, self.fit.model.events_with(self.strategy), by_arm, self.dlag)
        imputed = self.fit.impute(
            self.m, strategy=self.strategy, delta=table, seed=self.seed, despite_gate=True
        )
        pooled = imputed.ancova(self.formula, visits=self.visits).pool()
        records = []
        for name, label in self.grid.arms.items():
            own = table[(table[data.arm] == label) & table["is_missing"]]["delta"]
            records.append(
                {
                    "variable": name,
                    "group": "",
                    "cells": len(own),
                    "difference": own.mean() if len(own) else 0.0,
                }
            )
        realised = pd.DataFrame.from_records(records).set_index(["variable", "group"])
        return Point(point, ImputedAnswer(pooled), realised, "imputations")


def trial_sensitivity(
    fit: TrialFit,
    delta: Mapping[Any, Any],
    *,
    strategy: StrategyChoice = None,
    dlag: Sequence[float] | None = None,
    formula: str | None = None,
    visits: Sequence[Hashable] | None = None,
    m: int = 100,
    seed: int | None = None,
    despite_gate: bool = False,
) -> Sensitivity:
    """Evaluate a grid; see `TrialFit.sensitivity`."""
    if not fit.passed and not despite_gate:
        from bayesmi.fit.gate import refusal

        raise refusal(fit.gate, "sensitivity")
    if isinstance(m, bool) or not isinstance(m, int | np.integer) or m < 2:
        raise FitError(f"m must be a whole number, 2 or more, not {m!r}")
    grid = _read(fit, delta, strategy, dlag)
    own = fit.seed if seed is None else check_seed(seed)
    evaluator = ArmEvaluator(fit, grid, strategy, dlag, formula, visits, int(m), own)
    points = tuple(evaluator(point) for point in grid.points)
    return Sensitivity(grid, points, evaluator, int(m), own)


def _read(fit: TrialFit, delta: Any, strategy: StrategyChoice, dlag: Sequence[float] | None) -> ArmGrid:
    data = fit.model.data
    if not isinstance(delta, Mapping) or not delta:
        raise ModelError(
            f"delta= is a mapping by arm, such as {{{plain(data.arms[-1])!r}: [-4, -2, 0]}}; the arms are {list_some(data.arms)}"
        )
    if len(delta) > 2:
        raise ModelError(f"delta= has {len(delta)} arms: a grid of one or two is evaluated")
    arms: dict[str, Hashable] = {}
    values: dict[str, tuple[float, ...]] = {}
    for label, given in delta.items():
        if label not in data.arms:
            raise ModelError(
                f"delta= names {plain(label)!r}, which is no arm: {did_you_mean(str(label), [str(a) for a in data.arms])}"
            )
        arms[str(label)] = label
        values[str(label)] = axis_values(f"delta[{plain(label)!r}]", given, "numbers, such as [-4, -2, 0]")
        one = delta_table(data, fit.model.events_with(strategy), {label: 1.0}, dlag)
        if not one["delta"].any():
            raise ModelError(
                f"delta= of {plain(label)!r}: no outcome of that arm is missing after an intercurrent event, so that none is "
                "shifted; events='dropout' makes drop-out one"
            )
    events = fit.model.events_with(strategy)
    names = dict.fromkeys(events.strategies)
    lags = (
        "at the event, and on to the end"
        if dlag is None
        else f"times {list(dlag)} at the lags from the event on"
    )
    return ArmGrid(arms, values, (f"strategies {', '.join(names)}; a unit of delta: 1 {lags}",))
