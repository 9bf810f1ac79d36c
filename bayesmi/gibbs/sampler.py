"""NUTS and block draws in turn, by PyMC: nutpie cannot alternate with a step of another kind.

PyMC's model has three vectors: the sampler's unconstrained parameters, of which the density is the kernel's given the held
cells; the held cells; and the collapsed group effects that the last sweep drew, kept beside them. PyMC's NUTS evaluates the
density anew at the start of each transition, so that it may follow cells that have changed.
"""

# ruff: noqa: E402
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor
from numpy.typing import NDArray

# a pip install has no BLAS to link and PyMC would warn; no graph of ours needs one
pytensor.config.blas__ldflags = ""

import pymc as pm
import pytensor.tensor as pt
from pymc.exceptions import SamplingError
from pymc.sampling.parallel import ParallelSamplingError
from pymc.step_methods.compound import BlockedStep
from pymc.step_methods.hmc.quadpotential import QuadPotentialDiagAdapt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from bayesmi.build import BuiltModel
from bayesmi.errors import FitError
from bayesmi.fit.quiet_pymc import quiet_pymc
from bayesmi.fit.sampling import Sampling
from bayesmi.gibbs.pilot import pilot_variances
from bayesmi.gibbs.sweep import Sweep
from bayesmi.kernel import evaluate

__all__ = ["HeldTrace", "sample_held"]

Floats = NDArray[np.float64]
_WEIGHT = 20  # transitions that the pilot's scales count for
_X, _HELD, _EFFECTS = "unconstrained", "held", "effects"
_STATISTICS = {
    "diverging": "diverging",
    "tree_size": "n_steps",
    "depth": "depth",
    "tree_depth": "depth",
    "energy": "energy",
    "model_logp": "logp",
    "lp": "logp",
    "step_size": "step_size",
    "n_steps": "n_steps",
    "mean_tree_accept": "mean_tree_accept",
    "acceptance_rate": "mean_tree_accept",
    "reached_max_treedepth": "maxdepth_reached",
}


@dataclass(frozen=True)
class HeldTrace:
    """What was sampled: each (chains, draws, …)."""

    vectors: Floats
    states: NDArray[Any]
    effects: Floats
    statistics: dict[str, NDArray[Any]]


class _Density(Op):
    """(log density, gradient) at an unconstrained vector, given held cells."""

    __props__ = ()

    def __init__(self, sweep: Sweep) -> None:
        self._program = sweep.program

    def make_node(self, x: Any, held: Any) -> Apply:
        return Apply(self, [pt.as_tensor(x), pt.as_tensor(held)], [pt.dscalar(), pt.dvector()])

    def perform(self, node: Any, inputs: list[Any], outputs: list[Any]) -> None:
        self._program.set(inputs[1])
        value, gradient = evaluate(self._program.buffer, inputs[0])
        outputs[0][0] = np.asarray(value)
        outputs[1][0] = gradient

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        return [[True, True], [False, False]]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        return [cotangents[0] * outputs[1], DisconnectedType()()]

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class _DrawHeld(BlockedStep):
    """The sweep over the held cells as a step of PyMC."""

    name = "held cells"

    def __init__(
        self, vars: Any, *, sweep: Sweep, model: Any = None, blocked: bool = True, rng: Any = None
    ) -> None:
        self.vars, self.blocked, self._sweep = vars, blocked, sweep
        self.rng = np.random.default_rng(rng)

    def step(self, point: Any) -> tuple[Any, list[dict[str, Any]]]:
        """Draw the held cells given the parameters."""
        state, effects = self._sweep(point[_X], point[_HELD], self.rng)
        return {**point, _HELD: state, _EFFECTS: effects}, [{}]


def sample_held(
    built: BuiltModel,
    how: Sampling,
    *,
    seed: int,
    progress: Callable[[int, int, int], None],
) -> HeldTrace:
    """Sample parameters and held cells.

    Parameters
    ----------
    built : BuiltModel
        Laid out with held cells at values.
    how : Sampling
        The draws do not depend on the cores.
    seed : int
        Of all chains.
    progress : callable
        Told (finished, total, divergences).
    """
    sweep = Sweep(built)
    factors, table = built.model.factors, built.model.table
    starts = [
        {
            _X: built.program.start(int(own.integers(2**31 - 1))),
            _HELD: sweep.cells.start_at(factors, table, own),
            _EFFECTS: np.zeros(sweep.n_effects),
        }
        for own in np.random.default_rng(seed).spawn(how.chains)
    ]
    done = np.zeros(2, dtype=int)

    def moved(trace: Any, draw: Any) -> None:
        done[0] += 1
        done[1] += int(not draw.tuning and any(own.get("diverging", False) for own in draw.stats))
        if done[0] % 20 == 0:
            progress(int(done[0]), how.chains * (how.draws + how.tune), int(done[1]))

    try:
        with quiet_pymc(), _model(built, sweep) as model:
            x, held, effects = model.value_vars
            n = built.program.dimensions
            potential = QuadPotentialDiagAdapt(
                n, built.program.initial(), pilot_variances(built.program, seed), _WEIGHT, rng=seed
            )
            nuts = pm.NUTS(
                [x],
                model=model,
                potential=potential,
                rng=seed,
                target_accept=how.target_accept,
                on_unused_input="ignore",
            )
            both = [nuts, _DrawHeld([held, effects], sweep=sweep, model=model, rng=seed)]
            tree = pm.sample(
                draws=how.draws,
                tune=how.tune,
                chains=how.chains,
                cores=how.processes,
                random_seed=seed,
                step=both,
                initvals=starts,
                nuts_sampler="pymc",
                callback=moved,
                progressbar=False,
                compute_convergence_checks=False,
            )
    except (SamplingError, ParallelSamplingError) as problem:
        words = (str(problem.__cause__ or problem).splitlines() or ["no reason given"])[0]
        raise FitError(f"sampling failed: {words}; look at extreme values and at the priors") from None
    found = tree["posterior"].to_dataset()
    own = tree["sample_stats"].to_dataset()
    shape = (how.chains, how.draws)
    statistics = {
        ours: own[theirs].values.reshape(*shape, -1)[:, :, 0]
        for theirs, ours in _STATISTICS.items()
        if theirs in own
    }
    return HeldTrace(found[_X].values, found[_HELD].values, found[_EFFECTS].values, statistics)


def _model(built: BuiltModel, sweep: Sweep) -> pm.Model:
    with pm.Model() as model:
        x = pm.Flat(_X, shape=(built.program.dimensions,), initval=built.program.initial())
        held = pm.CustomDist(
            _HELD,
            logp=_no_prior,
            dtype="int16",
            shape=(sweep.cells.size,),
            initval=np.zeros(sweep.cells.size, dtype=np.int16),
        )
        pm.Flat(_EFFECTS, shape=(sweep.n_effects,), initval=np.zeros(sweep.n_effects))
        pm.Potential("density", _Density(sweep)(x, held)[0])
    return model


def _no_prior(value: Any) -> Any:
    return pt.zeros_like(value, dtype="float64")
