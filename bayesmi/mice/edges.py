"""From a predictor matrix, which may be asymmetric, to directed edges: who predicts whom in a joint model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import ModelError
from bayesmi.families import REGISTRY
from bayesmi.mice.request import Request
from bayesmi.mice.rows import MEANS, SLOPES, Event, code_at

__all__ = ["Edge", "components", "directed_edges", "product_order", "too_early"]

_VISITS = ("roman", "arabic", "monotone", "revmonotone")


@dataclass(frozen=True)
class Edge:
    """`parent` stands in the conditional of `child`."""

    child: str
    parent: str
    slope: bool = False
    mean: bool = False
    selection_only: bool = False
    outcome_only: bool = False


def product_order(
    request: Request, visit: str | Sequence[str] | None, informs: NDArray[np.bool_] | None = None
) -> tuple[str, ...]:
    """Return the imputed columns in the order of the product, the response last.

    The order rule: highest level first, within a level discrete before continuous, then least missing first. A visit
    sequence replaces it. Rows that do not inform (False in `informs`) are not counted.
    """
    frame, names = request.frame, request.names
    counts = {
        name: int((frame.columns[name].missing & (True if informs is None else informs)).sum())
        for name in names
    }
    if visit is None:

        def key(name: str) -> tuple[bool, bool, int, int]:
            family = REGISTRY.get(request.methods[name].family)
            discrete = family.is_discrete if family else request.methods[name].family != "lognormal"
            return (
                frame.columns[name].level == "row",
                not discrete,
                counts[name],
                names.index(name),
            )

        return _parts_first(sorted(names, key=key), request)
    if isinstance(visit, str):
        if visit not in _VISITS:
            raise ModelError(f"visitSequence={visit!r}: choose {', '.join(_VISITS)}, or list the columns")
        order = list(names)
        if visit.endswith("monotone"):
            order.sort(key=lambda name: counts[name])
        if visit in ("arabic", "revmonotone"):
            order.reverse()
        return tuple(sorted(order, key=lambda name: frame.columns[name].level == "row"))
    order = [name for name in dict.fromkeys(visit) if name in names]
    if sorted(order) != sorted(names):
        raise ModelError(
            f"visitSequence must name every imputed column ({', '.join(names)}), not {', '.join(map(str, visit))}"
        )
    return tuple(order)


def _parts_first(order: list[str], request: Request) -> tuple[str, ...]:
    """Move a column behind the parts of the derived columns that predict it."""
    for name in list(order):
        behind = {
            part
            for derived in request.parts
            if code_at(request.matrix, name, derived)
            for part in request.behind(derived)
            if request.level(part) == request.level(name) or request.level(name) == "row"
        }
        last = max((order.index(part) for part in behind), default=-1)
        if last > order.index(name):
            order.insert(last, order.pop(order.index(name)))
    return tuple(order)


def too_early(request: Request, child: str, parent: str, before: Sequence[str], events: list[Event]) -> bool:
    """Whether a derived predictor has parts that are not imputed before; said where it has."""
    later = sorted(request.behind(parent) - {*before, parent})
    if not later:
        return False
    events.append(
        (
            child,
            request.methods[child].name,
            f"{parent!r} does not predict {child!r}: it is computed from {', '.join(map(repr, later))}, which comes later",
        )
    )
    return True


def directed_edges(request: Request, order: Sequence[str]) -> tuple[tuple[Edge, ...], tuple[Event, ...]]:
    """Return the edges of the joint model, and what it cannot honour.

    An edge joins two imputed columns where either cell is not 0; it points from the earlier to the later in the product.
    A slope or mean code in either cell acts in that direction.
    """
    matrix, frame = request.matrix, request.frame
    edges: list[Edge] = []
    events: list[Event] = []
    for position, child in enumerate(order):
        for parent in frame.columns:
            if parent not in request.names:
                code = code_at(matrix, child, parent)
                if code not in (0, -2) and not too_early(request, child, parent, order[:position], events):
                    edges.append(_edge(request, child, parent, code, 0, events))
        for parent in order[:position]:
            asked, reverse = code_at(matrix, child, parent), code_at(matrix, parent, child)
            if asked == 0 and reverse == 0:
                continue
            edges.append(_edge(request, child, parent, asked, reverse, events))
            _asymmetry(child, parent, asked, reverse, request, events)
    return tuple(edges), tuple(events)


def components(request: Request, order: Sequence[str], edges: Sequence[Edge]) -> tuple[tuple[str, ...], ...]:
    """Return sets of imputed columns that no edge and no derived column joins: their densities factorise, fitted apart."""
    home = {name: name for name in order}

    def find(name: str) -> str:
        while home[name] != name:
            name = home[name]
        return name

    joined = [{edge.child, *request.behind(edge.parent)} for edge in edges]
    for first, *others in map(
        sorted, [*joined, *(own for name in request.parts if (own := request.behind(name)))]
    ):
        for other in others:
            home[find(first)] = find(other)
    roots: Mapping[str, list[str]] = {find(name): [] for name in order}
    for name in order:
        roots[find(name)].append(name)
    return tuple(tuple(part) for part in roots.values())


def _edge(request: Request, child: str, parent: str, asked: int, reverse: int, events: list[Event]) -> Edge:
    """One edge, with what its codes ask for as far as levels and methods allow."""
    method, cluster = request.methods[child], request.cluster[child]
    codes = {asked, reverse if asked == 0 or parent in request.names else asked}
    if method.heckman:
        if parent in request.names and asked == -3:
            raise ModelError(
                f"predictorMatrix[{child!r}, {parent!r}] is -3, but {parent!r} has missing cells: a variable that stands in "
                "the selection equation only must be complete"
            )
        constant = cluster is not None and asked == 2 and request.level(parent) == cluster
        if constant:
            events.append(
                (
                    child,
                    method.name,
                    f"{parent!r} is constant within {cluster!r}: no random slope for {child!r} is possible",
                )
            )
        return Edge(
            child,
            parent,
            slope=cluster is not None and asked == 2 and not constant,
            selection_only=asked == -3,
            outcome_only=asked == -4,
        )
    slope, mean = bool(codes & set(SLOPES)), bool(codes & set(MEANS))
    if cluster is None or request.level(child) != "row":
        return Edge(child, parent)
    if request.level(parent) == cluster and (slope or mean):
        if slope:
            events.append(
                (
                    child,
                    method.name,
                    f"{parent!r} is constant within {cluster!r}: no random slope for {child!r} is possible",
                )
            )
        if mean:
            events.append(
                (
                    child,
                    method.name,
                    f"{parent!r} is constant within {cluster!r}: it is its own cluster mean and enters {child!r} once",
                )
            )
        return Edge(child, parent)
    if mean and parent in request.names:
        events.append(
            (
                child,
                method.name,
                f"cluster mean of the incomplete {parent!r} in {child!r}: the latent one, that is the group effect of {parent!r} "
                f"in its own model and the means of what predicts it (without such an effect the mean of observed values)",
            )
        )
    return Edge(child, parent, slope=slope, mean=mean)


def _asymmetry(
    child: str, parent: str, asked: int, reverse: int, request: Request, events: list[Event]
) -> None:
    """Say what becomes of two cells that differ."""
    if asked == reverse:
        return
    method = request.methods[child].name
    if reverse == 0:
        text = (
            f"cell [{parent}, {child}] is 0: {child!r} was to be left out of the imputation of {parent!r}. In a joint model "
            f"the dependence of {child!r} on {parent!r} informs {parent!r} all the same; cut=True leaves it out"
        )
    elif asked == 0:
        text = (
            f"cell [{child}, {parent}] is 0, [{parent}, {child}] is {reverse}: one edge says both; it is modelled as "
            f"{child!r} given {parent!r} (order of the product)"
        )
    else:
        text = (
            f"cells [{child}, {parent}] = {asked} and [{parent}, {child}] = {reverse} differ: what either asks for "
            f"(slope, mean) acts in {child!r} given {parent!r}"
        )
    events.append((child, method, text))
