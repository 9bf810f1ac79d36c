"""Clusters in the imputation of one variable: ignored, as indicators, separately, hierarchically; what n and N advise."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.describe.clusters import icc_anova
from bayesmi.errors import BayesmiError, DataError
from bayesmi.explore.source import as_frame, columns_of
from bayesmi.imputations import Imputations, StoredDraws
from bayesmi.seeds import check_seed, stream
from bayesmi.simple.linear import design_of, read_formula
from bayesmi.simple.result import Floats
from bayesmi.simple.streams import CLUSTERS, check_m

__all__ = ["ClusterStrategies", "cluster_strategies"]

_SMALL = 10  # observed rows a coefficient wants (rule of thumb)
_FEW = 5  # clusters below which a variance between them is a matter of the prior


@dataclass(frozen=True, eq=False)
class ClusterStrategies:
    """The same variable imputed under several ways to treat its clusters.

    Attributes
    ----------
    table : DataFrame
        By strategy: coefficients, observed rows a coefficient (of the smallest cluster for "separate"), clusters that cannot be
        imputed, mean, sd and ICC of the completed variable over the m tables, and what is to be said of it.
    imputations : mapping of str to Imputations
        Of each strategy that could be carried out.
    advice : str
        Which to use for these n and N, and why.
    n_clusters : int
        N.
    sizes : tuple of int
        Smallest, median and largest number of observed rows in a cluster, n.
    icc : float
        Of the observed values.
    seed : int

    Examples
    --------
    >>> import bayesmi as bmi
    >>> pupils = bmi.datasets.load("popmis")
    >>> found = bmi.simple.cluster_strategies(pupils, "popular ~ sex", "school", m=2, seed=1, hierarchical=False)
    >>> found.n_clusters, found.sizes[0] <= found.sizes[1] <= found.sizes[2], sorted(found.imputations)
    (100, True, ['ignored', 'indicator', 'separate'])
    """

    table: pd.DataFrame
    imputations: Mapping[str, Imputations]
    advice: str
    n_clusters: int
    sizes: tuple[int, int, int]
    icc: float
    seed: int

    def __repr__(self) -> str:
        low, middle, high = self.sizes
        head = f"{self.n_clusters} clusters, {low}–{high} observed rows in each (median {middle}), ICC {self.icc:.2f}"
        numbers = self.table.drop(columns="remark").round(3).to_string()
        remarks = [f"- {name}: {said}" for name, said in self.table["remark"].items() if said]
        return "\n".join([head, numbers, *remarks, *textwrap.wrap(self.advice, 108)])


def cluster_strategies(
    data: Any,
    formula: str,
    cluster: str,
    *,
    m: int = 20,
    seed: int | None = None,
    hierarchical: bool = True,
    **fit: Any,
) -> ClusterStrategies:
    """Impute a continuous variable with its clusters ignored, as indicators, separately and hierarchically.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    formula : str
        ``"variable ~ predictors"``, complete predictors, without the cluster.
    cluster : str
        The column of the clusters, complete.
    m : int
        Number of completed tables.
    seed : int, optional
        Repeats everything exactly.
    hierarchical : bool
        Fit the joint model with a random intercept too; it takes longest.
    **fit
        For `Model.fit`: draws, tune, chains, progress.

    Returns
    -------
    ClusterStrategies

    Raises
    ------
    DataError
        If the variable is not a number, or a predictor or the cluster is missing where it is needed.

    Notes
    -----
    Draws of coefficients and residual from their posterior under flat priors (mice's ``norm``) for all but "hierarchical".
    Ignoring the clusters pulls the ICC towards zero, indicators push it up, the more the smaller the clusters (Drechsler 2015;
    Lüdtke, Robitzsch and Grund 2017); separate models need enough rows in every cluster and cannot impute one without any
    (van Buuren 2018, section 7.3).

    Examples
    --------
    >>> import bayesmi as bmi
    >>> found = bmi.simple.cluster_strategies(
    ...     bmi.datasets.load("popmis"), "popular ~ sex", "school", m=2, seed=1, hierarchical=False
    ... )
    >>> list(found.table.index)
    ['ignored', 'indicator', 'separate']
    """
    frame = as_frame(data)
    check_m(m)
    seed = check_seed(seed)
    parsed, name = read_formula(formula, "the variable to impute")
    column = columns_of(frame, name)[0]
    grouping_column = columns_of(frame, cluster)[0]
    if column.categories is not None or column.support is not None:
        raise DataError(
            f"column {name!r} is {column.kind.value}: cluster strategies are compared for numbers"
        )
    if not column.n_missing:
        raise DataError(f"column {name!r} has no missing cell: there is nothing to impute")
    if grouping_column.n_missing:
        raise DataError(
            f"column {cluster!r} is missing in {grouping_column.n_missing} rows: a cluster must be known"
        )
    x, offset, names = design_of(frame, parsed)
    if not np.isfinite(x).all():
        raise DataError(f"a predictor of {name!r} is missing: impute it first, or leave it out")
    codes = np.unique(grouping_column.values, return_inverse=True)[1]
    n_clusters = int(codes.max()) + 1
    if n_clusters < 2:
        raise DataError(f"column {cluster!r} has one value: there are no clusters")
    seen = column.observed
    sizes = np.bincount(codes[seen], minlength=n_clusters)
    y = column.values - offset
    icc = icc_anova(column.values[seen], codes[seen])
    rows: dict[str, dict[str, Any]] = {}
    made: dict[str, Imputations] = {}

    def keep(strategy: str, drawn: Floats | None, k: int, per: float, lost: int, remark: str) -> None:
        row: dict[str, Any] = {"coefficients": k, "rows.per.coefficient": per, "clusters.lost": lost}
        row |= {"mean": np.nan, "sd": np.nan, "icc": np.nan, "remark": remark}
        if drawn is not None:
            draws = StoredDraws({name: np.ascontiguousarray(drawn)}, tuple((0, i) for i in range(len(drawn))))
            made[strategy] = Imputations(frame, draws, seed=seed)
            row |= _moments(column.values, column.missing, drawn, codes)
        rows[strategy] = row

    rngs = [stream(seed, CLUSTERS, i) for i in range(3)]
    n, k = int(seen.sum()), x.shape[1]
    keep(
        "ignored", _impute(x, y, seen, column.missing, m, rngs[0]) + offset[column.missing], k, n / k, 0,
        "clusters are taken as alike: ICC too small, standard errors of cluster-level effects too" if icc > 0.02 else "",
    )  # fmt: skip
    empty = int((sizes[np.unique(codes[column.missing])] == 0).sum())
    shared = _without_constant(x, codes)
    dummies = np.column_stack([np.eye(n_clusters)[codes], shared])
    p = n_clusters + shared.shape[1]
    dropped = shared.shape[1] < k - ("Intercept" in names)
    if empty or n <= p:
        why = f"{empty} clusters have no observed value" if empty else f"{n} rows for {p} coefficients"
        keep("indicator", None, p, n / p, empty, f"impossible: {why}")
    else:
        said = "cluster-level predictors follow from the indicators and drop out; " if dropped else ""
        keep(
            "indicator", _impute(dummies, y, seen, column.missing, m, rngs[1]) + offset[column.missing], p, n / p, 0,
            said + "ICC too large with small clusters" if sizes.min() < 50 else said.rstrip("; "),
        )  # fmt: skip
    _separate(keep, x, y, offset, codes, column, sizes, m, rngs[2])
    if hierarchical:
        keep("hierarchical", *_hierarchical(frame, formula, cluster, name, m, seed, n, k, n_clusters, fit))
    table = pd.DataFrame.from_dict(rows, orient="index")
    advice = _advice(n_clusters, sizes, icc, k, empty)
    return ClusterStrategies(
        table,
        made,
        advice,
        n_clusters,
        (int(sizes.min()), int(np.median(sizes)), int(sizes.max())),
        icc,
        seed,
    )


def _impute(x: Floats, y: Floats, seen: Any, holes: Any, m: int, rng: np.random.Generator) -> Floats:
    """Bayesian linear regression with flat priors: coefficients, residual sd and residuals drawn, shape (m, holes)."""
    kept = _independent(x[seen])
    a, target = x[seen][:, kept], y[seen]
    b = np.linalg.lstsq(a, target, rcond=None)[0]
    rss, df = float(((target - a @ b) ** 2).sum()), len(target) - len(kept)
    root = np.linalg.inv(np.linalg.qr(a, mode="r"))
    out = np.empty((m, int(holes.sum())))
    for i in range(m):
        sd = np.sqrt(rss / rng.chisquare(df))
        out[i] = x[holes][:, kept] @ (
            b + sd * (root @ rng.standard_normal(len(kept)))
        ) + sd * rng.standard_normal(out.shape[1])
    return out


def _independent(x: Floats) -> list[int]:
    """Columns that do not follow from those before."""
    from bayesmi.explore.logistic import independent_columns

    return list(independent_columns(x))


def _without_constant(x: Floats, codes: Any) -> Floats:
    """Columns that vary within a cluster: the others follow from the indicators."""
    first = np.zeros(int(codes.max()) + 1, dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return np.asarray(x[:, ~(x == x[first[codes]]).all(axis=0)])


def _separate(
    keep: Any,
    x: Floats,
    y: Floats,
    offset: Floats,
    codes: Any,
    column: Any,
    sizes: Any,
    m: int,
    rng: np.random.Generator,
) -> None:
    """One regression in each cluster, on what varies in it."""
    drawn = np.empty((m, column.n_missing))
    place = np.cumsum(column.missing) - 1
    lost, most = 0, 1
    for g in range(len(sizes)):
        mine = codes == g
        holes = mine & column.missing
        inside = np.column_stack([np.ones(len(codes)), x])
        rows = mine & column.observed
        kept = _independent(inside[rows]) if rows.any() else []
        most = max(most, len(kept))
        if not holes.any():
            continue
        if int(rows.sum()) <= len(kept) + 1:
            lost += 1
            continue
        drawn[:, place[holes]] = _impute(inside, y, rows, holes, m, rng) + offset[holes]
    per = float(sizes.min()) / most
    if lost:
        keep("separate", None, most, per, lost, f"impossible: {lost} clusters have too few observed values")
    else:
        keep(
            "separate", drawn, most, per, 0,
            "coefficients of each cluster rest on few rows: too much spread" if per < _SMALL else "",
        )  # fmt: skip


def _hierarchical(
    frame: Any,
    formula: str,
    cluster: str,
    name: str,
    m: int,
    seed: int,
    n: int,
    k: int,
    n_clusters: int,
    fit: dict[str, Any],
) -> tuple[Floats | None, int, float, int, str]:
    """Draws of the joint model with a random intercept."""
    from bayesmi.formula import parse
    from bayesmi.model import Model
    from bayesmi.model.automatic import quoted

    few = f"only {n_clusters} clusters: their variance depends on its prior" if n_clusters < _FEW else ""
    names = parse(formula).columns | {name, cluster}
    used = [column for column in frame.columns if column in names]
    try:
        table = frame.original()
        model = Model(f"{formula} + (1 | {quoted(cluster)})", table[used])
        drawn = model.fit(seed=seed, **({"progress": False} | fit)).impute(m, seed=seed).draws_of(name).T
    except BayesmiError as error:
        return None, k + 2, n / (k + 2), 0, f"failed: {error}"
    return np.asarray(drawn), k + 2, n / (k + 2), 0, few


def _moments(values: Floats, holes: Any, drawn: Floats, codes: Any) -> dict[str, float]:
    """Mean, sd and ICC of the completed variable, averaged over the tables."""
    out = []
    for one in drawn:
        full = values.copy()
        full[holes] = one
        use = np.isfinite(full)
        out.append((full[use].mean(), full[use].std(ddof=1), icc_anova(full[use], codes[use])))
    return dict(zip(("mean", "sd", "icc"), np.mean(out, axis=0).tolist(), strict=True))


def _advice(n_clusters: int, sizes: Any, icc: float, k: int, empty: int) -> str:
    """Say which strategy n and N allow."""
    smallest, middle = int(sizes.min()), float(np.median(sizes))
    if empty:
        return (
            f"Use the hierarchical model: {empty} clusters have no observed value at all (systematically missing), and only it "
            "borrows what they lack from the others."
        )
    if n_clusters < _FEW:
        separate = smallest >= 10 * k * 2
        return f"With {n_clusters} clusters a variance between them can hardly be estimated: " + (
            "the clusters are large, so impute separately or with indicators."
            if separate
            else "use indicators, or the hierarchical model with a prior you can defend."
        )
    if smallest >= 20 * k and n_clusters <= 20:
        return (
            f"{n_clusters} large clusters ({smallest} or more observed rows): separate, indicator and hierarchical imputation "
            "will differ little; separate lets every coefficient vary."
        )
    why = f"{n_clusters} clusters with {middle:.0f} observed rows in the median one"
    if icc <= 0.02:
        return f"Use the hierarchical model ({why}); with an ICC of {icc:.2f} ignoring the clusters does little harm."
    return (
        f"Use the hierarchical model ({why}): indicators spend {n_clusters - 1} coefficients and overstate the ICC, "
        f"separate models rest on as few as {smallest} rows, and ignoring the clusters understates it."
    )
