"""Manifest group means: columns made of the mean of a variable in each group, or of deviations from it.

Of an incomplete variable they are means of its completed data: unknown with its cells, and linear in them, so that each
missing cell of a group enters every row of the group with weight one over the group's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import Grouping

__all__ = ["Manifest"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Manifest:
    """A column made of the group means of a variable, or of deviations from them."""

    variable: str
    grouping: str
    is_within: bool

    def values(self, own: Any, means: Any) -> Any:
        """Return the column from the variable and its group means, both over rows: numbers, or expressions."""
        return own - means if self.is_within else means

    def completed(self, own: Floats, group: Grouping) -> Floats:
        """Return the column of completed values, (n,); NaN in groups with an unknown one."""
        total = np.bincount(group.codes, weights=own, minlength=group.n_groups)  # NaN stays NaN
        return np.asarray(self.values(own, (total / group.sizes)[group.codes]))

    def roughly(self, own: Floats, group: Grouping) -> Floats:
        """Return the column with means of what is observed, of all rows where a group has nothing."""
        means = group.means(own)
        means = np.where(np.isnan(means), np.nanmean(own), means)
        return np.asarray(self.values(own, means[group.codes]))
