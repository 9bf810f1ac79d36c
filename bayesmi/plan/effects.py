"""Group effects: integrated out, or sampled; of sampled ones, which are centred. Decided by the data, effect by effect.

Centred effects mix well where the rows of a group say much about the effect against what the prior says, non-centred ones
where they say little (Betancourt & Girolami 2015). An intercept often is well known where a slope is not: then the first
effects are centred and the later ones are sampled given these, z = L^-1 u.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import counted
from bayesmi.errors import ModelError
from bayesmi.families.selected import BY_DESIGN, SELECTED
from bayesmi.model.factor import Factor, GroupEffect
from bayesmi.model.scale import rough_residuals
from bayesmi.model.selection import selected_column
from bayesmi.model.table import ModelTable
from bayesmi.plan.adaptive import MOST_GROUPS, can_adapt, groups_say
from bayesmi.plan.overrides import effect_key
from bayesmi.plan.scales import scale_information

__all__ = ["EffectGroup", "check_collapse", "effects_of", "one_collapse"]

_INFORMATIVE = (
    3.0  # information of a group's rows over that of the prior, from which centred effects mix better
)
_INFORMATIVE_BESIDE_LINKS = 8.0
_LARGE = 100  # rows a group


@dataclass(frozen=True)
class EffectGroup:
    """Group effects of one grouping in one factor."""

    variable: str
    grouping: str
    treatment: str  # "collapse", "centred", "partly centred", "noncentred", "adaptive"
    n_groups: int
    n_effects: int
    reason: str
    n_centred: int = 0  # how many of its effects are centred: the first ones
    says: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...] = field(
        default=(), compare=False, repr=False
    )  # adaptive effects: what the rows of the groups say and how much, by linear predictor
    unseen: NDArray[np.bool_] | None = field(
        default=None, compare=False, repr=False
    )  # of centred effects: groups of which no row says anything, (G,); theirs are not centred
    obstacle: str = field(default="", compare=False, repr=False)  # why they are not integrated out alone
    jointly: bool = False  # integrated out together with cells and with effects of other models


def effects_of(
    factor: Factor,
    owner: Factor,
    effect: GroupEffect,
    factors: tuple[Factor, ...],
    table: ModelTable,
    treated: Mapping[str, Collection[str]],
    active: Mapping[str, NDArray[np.bool_]],
    wanted: Mapping[str, str],
    beside: str | None = None,
    jointly: Sequence[str] = (),
) -> EffectGroup:
    """Decide the treatment of the effects of one grouping.

    `owner` is the factor itself, or that whose scale it models; `treated` holds the variables with cells that are summed
    ("enumerate") and integrated ("integrate"), `active` by variable the units that stand in the density; `beside` is the
    grouping of the factor that is integrated out in place of this one, `jointly` those that are with cells and other models'.
    """
    n_groups = len(table.groupings[effect.grouping].labels)
    if beside:
        obstacle: str | None = f"one grouping is integrated out, and that is {beside}"
    elif jointly:
        obstacle = f"effects of {' and '.join(jointly)} are integrated out instead"
    else:
        obstacle = _collapse_obstacle(factor, effect, factors, table, treated)
    asked = wanted.get(effect_key(factor, effect))
    if asked == "collapse" and obstacle:
        asked = None  # it may be together with others: `check_collapse`
    if asked == "collapse" or (asked is None and obstacle is None):
        return EffectGroup(
            factor.name, effect.grouping, "collapse", n_groups, effect.n_effects,
            "Gaussian: integrated out in closed form, drawn back",
        )  # fmt: skip
    per_group = _rows_by_group(factor, effect, table, active)
    typical = int(np.median(per_group))
    rows = f"median {typical} rows a group"
    if asked == "adaptive" and not can_adapt(factor, effect, table):
        raise ModelError(
            f"treatments[{effect_key(factor, effect)!r}]: only intercepts of a single grouping with up to {MOST_GROUPS} groups "
            "can be adaptive, beside predictors that are complete by group; take 'centred' or 'noncentred'"
        )
    if asked == "adaptive" or (asked is None and can_adapt(factor, effect, table)):
        why = "asked for" if asked else f"{obstacle}; few groups: each by what its rows say"
        says = groups_say(factor, effect, table)
        return EffectGroup(
            factor.name, effect.grouping, "adaptive", n_groups, effect.n_effects, f"{why} ({rows})", effect.n_effects, says,
            obstacle=obstacle or "",
        )  # fmt: skip
    # with a link the group sd can go to zero where the link explains the groups: a funnel for centred effects of small groups
    least = _INFORMATIVE_BESIDE_LINKS if factor.links and typical < _LARGE else _INFORMATIVE
    if factor.parameter == "selection":
        found = _selection_information(factor, effect, table)
    elif factor.parameter:
        found = [scale_information(owner, effect, table)] * effect.n_effects
    elif beside:
        found = _information_beside(beside, factor, effect, table)
    else:
        found = _information(factor, effect, table, *rough_residuals(factor, table))
        if effect.elsewhere and factor.selection is not None:
            shared = next(one for one in factor.selection.shared if one.grouping == effect.grouping)
            own = GroupEffect(effect.grouping, effect.names[-effect.elsewhere :], shared.designs, ())
            found[-effect.elsewhere :] = _selection_information(factor.selection, own, table)
        inside = [
            one.grouping for one in factor.effects if table.contains(effect.grouping, one.grouping)
        ]  # a grouping is not inside of itself
        for other in (*inside, *jointly):
            if "1" in effect.names:
                at = effect.names.index("1")
                found[at] = min(found[at], _information_beside(other, factor, effect, table)[at])
    enough = [value >= least for value in found]
    n_centred = enough.index(False) if False in enough else effect.n_effects
    if asked is not None:
        n_centred = {"centred": effect.n_effects, "partly centred": 1}.get(asked, 0)
        return EffectGroup(
            factor.name, effect.grouping, asked, n_groups, effect.n_effects, f"asked for; {rows}", n_centred,
            unseen=_unseen(factor, effect, factors, table, active) if n_centred else None, obstacle=obstacle or "",
        )  # fmt: skip
    if n_centred in (0, effect.n_effects):
        treatment = "centred" if n_centred else "noncentred"
        what = f"{'much' if n_centred else 'little'} information per group"
    else:
        treatment = "partly centred"
        what = (
            f"much information per group on {_listed(effect.names[:n_centred])}, little on "
            f"{_listed(effect.names[n_centred:])}"
        )
    unseen = _unseen(factor, effect, factors, table, active) if n_centred else None
    if unseen is not None:
        rows += f"; {counted(int(unseen.sum()), 'group')} without any row not centred"
    why = f"{obstacle}; {what} ({rows})"
    return EffectGroup(
        factor.name, effect.grouping, treatment, n_groups, effect.n_effects, why, n_centred, unseen=unseen,
        obstacle=obstacle or "",
    )  # fmt: skip


def _rows_by_group(
    factor: Factor, effect: GroupEffect, table: ModelTable, active: Mapping[str, NDArray[np.bool_]]
) -> NDArray[np.intp]:
    """Return how many units of a factor that stand in the density each group has, (G,)."""
    codes = table.codes_at(effect.grouping, factor.level)[active[factor.variable]]
    return np.bincount(codes, minlength=len(table.groupings[effect.grouping].labels))


def _unseen(
    factor: Factor,
    effect: GroupEffect,
    factors: tuple[Factor, ...],
    table: ModelTable,
    active: Mapping[str, NDArray[np.bool_]],
) -> NDArray[np.bool_] | None:
    """Return the groups whose effects nothing depends on, neither rows nor models that they are predictors of; None of none."""
    seen = _rows_by_group(factor, effect, table, active)
    for other in factors:
        if any(link.variable == factor.variable and link.grouping == effect.grouping for link in other.links):
            seen = seen + _rows_by_group(other, effect, table, active)
    return seen == 0 if (seen == 0).any() else None


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join("the intercept" if name == "1" else name for name in names)


def _selection_information(part: Factor, effect: GroupEffect, table: ModelTable) -> list[float]:
    """Return the same for a selection equation, from residuals of whether the value is seen on its predictors."""
    kinds = table.values[selected_column(part.variable)]
    values = {name: table.values[name] for name in part.design.variables}
    with np.errstate(all="ignore"):
        matrix = np.column_stack([np.ones(table.n_rows), part.matrix(values, table.n_rows)])
    units = np.flatnonzero((kinds != BY_DESIGN) & np.isfinite(matrix).all(axis=1))
    seen = (kinds[units] == SELECTED).astype(float)
    x = matrix[units]
    residual = seen - x @ np.linalg.lstsq(x, seen, rcond=None)[0] if len(units) else seen
    return _information(part, effect, table, residual, units)


def _information(
    factor: Factor,
    effect: GroupEffect,
    table: ModelTable,
    residual: NDArray[np.float64],
    units: NDArray[np.intp],
) -> list[float]:
    """Return for each effect a typical group's z'z tau² / sigma²: information of the data over that of the prior.

    From the residuals of a rough fit, by moments: sigma² from the deviations within groups, tau² from how much the groups'
    own estimates vary beyond sampling.
    """
    rows = table.rows_of_level(factor.level)[units]
    values = {name: table.values[name][rows] for name in effect.variables}
    seen = np.isfinite(residual)
    for column in values.values():
        seen &= np.isfinite(column)
    codes = table.codes_at(effect.grouping, factor.level)[units][seen]
    y = residual[seen]
    if not len(y):
        return [0.0] * effect.n_effects
    z = effect.matrix({name: column[seen] for name, column in values.items()}, int(seen.sum()))
    _, codes = np.unique(codes, return_inverse=True)
    size = np.bincount(codes)
    n_groups = len(size)
    if n_groups < 2 or len(y) <= n_groups:
        return [0.0] * effect.n_effects
    design = factor.matrix({name: table.values[name][rows][seen] for name in factor.design.variables}, len(y))
    spent = sum(1 for column in design.T if _is_constant_within(column, codes, size))

    def within(column: NDArray[np.float64]) -> NDArray[np.float64]:
        return column - (np.bincount(codes, weights=column) / size)[codes]

    own = within(y)
    sigma2 = float((own**2).sum()) / (len(y) - n_groups)
    out = []
    for name, column in zip(effect.names, z.T, strict=True):
        is_intercept = name in ("1", "selection_1")
        x = column if is_intercept else within(column)
        square = np.bincount(codes, weights=x * x, minlength=n_groups)
        informed = square > 1e-9 * float(square.max(initial=0.0))
        if informed.sum() < 2:
            out.append(0.0)
            continue
        target = y if is_intercept else own
        estimate = np.bincount(codes, weights=x * target, minlength=n_groups)[informed] / square[informed]
        weight = square[informed]
        df = max(1, int(informed.sum()) - 1 - (spent if is_intercept else 0))
        mean = float((weight * estimate).sum() / weight.sum())
        between = float((weight * (estimate - mean) ** 2).sum()) / df
        typical = float(weight.sum() - (weight**2).sum() / weight.sum()) / (int(informed.sum()) - 1)
        tau2 = max(0.0, between - sigma2) / typical
        out.append(float("inf") if sigma2 <= 0.0 else float(np.median(weight)) * tau2 / sigma2)
    return out


def _information_beside(beside: str, factor: Factor, effect: GroupEffect, table: ModelTable) -> list[float]:
    """Return the same of an intercept, from the means of what the group shares with each one of the other grouping.

    Rows with the same effect of the other grouping say together no more than that effect lets them. Slopes count as unknown.
    """
    out = [0.0] * effect.n_effects
    residual, units = rough_residuals(factor, table)
    if "1" not in effect.names or not len(residual):
        return out
    own = table.codes_at(effect.grouping, factor.level)[units]
    other = table.codes_at(beside, factor.level)[units]
    pairs, cell = np.unique(np.column_stack([own, other]), axis=0, return_inverse=True)
    means = np.bincount(cell.ravel(), weights=residual) / np.bincount(cell.ravel())
    _, codes = np.unique(pairs[:, 0], return_inverse=True)
    n, n_groups = np.bincount(codes).astype(float), int(codes.max()) + 1
    if n_groups < 2 or len(means) <= n_groups:
        return out
    of_group = np.bincount(codes, weights=means) / n
    within = float(((means - of_group[codes]) ** 2).sum()) / (len(means) - n_groups)
    between = float((n * (of_group - means.mean()) ** 2).sum()) / (n_groups - 1)
    typical = float(n.sum() - (n**2).sum() / n.sum()) / (n_groups - 1)
    tau2 = max(0.0, between - within) / typical
    out[effect.names.index("1")] = float(np.median(n)) * tau2 / within if within > 0.0 else float("inf")
    return out


def _is_constant_within(column: NDArray[np.float64], codes: NDArray[np.intp], size: NDArray[np.intp]) -> bool:
    mean = (np.bincount(codes, weights=column) / size)[codes]
    return bool(
        np.abs(column - mean).max(initial=0.0) <= 1e-9 * max(1.0, float(np.abs(column).max(initial=0.0)))
    )


def _collapse_obstacle(
    factor: Factor,
    effect: GroupEffect,
    factors: tuple[Factor, ...],
    table: ModelTable,
    treated: Mapping[str, Collection[str]],
) -> str | None:
    """Say why the effects cannot be integrated out; None if they can."""
    if factor.parameter == "selection":
        return "probit likelihood of being seen"
    if factor.parameter:
        return f"effects on log {factor.parameter}"
    if factor.selection is not None:
        return "beside a selection equation"
    if not factor.family.is_gaussian_identity:
        return f"{factor.family.name} likelihood"
    if factor.scale is not None:
        return f"{factor.scale.parameter} has a model"
    if factor.limits:
        return "beside probabilities of intervals"
    own = factor.parents | {factor.variable}
    touched = sorted(own & set(treated["enumerate"]))
    if touched:
        return f"rows are summed over {', '.join(touched)}"
    touched = sorted(own & set(treated["integrate"]))
    if touched:
        return f"rows are integrated over {', '.join(touched)}"
    latent = sorted(name for name in effect.variables if table.is_incomplete(name))
    if latent:
        return f"slope on the incomplete {', '.join(latent)}"
    for other in factors:
        if any(link.variable == factor.variable and link.grouping == effect.grouping for link in other.links):
            return f"the model of {other.variable} uses these effects"
    return None


def check_collapse(
    factors: Sequence[Factor], effects: Sequence[EffectGroup], wanted: Mapping[str, str]
) -> None:
    """Refuse a wish to integrate effects out that could not be followed.

    Raises
    ------
    ModelError
        With the reason.
    """
    for factor in factors:
        for part in factor.parts:
            for effect in part.effects:
                key = effect_key(part, effect)
                own = next(e for e in effects if (e.variable, e.grouping) == (part.name, effect.grouping))
                if wanted.get(key) == "collapse" and own.treatment != "collapse":
                    raise ModelError(f"treatments[{key!r}]: cannot collapse: {own.obstacle or own.reason}")


def one_collapse(
    effects: tuple[EffectGroup, ...],
    asked: Collection[tuple[str, str]],
    otherwise: Callable[[EffectGroup, str], EffectGroup],
) -> tuple[EffectGroup, ...]:
    """Keep one collapsed grouping a factor, the one asked for or with most effects; the others become explicit.

    `otherwise` decides how: given the effects and the grouping that is kept.
    """
    largest: dict[str, EffectGroup] = {}

    def rank(effect: EffectGroup) -> tuple[bool, int]:
        return (effect.variable, effect.grouping) in asked, effect.n_groups * effect.n_effects

    for effect in effects:
        if effect.treatment != "collapse":
            continue
        best = largest.get(effect.variable)
        if best is not None and rank(best)[0] and rank(effect)[0]:
            raise ModelError(
                f"treatments= asks to collapse the effects of {best.grouping} and of {effect.grouping} in the model of "
                f"{effect.variable}: one grouping a model can be integrated out, take one of the two"
            )
        if best is None or rank(effect) > rank(best):
            largest[effect.variable] = effect
    out = []
    for effect in effects:
        if effect.treatment == "collapse" and largest[effect.variable] is not effect:
            effect = otherwise(effect, largest[effect.variable].grouping)
        out.append(effect)
    return tuple(out)
