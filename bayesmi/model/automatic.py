"""Formulas of the models written for the user: incomplete covariates given what stands before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.formula.expression import Column as ColumnName
from bayesmi.model.factor import EffectLink, Factor
from bayesmi.model.table import ModelTable, manifest_means

__all__ = ["AutomaticFormula", "Earlier", "group_sd", "quoted", "write_formula"]


def quoted(name: str) -> str:
    """Return a column name as it may stand in a formula."""
    return str(ColumnName(name))


@dataclass(frozen=True)
class AutomaticFormula:
    """A formula text, the columns it needs made, the links to earlier group effects, and why it is as it is."""

    text: str
    made: dict[str, tuple[NDArray[np.float64], str]]
    links: tuple[EffectLink, ...]
    link_sds: tuple[float, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Earlier:
    """What the models of later variables need of one that stands before them."""

    positions: Mapping[str, int]  # grouping -> place of the random intercept among the effects
    labels: tuple[str, ...]  # levels with a linear predictor, and so effects, of their own
    sd: (
        float | None
    )  # rough sd of group effects on the scale of the predictor; None: that of the observed group means

    @classmethod
    def of(cls, factor: Factor) -> Earlier:
        """Return the facts of a factor."""
        positions = {e.grouping: e.names.index("1") for e in factor.effects if "1" in e.names}
        sd = None if factor.family.is_gaussian_identity else factor.spread
        return cls(positions, factor.labels, sd)


def write_formula(
    variable: str,
    table: ModelTable,
    *,
    complete: Sequence[str],
    earlier: Sequence[str],
    facts: Mapping[str, Earlier],
    separate_levels: bool,
) -> AutomaticFormula:
    """Write the conditional of an incomplete covariate or an auxiliary variable.

    Parameters
    ----------
    variable : str
        The incomplete covariate.
    table : ModelTable
        The data.
    complete : sequence of str
        Complete variables of the analysis model, in its order.
    earlier : sequence of str
        Incomplete covariates that stand before it in the product.
    facts : mapping
        Group effects of the variables that stand before it.
    separate_levels : bool
        Hold group means of complete lower-level predictors and group effects of earlier variables.

    Notes
    -----
    One slope plus independent random intercepts would force equal within- and between-group association; the group
    means and effects let the two differ (Enders, Mistler & Keller 2016; Grund, Lüdtke & Robitzsch 2018).
    """
    level = table.level(variable)
    own = [g for g in table.groupings if table.contains(g, level)]
    terms: list[str] = []
    made: dict[str, tuple[NDArray[np.float64], str]] = {}
    links: list[EffectLink] = []
    link_sds: list[float] = []
    reasons: list[str] = []

    def add_means(name: str, grouping: str) -> list[str]:
        means = manifest_means(table, name, grouping)
        for label, values in means.items():
            made[label] = (values, grouping)
        return list(means)

    for name in complete:
        at = table.level(name)
        if (
            (at in (level, "row") and level == "row")
            or at == level
            or (level != "row" and at != "row" and table.contains(at, level))
            or level == "row"
        ):
            terms.append(quoted(name))
    if separate_levels:
        for grouping in own if level == "row" else [level, *own]:
            averaged = []
            for name in complete:
                at = table.level(name)
                if at == grouping or (at != "row" and not table.contains(grouping, at)):
                    continue
                averaged += add_means(name, grouping)
            terms += [f"`{label}`" for label in averaged]
            if averaged:
                what = (
                    "within- and between-group association may differ"
                    if level == "row"
                    else "means of the rows in it"
                )
                reasons.append(f"{grouping} means of complete predictors ({', '.join(averaged)}): {what}")
    for name in earlier:
        at = table.level(name)
        if level == "row" or at == level or (at != "row" and table.contains(at, level)):
            terms.append(quoted(name))
        if separate_levels:
            # a group's own value depends on what varies in it through its group effect only
            for grouping in own if level == "row" else [level, *own]:
                position = facts[name].positions.get(grouping) if name in facts else None
                if position is not None:
                    labels = facts[name].labels or ("",)
                    links += [EffectLink(name, grouping, position, label) for label in labels]
                    sd = facts[name].sd or group_sd(table, name, grouping)
                    link_sds += [sd] * len(labels)
                    reasons.append(f"{grouping} effect of {name}: its between-group association may differ")
    terms += [f"(1 | {_quoted_grouping(grouping, table)})" for grouping in own]
    text = f"{quoted(variable)} ~ {' + '.join(terms) if terms else '1'}"
    return AutomaticFormula(text, made, tuple(links), tuple(link_sds), tuple(reasons))


def _quoted_grouping(grouping: str, table: ModelTable) -> str:
    """Return a grouping as it may stand in a formula: a column, or several joined by colons."""
    parts = [grouping] if grouping in table.frame.columns else grouping.split(":")
    return ":".join(quoted(part) for part in parts)


def group_sd(table: ModelTable, name: str, grouping: str) -> float:
    """Rough sd of a Gaussian variable's group effects: of the observed group means."""
    values = table.values[name]
    means = table.groupings[grouping].means(values)
    means = means[np.isfinite(means)]
    sd = float(means.std(ddof=1)) if means.size > 1 else 0.0
    return sd if sd > 0 else float(values[np.isfinite(values)].std(ddof=1)) or 1.0
