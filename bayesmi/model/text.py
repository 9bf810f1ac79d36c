"""How a model reads: each conditional in words, with its family and priors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmi.data.wording import counted
from bayesmi.mechanism.indicator import indicator_name, indicators_of
from bayesmi.model.factor import Factor

if TYPE_CHECKING:
    from bayesmi.model.model import Model

__all__ = ["implied_icc", "model_text"]

_ROLES = {
    "analysis": "analysis model",
    "covariate": "model of an incomplete covariate",
    "auxiliary": "model of an auxiliary variable",
}


def model_text(model: Model) -> str:
    """Return the printout of a model."""
    table = model.table
    groups = "".join(f", {len(group.labels):,} groups of {name}" for name, group in table.groupings.items())
    lines = [f"Model of {model.formula}", f"  {table.n_rows:,} rows{groups}"]
    if model.ignored is not None:
        lines.append(
            f"  {counted(int(model.ignored.mask.sum()), 'more row')} of ignore=: imputed, and no part of what follows"
        )
    product = " · ".join(_conditional(factor) for factor in reversed(model.factors))
    if len(model.factors) > 1:
        lines.append(f"  joint density: {product}")
    for number, factor in enumerate(reversed(model.factors), start=1):
        lines += ["", *_factor_lines(factor, model, number)]
    constants = [line for factor in reversed(model.factors) for line in factor.design.constants]
    if constants:
        lines += ["", "  frozen constants: " + "; ".join(dict.fromkeys(constants))]
    if model.notices:
        lines += ["", *(f"  note: {line}" for line in model.notices)]
    lines += ["", "  next: .plan(), .fit(seed=1)"]
    return "\n".join(lines)


def _conditional(factor: Factor) -> str:
    groupings = dict.fromkeys(effect.grouping for part in factor.parts for effect in part.effects)
    given = [*sorted(factor.parents), *groupings]
    return f"f({factor.variable} | {', '.join(given)})" if given else f"f({factor.variable})"


def _factor_lines(factor: Factor, model: Model, number: int) -> list[str]:
    table = model.table
    rows = table.rows_of_level(factor.level)
    missing = int(table.unknown_at(factor.variable, factor.level).sum())
    what = "rows" if factor.level == "row" else f"groups of {factor.level}"
    if factor.is_observation:
        recorded = len(rows) - missing
        return [
            f"  {number}. {factor.variable}: what was recorded, {recorded:,} {what}",
            f"     {factor.reasons[0]}",
        ]
    masked = {indicator_name(name): name for name in indicators_of(model.mechanisms)}.get(factor.variable)
    role = _ROLES[factor.role] if masked is None else f"model of where {masked} is missing"
    if (
        factor.role == "covariate" and masked is None and not missing
    ):  # in the product because of another's group mean
        role = "model of a covariate"
    count = f"{missing:,} of {len(rows):,} {what} missing" if missing else f"complete, {len(rows):,} {what}"
    absent = int(table.frame.columns[factor.variable].absent.sum())
    if absent:  # of an indicator: the rows after drop-out
        count = f"{count if missing else 'complete'}; {absent:,} {what} it does not apply to"
    if any(other.is_observation and factor.variable in other.parents for other in model.factors):
        count = f"not observed itself in any of {len(rows):,} {what}"
    lines = [
        f"  {number}. {factor.variable}: {factor.family.name} ({factor.family.link} link), {role}; {count}",
        f"     {_right_hand_side(factor)}",
    ]
    if factor.labels:
        lines.append(f"     one such predictor for each of {', '.join(factor.labels)}")
    entries = _entries(factor)
    width = max((len(name) for name, _ in entries), default=0)
    lines += [f"       {name.ljust(width)} ~ {prior}" for name, prior in entries]
    if factor.scale is not None:
        lines += _scale_lines(factor.scale)
    if factor.selection is not None:
        lines += _selection_lines(factor.selection)
    lines += _icc_lines(factor)
    lines += [f"       {reason}" for reason in factor.reasons]
    if factor.limits:
        lines.append(f"       {model.limits[factor.variable].words}")
    if factor.variable in model.mechanisms and not factor.is_observation:
        lines.append(f"       where it is missing: {model.mechanisms[factor.variable].words}")
    return lines


def _scale_lines(scale: Factor) -> list[str]:
    entries = _entries(scale)
    width = max((len(name) for name, _ in entries), default=0)
    return [
        f"     {str(scale.formula).replace('`', '')} ({scale.family.link} link)",
        *(f"       {name.ljust(width)} ~ {prior}" for name, prior in entries),
    ]


def _selection_lines(part: Factor) -> list[str]:
    entries = _entries(part)
    width = max((len(name) for name, _ in entries), default=0)
    text = str(part.formula).replace("`", "").lstrip()
    shared = [f"       its effects of {one.grouping} are those named selection_ above" for one in part.shared]
    return [
        f"     selection: {part.variable} is seen {text} (probit link)",
        *(f"       {name.ljust(width)} ~ {prior}" for name, prior in entries),
        *shared,
    ]


def _entries(factor: Factor) -> list[tuple[str, str]]:
    """Parameters of one linear predictor, and of the family, with their priors."""
    priors = factor.priors
    entries: list[tuple[str, str]] = []
    if priors.intercept is not None:
        where = (
            " at the predictors' observed means"
            if priors.intercept_at_means and factor.n_coefficients
            else ""
        )
        entries.append((f"Intercept{where}", str(priors.intercept)))
    entries += [
        (name, str(prior)) for name, prior in zip(factor.column_names, priors.coefficients, strict=True)
    ]
    for parameter in factor.parameters:
        where = " at the predictors' observed means" if parameter.per_level and priors.scales_at_means else ""
        label = parameter.words if parameter.per_level else f"{parameter.name} ({parameter.words})"
        entries.append((f"{label}{where}", str(priors.scales[parameter.name])))
    for effect in factor.effects:
        for name, prior in zip(effect.names, priors.group_sds[effect.grouping], strict=True):
            entries.append((f"sd of {name}|{effect.grouping}", str(prior)))
        if effect.known_correlation is not None:
            entries.append(
                (f"correlation of {effect.grouping} effects", f"fixed at {effect.known_correlation:g}")
            )
        elif effect.is_correlated:
            eta = priors.correlations[effect.grouping]
            entries.append((f"correlations of {effect.grouping} effects", f"LKJ(eta={eta:g})"))
    return entries


def _icc_lines(factor: Factor) -> list[str]:
    if factor.scale is not None:
        if not any("1" in effect.names for effect in factor.effects):
            return []
        return [f"       no ICC: {factor.scale.parameter} is not the same for all rows"]
    lines = []
    for effect in factor.effects:
        latent = factor.family.latent_residual_sd
        if "1" in effect.names and (latent is None or np.isfinite(latent)):
            low, high = implied_icc(factor, effect.grouping)
            if not np.isfinite([low, high]).all():  # of flat priors there is none
                continue
            lines.append(
                f"       these priors put the ICC of {effect.grouping} in {low:.2f}–{high:.2f} (95 %)"
            )
    return lines


def _right_hand_side(factor: Factor) -> str:
    text = str(factor.formula).replace("`", "")
    links = "".join(f" + {link.name}" for link in factor.links)
    if not text.startswith(factor.variable):
        text = f"{factor.variable} {text}"
    return text + links


def implied_icc(factor: Factor, grouping: str) -> tuple[float, float]:
    """Return the 2.5 and 97.5 % points of the ICC under the priors, by simulation with a fixed seed."""
    rng = np.random.default_rng(2)
    effect = factor.effect(grouping)
    tau = _prior_draws(factor.priors.group_sds[grouping][effect.names.index("1")], rng)
    latent = factor.family.latent_residual_sd
    sigma = (
        np.full_like(tau, latent) if latent is not None else _prior_draws(factor.priors.scales["sigma"], rng)
    )
    icc = tau**2 / (tau**2 + sigma**2)
    return float(np.quantile(icc, 0.025)), float(np.quantile(icc, 0.975))


def _prior_draws(prior: object, rng: np.random.Generator, n: int = 4000) -> np.ndarray:
    from bayesmi.priors import Prior

    assert isinstance(prior, Prior)
    p = prior.parameters
    normal = rng.standard_normal(n)
    match prior.name:
        case "HalfNormal":
            return np.abs(normal) * p["sigma"]
        case "HalfStudentT":
            return np.abs(rng.standard_t(p["nu"], n)) * p["sigma"]
        case "HalfCauchy":
            return np.abs(rng.standard_cauchy(n)) * p["beta"]
        case "Exponential":
            return rng.exponential(1.0 / p["lam"], n)
        case "Gamma":
            return rng.gamma(p["alpha"], 1.0 / p["beta"], n)
        case "InverseGamma":
            return 1.0 / rng.gamma(p["alpha"], 1.0 / p["beta"], n)
        case "LogNormal":
            return np.exp(p["mu"] + p["sigma"] * normal)
        case "Weibull":
            return p["beta"] * rng.weibull(p["alpha"], n)
        case _:
            return np.full(n, np.nan)
