"""Which texts and numbers people write for a missing value."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

# compared after strip() and casefold()
MISSING_WORDS = frozenset(
    {
        "",
        ".",
        "..",
        "?",
        "-",
        "--",
        "---",
        "na",
        "n/a",
        "n.a.",
        "#n/a",
        "#na",
        "<na>",
        "nan",
        "null",
        "nil",
        "none",
    }
    | {"missing", "(missing)", "not available"}
)

# what pandas.read_csv turns into missing values when nobody says otherwise, apart from the empty field
PANDAS_SWALLOWS = frozenset(
    {
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
    }
    | {"NULL", "NaN", "None", "n/a", "nan", "null"}
)

_NINES = (88, 98, 99, 777, 888, 998, 999, 7777, 8888, 9998, 9999, 99999)
SENTINELS = frozenset({-1, -7, -8, -9, -77, *_NINES, *(-v for v in _NINES)})


def looks_missing(text: object) -> bool:
    """Whether a label reads like a code for a missing value."""
    return isinstance(text, str) and text.strip().casefold() in MISSING_WORDS


def no_numbers(labels: Iterable[object]) -> list[str] | None:
    """Return the texts that are no numbers, where at least three quarters of the texts are; None elsewhere."""
    words = list(labels)
    if not words or not all(isinstance(word, str) for word in words):
        return None
    others = [str(word) for word in words if not _is_number(str(word))]
    return others if 4 * len(others) <= len(words) else None


def _is_number(word: str) -> bool:
    for text in (word, word.replace(",", ".", 1)):
        try:
            return np.isfinite(float(text))
        except ValueError:
            continue
    return False


def find_sentinels(distinct: NDArray[np.float64], counts: NDArray[np.intp]) -> list[float]:
    """Sentinel numbers among the sorted distinct values that stand out from the others.

    Only codes at the very end of the values count, and only if the gap to the nearest other value exceeds both the
    standard deviation of the others and the widest step between them; a negative code at or below -7 also where
    all others are 0 or more. A 9 (and 8 with it) counts on a short scale: others whole numbers from 0 to 5, and at
    least two cells.
    """
    low, high = 0, len(distinct)
    while low < high and distinct[low] in SENTINELS and distinct[low] < 0:
        low += 1
    while high > low and distinct[high - 1] in SENTINELS and distinct[high - 1] > 0:
        high -= 1
    # from the inside out: a code that does not stand out joins the others
    while low > 0 and not _stands_out(distinct[low - 1], distinct[low:high], counts[low:high]):
        low -= 1
    while high < len(distinct) and not _stands_out(distinct[high], distinct[low:high], counts[low:high]):
        high += 1
    found = [*distinct[:low].tolist(), *distinct[high:].tolist()]
    return found or _short_scale(distinct, counts)


def _stands_out(code: float, rest: NDArray[np.float64], weight: NDArray[np.intp]) -> bool:
    """Whether a code is as far from the others as no value of theirs is from the next."""
    if len(rest) < 2:
        return False
    if code <= -7 and rest[0] >= 0:
        return True
    gap = rest[0] - code if code < rest[0] else code - rest[-1]
    mean = np.average(rest, weights=weight)
    spread = np.sqrt(np.average((rest - mean) ** 2, weights=weight))
    return bool(gap > spread and gap > np.diff(rest).max())


def _short_scale(distinct: NDArray[np.float64], counts: NDArray[np.intp]) -> list[float]:
    """8 and 9 beyond a scale of at most 0 … 5."""
    rest = distinct[distinct < 8]
    codes = distinct[len(rest) :]
    if len(rest) < 2 or not len(codes) or not np.isin(codes, (8.0, 9.0)).all():
        return []
    is_scale = rest[0] >= 0 and rest[-1] <= 5 and (rest == np.floor(rest)).all()
    often = (counts[len(rest) :] >= 2) & (codes[-1] == 9.0)
    return [float(code) for code, enough in zip(codes, often, strict=True) if enough] if is_scale else []
