"""A description as text and as HTML."""

from __future__ import annotations

import html
import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from bayesmi.describe.description import Description

__all__ = ["as_html", "as_text"]

_MOST_PATTERNS = 12
_MOST_PREDICTORS = 3  # of a variable in text
_MOST_COLUMNS = 12  # of a pattern table in text
_LIMITS = ("below", "above", "between")
_MARK = {"observed": "·", "missing": "?", "absent": "-"}


def as_text(found: Description) -> str:
    """Sections separated by blank lines, at most about 110 columns wide."""
    parts = [_headline(found), _table(_shown_columns(found))]
    for title, table, remark in _sections(found):
        text = f"{title}\n{_table(table)}" if len(table) else title
        parts.append(f"{text}\n{remark}" if remark else text)
    if found.audit:
        wrapped = [
            textwrap.fill(line, 108, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False)
            for line in found.audit
        ]
        parts.append("Look at\n" + "\n".join(wrapped))
    return "\n\n".join(parts)


def as_html(found: Description) -> str:
    """Show the same sections as tables."""
    parts = [f"<p><b>{html.escape(_headline(found))}</b></p>", _shown_columns(found).to_html(na_rep="")]
    for title, table, remark in _sections(found):
        parts.append(f"<p><b>{html.escape(title)}</b></p>")
        if len(table):
            parts.append(table.to_html(na_rep=""))
        if remark:
            parts.append(f"<p><small>{html.escape(remark)}</small></p>")
    if found.audit:
        items = "".join(f"<li>{html.escape(line)}</li>" for line in found.audit)
        parts.append(f"<p><b>Look at</b></p><ul>{items}</ul>")
    return "<div>" + "".join(parts) + "</div>"


def _headline(found: Description) -> str:
    """Size, and how much is missing."""
    cells = int(found.columns["missing"].sum())
    share = 100 * found.n_complete / found.n_rows if found.n_rows else 0.0
    absent = int(found.columns["absent"].sum())
    line = (
        f"{found.n_rows} rows, {len(found.columns)} columns; {cells} missing cells; "
        f"{found.n_complete} complete rows ({share:.1f} %)"
    )
    known = {name: int(found.columns[name].sum()) for name in _LIMITS if name in found.columns}
    if known:
        split = ", ".join(f"{count} {name}" for name, count in known.items() if count)
        line += f"; {sum(known.values())} of the missing cells are known by limits" + (
            f" ({split})" if split else ""
        )
    return f"{line}; {absent} cells do not apply" if absent else line


def _shown_columns(found: Description) -> pd.DataFrame:
    """Columns with influx and outflux, which only incomplete tables have."""
    table = found.columns.copy()
    table["missing"] = [
        f"{count} ({percent:.1f} %)" if count else "0"
        for count, percent in zip(table["missing"], table["missing_percent"], strict=True)
    ]
    table = table.drop(columns="missing_percent")
    for name in _LIMITS:
        if name in table:
            table[name] = [str(count) if count else "" for count in table[name].fillna(0)]
    if not found.columns["absent"].any():
        table = table.drop(columns="absent")
    if found.columns["missing"].any():
        for name in ("influx", "outflux"):
            table[name] = found.flux[name].map("{:.2f}".format)
    table["values"] = table.pop("values")
    return table


def _sections(found: Description) -> list[tuple[str, pd.DataFrame, str]]:
    """Title, table and remark of patterns and clusters."""
    sections = []
    if found.columns["missing"].any():
        sections.append(_patterns(found))
    if len(found.predictors):
        sections.append((_PREDICTORS, _predictors(found), _PREDICTOR_REMARK))
    for name, grouping in found.groupings.items():
        sizes = pd.Series(grouping.sizes)
        title = (
            f"Clusters '{name}': {len(sizes)}, of {sizes.min()} to {sizes.max()} rows "
            f"(median {sizes.median():g}, mean {sizes.mean():.1f})"
        )
        sections.append((title, _clusters(found, name), _CLUSTER_REMARK))
    return sections


_PREDICTORS = "Complete variables that go with the values of an incomplete one, and with its being missing"
_LEAST = 0.1  # correlation that quickpred asks for
_PREDICTOR_REMARK = (
    "correlations of at least .1 and two standard errors, strongest first; of categories without order the\n"
    "correlation ratio or Cramér's V, both at least 0. All pairs: .predictors"
)
_CLUSTER_REMARK = (
    "systematic: clusters with every cell missing (cells in them); sporadic: with some.\n"
    "share: lowest and highest share missing of a cluster. icc: one-way random-effects ANOVA (Donner 1986)\n"
    "on observed values; latent: icc of categories and counts on the scale of a random intercept (logit, log)."
)


