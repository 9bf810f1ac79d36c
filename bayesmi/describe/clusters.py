"""How missing cells lie over clusters, and how alike the members of a cluster are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, Grouping, IncompleteFrame
from bayesmi.describe.icc_latent import icc_latent, icc_latent_count

__all__ = ["cluster_missingness", "icc_anova"]

_MOST_LEVELS = 30


def icc_anova(values: NDArray[np.float64], codes: NDArray[np.intp]) -> float:
    """Intraclass correlation by one-way random-effects analysis of variance.

    Parameters
    ----------
    values : array, shape (n,)
        Observed values, no NaN.
    codes : array of int, shape (n,)
        Cluster of each value.

    Returns
    -------
    float
        ICC(1), from -1/(n₀ - 1) to 1, and not cut at 0: negative says that members are less alike than
        strangers. NaN with fewer than two clusters, no cluster of two, or no variation.

    Notes
    -----
    (MSB - MSW) / (MSB + (n₀ - 1) MSW) with n₀ = (N - Σ n_j² / N) / (J - 1): Donner (1986, International
    Statistical Review 54, 67-82, eq. 2.1), the estimator for clusters of unequal size.

    Examples
    --------
    >>> icc_anova(np.array([1.0, 1.0, 2.0, 2.0]), np.array([0, 0, 1, 1]))
    1.0
    """
    sizes = np.bincount(codes)
    present = sizes > 0
    n, j = int(sizes.sum()), int(present.sum())
    if j < 2 or n <= j:
        return float("nan")
    means = np.bincount(codes, weights=values)[present] / sizes[present]
    grand = values.mean()
    between = float((sizes[present] * (means - grand) ** 2).sum())
    full = np.zeros(len(sizes))
    full[present] = means
    within = float(((values - full[codes]) ** 2).sum())
    msb, msw = between / (j - 1), within / (n - j)
    n0 = (n - (sizes.astype(float) ** 2).sum() / n) / (j - 1)
    whole = msb + (n0 - 1) * msw
    return float((msb - msw) / whole) if whole > 0 else float("nan")


def cluster_missingness(frame: IncompleteFrame, grouping: Grouping) -> pd.DataFrame:
    """Per variable: how its missing cells and its variation lie over the clusters.

    Parameters
    ----------
    frame : IncompleteFrame
        The incomplete table.
    grouping : Grouping
        The clusters.

    Returns
    -------
    DataFrame
        By variable (the grouping's own columns and identifiers left out): ``cluster``; ``level``;
        ``systematic`` clusters in which every cell is missing, and ``systematic_cells`` in them; ``sporadic``
        clusters with some but not all missing, and ``sporadic_cells``; ``lowest_share`` and ``highest_share``
        missing of a cluster's applicable cells; ``icc`` (see `icc_anova`; NaN for categories and for
        variables that are constant in clusters); ``icc_latent`` of categories and counts on their latent scale (see
        `icc_latent`; nominal: each level against the others, averaged by its share).
    """
    own = set(grouping.name.split(":"))
    g = len(grouping.labels)
    rows = {}
    for name, column in frame.columns.items():
        if name in own or column.kind == "identifier":
            continue
        missing = np.bincount(grouping.codes, weights=column.missing, minlength=g)
        cells = np.bincount(grouping.codes, weights=~column.absent, minlength=g)
        applies = cells > 0
        systematic = applies & (missing == cells)
        sporadic = (missing > 0) & ~systematic
        share = missing[applies] / cells[applies]
        seen = column.observed
        measurable = column.is_numeric and column.level == "row"
        rows[name] = {
            "cluster": grouping.name,
            "level": column.level,
            "systematic": int(systematic.sum()),
            "systematic_cells": int(missing[systematic].sum()),
            "sporadic": int(sporadic.sum()),
            "sporadic_cells": int(missing[sporadic].sum()),
            "lowest_share": float(share.min()) if len(share) else float("nan"),
            "highest_share": float(share.max()) if len(share) else float("nan"),
            "icc": icc_anova(column.values[seen], grouping.codes[seen]) if measurable else float("nan"),
            "icc_latent": _latent(column, grouping) if column.level == "row" else float("nan"),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _latent(column: Column, grouping: Grouping) -> float:
    """Intraclass correlation of categories and counts on their latent scale."""
    seen = column.observed
    codes, values = grouping.codes[seen], column.values[seen]
    sizes = np.bincount(codes, minlength=len(grouping.labels))
    if column.kind == "count":
        return icc_latent_count(np.bincount(codes, weights=values, minlength=len(sizes)), sizes)
    if column.kind not in ("binary", "ordinal", "nominal"):
        return float("nan")
    levels, place = np.unique(values, return_inverse=True)
    if len(levels) > _MOST_LEVELS:
        return float("nan")
    counts = np.zeros((len(sizes), len(levels)), dtype=np.int64)
    np.add.at(counts, (codes, place), 1)
    if column.kind != "nominal" or len(levels) == 2:
        return icc_latent(counts)
    each = [icc_latent(np.column_stack([counts[:, k], sizes - counts[:, k]])) for k in range(len(levels))]
    return float(np.average(each, weights=counts.sum(axis=0)))
