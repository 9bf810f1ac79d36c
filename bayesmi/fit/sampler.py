"""NUTS on the kernel: nutpie natively (threads, no GIL), or PyMC's own sampler."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.build import BuiltModel
from bayesmi.errors import FitError
from bayesmi.fit.constrain import constrained
from bayesmi.fit.quiet_pymc import quiet_pymc
from bayesmi.fit.sampling import Sampling
from bayesmi.seeds import SAMPLE, stream

__all__ = ["Sampled", "load_sampler", "sample"]

Floats = NDArray[np.float64]
Progress = Callable[[int, int, int], None]  # (finished, total, divergences)
Stage = Callable[[str], None]
_Trace = tuple[Floats, dict[str, NDArray[Any]]]  # vectors (chains, draws, length), statistics (chains, draws)
_STATISTICS = (
    "diverging",
    "n_steps",
    "depth",
    "energy",
    "logp",
    "step_size",
    "mean_tree_accept",
    "maxdepth_reached",
)
_VECTOR = "unconstrained"


@dataclass(frozen=True)
class Sampled:
    """Draws of the sampler's parameters (S, …), chain by chain, with statistics (chains, draws) and seconds."""

    free: dict[str, Floats]
    statistics: dict[str, NDArray[Any]]
    n_chains: int
    n_draws: int
    compile_seconds: float
    sample_seconds: float
    how: str
    states: NDArray[Any] | None = None  # (S, held cells) numbers of levels
    effects: Floats | None = None  # (S, numbers) collapsed group effects that the held cells were drawn given


def load_sampler(sampler: str) -> None:
    """Import the sampler, so that its import is not counted as compilation."""
    if sampler == "nutpie":
        from bayesmi.fit.nutpie_import import import_nutpie

        import_nutpie()
    else:
        import pymc  # noqa: F401


def sample(
    built: BuiltModel,
    how: Sampling,
    *,
    seed: int,
    sampler: str,
    stage: Stage,
    progress: Progress,
) -> Sampled:
    """Sample a program; the draws depend on the seed and not on the number of cores."""
    from bayesmi.kernel import compiled_density

    number = int(stream(seed, SAMPLE).integers(2**31 - 1))
    started = time.perf_counter()
    stage("compiling")
    compiled_density()
    _check_start(built)
    compile_seconds = time.perf_counter() - started
    started = time.perf_counter()
    if built.plan.holds:
        from bayesmi.gibbs.sampler import sample_held

        stage("sampling, held cells in turn")
        trace = sample_held(built, how, seed=number, progress=progress)
        flat = how.total
        return Sampled(
            constrained(built.program, trace.vectors.reshape(flat, -1)),
            trace.statistics,
            how.chains,
            how.draws,
            compile_seconds,
            time.perf_counter() - started,
            "PyMC NUTS and block draws of held cells in turn",
            trace.states.reshape(flat, -1),
            trace.effects.reshape(flat, -1),
        )
    if sampler == "pymc":
        stage("sampling with PyMC's NUTS")
        vectors, statistics = _pymc(built, how, number)
    else:
        stage("sampling")
        vectors, statistics = _nutpie(built, how, number, progress)
    return Sampled(
        free=constrained(built.program, vectors.reshape(how.total, -1)),
        statistics=statistics,
        n_chains=how.chains,
        n_draws=how.draws,
        compile_seconds=compile_seconds,
        sample_seconds=time.perf_counter() - started,
        how="PyMC NUTS" if sampler == "pymc" else "nutpie",
    )


def _check_start(built: BuiltModel) -> None:
    value, gradient = built.log_density(built.program.initial())
    if not np.isfinite(value) or not np.isfinite(gradient).all():
        bad = [
            p.name
            for p in built.program.parameters
            if not np.isfinite(gradient[p.start : p.start + p.size]).all()
        ]
        where = f" (gradient of {', '.join(name.replace('::', ' ') for name in bad[:3])})" if bad else ""
        raise FitError(
            f"sampling cannot start: the density is not finite at the starting point{where}; "
            "look at extreme values and at the priors"
        )


def _nutpie(built: BuiltModel, how: Sampling, seed: int, progress: Progress) -> _Trace:
    from bayesmi.fit.arrow_trace import draws_and_statistics
    from bayesmi.fit.nutpie_import import import_nutpie

    nutpie = import_nutpie()
    from bayesmi.fit.nutpie_model import KernelModel

    def on_progress(states: list[Any]) -> None:
        progress(
            sum(state.finished_draws for state in states),
            sum(state.total_draws for state in states),
            sum(state.divergences for state in states),
        )

    try:
        trace = nutpie.sample(
            KernelModel.of(built.program),
            draws=how.draws,
            tune=how.tune,
            chains=how.chains,
            cores=how.processes,
            seed=seed,
            progress_bar=False,
            progress_callback=on_progress,
            progress_rate=200,
            return_raw_trace=True,
            target_accept=how.target_accept,
        )
    except RuntimeError as problem:
        words = (str(problem).splitlines() or ["no reason given"])[0]
        if "initialization" in words.lower():
            words = (
                "the density is not finite at any starting point; look at extreme values and at the priors"
            )
        raise FitError(f"sampling failed: {words}") from None
    return draws_and_statistics(trace, _VECTOR, _STATISTICS, how.draws)


def _pymc(built: BuiltModel, how: Sampling, seed: int) -> _Trace:
    import pymc as pm

    with quiet_pymc():
        tree = pm.sample(
            draws=how.draws,
            tune=how.tune,
            chains=how.chains,
            cores=how.processes,
            random_seed=seed,
            model=built.to_pymc(),
            nuts_sampler="pymc",
            target_accept=how.target_accept,
            progressbar=False,
            compute_convergence_checks=False,
        )
    statistics = tree["sample_stats"].to_dataset()
    known = {name: statistics[name].values for name in _STATISTICS if name in statistics}
    return tree["posterior"].to_dataset()[_VECTOR].values, known
