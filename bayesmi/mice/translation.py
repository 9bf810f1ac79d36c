"""A call of mice as joint models: formulas, families and levels of each set of connected variables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bayesmi
from bayesmi.formula import Formula
from bayesmi.imputations import Mids
from bayesmi.imputations.mids import events_table, zeros
from bayesmi.mice.against import compare_with
from bayesmi.mice.conditional import cluster_table, heckman, keep_earlier, right_hand_side
from bayesmi.mice.edges import Edge, components, directed_edges, product_order
from bayesmi.mice.means import ClusterMeans
from bayesmi.mice.request import Request
from bayesmi.mice.rows import Event
from bayesmi.model import Model
from bayesmi.model.automatic import quoted

__all__ = ["Component", "Translation", "informing", "translate", "translate_alone"]

_KIND = {"ordinal": "ordinal", "nominal": "nominal", "poisson": "count"}


@dataclass(frozen=True, eq=False)
class Component:
    """Variables that are connected: one joint model."""

    variables: tuple[str, ...]  # in the order of the product, the response last
    formula: str
    options: Mapping[str, Any]
    table: Any
    matched: tuple[str, ...]  # by predictive mean matching
    aggregated_by: str | None = None  # cluster, if the rows of `table` are clusters

    def model(self, **options: Any) -> Model:
        """Return the joint model."""
        return Model(self.formula, self.table, **{**self.options, **options})


@dataclass(frozen=True, eq=False, repr=False)
class Translation:
    """What becomes of a call of mice.

    Attributes
    ----------
    request : Request
        What was asked for.
    order : tuple of str
        Imputed columns in the order of the product.
    edges : tuple of Edge
        Who predicts whom.
    components : tuple of Component
        The joint models.
    events : tuple of (column, method, text)
        What is not done as asked, or worth knowing.
    options : mapping
        Options of `Model` that every component has.
    """

    request: Request
    order: tuple[str, ...]
    edges: tuple[Edge, ...]
    components: tuple[Component, ...]
    events: tuple[Event, ...]
    options: Mapping[str, Any]

    @property
    def formulas(self) -> dict[str, str]:
        """The conditional of each imputed column."""
        found = {}
        for part in self.components:
            found[part.variables[-1]] = part.formula
            for name, right in part.options["formulas"].items():
                found[name] = f"{quoted(name)} {right}"
        return {name: found[name] for name in self.order if name in found}

    def mids(self) -> Mids:
        """Return the record that travels with the imputations."""
        names = list(self.request.frame.columns)
        matrix = self.request.matrix if len(self.request.names) else zeros(names)
        imputed = (*self.request.known, *self.order)
        return Mids(
            dict(self.request.method),
            matrix,
            imputed,
            self.formulas,
            dict.fromkeys(names, ""),
            events_table(list(self.events)),
            f"bayesmi {bayesmi.__version__}",
        )

    def __repr__(self) -> str:
        lines = [f"joint model in place of chained equations; product: {' → '.join(self.order) or 'nothing'}"]
        selected = {
            name: own.formula
            for part in self.components
            for name, own in part.options.get("mechanisms", {}).items()
        }
        for name, text in self.formulas.items():
            lines.append(f"  {self.request.method[name]:>12}  {text}")
            if name in selected:
                lines.append(f"  {'observed if':>12}  {selected[name]}")
        lines += [f"  {'known':>12}  {name}, from other rows of its cluster" for name in self.request.known]
        if self.events:
            lines.append("not as in chained equations, or worth knowing:")
            lines += [f"  - {text}" for _, _, text in self.events]
        return "\n".join(lines)


def translate(
    request: Request,
    visit: str | Sequence[str] | None,
    analysis: Formula | None,
    options: Mapping[str, Any],
) -> Translation:
    """Return the joint models of a request."""
    order = product_order(request, visit, informing(options))
    edges, asymmetries = directed_edges(request, order)
    events = [*request.events, *asymmetries, *compare_with(analysis, request, edges)]
    parts = []
    for variables in components(request, order, edges):
        own = [edge for edge in edges if edge.child in variables]
        response = variables[-1]
        for name in variables[:-1]:
            if not any(edge.child == response and name in request.behind(edge.parent) for edge in own):
                own.append(Edge(response, name))
                events.append(
                    (
                        response,
                        request.methods[response].name,
                        f"{name!r} is added to the conditional of {response!r}: the variables of a model meet in its last one",
                    )
                )
        parts.append(
            _component(
                request, variables, own, options, events, ClusterMeans(request.frame, informing(options))
            )
        )
    return Translation(request, order, edges, tuple(parts), tuple(events), options)


def _component(
    request: Request,
    variables: tuple[str, ...],
    edges: Sequence[Edge],
    options: Mapping[str, Any],
    events: list[Event],
    means: ClusterMeans,
    later: Collection[str] = (),
) -> Component:
    """One joint model of the table of `means`; formulas lose the variables that come later."""
    frame, response = request.frame, variables[-1]
    clusters = {request.cluster[name] for name in variables} - {None}
    level = frame.columns[response].level
    on_clusters = level != "row"
    rights: dict[str, str] = {}
    mechanisms: dict[str, Any] = {}
    latent: dict[str, list[Edge]] = {}  # variables before, whose cluster means are latent, and their edges
    for name in variables:
        mine = [edge for edge in edges if edge.child == name]
        written = request.texts.get(name)
        rights[name] = (
            keep_earlier(
                name, written, mine, {*later, *variables[variables.index(name) + 1 :]}, request, events
            )
            if written is not None
            else right_hand_side(name, [e for e in mine if not e.selection_only], request, means, latent)
        )
        if written is None and frame.columns[name].level == "row" and request.cluster[name] is not None:
            latent[name] = mine
        if request.methods[name].heckman:
            chosen = [Edge(e.child, e.parent, slope=e.slope) for e in mine if not e.outcome_only]
            mechanisms[name] = heckman("~ " + right_hand_side(name, chosen, request, means))
    if not on_clusters:
        for cluster in sorted(clusters, key=str):
            if request.cluster[response] != cluster and any(
                request.cluster[name] == cluster and frame.columns[name].level == "row" for name in variables
            ):
                rights[response] += f" + (1 | {quoted(str(cluster))})"
                events.append(
                    (
                        response,
                        request.methods[response].name,
                        f"random intercepts of {cluster!r} are added to {response!r}",
                    )
                )
    families = {name: request.methods[name].family for name in variables}
    kinds = {
        **{
            name: _KIND[family]
            for name, family in families.items()
            if family in _KIND and frame.columns[name].kind != _KIND[family]
        },
        **{
            name: "continuous"
            for name, family in families.items()
            if family == "gaussian"
            and frame.columns[name].kind == "binary"
            and frame.columns[name].is_numeric
        },
        **(options.get("kinds") or {}),
    }
    matched = []
    for name in variables:
        if request.methods[name].matched:
            if frame.columns[name].kind in ("binary", "nominal", "ordinal"):
                kind = str(frame.columns[name].kind)
                families[name] = {"binary": "bernoulli"}.get(kind, kind)
                kinds.pop(name, None)
                events.append(
                    (
                        name,
                        request.methods[name].name,
                        f"{name!r} is {kind}: drawn from a {families[name]} model, whose draws are observed values "
                        "already; there is nothing to match",
                    )
                )
            else:
                matched.append(name)
    passthrough = {key: value for key, value in options.items() if key != "kinds" and value is not None}
    passive = {name: text for name, text in request.passive.items() if request.behind(name) <= set(variables)}
    table = means.table()
    cluster_column = None
    if on_clusters:
        cluster_column = level
        table = cluster_table(means, level)
        passthrough.pop("where", None)
        passthrough.pop("not_applicable", None)
        if means.informs is not None:
            passthrough["ignore"] = ~frame.grouping(level).any_of(means.informs)
    return Component(
        variables,
        f"{quoted(response)} ~ {rights[response]}",
        {
            **passthrough,
            "kinds": kinds or None,
            "family": families[response],
            "families": {name: families[name] for name in variables[:-1]},
            "formulas": {name: f"~ {rights[name]}" for name in variables[:-1]},
            "order": list(variables[:-1]),
            **({"mechanisms": mechanisms} if mechanisms else {}),
            **({"derived": passive} if passive else {}),
        },
        table,
        tuple(matched),
        cluster_column,
    )


def informing(options: Mapping[str, Any]) -> NDArray[np.bool_] | None:
    """Return the rows that inform parameters, where not all do."""
    ignored = options.get("ignore")
    return None if ignored is None else ~ignored


def translate_alone(
    request: Request, name: str, edges: Sequence[Edge], means: ClusterMeans, options: Mapping[str, Any]
) -> Component:
    """One conditional on its own, its predictors taken as they stand in the table of `means`."""
    later = {other for other in request.names if other != name} - {edge.parent for edge in edges}
    part = _component(request, (name,), edges, options, [], means, later)
    own = {key: value for key, value in part.options.items() if key != "derived"}
    where = {key: mask for key, mask in (own.pop("where", None) or {}).items() if key == name}
    return replace(part, options={**own, "where": where or None})
