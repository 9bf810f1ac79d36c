"""Weakly informative default priors, scaled from observed cells only, and the user's in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError
from bayesmi.families import Family
from bayesmi.model.factor import FactorPriors, GroupEffect
from bayesmi.priors import Prior

__all__ = ["LKJ_ETA", "choose_priors", "prior_names"]

LKJ_ETA = 2.0


def prior_names(
    prefix: str,
    *,
    intercept: bool,
    columns: Sequence[tuple[str, str]],
    scales: Sequence[str],
    effects: Sequence[GroupEffect],
) -> tuple[str, ...]:
    """Return the names under which a user may give a prior of this factor; columns are (term, column) names."""
    names = [f"{prefix}Intercept"] if intercept else []
    for term, column in columns:
        names += [f"{prefix}{term}"] + ([f"{prefix}{column}"] if column != term else [])
    names += [f"{prefix}{scale}" for scale in scales]
    for effect in effects:
        names += [f"{prefix}{name}|{effect.grouping}_sigma" for name in effect.names]
        if effect.is_correlated:
            names.append(f"{prefix}{effect.grouping}__corr")
    return tuple(dict.fromkeys(names))


def choose_priors(
    prefix: str,
    family: Family,
    *,
    intercept: bool,
    columns: Sequence[tuple[str, str]],
    column_sds: NDArray[np.float64],
    effects: Sequence[GroupEffect],
    effect_sds: Mapping[str, NDArray[np.float64]],
    location: float,
    spread: float,
    given: Mapping[str, Prior],
) -> FactorPriors:
    """Return the priors of one factor.

    Defaults (s = observed standard deviation of the response, 1 on the logit scale): intercept at the predictors'
    observed means Normal(mean, 2.5 s); slopes Normal(0, 2.5 s / sd of the predictor); residual sd
    HalfStudentT(4, s); group sds HalfNormal(r / sd of the slope's column) with r = s, or pi/sqrt(3) on the logit
    scale; correlations LKJ(2).
    """
    latent = family.latent_residual_sd
    residual = latent if latent is not None and np.isfinite(latent) else spread
    own_thresholds = any(
        parameter.per_level and f"{prefix}{parameter.name}" in given for parameter in family.parameters
    )
    intercept = intercept and family.has_intercept

    def pick(name: str, default: Prior, support: str) -> Prior:
        prior = given.get(prefix + name, default)
        _check(prefix + name, prior, support)
        return prior

    own_intercept = f"{prefix}Intercept" in given
    coefficients = []
    for (term, column), sd in zip(columns, column_sds, strict=True):
        default = Prior("Normal", 0.0, 2.5 * spread / float(sd))
        default = given.get(prefix + term, default)
        coefficients.append(pick(column, default, "real"))
    group_sds = {
        effect.grouping: tuple(
            pick(f"{name}|{effect.grouping}_sigma", Prior("HalfNormal", residual / float(sd)), "positive")
            for name, sd in zip(effect.names, effect_sds[effect.grouping], strict=True)
        )
        for effect in effects
    }
    correlations = {
        effect.grouping: pick(f"{effect.grouping}__corr", Prior("LKJ", LKJ_ETA), "correlation").parameters[
            "eta"
        ]
        for effect in effects
        if effect.is_correlated
    }
    return FactorPriors(
        intercept=pick("Intercept", Prior("Normal", location, 2.5 * spread), "real") if intercept else None,
        intercept_at_means=not own_intercept,
        coefficients=tuple(coefficients),
        scales={
            parameter.name: pick(
                parameter.name, family.default_prior(parameter.name, spread), parameter.support
            )
            for parameter in family.parameters
        },
        scales_at_means=not own_thresholds,
        group_sds=group_sds,
        correlations=correlations,
    )


def _check(name: str, prior: Prior, support: str) -> None:
    if not isinstance(prior, Prior):
        raise ModelError(f"priors[{name!r}] must be a bayesmi.Prior, not {type(prior).__name__}")
    if prior.support != support:
        kinds = {
            "real": "a prior on the real line (Normal, StudentT, …)",
            "positive": "a positive prior (HalfNormal, …)",
            "unit": "a prior on the numbers between 0 and 1 (Beta)",
        }
        wanted = kinds.get(support, "Prior('LKJ', eta)")
        raise ModelError(f"priors[{name!r}] needs {wanted}, not {prior}")
