"""The right-hand side of one conditional, written from its edges; and the table of clusters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.formula import Formula
from bayesmi.mechanism import Heckman
from bayesmi.mice.edges import Edge
from bayesmi.mice.means import ClusterMeans
from bayesmi.mice.request import Request
from bayesmi.mice.rows import Event
from bayesmi.model.automatic import quoted
from bayesmi.model.ignored import check_told

__all__ = ["cluster_table", "heckman", "keep_earlier", "right_hand_side"]


def right_hand_side(
    name: str,
    edges: Sequence[Edge],
    request: Request,
    means: ClusterMeans,
    latent: Mapping[str, Sequence[Edge]] | None = None,
) -> str:
    """Write the conditional of a variable from its edges.

    `latent` holds the edges of variables that are imputed before it in the same model: the cluster mean of one of them is latent,
    its group effect and the means of what predicts it.
    """
    frame, cluster = request.frame, request.cluster[name]
    at_cluster = frame.columns[name].level != "row"
    terms: list[str] = []
    slopes: list[str] = []
    for edge in edges:
        parent = frame.columns[edge.parent]
        if at_cluster and cluster is not None and parent.level != cluster:
            terms += [f"`{label}`" for label in means.add(edge.parent, cluster)]
            continue
        terms.append(quoted(edge.parent))
        if edge.mean and cluster is not None:
            terms += _mean_terms(edge.parent, cluster, request, means, latent or {})
        if edge.slope:
            slopes.append(quoted(edge.parent))
    if cluster is not None and not at_cluster:
        terms.append(f"({' + '.join(['1', *slopes])} | {quoted(cluster)})")
    return " + ".join(dict.fromkeys(terms)) or "1"


def _mean_terms(
    parent: str, cluster: str, request: Request, means: ClusterMeans, latent: Mapping[str, Sequence[Edge]]
) -> list[str]:
    """Terms that stand for a predictor's cluster mean."""
    if parent not in latent or request.cluster[parent] != cluster:
        return [f"`{label}`" for label in means.add(parent, cluster)]
    terms = [f"group_effect({quoted(parent)}, {quoted(cluster)})"]
    for edge in latent[parent]:
        if not edge.selection_only:
            terms += _mean_terms(edge.parent, cluster, request, means, latent)
    return terms


def keep_earlier(
    name: str,
    formula: Formula,
    edges: Sequence[Edge],
    later: Collection[str],
    request: Request,
    events: list[Event],
) -> str:
    """Keep what a formula says of earlier variables; later ones come in through their own conditional."""
    later = set(later)
    kept = [str(term) for term in formula.terms if not term.variables & later]
    dropped = [str(term) for term in formula.terms if term.variables & later]
    if dropped:
        events.append(
            (
                name,
                request.methods[name].name,
                f"{', '.join(dropped)} in the formula of {name!r}: comes later in the product, so that the edge stands in "
                "the other conditional",
            )
        )
    stated = {v for term in formula.terms for v in term.variables}
    kept += [quoted(edge.parent) for edge in edges if edge.parent not in stated]
    kept += [str(group) for group in formula.groups if not group.variables & later]
    return " + ".join(kept) or "1"


def heckman(selection: str) -> Heckman:
    """Return the selection model with this right-hand side."""
    return Heckman(selection)


def cluster_table(means: ClusterMeans, cluster: str) -> Any:
    """One row a cluster: cluster-level columns, known cells filled in, and means."""
    frame = means.frame
    grouping = frame.grouping(cluster)
    rows = grouping.first_row
    columns: dict[str, Any] = {}
    for name, column in frame.columns.items():
        if column.level != cluster or column.kind == "identifier" or name == cluster:
            continue
        if means.informs is not None:
            informing = grouping.any_of(means.informs)[grouping.codes]
            told = grouping.any_of(means.informs & column.observed)[grouping.codes]
            check_told(name, cluster, frame.index, informing & column.observed & ~told)
        values = np.where(
            column.missing & (name in frame.deduced), frame.deduced.get(name, np.nan), column.values
        )[rows]
        if column.categories is None:
            columns[name] = values
        else:
            codes = np.where(np.isfinite(values), values, -1).astype(int)
            columns[name] = pd.Categorical.from_codes(
                codes, categories=pd.Index(list(column.categories)), ordered=column.kind == "ordinal"
            )
    columns.update({name: values[rows] for name, values in means.made.items()})
    return pd.DataFrame(columns)
