"""What Imputations prints about itself."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pandas as pd

from bayesmi.data.wording import counted
from bayesmi.imputations.layouts import is_polars

if TYPE_CHECKING:
    from bayesmi.imputations.imputations import Imputations

__all__ = ["as_html", "as_text", "derived_notices"]


def derived_notices(imputed: Imputations) -> tuple[str, ...]:
    """Say how completed tables differ from the incomplete one, and what may trip a reader."""
    frame = imputed.frame
    lines = list(frame.dtype_notices(imputed.names, imputed.integer_valued))
    helpers = imputed.helper_columns
    for name, column in frame.columns.items():
        if column.n_missing and name not in imputed.names and name not in helpers:
            lines.append(
                f"column '{name}' keeps its {counted(column.n_missing, 'missing cell')}: it is not in the "
                f"model"
            )
        n_absent = int(column.absent.sum())
        if n_absent:
            lines.append(
                f"column '{name}' keeps {counted(n_absent, 'empty cell')}: not applicable, or outside where="
            )
    if not frame.index.is_unique:
        lines.append(
            "row labels repeat, so .id does not name a row: reset_index() before handing the long form to R"
        )
    return tuple(lines)


def as_text(imputed: Imputations) -> str:
    """One fact a line."""
    title, facts = _facts(imputed)
    width = max(len(label) for label, _ in facts)
    lines = [title]
    for label, values in facts:
        for k, value in enumerate(values):
            lines.append(f"  {label if k == 0 else '':<{width}}  {value}")
    return "\n".join(lines)


def as_html(imputed: Imputations) -> str:
    """Show the same facts as a table."""
    title, facts = _facts(imputed)
    rows = "".join(
        f"<tr><th style='text-align:left;vertical-align:top'>{html.escape(label)}</th>"
        f"<td style='text-align:left'>{'<br>'.join(html.escape(value) for value in values)}</td></tr>"
        for label, values in facts
    )
    return f"<div><b>{html.escape(title)}</b><table>{rows}</table></div>"


def _facts(imputed: Imputations) -> tuple[str, list[tuple[str, list[str]]]]:
    """Title, and labelled lines."""
    frame = imputed.frame
    kind = "polars" if is_polars(frame.original()) else "pandas"
    sets = "1 completed data set" if imputed.m == 1 else f"{imputed.m} completed data sets"
    title = f"Imputations: {sets} of {frame.n_rows} rows, {len(frame.columns)} columns ({kind})"
    facts: list[tuple[str, list[str]]] = []
    if imputed.formula:
        facts.append(("model", [imputed.formula]))
    facts.append(
        (
            "imputed",
            [_imputed_line(imputed, name) for name in imputed.names] or ["nothing: no cell is missing"],
        )
    )
    facts.append(("draws", [_draws_line(imputed)]))
    facts.append(("gate", [imputed.gate or "not judged: these draws did not come with a verdict"]))
    if imputed.notices:
        facts.append(("note", list(imputed.notices)))
    return title, facts


def _imputed_line(imputed: Imputations, name: str) -> str:
    """Cells imputed of one column, and how it is distributed."""
    column = imputed.frame.columns[name]
    share = column.n_missing / max(1, column.n_missing + column.n_observed)
    family = imputed.families.get(name)
    return f"{name}: {counted(column.n_missing, 'cell')} ({100 * share:.1f} %), {column.kind}{
        f', {family}' if family else ''
    }"


def _draws_line(imputed: Imputations) -> str:
    """Where in the posterior the imputations come from."""
    origin = imputed.origin
    by_chain = origin.groupby("chain")["draw"]
    gaps = by_chain.apply(lambda draws: draws.sort_values().diff().min())
    gap = gaps.min()
    chains = len(by_chain)
    spread = f"from {chains} chain{'s' if chains > 1 else ''}"
    apart = "" if pd.isna(gap) or gap < 2 else f", at least {int(gap)} draws apart"
    return f"{spread}{apart}; seed {imputed.seed if imputed.seed is not None else 'not given'}"
