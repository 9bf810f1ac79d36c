"""Suspicious codes and dtypes, named column by column. Suggests, never decides: nothing is recoded here."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.data.codes import PANDAS_SWALLOWS, find_sentinels, looks_missing
from bayesmi.data.kinds import two_values
from bayesmi.data.raw import RawColumn
from bayesmi.data.read import raw_text, read_table
from bayesmi.data.table import Table, check_names, open_table
from bayesmi.data.wording import list_some, short_number

_FIELDS = ("column", "issue", "values", "count", "suggestion")
WHOLE_AS_FLOAT = "whole numbers stored as float through missing values"


@dataclass(frozen=True)
class Finding:
    """One remark: the column, what is odd, examples, how many cells, what could be done."""

    column: str
    issue: str
    values: str
    count: int
    suggestion: str


@dataclass(frozen=True)
class Audit:
    """The findings of :func:`audit`; prints as text.

    Parameters
    ----------
    findings
        In table order.
    n_rows, n_columns
        Size of the table.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmi.data import audit
    >>> audit(pd.DataFrame({"age": [31, 45, 28, 52, -99]})).table["issue"].tolist()
    ['number stands out like a missing code']
    """

    findings: tuple[Finding, ...]
    n_rows: int
    n_columns: int

    @property
    def table(self) -> pd.DataFrame:
        """One row a finding: column, issue, values, count, suggestion."""
        return pd.DataFrame([astuple(f) for f in self.findings], columns=list(_FIELDS))

    def __len__(self) -> int:
        return len(self.findings)

    def __str__(self) -> str:
        size = f"{self.n_rows} rows, {self.n_columns} columns"
        if not self.findings:
            return f"Audit of {size}: nothing suspicious"
        width = max(len(f.column) for f in self.findings)
        lines = [f"Audit of {size}: {len(self.findings)} to look at (nothing was changed)"]
        for f in self.findings:
            cells = "cell" if f.count == 1 else "cells"
            lines.append(f"  {f.column:<{width}}  {f.issue}: {f.values} in {f.count} {cells}")
            lines.append(f"  {'':<{width}}    {f.suggestion}")
        return "\n".join(lines)

    __repr__ = __str__


def audit(data: Any) -> Audit:
    """Name codes and dtypes that look like missing values in disguise.

    Parameters
    ----------
    data
        A pandas or polars DataFrame; or the path of a CSV, TSV or Parquet file, which also names the
        categories that ``pandas.read_csv`` would swallow.

    Returns
    -------
    Audit
        Prints as text; ``.table`` is a DataFrame.

    Raises
    ------
    DataError
        When the table or file cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmi.data import audit
    >>> print(audit(pd.DataFrame({"smoker": ["yes", "no", "?", "no"]})))
    Audit of 4 rows, 1 columns: 1 to look at (nothing was changed)
      smoker  text looks like a missing code: '?' in 1 cell
              if it means missing: bmi.recode_missing(df, {'smoker': ['?']})
    """
    swallowed: list[Finding] = []
    if isinstance(data, (str, os.PathLike)):
        path = data
        data = read_table(path, notify=False)
        swallowed = list(_swallowed(path))
    table = open_table(data)
    names = check_names(table)
    findings = list(swallowed)
    for position in range(len(names)):
        raw = table.read(position)
        for check in _CHECKS:
            findings += check(raw, table)
    findings.sort(key=lambda f: names.index(f.column))
    return Audit(tuple(findings), len(table.index), len(names))


def _missing_words(raw: RawColumn, table: Table) -> Iterator[Finding]:
    """Labels such as 'NA', '?', ''."""
    words = [label for label in raw.labels if looks_missing(label)]
    if words:
        assert raw.codes is not None
        codes = [raw.labels.index(w) for w in words]
        suggestion = f"if {_it(words)} missing: bmi.recode_missing(df, {{{raw.name!r}: {words!r}}})"
        count = int(np.isin(raw.codes, codes).sum())
        yield Finding(raw.name, "text looks like a missing code", list_some(words), count, suggestion)


def _sentinels(raw: RawColumn, table: Table) -> Iterator[Finding]:
    """Numbers such as -9 and 999 that stand out."""
    if raw.numbers is None or raw.storage == "bool":
        return
    observed = raw.numbers[~raw.missing]
    distinct, counts = np.unique(observed[np.isfinite(observed)], return_counts=True)
    found = find_sentinels(distinct, counts)
    if found:
        values = [int(v) for v in found]
        rest = distinct[~np.isin(distinct, found)]
        suggestion = f"if {_it(values)} missing: bmi.recode_missing(df, {{{raw.name!r}: {values!r}}})"
        suggestion += f"; the other values run from {short_number(rest[0])} to {short_number(rest[-1])}"
        count = int(np.isin(observed, found).sum())
        yield Finding(raw.name, "number stands out like a missing code", list_some(values), count, suggestion)


def _infinite(raw: RawColumn, table: Table) -> Iterator[Finding]:
    """Infinite values, which no model takes."""
    if raw.numbers is not None and np.isinf(raw.numbers).any():
        count = int(np.isinf(raw.numbers).sum())
        yield Finding(raw.name, "infinite value", "inf", count, "correct it, or set it to missing")


def _numbers_as_text(raw: RawColumn, table: Table) -> Iterator[Finding]:
    """Text of which all but the missing words is numbers (not with leading zeros, which are keys)."""
    if raw.codes is None:
        return
    words = [str(label) for label in raw.labels if not looks_missing(label)]
    if not words or not all(isinstance(label, str) for label in raw.labels):
        return
    numbers = _parses(words, float)
    commas = not numbers and _parses(words, lambda w: float(w.replace(",", ".", 1)))
    keys = any(len(w.strip()) > 1 and w.strip()[0] == "0" and w.strip().isdigit() for w in words)
    if (not numbers and not commas) or keys or raw.storage == "category":
        return
    issue = "numbers stored as text" + (" with decimal commas" if commas else "")
    fix = (
        "read the file with decimal=','"
        if commas
        else f"pd.to_numeric(df[{raw.name!r}]) once codes are recoded"
    )
    yield Finding(raw.name, issue, list_some(words, 3), int((~raw.missing).sum()), fix)


def _near_duplicates(raw: RawColumn, table: Table) -> Iterator[Finding]:
    """Levels that differ only by case or by spaces around them."""
    labels = [label for label in raw.labels if isinstance(label, str)]
    seen = Counter(label.strip().casefold() for label in labels)
    twins = [label for label in labels if seen[label.strip().casefold()] > 1]
    if twins and raw.codes is not None:
        count = int(np.isin(raw.codes, [raw.labels.index(t) for t in twins]).sum())
        yield Finding(
            raw.name, "levels differ only by case or spaces", list_some(twins), count, "spell them one way"
        )


def _padded(raw: RawColumn, table: Table) -> Iterator[Finding]:
    """Labels with spaces before or after them, such as ' TRUE'."""
    padded = [label for label in raw.labels if isinstance(label, str) and label.strip() not in ("", label)]
    if padded and raw.codes is not None:
        count = int(np.isin(raw.codes, [raw.labels.index(p) for p in padded]).sum())
        fix = f"df[{raw.name!r}].str.strip() if the spaces mean nothing"
        yield Finding(raw.name, "spaces around text", list_some(padded, 3), count, fix)


def _widened(raw: RawColumn, table: Table) -> Iterator[Finding]:
    """Booleans and whole numbers that became object or float through missing values."""
    if not raw.missing.any() or raw.missing.all() or raw.numbers is None:
        return
    dtype = table.dtype(raw.name)
    count = int(raw.missing.sum())
    values = "missing"
    if raw.storage == "bool" and dtype == "object":
        fix = f"nothing to do: filled columns come back as bool; or df[{raw.name!r}].astype('boolean')"
        yield Finding(raw.name, "booleans stored as object through missing values", values, count, fix)
    elif raw.storage == "float" and dtype.startswith("float"):
        observed = raw.numbers[~raw.missing & np.isfinite(raw.numbers)]
        if observed.size and (observed == np.floor(observed)).all():
            fix = f"a count? kinds={{{raw.name!r}: 'count'}}; an ordered scale? 'ordinal'; else leave it"
            if two_values(observed):
                fix = f"it is binary and stays float; df[{raw.name!r}].astype('Int64') makes it integer"
            yield Finding(raw.name, WHOLE_AS_FLOAT, values, count, fix)


def _mixed_missing(raw: RawColumn, table: Table) -> Iterator[Finding]:
    """NaN beside NA, None or null in one column."""
    marks = table.missing_marks(raw.name, raw.missing)
    if len(marks) > 1:
        values = " and ".join(marks)
        fix = "all are taken as missing; if NaN means 'not computable', keep that in a column of its own"
        yield Finding(raw.name, "several marks for missing", values, int(raw.missing.sum()), fix)


def _no_value(raw: RawColumn, table: Table) -> Iterator[Finding]:
    """Columns without any observed value."""
    if raw.missing.all():
        yield Finding(raw.name, "no observed value", "missing", len(raw.missing), "leave it out of the model")


def _swallowed(path: str | os.PathLike[str]) -> Iterator[Finding]:
    """Categories that pandas.read_csv turns into missing values without a word."""
    text = raw_text(path)
    if text is None:
        return
    for name in text.columns:
        counts = text[name].value_counts()
        found = [word for word in counts.index if word in PANDAS_SWALLOWS and word != "NA"]
        if found:
            count = int(counts[found].sum())
            total = int(counts[[w for w in counts.index if w in PANDAS_SWALLOWS or w == ""]].sum())
            fix = f"pandas.read_csv would count {total} missing; bmi.read_csv keeps {_them(found)} as written"
            yield Finding(name, "category swallowed by pandas.read_csv", list_some(found), count, fix)


def _parses(words: list[Any], convert: Callable[[str], float]) -> bool:
    """Whether every word converts."""
    try:
        for word in words:
            convert(word)
    except ValueError:
        return False
    return True


def _it(values: list[Any]) -> str:
    """Grammar of one or several."""
    return "it means" if len(values) == 1 else "they mean"


def _them(values: list[Any]) -> str:
    """Grammar of one or several."""
    return "it" if len(values) == 1 else "them"


_CHECKS = (
    _no_value,
    _missing_words,
    _sentinels,
    _infinite,
    _numbers_as_text,
    _near_duplicates,
    _padded,
    _widened,
    _mixed_missing,
)
