"""Imputations from posterior draws that have weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.tables import make_tables
from bayesmi.draw import FitDraws, PosteriorDraws
from bayesmi.imputations import Imputations, choose_draws
from bayesmi.model import Model
from bayesmi.plan import Plan
from bayesmi.seeds import SPACING

__all__ = ["distance", "log_mean_exp", "weighted_imputations"]

Floats = NDArray[np.float64]


def weighted_imputations(
    model: Model, plan: Plan, draws: PosteriorDraws, weights: Floats, m: int, seed: int
) -> Imputations:
    """Return imputations from draws chosen by their weights; with equal weights those of `Fit.impute`.

    Notes
    -----
    Systematic resampling: the m places that `Fit.impute` takes are looked up in the cumulative weights.
    """
    spacing = int(np.random.SeedSequence(seed, spawn_key=(SPACING, 0)).generate_state(1)[0])
    plain = choose_draws(draws.n_chains, draws.n_draws, m, spacing)
    places = (np.array([c * draws.n_draws + d for c, d in plain]) + 0.5) / draws.n
    chosen = np.minimum(np.searchsorted(np.cumsum(weights), places), draws.n - 1)
    tables = make_tables(model.factors, model.table, plan)
    origins = [(int(s) // draws.n_draws, int(s) % draws.n_draws) for s in chosen]
    own = FitDraws(model, plan, tables, draws.take(chosen), origins, seed)
    return Imputations(model.frame, own, seed=seed, integer_valued=model.integer_valued)


def distance(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the distance between two points of a grid."""
    return float(np.hypot.reduce(np.subtract(one, other)))


def log_mean_exp(values: Floats, weights: Floats) -> float:
    """Return log of the weighted mean of exp(values)."""
    top = float(values.max())
    return top + float(np.log(weights @ np.exp(values - top)))
