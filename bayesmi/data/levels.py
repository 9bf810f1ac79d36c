"""The level at which a column varies, found from the data, and the cells that this makes known."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.grouping import Grouping
from bayesmi.data.wording import did_you_mean, short_number
from bayesmi.errors import DataError

ROW = "row"


def find_level(values: NDArray[np.float64], groupings: Iterable[Grouping]) -> str:
    """Find the coarsest grouping within which the observed values are constant and between which they vary.

    At least one group must have two observed values, else there is nothing that tells a group level from a
    row level.
    """
    fitting = [g for g in groupings if g.n_groups < len(values) and _fits(values, g)]
    return min(fitting, key=lambda g: g.n_groups).name if fitting else ROW


def check_level(
    name: str,
    level: str,
    values: NDArray[np.float64],
    groupings: Mapping[str, Grouping],
    categories: tuple[Hashable, ...] | None,
) -> str:
    """Check a level that the user states against the data."""
    if level == ROW:
        return level
    if level not in groupings:
        known = [ROW, *groupings]
        raise DataError(f"levels={{{name!r}: {level!r}}} names no grouping: {did_you_mean(level, known)}")
    grouping = groupings[level]
    low, high = _range_in_groups(values, grouping)
    differs = np.flatnonzero(low < high)
    if len(differs):
        group = grouping.labels[int(differs[0])]
        found = (float(low[differs[0]]), float(high[differs[0]]))
        shown = [short_number(v) if categories is None else repr(categories[int(v)]) for v in found]
        raise DataError(
            f"column {name!r} cannot be at level {level!r}: within {level} {group!r} it is both {shown[0]}"
            f" and {shown[1]} (it differs within {len(differs)} of {grouping.n_groups} groups)"
        )
    return level


def deduce(
    values: NDArray[np.float64], missing: NDArray[np.bool_], grouping: Grouping
) -> NDArray[np.float64]:
    """Shape (n,). The group's value where a cell is missing but another row of its group has it; else NaN."""
    high = _range_in_groups(values, grouping)[1]
    deduced = np.where(missing, high[grouping.codes], np.nan)
    deduced.flags.writeable = False
    return deduced


def chance_of_agreement(values: NDArray[np.float64], grouping: Grouping) -> float:
    """Probability that values without any regard to groups would agree within all of them, given how often each occurs."""
    observed = ~np.isnan(values)
    of_group = _range_in_groups(values, grouping)[1]
    each = np.unique(of_group[~np.isnan(of_group)], return_counts=True)[1]
    beyond_first = int(observed.sum() - each.sum())
    return float(((each / each.sum()) ** 2).sum() ** beyond_first)


def breaks(values: NDArray[np.float64], grouping: Grouping) -> NDArray[np.intp]:
    """Groups in which a variable differs that is constant in nearly all; none where that may be chance, as with a rare value.

    Of at least ten groups with two values one in twenty may differ (of fewer than forty, two), and the others must not all
    have much the same value.
    """
    low, high = _range_in_groups(values, grouping)
    several = np.bincount(grouping.codes[~np.isnan(values)], minlength=grouping.n_groups) > 1
    differs = np.flatnonzero(several & (low < high))
    n = int(several.sum())
    if n < 10 or not 0 < len(differs) <= max(2, n // 20):
        return differs[:0]
    counts = np.unique(high[several & (low == high)], return_counts=True)[1]
    return differs if counts.max() <= 0.8 * counts.sum() else differs[:0]


def constant_within(values: NDArray[np.float64], grouping: Grouping) -> bool:
    """Whether some group has two observed values, and none has two that differ."""
    low, high = _range_in_groups(values, grouping)
    observed = np.bincount(grouping.codes[~np.isnan(values)], minlength=grouping.n_groups)
    return bool((observed > 1).any() and not (low < high).any())


def _fits(values: NDArray[np.float64], grouping: Grouping) -> bool:
    """Constant within, with evidence for it, and varying between."""
    seen = values[~np.isnan(values)]
    return bool(seen.size and seen.min() < seen.max() and constant_within(values, grouping))


def _range_in_groups(
    values: NDArray[np.float64], grouping: Grouping
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest observed value of every group; NaN where a group has none."""
    observed = ~np.isnan(values)
    codes, numbers = grouping.codes[observed], values[observed]
    low = np.full(grouping.n_groups, np.inf)
    high = np.full(grouping.n_groups, -np.inf)
    np.minimum.at(low, codes, numbers)
    np.maximum.at(high, codes, numbers)
    none = np.isinf(high)
    low[none], high[none] = np.nan, np.nan
    return low, high
