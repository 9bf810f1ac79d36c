"""Cluster means as columns of the table that is modelled; completed tables do not hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.errors import ModelError
from bayesmi.imputations.layouts import is_polars

__all__ = ["ClusterMeans"]

Floats = NDArray[np.float64]


@dataclass
class ClusterMeans:
    """Makes and collects mean columns.

    For an incomplete variable the mean of the observed values stands for the latent one; a cluster without any has the
    mean of the other clusters. Rows that do not inform (False in `informs`) count only in clusters that have no others, and
    for these alone.
    """

    frame: IncompleteFrame
    informs: NDArray[np.bool_] | None = None
    made: dict[str, Floats] = field(default_factory=dict)

    def add(self, name: str, cluster: str) -> list[str]:
        """Return the names of the columns that hold a variable's cluster means; none if it does not vary within."""
        column, grouping = self.frame.columns[name], self.frame.grouping(cluster)
        if column.level != "row" and column.level == cluster:
            return []
        suffix = f"|{cluster}" if len(self.frame.groups) > 1 else ""
        if column.categories is None:
            parts = {f"between({name}{suffix})": column.values}
        else:
            parts = {
                f"between({name}[{label}]{suffix})": np.where(
                    np.isnan(column.values), np.nan, (column.values == code).astype(float)
                )
                for code, label in enumerate(column.categories)
                if code > 0
            }
        names = []
        for label, values in parts.items():
            if label in self.frame.columns:
                raise ModelError(f"column {label!r} has the name of a cluster mean: rename it")
            seen = np.isfinite(values)
            if self.informs is not None:
                seen &= self.informs | ~grouping.any_of(self.informs)[grouping.codes]
            mean = grouping.means(np.where(seen, values, np.nan))
            has_mean = np.isfinite(mean)
            told = has_mean
            if self.informs is not None and (told & grouping.any_of(self.informs)).any():
                told = told & grouping.any_of(self.informs)
            mean = np.where(has_mean, mean, mean[told].mean())
            if np.ptp(mean) > 1e-10 * max(1e-300, float(np.abs(values[seen]).max())):
                self.made[label] = mean[grouping.codes]
                names.append(label)
        return names

    def table(self, used: Mapping[str, Any] | None = None) -> Any:
        """Return the incomplete table with the mean columns."""
        original = self.frame.original()
        if not self.made:
            return original
        if is_polars(original):
            import polars as pl

            return original.with_columns([pl.Series(name, values) for name, values in self.made.items()])
        return pd.concat([original, pd.DataFrame(self.made, index=original.index)], axis=1)
