"""Group effects in the program: places and priors of effects, sds and correlations."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.centring import Centring
from bayesmi.build.correlation import beta_shapes, pairs
from bayesmi.build.factor_table import EffectTable
from bayesmi.build.statistics import group_cross
from bayesmi.build.write_cells import write_slabs
from bayesmi.build.writer import Writer
from bayesmi.kernel import layout as k
from bayesmi.kernel.priors import encode_prior
from bayesmi.model.factor import Factor
from bayesmi.priors import Prior

__all__ = ["write_centring", "write_effect", "write_shared"]

_TURN = 0.2  # of the prior's scale: where the transform of a group sd turns from exponential to linear


def write_effect(
    writer: Writer,
    factor: Factor,
    key: str,
    effect: EffectTable,
    rows: NDArray[np.intp],
    treatment: str,
    n_centred: int,
    cells: Mapping[str, tuple[int, list[int]]],
    effects: int,
    roots: int,
) -> tuple[list[int], int, int]:
    """Return the record of one grouping's effects, and how far work vectors of effects and roots are used now."""
    grouping = effect.grouping
    spec = factor.effect(grouping)
    q = spec.n_effects
    record = [-1] * k.E_SIZE
    record[k.E_GROUPS] = effect.n_groups
    record[k.E_CELLS] = 0
    record[k.E_Q] = q
    record[k.E_TREATMENT] = k.COLLAPSE if treatment == "collapse" else k.SAMPLED
    record[k.E_CENTRED] = n_centred
    record[k.E_CODES] = writer.integers(effect.codes[rows])
    record[k.E_Z] = writer.floats(effect.base[rows])
    if treatment == "collapse":
        record[k.E_ZZ] = writer.floats(group_cross(effect))
    priors = factor.priors.group_sds[grouping]
    scales = tuple(_TURN * _scale_of_sd(prior, factor.spread) for prior in priors)
    record[k.E_SD_X] = writer.parameter(f"{key}::sd::{grouping}", (q,), "softplus", 0.0, scales)
    record[k.E_SD_SCALES] = writer.floats(scales)
    record[k.E_SD_PRIORS] = writer.floats([encode_prior(prior) for prior in priors])
    blocks = []
    for b, (start, stop) in enumerate(spec.blocks):
        size = stop - start
        if size > 1 and spec.known_correlation is not None:
            x, shape_place = -1, writer.floats([0.5 * (1.0 + spec.known_correlation)])
        elif size > 1:
            shapes = beta_shapes(size, factor.priors.correlations[grouping])
            x = writer.parameter(f"{key}::partial::{grouping}::{b}", (len(pairs(size)),), "logit")
            shape_place = writer.floats([(shape, _beta_constant(shape)) for shape in shapes])
        else:
            x, shape_place = 0, 0
        blocks += [start, stop, x, shape_place]
    record[k.E_BLOCKS] = len(spec.blocks)
    record[k.E_BLOCK_TABLE] = writer.integers(blocks)
    record[k.E_L] = roots
    record[k.E_SCALE] = writer.floats([factor.spread])
    if treatment != "collapse":
        record[k.E_EFFECTS_X] = writer.parameter(f"{key}::effects::{grouping}", (effect.n_groups, q))
        record[k.E_U] = effects
        effects += effect.n_groups * q
    record[k.E_SLABS] = len(effect.slabs)
    record[k.E_SLAB_TABLE] = write_slabs(writer, effect.slabs, cells)
    return record, effects, roots + q * q


def write_centring(
    writer: Writer,
    record: list[int],
    centring: Centring,
    unseen: NDArray[np.bool_] | None,
    cells: Mapping[str, tuple[int, list[int]]],
) -> None:
    """Write what fixed effects, links and sampled cells contribute to centred effects, into the record of these."""
    record[k.E_SHIFT] = writer.floats(centring.weights)
    record[k.E_SHIFT_INTERCEPT] = centring.intercept
    record[k.E_LINKS] = len(centring.links)
    record[k.E_LINK_TABLE] = writer.integers(centring.links or [0])
    moved = [one for one in centring.cells if unseen is None or not unseen[one.group]]
    record[k.E_CELLS] = len(moved)
    record[k.E_CELL_WEIGHTS] = writer.floats([one.weight for one in moved])
    record[k.E_CELL_TABLE] = writer.integers(
        [(one.group, one.effect, one.column, cells[one.variable][0], one.index) for one in moved] or [0]
    )


def write_shared(
    writer: Writer,
    effect: EffectTable,
    rows: NDArray[np.intp],
    place: int,
    cells: Mapping[str, tuple[int, list[int]]],
) -> list[int]:
    """Return the record of effects that an earlier linear predictor holds, with this one's own Z."""
    record = [-1] * k.E_SIZE
    record[k.E_GROUPS] = effect.n_groups
    record[k.E_CELLS] = record[k.E_BLOCKS] = record[k.E_LINKS] = record[k.E_CENTRED] = 0
    record[k.E_Q] = effect.base.shape[1]
    record[k.E_TREATMENT] = k.SHARED
    record[k.E_CODES] = writer.integers(effect.codes[rows])
    record[k.E_Z] = writer.floats(effect.base[rows])
    record[k.E_U] = place
    record[k.E_SLABS] = len(effect.slabs)
    record[k.E_SLAB_TABLE] = write_slabs(writer, effect.slabs, cells)
    return record


def _beta_constant(shape: float) -> float:
    """Return -log B(shape, shape), the constant of a symmetric Beta density."""
    return math.lgamma(2.0 * shape) - 2.0 * math.lgamma(shape)


def _scale_of_sd(prior: Prior, spread: float) -> float:
    """Return the scale of a group sd's prior, or the response's spread where it has none."""
    p = prior.parameters
    match prior.name:
        case "HalfNormal" | "HalfStudentT":
            return p["sigma"]
        case "HalfCauchy" | "Weibull":
            return p["beta"]
        case "Exponential":
            return 1.0 / p["lam"]
        case "Gamma":
            return p["alpha"] / p["beta"]
        case "InverseGamma":
            return p["beta"] / p["alpha"]
        case "LogNormal":
            return float(np.exp(p["mu"]))
    return spread
