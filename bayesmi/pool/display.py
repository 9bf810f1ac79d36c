"""The pooled answer as text and as HTML."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from bayesmi.pool.pooled import Pooled

__all__ = ["html", "text"]

_HEADINGS = {
    "estimate": "estimate",
    "std.error": "SE",
    "statistic": "t",
    "df": "df",
    "p.value": "p",
    "conf.low": "2.5 %",
    "conf.high": "97.5 %",
    "fmi": "FMI",
}
_RULES = {"rubin1987": "Rubin's rules, Barnard–Rubin df", "reiter2003": "Reiter's rule for synthetic data"}
_CELL = "padding:2px 10px;text-align:right;font-variant-numeric:tabular-nums"


def text(pooled: Pooled) -> str:
    """Render for a terminal.

    Parameters
    ----------
    pooled : Pooled

    Returns
    -------
    str
    """
    parts = [
        _title(pooled),
        *(_text_table(header, rows) for _, header, rows in _tables(pooled)),
        *_remarks(pooled),
    ]
    return "\n".join(parts)


def html(pooled: Pooled) -> str:
    """Render for a notebook.

    Parameters
    ----------
    pooled : Pooled

    Returns
    -------
    str
    """
    parts = [f"<div><strong>{escape(_title(pooled))}</strong>"]
    parts += [_html_table(caption, header, rows) for caption, header, rows in _tables(pooled)]
    parts += [f'<div style="opacity:.75">{escape(remark)}</div>' for remark in _remarks(pooled)]
    return "".join(parts) + "</div>"


def _title(pooled: Pooled) -> str:
    """First line."""
    return f"Pooled over m = {pooled.m} completed data sets ({_RULES[pooled.rule]})"


def _tables(pooled: Pooled) -> list[tuple[str, list[str], list[list[str]]]]:
    """Caption, header and rows of each table."""
    summary = pooled.summary()
    digits = _decimals(summary["std.error"])
    formats: dict[str, Callable[[float], str]] = {
        name: lambda x: _fixed(x, digits) for name in ("estimate", "std.error", "conf.low", "conf.high")
    }
    formats |= {
        "statistic": lambda x: _fixed(x, 2),
        "df": lambda x: _fixed(x, 1),
        "p.value": _p,
        "fmi": lambda x: _fixed(x, 3),
    }
    rows = [
        [str(term), *(formats[name](float(row[name])) for name in _HEADINGS)]
        for term, row in summary.iterrows()
    ]
    tables = [("", ["", *_HEADINGS.values()], rows)]
    components = pooled.variance_components
    if len(components):
        rows = [
            [
                str(term),
                *(_fixed(float(row[name]), 4) for name in ("estimate", "conf.low", "conf.high")),
                str(row["reason"]),
            ]
            for term, row in components.iterrows()
        ]
        header = ["variance components", "estimate", "2.5 %", "97.5 %", ""]
        if not any(row[-1] for row in rows):
            header, rows = header[:-1], [row[:-1] for row in rows]
        tables.append(("variance components", header, rows))
    return tables


def _remarks(pooled: Pooled) -> list[str]:
    """Lines below the tables."""
    advice = pooled.recommendation
    error = pooled.monte_carlo["estimate"] / pooled.table["std.error"]
    lines = [f"Monte Carlo error: at most {100 * error.max():.1f} % of a standard error ({error.idxmax()})."]
    lines.append(
        f"m = {pooled.m} is enough (recommended: {advice.m})." if advice.enough else f"Recommended {advice}."
    )
    if pooled.notices:
        count = len(pooled.notices)
        many = "1 remark on a single analysis" if count == 1 else f"{count} remarks on single analyses"
        lines.append(f"{many} (.notices): {pooled.notices[0]}{' …' if count > 1 else ''}")
    return lines


def _text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """First column flush left, the others flush right."""
    widths = [max(len(row[j]) for row in [header, *rows]) for j in range(len(header))]
    lines = [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in [header, *rows]
    ]
    return "\n" + "\n".join(lines)


def _html_table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Plain table that follows the colours of its page."""
    head = "".join(f'<th style="{_CELL}">{escape(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th style="{_CELL};text-align:left">{escape(row[0])}</th>'
        + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    label = f' aria-label="{escape(caption)}"' if caption else ""
    style = "border-collapse:collapse;margin:6px 0"
    return f'<table style="{style}"{label}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _decimals(errors: pd.Series) -> int:
    """Decimals that show the smallest standard error with two digits, between 2 and 6."""
    smallest = float(errors[errors > 0].min()) if (errors > 0).any() else 1.0
    return min(6, max(2, 1 - math.floor(math.log10(smallest))))


def _fixed(x: float, digits: int) -> str:
    """Format with fixed decimals, a real minus and a real infinity."""
    if math.isnan(x):
        return "–"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    shown = f"{abs(x):.{digits}f}" if abs(x) < 1e7 else f"{abs(x):.3g}"
    return ("−" if x < 0 and float(shown) != 0 else "") + shown


def _p(x: float) -> str:
    """Three decimals, never zero."""
    return "–" if math.isnan(x) else "<.001" if x < 0.0005 else f"{x:.3f}"
