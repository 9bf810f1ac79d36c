"""Options of separate models: those about a variable that a group has complete are not of that group."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bayesmi.data import IncompleteFrame
from bayesmi.formula import Formula
from bayesmi.formula.expression import Call
from bayesmi.formula.functions import CONTEXTUAL, EFFECT

__all__ = ["complete_in_group", "options_of_group"]

_BY_VARIABLE = ("families", "formulas", "mechanisms", "treatments", "priors")


def complete_in_group(
    whole: IncompleteFrame, group: IncompleteFrame, formula: Formula, options: Mapping[str, Any]
) -> frozenset[str]:
    """Return the variables that are incomplete in the table and have no model in this group, where they are complete.

    Parameters
    ----------
    whole, group : IncompleteFrame
        The table and its rows of one group.
    formula : Formula
        With that of the scale; a variable of which it has latent means has a model everywhere.
    options : mapping
        As given; auxiliary variables and those with observations have a model everywhere.
    """
    kept = {*map(str, options.get("auxiliary") or ()), *(options.get("observations") or {})}
    calls = [part for term in formula.all_terms for part in term.factors if isinstance(part, Call)]
    latent = [call for call in calls if call.function in (*CONTEXTUAL, EFFECT)]
    kept |= {name for call in latent for name in call.args[0].variables}
    return frozenset(
        name
        for name, column in whole.columns.items()
        if name not in kept and column.missing.any() and not group.columns[name].missing.any()
    )


def options_of_group(options: Mapping[str, Any], complete: Collection[str]) -> dict[str, Any]:
    """Return the options without what is said of the models and cells of these variables."""
    out = dict(options)

    def of_them(key: Any) -> bool:
        return key in complete or str(key).split("__")[0] in complete

    for option in _BY_VARIABLE:
        if isinstance(out.get(option), Mapping):
            out[option] = {key: value for key, value in out[option].items() if not of_them(key)}
    if isinstance(out.get("order"), list | tuple):
        out["order"] = [name for name in out["order"] if name not in complete] or None
    return out
