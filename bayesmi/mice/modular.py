"""Imputation without feedback: each conditional fitted on its own, in sequence (a cut model, for teaching)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.errors import BayesmiNotice
from bayesmi.formula import Formula
from bayesmi.imputations import StoredDraws
from bayesmi.mice.against import compare_with
from bayesmi.mice.edges import Edge, product_order, too_early
from bayesmi.mice.means import ClusterMeans
from bayesmi.mice.merged import spread
from bayesmi.mice.pmm import pmm
from bayesmi.mice.request import Request
from bayesmi.mice.rows import Event, code_at
from bayesmi.mice.translation import Translation, informing, translate_alone
from bayesmi.model.derived import Derived, read_derived
from bayesmi.progress import shown
from bayesmi.seeds import CUT

__all__ = ["impute_modular", "sequential_edges", "translate_modular"]

Floats = NDArray[np.float64]


def sequential_edges(request: Request, order: tuple[str, ...]) -> tuple[tuple[Edge, ...], tuple[Event, ...]]:
    """Return the edges of the sequence: what each row asks for, as far as it is imputed before."""
    edges, events = [], []
    for position, child in enumerate(order):
        later = [name for name in order[position + 1 :] if request.matrix.loc[child, name] != 0]
        if later:
            events.append(
                (
                    child,
                    request.methods[child].name,
                    f"cut: {', '.join(later)} come after {child!r} and are not used for it",
                )
            )
        for parent in request.frame.columns:
            code = code_at(request.matrix, child, parent)
            if code in (0, -2) or parent in later:
                continue
            if too_early(request, child, parent, order[:position], events):
                continue
            edges.append(Edge(child, parent, slope=code in (2, 4), mean=code in (3, 4)))
    return tuple(edges), tuple(events)


def translate_modular(
    request: Request,
    visit: str | Sequence[str] | None,
    analysis: Formula | None,
    options: Mapping[str, Any],
) -> Translation:
    """Return the conditionals of a request as a sequence, each predictor taken as it stands when its turn comes."""
    order = product_order(request, visit, informing(options))
    edges, events = sequential_edges(request, order)
    events = (*request.events, *events, *compare_with(analysis, request, edges, both_ways=False))
    informs = informing(options)
    parts = tuple(
        translate_alone(
            request,
            name,
            [edge for edge in edges if edge.child == name],
            ClusterMeans(request.frame, informs),
            options,
        )
        for name in order
    )
    return Translation(request, order, edges, parts, events, options)


def impute_modular(
    translation: Translation,
    m: int,
    seed: int,
    donors: int,
    matchtype: int,
    *,
    progress: bool,
    **fit: Any,
) -> StoredDraws:
    """Impute each column given those before it, every imputation with its own completed predictors.

    The parameters of a conditional do not learn from what follows: m fits a column, one draw of each.
    """
    request, options = translation.request, translation.options
    frame = request.frame
    derived = read_derived(request.passive, list(frame.columns))
    filled: list[dict[str, Floats]] = [{} for _ in range(m)]
    despite = fit.pop("despite_gate")
    turns = list(_turns(translation, m))
    for position, name, edges, i, wanted in shown(turns, len(turns), progress, "fits"):
        table = frame.fill(filled[i])
        completed = IncompleteFrame.from_table(
            table,
            groups=tuple(frame.groups),
            kinds={n: str(c.kind) for n, c in frame.columns.items() if n in filled[i]},
        )
        part = translate_alone(request, name, edges, ClusterMeans(completed, informing(options)), options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesmiNotice)
            model = part.model()
            number = np.random.SeedSequence(seed, spawn_key=(CUT, position, i)).generate_state(1)[0]
            fitted = model.fit(seed=int(number), progress=False, **fit)
            drawn = (
                pmm(fitted, wanted, donors=donors, matchtype=matchtype, despite_gate=despite)
                if part.matched
                else fitted.impute(wanted, despite_gate=despite)
            )
        cells = spread(drawn, part, frame)
        for k in range(wanted):
            filled[i + k][name] = cells.cells(k)[name]
            _fill_derived(request, derived, filled[i + k])
    values = {name: np.array([one[name] for one in filled]) for name in filled[0]}
    return StoredDraws(values, tuple((0, i) for i in range(m)))


def _turns(translation: Translation, m: int) -> Iterator[tuple[int, str, list[Edge], int, int]]:
    """Yield the fits: place and name of a column, its edges, the first data set it is for and for how many.

    A column whose predictors are all observed is fitted once for all m.
    """
    for position, name in enumerate(translation.order):
        edges = [edge for edge in translation.edges if edge.child == name]
        waiting = any(translation.request.behind(edge.parent) for edge in edges)
        for i in range(m if waiting else 1):
            yield position, name, edges, i, 1 if waiting else m


def _fill_derived(request: Request, derived: Sequence[Derived], cells: dict[str, Floats]) -> None:
    """Compute the missing cells of derived columns whose parts are all there, in place."""
    columns = {
        name: _completed(column.values, column.missing, cells.get(name))
        for name, column in request.frame.columns.items()
    }
    for name in request.known:
        columns[name] = np.where(
            request.frame.columns[name].missing, request.frame.deduced[name], columns[name]
        )
    for one in derived:
        found = one.values(columns)[request.frame.columns[one.name].missing]
        if np.isfinite(found).all():
            cells[one.name] = found


def _completed(values: Floats, missing: NDArray[np.bool_], cells: Floats | None) -> Floats:
    out = np.array(values)
    if cells is not None:
        out[missing] = cells
    return out
