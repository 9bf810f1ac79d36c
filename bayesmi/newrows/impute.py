"""Imputations of a fit: of the table that was fitted, or of new rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.data import IncompleteFrame
from bayesmi.draw import FitDraws
from bayesmi.mechanism import deltas_of
from bayesmi.seeds import SPACING, check_seed

if TYPE_CHECKING:
    from bayesmi.fit import Fit
    from bayesmi.imputations import Imputations
    from bayesmi.imputations.draws import CellDraws

__all__ = ["impute_fit"]


def impute_fit(
    fit: Fit, m: int, *, newdata: Any = None, seed: int | None = None, despite_gate: bool = False
) -> tuple[Imputations, tuple[str, ...]]:
    """Return m completed data sets and notices about them; see `Fit.impute`."""
    from bayesmi.fit.gate import refusal
    from bayesmi.imputations import Imputations, choose_draws

    if not fit.gate.passed and not despite_gate:
        raise refusal(fit.gate)
    own = fit.seed if seed is None else check_seed(seed)
    spacing = int(np.random.SeedSequence(own, spawn_key=(SPACING, 0)).generate_state(1)[0])
    origins = choose_draws(fit.draws.n_chains, fit.draws.n_draws, m, spacing)
    flat = np.array([chain * fit.draws.n_draws + draw for chain, draw in origins], dtype=np.intp)
    model = fit.model
    fitted = FitDraws(model, fit.plan, fit.tables, fit.draws.take(flat), tuple(origins), own)
    frame = model.frame
    lines: tuple[str, ...] = ()
    chosen: CellDraws = fitted
    if newdata is None and model.ignored is None:
        lines = fitted.matching_notices()
    else:
        frame, chosen, lines = _with_new(fit, fitted, newdata)
    imputed = Imputations(
        frame,
        chosen,
        formula=str(model.formula),
        families={f.variable: f.family.name for f in model.factors if not f.is_observation},
        seed=own,
        integer_valued=model.integer_valued,
        gate=str(fit.gate),
    )
    after = deltas_of(model.mechanisms, "after")
    return (imputed.delta_after(after) if after else imputed), lines


def _with_new(fit: Fit, fitted: FitDraws, newdata: Any) -> tuple[IncompleteFrame, CellDraws, tuple[str, ...]]:
    """Return frame, draws and notices of new rows, or of the whole table where some of its rows inform nothing."""
    from bayesmi.newrows.draws import NewRowDraws
    from bayesmi.newrows.ignored import TogetherDraws
    from bayesmi.newrows.laid import lay_out_new
    from bayesmi.newrows.rows import read_new_rows

    model = fit.model
    ignored = model.ignored if newdata is None else None
    rows = read_new_rows(model, newdata if ignored is None else ignored.rows)
    new = NewRowDraws(fitted, lay_out_new(model, fit.plan, rows, fitted.chosen))
    if ignored is None:
        return rows.frame, new, new.laid.notices
    frame = read_new_rows(model, ignored.whole).frame
    return frame, TogetherDraws(fitted, frame, ignored.mask, new), new.laid.notices
