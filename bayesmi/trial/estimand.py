"""The posterior of the treatment effect under a strategy.

Given parameters θ, patient i's outcome at visit j has under the strategy the expectation

    mu_ij(θ) + [E(y_ij | observed, θ, strategy) - E(y_ij | observed, θ, MAR)],

the mean of the own arm and what the strategy changes of the patient's conditional mean; an outcome that was observed and
fitted is its own conditional mean under both, so that nothing changes there. The estimand is the analysis of covariance of these
expectations. Averages of the conditional means under MAR equal those of mu at the maximum of the likelihood (its
score equation), so that the posterior is centred where conditional mean imputation is; its spread is that of θ and, with
weights of the patients from the Bayesian bootstrap (Rubin 1981), that of who has an event. Outcomes that are observed do not
add a variance of their own a second time, as they do when random imputations are pooled: this variance is close to the
frequentist one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.errors import FitError
from bayesmi.fit import diagnostics
from bayesmi.seeds import stream
from bayesmi.trial.ancova import Ancova
from bayesmi.trial.conditional import fill_means, group_patients
from bayesmi.trial.events import Events
from bayesmi.trial.streams import WEIGHTS

if TYPE_CHECKING:
    from bayesmi.trial.fit import TrialDraws, TrialFit

__all__ = ["estimand_draws", "summarize_estimand"]

Floats = NDArray[np.float64]
_WITH_HOLES = 250  # draws of a chain where covariates have to be completed in each
_CHUNK = 2_000_000


def summarize_estimand(
    fit: TrialFit,
    events: Events,
    ancova: Ancova,
    shift: Floats | None,
    *,
    bootstrap: bool,
    draws: int | None,
    seed: int,
    prob: float,
) -> pd.DataFrame:
    """Return the table of `TrialFit.summary`."""
    data = fit.model.data
    first = fit.fits[0].draws
    each = min(first.n_draws, _WITH_HOLES) if draws is None and data.incomplete else draws or first.n_draws
    if not 2 <= each <= first.n_draws:
        raise FitError(f"draws={draws!r}: a chain has {first.n_draws} draws; ask for 2 to {first.n_draws}")
    within = np.linspace(0, first.n_draws - 1, each).round().astype(np.intp)
    flat = (np.arange(first.n_chains)[:, None] * first.n_draws + within).ravel()
    step = max(1, _CHUNK // (data.values.size + 1))
    values = np.concatenate(
        [
            estimand_draws(
                fit,
                fit.draws(flat[start : start + step], seed=seed, offset=start),
                events,
                ancova,
                shift,
                _weights(seed, start, min(step, len(flat) - start), data.n) if bootstrap else None,
            )
            for start in range(0, len(flat), step)
        ]
    )
    chains = np.moveaxis(values.reshape(first.n_chains, each, -1), -1, 0)
    low, high = (1 - prob) / 2, 1 - (1 - prob) / 2
    arms = len(data.arms)
    kinds = ["effect"] * (arms - 1) + ["least-squares mean"] * arms
    return pd.DataFrame(
        {
            "kind": kinds * len(ancova.visits),
            "mean": values.mean(axis=0),
            "sd": values.std(axis=0, ddof=1),
            f"{100 * low:g}%": np.quantile(values, low, axis=0),
            f"{100 * high:g}%": np.quantile(values, high, axis=0),
            "r_hat": diagnostics.r_hat(chains),
            "ess_bulk": diagnostics.ess_bulk(chains),
            "ess_tail": diagnostics.ess_tail(chains),
            "mcse_mean": diagnostics.mcse_mean(chains),
        },
        index=pd.Index(ancova.terms, name="term"),
    )


def estimand_draws(
    fit: TrialFit,
    drawn: TrialDraws,
    events: Events,
    ancova: Ancova,
    shift: Floats | None,
    weights: Floats | None,
) -> Floats:
    """Return draws of the effects and least-squares means, (S, terms).

    Parameters
    ----------
    fit, drawn, events, ancova
        The posterior, S draws of it, the strategies, the analysis.
    shift : ndarray, shape (n, J), optional
        Added to missing outcomes.
    weights : ndarray, shape (S, n), optional
        Of the patients; by default equal.
    """
    data = fit.model.data
    whole = fill_means(
        group_patients(data.observed, events, data.arm_of, data.reference), drawn.moments, data.values
    )
    if shift is not None:
        whole = np.where(data.observed, whole, whole + shift)
    fitted = fit.model.fitted_outcomes
    at_random = Events(events.first, ("MAR",) * data.n)
    plain = fill_means(
        group_patients(np.isfinite(fitted), at_random, data.arm_of, data.reference), drawn.moments, fitted
    )
    target = (drawn.moments.own + (whole - plain))[:, :, list(ancova.visits)]
    n_draws = len(target)
    varies = any(own.ndim > 1 for own in drawn.baseline.values())
    matrices = [ancova.design.matrix(drawn.values(s)) for s in range(n_draws if varies else 1)]
    out = np.empty((n_draws, len(ancova.terms)))
    equal = np.full(data.n, 1.0)
    arms = [
        [ancova.design.matrix(drawn.values(s), arm) for arm in range(len(data.arms))]
        for s in range(n_draws if varies else 1)
    ]
    for s in range(n_draws):
        x, by_arm = matrices[s if varies else 0], arms[s if varies else 0]
        w = equal if weights is None else weights[s]
        weighted = x.T * w
        beta = np.linalg.solve(weighted @ x, weighted @ target[s])
        means = np.array([w @ each for each in by_arm]) / w.sum()
        out[s] = (np.concatenate([means[1:] - means[0], means]) @ beta).T.ravel()
    return out


def _weights(seed: int, start: int, count: int, n: int) -> Floats:
    """Return weights of the patients: standard exponential, that is Dirichlet up to their sum."""
    return np.array([stream(seed, WEIGHTS, i).standard_exponential(n) for i in range(start, start + count)])
