"""R code that reads the exported long form: factors get their levels in order, which a CSV file does not hold."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from bayesmi.data import Kind
from bayesmi.data.wording import short_number

if TYPE_CHECKING:
    from bayesmi.data import IncompleteFrame

__all__ = ["r_code"]

_IS_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._]*")


def r_code(frame: IncompleteFrame, path: str, na: str) -> str:
    """Return the lines of R; see `Imputations.r_code`."""
    lines = [f"long <- read.csv({_quoted(path)}, na.strings = {_quoted(na)})"]
    table = frame.original()
    for name, column in frame.columns.items():
        if column.categories is None or column.kind is Kind.IDENTIFIER:
            continue
        levels = ", ".join(_quoted(_as_text(label)) for label in column.categories)
        is_ordered = column.kind is Kind.ORDINAL or getattr(table[name].dtype, "ordered", False)
        ordered = ", ordered = TRUE" if is_ordered else ""
        read = (
            _quoted(name) if _IS_NAME.fullmatch(name) else f"make.names({_quoted(name)})"
        )  # as read.csv does
        field = f"long[[{read}]]"
        lines.append(f"{field} <- factor({field}, levels = c({levels}){ordered})")
    lines.append("imp <- mice::as.mids(long)")
    return "\n".join(lines)


def _as_text(label: object) -> str:
    """Spell a category as R reads it from the file: numbers without a trailing .0."""
    if isinstance(label, bool):
        return str(label).upper()
    return short_number(label) if isinstance(label, float) else str(label)


def _quoted(text: str) -> str:
    """Return an R string: its escapes are JSON's."""
    return json.dumps(text, ensure_ascii=False)
