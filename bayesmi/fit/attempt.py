"""A plan sampled once: built, sampled, drawn back, and its grids looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bayesmi.build import BuiltModel, build_sampled
from bayesmi.draw import PosteriorDraws, draw_back_effects
from bayesmi.fit.clock import Clock
from bayesmi.fit.constrain import posterior_draws
from bayesmi.fit.grids import GridAccuracy, check_grids
from bayesmi.fit.refine import refined_plan
from bayesmi.fit.sampler import Progress, Sampled, Stage, sample
from bayesmi.fit.sampling import Sampling
from bayesmi.gibbs.effects import with_effects
from bayesmi.gibbs.state import HeldCells
from bayesmi.gibbs.tables import tables_of_draw
from bayesmi.model import Model
from bayesmi.plan import Plan
from bayesmi.seeds import EFFECTS, stream

__all__ = ["Attempt", "How", "attempt", "sample_until_grids_hold"]

_ATTEMPTS = 4  # of the whole length
_FIRST = (300, 50)  # warm-up and draws of a chain of the short attempt
_WORTH = 4  # times shorter than the whole, or it is left out


@dataclass(frozen=True)
class Attempt:
    """What one sampling of a plan gave."""

    plan: Plan
    built: BuiltModel
    sampled: Sampled
    parameters: PosteriorDraws
    accuracy: tuple[GridAccuracy, ...]

    @property
    def holds(self) -> bool:
        """Whether its grids are accurate at its draws."""
        return all(one.holds for one in self.accuracy)


@dataclass(frozen=True)
class How:
    """What is the same of all attempts."""

    seed: int
    sampler: str
    clock: Clock
    stage: Stage
    progress: Progress


def attempt(model: Model, plan: Plan, length: Sampling, how: How) -> Attempt:
    """Sample a plan and look at its grids."""
    clock = how.clock
    with clock.measure("build"):
        built = build_sampled(model, plan)
    sampled = sample(
        built, length, seed=how.seed, sampler=how.sampler, stage=how.stage, progress=how.progress
    )
    clock.add("compile", sampled.compile_seconds)
    clock.add("sample", sampled.sample_seconds)
    how.stage("drawing back")
    with clock.measure("draw back"):
        parameters = posterior_draws(built, sampled.free, length.chains, length.draws)
        if sampled.states is None:
            rng = stream(how.seed, EFFECTS)
            parameters = draw_back_effects(model.factors, plan, built.tables, parameters, rng)
        else:
            parameters = _with_held(model, plan, parameters, sampled)
            built = replace(built, tables=tables_of_draw(model.factors, model.table, plan, parameters)[1])
    with clock.measure("check"):
        accuracy = check_grids(model, plan, built.tables, parameters)
    return Attempt(plan, built, sampled, parameters, accuracy)


def _with_held(model: Model, plan: Plan, draws: PosteriorDraws, sampled: Sampled) -> PosteriorDraws:
    """Return draws with the held cells, and with the group effects that these were drawn given."""
    assert sampled.states is not None
    assert sampled.effects is not None
    held = HeldCells.of(model.factors, plan).cells(sampled.states)
    return with_effects(plan, replace(draws, cells={**draws.cells, **held}), sampled.effects)


def sample_until_grids_hold(model: Model, plan: Plan, length: Sampling, how: How) -> Attempt:
    """Sample a plan; where its grids do not hold at the posterior, refine them there and sample anew.

    Where the first grids lie is a guess, which a short attempt corrects before the long one.
    """
    first = replace(length, tune=_FIRST[0], draws=_FIRST[1])
    worth = length.tune + length.draws >= _WORTH * (first.tune + first.draws)
    if worth and any(cells.spacing is not None for cells in plan.grids.values()):
        plan = _refined(model, attempt(model, plan, first, how), how)
    for number in range(_ATTEMPTS):
        made = attempt(model, plan, length, how)
        if number == _ATTEMPTS - 1:
            break
        plan = _refined(model, made, how)
        if plan is made.plan:  # they hold, or finer ones are refused: the gate says what these are worth
            break
    return made


def _refined(model: Model, made: Attempt, how: How) -> Plan:
    if made.holds:
        return made.plan
    how.stage("refining the grid")
    with how.clock.measure("check"):
        return refined_plan(model, made.plan, made.parameters, made.accuracy)
