"""From a Model to a Fit: plan, build, sample, draw back, judge."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bayesmi.draw import PosteriorDraws, draw_back_effects
from bayesmi.errors import BayesmiNotice, FitError, ModelError
from bayesmi.fit.fit import Fit
from bayesmi.fit.observed_tree import observed_tree
from bayesmi.fit.sampling import Sampling
from bayesmi.model import Model
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan
from bayesmi.seeds import EFFECTS, check_seed, stream

if TYPE_CHECKING:
    from bayesmi.fit.sampler import Sampled

__all__ = ["fit_model"]

# Two-level selection models with 10 clusters: at .8 one fit in two had a few divergent transitions, at .9 none, for 1.3 times
# the time and more effective draws a second
_USUAL, _SMALLER = 0.8, 0.9
_ATTEMPTS = 4  # grids that the posterior shows to be too coarse or too short are refined and sampled again


def fit_model(
    model: Model,
    *,
    seed: int | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int | None = None,
    target_accept: float | None = None,
    sampler: str = "nutpie",
    progress: bool = True,
) -> Fit:
    """Sample a model; see `Model.fit`."""
    how = Sampling(draws, tune, chains, cores, target_accept)
    if sampler not in ("nutpie", "pymc"):
        raise FitError(f"sampler={sampler!r} is not known; there are 'nutpie' and 'pymc'")
    own_seed = check_seed(seed)
    plan = model.plan()
    if target_accept is None:
        sampled_effects = any(effect.treatment != "collapse" for effect in plan.effects)
        how = replace(how, target_accept=_SMALLER if sampled_effects else _USUAL)
    if not any(mask.any() for mask in plan.active.values()):
        raise ModelError("nothing is observed in the model")

    from bayesmi.fit.clock import Clock
    from bayesmi.progress import Progress

    clock = Clock()
    with Progress(show=progress, first_time=_first_time()) as display:
        with clock.measure("load"):
            from bayesmi.build import build_sampled
            from bayesmi.fit.constrain import posterior_draws
            from bayesmi.fit.gate import judge
            from bayesmi.fit.grids import check_grids
            from bayesmi.fit.names import to_dataset
            from bayesmi.fit.refine import refined_plan
            from bayesmi.fit.rho_profile import estimated_rhos, profile_rho
            from bayesmi.fit.sampler import load_sampler, sample
            from bayesmi.gibbs.tables import tables_of_draw

            load_sampler("pymc" if plan.holds else sampler)
        for attempt in range(_ATTEMPTS):
            with clock.measure("build"):
                built = build_sampled(model, plan)
            sampled = sample(
                built,
                how,
                seed=own_seed,
                sampler=sampler,
                stage=display.stage,
                progress=display.sampling,
            )
            clock.add("compile", sampled.compile_seconds)
            clock.add("sample", sampled.sample_seconds)
            display.stage("drawing back")
            with clock.measure("draw back"):
                parameters = posterior_draws(built, sampled.free, chains, draws)
                if sampled.states is not None:
                    parameters = with_held(model.factors, plan, parameters, sampled)
                    built = replace(
                        built, tables=tables_of_draw(model.factors, model.table, plan, parameters)[1]
                    )
                else:
                    parameters = draw_back_effects(
                        model.factors, plan, built.tables, parameters, stream(own_seed, EFFECTS)
                    )
            with clock.measure("check"):
                accuracy = check_grids(model, plan, built.tables, parameters)
            if all(one.holds for one in accuracy) or attempt == _ATTEMPTS - 1:
                break
            display.stage("refining the grid")
            with clock.measure("check"):
                refined = refined_plan(model, plan, parameters, accuracy)
            if refined is plan:  # finer grids are refused: the gate says what these are worth
                break
            plan = refined
        with clock.measure("draw back"):
            posterior = to_dataset(parameters, model, plan)
        display.stage("checking")
        with clock.measure("check"):
            gate = judge(model, plan, built.tables, parameters, posterior, sampled.statistics, accuracy)
            profiles = [profile_rho(built, name, parameters) for name in estimated_rhos(built)]
            gate = replace(gate, notes=tuple(one.words for one in profiles if one.words))
    for line in gate.notes:
        warnings.warn(line, BayesmiNotice, stacklevel=3)
    tree = observed_tree(model, posterior, sampled.statistics)
    seconds: Mapping[str, float] = clock.seconds
    return Fit(model, plan, tree, gate, own_seed, seconds, sampled.how, built.tables, parameters)


def with_held(
    factors: tuple[Factor, ...], plan: Plan, draws: PosteriorDraws, sampled: Sampled
) -> PosteriorDraws:
    """Return draws with the held cells, and with the group effects that these were drawn given."""
    from bayesmi.gibbs.effects import with_effects
    from bayesmi.gibbs.state import HeldCells

    assert sampled.states is not None
    assert sampled.effects is not None
    held = HeldCells.of(factors, plan).cells(sampled.states)
    return with_effects(plan, replace(draws, cells={**draws.cells, **held}), sampled.effects)


def _first_time() -> bool:
    """Whether the density has still to be compiled on this machine."""
    from bayesmi.kernel import is_cached

    return not is_cached()
