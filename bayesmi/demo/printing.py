"""How the case study reads in a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
from rich.console import Console
from rich.table import Table

from bayesmi.demo.popularity import COMPONENTS, LABELS, TERMS

if TYPE_CHECKING:
    from bayesmi.imputations import Imputations

__all__ = ["answers_table", "head", "rows_of", "say", "summary_table"]


def head(console: Console, number: int, title: str) -> None:
    """Open a part."""
    console.print()
    console.rule(f"[bold]{number}. {title}[/bold]", align="left", characters="─")


def say(console: Console, text: str) -> None:
    """Print text as it is: brackets are brackets and lines are not broken."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def summary_table(summary: pd.DataFrame) -> Table:
    """Lay out the posterior summary."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    for name in ("mean", "sd", "2.5 %", "97.5 %", "r-hat", "ESS"):
        table.add_column(name, justify="right")
    table.add_column("what it is")
    for term, row in summary.iterrows():
        numbers = [f"{row[name]:.3f}" for name in ("mean", "sd", "2.5%", "97.5%", "r_hat")]
        table.add_row(str(term), *numbers, f"{row['ess_bulk']:.0f}", str(row["kind"]))
    return table


def answers_table(answers: Mapping[str, pd.DataFrame]) -> Table:
    """Lay out estimates with standard errors in brackets, one source a column."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("", no_wrap=True)
    for label in answers:
        table.add_column(label, justify="right", no_wrap=True)
    for term in (*TERMS, *COMPONENTS):
        cells = [
            _estimate(*map(float, answer.loc[[term], ["estimate", "std.error"]].to_numpy()[0]))
            for answer in answers.values()
        ]
        table.add_row(LABELS.get(term, term), *cells, end_section=term == TERMS[-1])
    return table


def _estimate(estimate: float, error: float) -> str:
    return f"{estimate:.3f}" + ("        " if math.isnan(error) else f" ({error:.3f})")


def rows_of(imputed: Imputations, n: int = 3) -> str:
    """Give a few rows that had a missing score, in long form."""
    long = imputed.complete("long")
    missing = imputed.cells("popular").index[:n]
    shown = long[long[".id"].isin(missing) & (long[".imp"] <= 2)]
    return str(shown[[".imp", ".id", "school", "sex", "texp", "popular"]].round(2).to_string(index=False))
