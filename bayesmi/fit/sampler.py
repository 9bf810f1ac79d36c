"""NUTS: compile, start, sample, and give back draws of the free variables.

nutpie's own compilation is native but never cached on disk: seconds to minutes in every process. PyTensor's function
comes from its disk cache and can be called back instead: quick to start, some microseconds more a call, one core.
Which one is chosen depends on the size of the density only, never on a clock, so that the same seed gives the same
draws.
"""

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
from bayesmi.seeds import SAMPLE, stream

__all__ = ["Sampled", "load_sampler", "sample", "uses_callback"]

Floats = NDArray[np.float64]
_CALLBACK_WORK = (
    40_000  # elementwise operations of one density evaluation up to which calling back is quicker
)
_CALLBACK_DIMENSIONS = 60
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


@dataclass(frozen=True)
class Sampled:
    """Draws of the free variables (S, …), chain by chain, with sampler statistics (chains, draws) and seconds."""

    free: dict[str, Floats]
    statistics: dict[str, NDArray[Any]]
    n_chains: int
    n_draws: int
    compile_seconds: float
    sample_seconds: float
    how: str


Progress = Callable[[int, int, int], None]  # (finished, total, divergences)
Stage = Callable[[str], None]


def load_sampler(sampler: str) -> None:
    """Import the sampler, so that its import is not counted as compilation."""
    if sampler == "nutpie":
        import nutpie  # noqa: F401


def uses_callback(built: BuiltModel) -> bool:
    """Whether the density is small enough for the disk-cached function."""
    dimensions = sum(int(np.prod(shape)) for shape in built.pymc_model.eval_rv_shapes().values())
    return built.work <= _CALLBACK_WORK and dimensions <= 2 * _CALLBACK_DIMENSIONS


def sample(
    built: BuiltModel,
    *,
    seed: int,
    draws: int,
    tune: int,
    chains: int,
    cores: int | None,
    sampler: str,
    stage: Stage,
    progress: Progress,
) -> Sampled:
    """Sample with nutpie or with PyMC's own NUTS."""
    number = int(stream(seed, SAMPLE).integers(2**31 - 1))
    if sampler == "pymc":
        return _sample_pymc(built, number, draws, tune, chains, cores, stage)
    if sampler != "nutpie":
        raise FitError(f"sampler={sampler!r} is not known; there are 'nutpie' and 'pymc'")
    callback = uses_callback(built)
    started = time.perf_counter()
    stage("compiling")
    compiled = _compile_callback(built, number) if callback else _compile_native(built)
    compile_seconds = time.perf_counter() - started
    stage("sampling")
    started = time.perf_counter()

    def on_progress(states: list[Any]) -> None:
        progress(
            sum(state.finished_draws for state in states),
            sum(state.total_draws for state in states),
            sum(state.divergences for state in states),
        )

    import nutpie

    try:
        tree = nutpie.sample(
            compiled,
            draws=draws,
            tune=tune,
            chains=chains,
            cores=1 if callback else min(cores or _available_cores(), chains),
            seed=number,
            save_warmup=False,
            progress_bar=False,
            progress_callback=on_progress,
            progress_rate=200,
        )
    except RuntimeError as problem:
        raise FitError(_start_failure(built, problem)) from None
    sample_seconds = time.perf_counter() - started
    posterior = tree["posterior"].to_dataset()
    if callback:
        flat = posterior["unconstrained"].values.reshape(chains * draws, -1)
        free = constrained(built, flat)
    else:
        free = {
            rv.name: posterior[rv.name].values.reshape((chains * draws, *posterior[rv.name].shape[2:]))
            for rv in built.pymc_model.free_RVs
        }
    statistics = _statistics(tree["sample_stats"].to_dataset())
    how = "cached function, one core" if callback else "native"
    return Sampled(free, statistics, chains, draws, compile_seconds, sample_seconds, f"nutpie, {how}")


def _statistics(dataset: Any) -> dict[str, NDArray[Any]]:
    return {name: dataset[name].values for name in _STATISTICS if name in dataset}


def _available_cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _initial_vector(built: BuiltModel) -> Floats:
    point = built.pymc_model.initial_point(0)
    return np.concatenate([np.ravel(point[value.name]) for value in built.pymc_model.continuous_value_vars])


def _compile_callback(built: BuiltModel, seed: int) -> Any:
    from nutpie.compiled_pyfunc import from_pyfunc

    density = built.pymc_model.logp_dlogp_function(ravel_inputs=True)
    density.set_extra_values({})
    start = _initial_vector(built)
    _check_start(built, density(start)[0])
    n_dimensions = len(start)

    def make_density() -> Callable[..., tuple[float, Floats]]:
        def evaluate(x: Floats) -> tuple[float, Floats]:
            value, gradient = density(x)
            return float(value), np.asarray(gradient, dtype=float)

        return evaluate

    def make_expand(seed1: int, seed2: int, chain: int) -> Callable[..., dict[str, Floats]]:
        return lambda x: {"unconstrained": np.asarray(x, dtype=float)}

    def initial(seed: int) -> Floats:
        return start + np.random.default_rng(seed).uniform(-1.0, 1.0, n_dimensions)

    return from_pyfunc(
        ndim=n_dimensions,
        make_logp_fn=make_density,
        make_expand_fn=make_expand,
        expanded_dtypes=[np.dtype("float64")],
        expanded_shapes=[(n_dimensions,)],
        expanded_names=["unconstrained"],
        make_initial_point_fn=initial,
    )


def _compile_native(built: BuiltModel) -> Any:
    import nutpie

    model = built.pymc_model
    return nutpie.compile_pymc_model(model, var_names=[rv.name for rv in model.free_RVs])


def _check_start(built: BuiltModel, value: float) -> None:
    if not np.isfinite(value):
        raise FitError(_start_failure(built, None))


def _start_failure(built: BuiltModel, problem: Exception | None) -> str:
    """Name the conditional whose density is not finite where the chains start."""
    try:
        parts = built.pymc_model.point_logps()
    except Exception:
        parts = {}
    bad = sorted({name.split("::")[0] for name, value in parts.items() if not np.isfinite(value)})
    where = f" in the model of {', '.join(bad)}" if bad else ""
    return (
        f"sampling could not start: the density is not finite{where}; look at extreme values and at the priors"
        + (f" ({str(problem).splitlines()[0]})" if problem and not bad else "")
    )


def _sample_pymc(
    built: BuiltModel, seed: int, draws: int, tune: int, chains: int, cores: int | None, stage: Stage
) -> Sampled:
    import pymc as pm

    stage("sampling with PyMC's NUTS")
    started = time.perf_counter()
    tree = pm.sample(
        draws=draws,
        tune=tune,
        chains=chains,
        cores=min(cores or _available_cores(), chains),
        random_seed=seed,
        model=built.pymc_model,
        nuts_sampler="pymc",
        progressbar=False,
        compute_convergence_checks=False,
    )
    posterior = tree["posterior"].to_dataset()
    free = {
        rv.name: posterior[rv.name].values.reshape((chains * draws, *posterior[rv.name].shape[2:]))
        for rv in built.pymc_model.free_RVs
    }
    seconds = time.perf_counter() - started
    statistics = _statistics(tree["sample_stats"].to_dataset())
    return Sampled(free, statistics, chains, draws, 0.0, seconds, "PyMC NUTS")
