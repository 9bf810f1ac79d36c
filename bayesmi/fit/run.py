"""From a Model to a Fit: plan, build, sample, draw back, judge."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace

from bayesmi.errors import BayesmiNotice, FitError, ModelError
from bayesmi.fit.fit import Fit
from bayesmi.fit.observed_tree import observed_tree
from bayesmi.fit.sampling import Sampling
from bayesmi.model import Model
from bayesmi.seeds import check_seed

__all__ = ["fit_model"]

# Two-level selection models with 10 clusters: at .8 one fit in two had a few divergent transitions, at .9 none, for 1.3 times
# the time and more effective draws a second
_USUAL, _SMALLER = 0.8, 0.9


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
            from bayesmi.fit.attempt import How, sample_until_grids_hold
            from bayesmi.fit.gate import judge
            from bayesmi.fit.names import to_dataset
            from bayesmi.fit.rho_profile import estimated_rhos, profile_rho
            from bayesmi.fit.sampler import load_sampler

            load_sampler("pymc" if plan.holds else sampler)
        made = sample_until_grids_hold(
            model, plan, how, How(own_seed, sampler, clock, display.stage, display.sampling)
        )
        plan, built, sampled, parameters = made.plan, made.built, made.sampled, made.parameters
        with clock.measure("draw back"):
            posterior = to_dataset(parameters, model, plan)
        display.stage("checking")
        with clock.measure("check"):
            gate = judge(model, plan, built.tables, parameters, posterior, sampled.statistics, made.accuracy)
            profiles = [profile_rho(built, name, parameters) for name in estimated_rhos(built)]
            gate = replace(gate, notes=tuple(one.words for one in profiles if one.words))
    for line in gate.notes:
        warnings.warn(line, BayesmiNotice, stacklevel=3)
    tree = observed_tree(model, posterior, sampled.statistics)
    seconds: Mapping[str, float] = clock.seconds
    return Fit(model, plan, tree, gate, own_seed, seconds, sampled.how, built.tables, parameters)


def _first_time() -> bool:
    """Whether the density has still to be compiled on this machine."""
    from bayesmi.kernel import is_cached

    return not is_cached()