def _patterns(found: Description) -> tuple[str, pd.DataFrame, str]:
    """Frequent patterns, only variables with a hole."""
    patterns = found.patterns
    rows, missing = patterns.columns[-2:]
    variables = [name for name in patterns.columns[:-2] if (patterns[name] != "observed").any()]
    shown = patterns.sort_values(rows, ascending=False, kind="stable").head(_MOST_PATTERNS)
    named = variables[-_MOST_COLUMNS:]
    table = shown[named].map(_MARK.__getitem__)
    table.insert(0, rows, shown[rows])
    table[missing] = shown[missing]
    table.index = pd.RangeIndex(1, len(table) + 1)
    remarks = ["· observed, ? missing" + (", - does not apply" if found.columns["absent"].any() else "")]
    if len(patterns) > len(shown):
        rest = int(patterns[rows].sum() - shown[rows].sum())
        remarks.append(f"{len(patterns) - len(shown)} more patterns hold {rest} rows: see .patterns")
    if len(variables) > len(named):
        remarks.append(
            f"the {len(named)} of {len(variables)} incomplete variables with most missing are shown"
        )
    count = len(patterns)
    return f"{count} pattern{'s' if count != 1 else ''}, most frequent first", table, "; ".join(remarks)


def _predictors(found: Description) -> pd.DataFrame:
    """Show the strongest predictors of each incomplete variable."""
    columns = found.columns
    observed = dict(zip(columns.index, columns["observed"], strict=True))
    missing = dict(zip(columns.index, columns["missing"], strict=True))
    rows = {
        str(name): {
            "values": _strongest(one, "values", observed[name]),
            "missing": _strongest(one, "missing", observed[name] + missing[name]),
        }
        for name, one in found.predictors.groupby("variable", sort=False)
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["values", "missing"])


def _strongest(pairs: pd.DataFrame, column: str, n: int) -> str:
    """Name and size of what is beyond chance."""
    size = pairs[column].abs()
    kept = pairs[size >= max(_LEAST, 2.0 / n**0.5 if n else 1.0)]
    kept = kept.iloc[np.argsort(-kept[column].abs().to_numpy(), kind="stable")]
    words = [
        f"{textwrap.shorten(name, 18, placeholder='…')} {value:.2f}"
        for name, value in zip(kept["predictor"], kept[column], strict=True)
    ]
    rest = f", {len(words) - _MOST_PREDICTORS} more" if len(words) > _MOST_PREDICTORS else ""
    return ", ".join(words[:_MOST_PREDICTORS]) + rest or "none"


def _clusters(found: Description, name: str) -> pd.DataFrame:
    """Show what a reader needs of `cluster_missingness`."""
    table = found.clusters[found.clusters["cluster"] == name]
    incomplete = (table["systematic"] + table["sporadic"]) > 0
    shown = pd.DataFrame({"level": table["level"]})
    for kind in ("systematic", "sporadic"):
        shown[kind] = [
            f"{clusters} ({cells} cells)" if clusters else "0"
            for clusters, cells in zip(table[kind], table[f"{kind}_cells"], strict=True)
        ]
    shown["share missing"] = [
        f"{100 * low:.0f} … {100 * high:.0f} %" if holes else ""
        for low, high, holes in zip(table["lowest_share"], table["highest_share"], incomplete, strict=True)
    ]
    for name, title in (("icc", "icc"), ("icc_latent", "latent")):
        if name == "icc" or table[name].notna().any():
            shown[title] = table[name].map(lambda value: "" if pd.isna(value) else f"{value:.3f}")
    return shown


def _table(table: pd.DataFrame) -> str:
    """Left-aligned words, right-aligned numbers, no pandas options."""
    columns = [("", [str(label) for label in table.index], True)]
    for name in table.columns:
        values = table[name]
        words = not pd.api.types.is_numeric_dtype(values.dtype)
        columns.append((str(name), ["" if pd.isna(v) else str(v) for v in values], words))
    rendered = []
    for title, cells, words in columns:
        width = max(len(title), *(len(cell) for cell in cells), 0)
        rendered.append([f"{c:<{width}}" if words else f"{c:>{width}}" for c in (title, *cells)])
    return "\n".join(("  " + "  ".join(row)).rstrip() for row in zip(*rendered, strict=True))
