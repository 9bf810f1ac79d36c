"""delta_after: finished imputations shifted, nothing else changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import did_you_mean, name_rows
from bayesmi.errors import DataError, ModelError, NotSupportedError
from bayesmi.imputations.draws import ChangedDraws
from bayesmi.mechanism import Delta
from bayesmi.mechanism.cell_shift import CellShift, cell_shift, check_delta
from bayesmi.mechanism.value_shift import shifted_values
from bayesmi.seeds import DELTA, REDRAW, stream

if TYPE_CHECKING:
    from bayesmi.draw import FitDraws

__all__ = ["AfterDraws", "moved_cells", "read_after", "unknown_cells"]

Floats = NDArray[np.float64]
_AFTER = 500_000  # apart from the streams of delta_conditional


@dataclass(frozen=True, eq=False)
class AfterDraws(ChangedDraws):
    """Draws of missing cells with deltas added to them: imputation i is that of `base`, shifted."""

    frame: IncompleteFrame
    own: Mapping[str, Delta]
    seed: int

    @property
    def model(self) -> Any:
        """The model that the draws come from, None where they came without one."""
        return getattr(self.base, "model", None)

    @property
    def deltas(self) -> Mapping[str, Delta]:
        """Deltas that these draws hold, by variable."""
        return {**getattr(self.base, "deltas", {}), **self.own}

    def before(self, i: int) -> Mapping[str, Floats]:
        """Return the cells of imputation i without any delta."""
        if getattr(self.base, "deltas", {}):
            return self.base.before(i)  # type: ignore[attr-defined]
        return self.base.cells(i)

    def cells(self, i: int) -> Mapping[str, Floats]:
        """Return the values of all missing cells of imputation i, shifted."""
        cells = dict(self.base.cells(i))
        columns = _columns(self.frame, cells)
        shifted = dict(columns)
        for step, (name, delta) in enumerate(self.own.items()):
            shifted[name] = self._shifted(name, delta, columns, i, step)
        model = self.model
        if model is not None and model.derived:
            from bayesmi.model.derived import fill_derived

            fill_derived(model.derived, self.frame, shifted)
        return {name: shifted[name][self.frame.columns[name].missing] for name in cells}

    def _shifted(self, name: str, delta: Delta, columns: Mapping[str, Floats], i: int, step: int) -> Floats:
        column = self.frame.columns[name]
        rows = np.flatnonzero(unknown_cells(self.frame, name, self.model))
        out = columns[name].copy()
        factor = None if self.model is None else self.model.factor(name)
        is_number = column.kind == "continuous"
        if factor is not None:
            is_number = not factor.family.is_discrete
        levels: tuple[Any, ...] = (
            () if factor is None or not factor.family.has_levels else self.model.table.level_labels(name)
        )
        uniforms = stream(self.seed, DELTA + _AFTER + 1000 * step, i).random(len(delta.priors))
        amounts = cell_shift(delta, self.frame, rows, columns, uniforms, levels)
        _check_constant(name, self.frame, rows, amounts)
        if is_number:
            support = (-np.inf, np.inf) if factor is None else factor.family.support
            out[rows] = shifted_values(name, columns[name][rows], amounts, delta.on, support)
            return out
        if factor is None:
            raise NotSupportedError(
                f"delta_after of {name!r}, which is {column.kind}, redraws it from shifted probabilities, and these "
                "imputations came without a model; the nearest that is supported: delta_after on what Fit.impute() returns, "
                "before it is saved"
            )
        return self._shifted_levels(name, amounts, rows, columns, i, step)

    def _shifted_levels(
        self,
        name: str,
        amounts: CellShift,
        rows: NDArray[np.intp],
        columns: Mapping[str, Floats],
        i: int,
        step: int,
    ) -> Floats:
        from bayesmi.draw.masses import level_masses_given_all
        from bayesmi.draw.shifted import shift_levels, units_to_rows

        source = self._source()
        model, draw = source.model, source.chosen.take(np.array([i]))
        factor, table = model.factor(name), model.table
        values = {**table.values, **columns}
        room = max(0.0, float(amounts.shift.max(initial=0.0)))
        place = np.full(table.n_rows, -1, dtype=np.intp)
        place[rows] = np.arange(len(rows))
        uniforms = stream(self.seed, REDRAW + _AFTER + 1000 * step, i).random((2, table.n_rows))
        out = columns[name].copy()
        at_level = table.rows_of_level(factor.level)
        for masses in level_masses_given_all(factor, model.factors, table, values, draw, room):
            of = place[at_level[masses.units]]
            own = amounts.at(of)  # cells known by limits have no place, and stay
            drawn = values[name][at_level][masses.units]
            new = shift_levels(factor, table, masses, own, drawn, values, draw, uniforms[:, masses.units])
            out = units_to_rows(factor, table, masses.units, new, out)
        return out

    def _source(self) -> FitDraws:
        base: Any = self.base
        while isinstance(base, AfterDraws):
            base = base.base
        if not hasattr(base, "chosen"):
            raise NotSupportedError(
                "delta_after of levels and counts needs the draws of Fit.impute(); the nearest that is supported: numbers"
            )
        return base


def unknown_cells(frame: IncompleteFrame, name: str, model: Any = None) -> NDArray[np.bool_]:
    """Return the cells that a delta moves, (n,): missing, not known from elsewhere in the table, and not known by limits."""
    if model is not None:
        from bayesmi.model.limited import plainly_missing

        return plainly_missing(name, model.table)
    missing = frame.columns[name].missing
    deduced = frame.deduced.get(name)
    return missing if deduced is None else missing & ~np.isfinite(deduced)


def moved_cells(draws: Any, frame: IncompleteFrame, name: str) -> NDArray[np.bool_]:
    """Return which of the missing cells of a variable with a delta it is about, (n_missing,)."""
    inside = getattr(draws, "moved", {}).get(name)
    if inside is None:
        inside = unknown_cells(frame, name, getattr(draws, "model", None))[frame.columns[name].missing]
    return inside


def read_after(
    deltas: Mapping[str, Any], frame: IncompleteFrame, imputed: Any, model: Any
) -> dict[str, Delta]:
    """Read ``{"weight": Delta(-5, kind="after")}``, or numbers for short; refuse what does not fit.

    Raises
    ------
    DataError, ModelError
        One line that names the column.
    """
    if not isinstance(deltas, Mapping) or not deltas:
        raise DataError("delta_after takes a mapping by column, such as {'weight': -5}")
    out: dict[str, Delta] = {}
    for name, value in deltas.items():
        if name not in imputed:
            raise DataError(f"delta_after: {name!r} is not imputed: {did_you_mean(name, list(imputed))}")
        delta = value if isinstance(value, Delta) else Delta(value, kind="after")
        if delta.kind != "after":
            raise ModelError(
                f"delta_after: {name!r} has {delta!r}: of finished imputations say kind='after'; others belong into "
                "Model(mechanisms=…)"
            )
        check_delta(delta, name, frame, np.flatnonzero(unknown_cells(frame, name, model)))
        out[name] = delta
    if model is not None:
        from bayesmi.model.shifted import check_shifts

        check_shifts(out, model.factors, model.table)
    return out


def _columns(frame: IncompleteFrame, cells: Mapping[str, Floats]) -> dict[str, Floats]:
    """Completed columns over all rows."""
    out: dict[str, Floats] = {}
    for name, column in frame.columns.items():
        out[name] = np.array(column.values)
        if name in cells:
            out[name][column.missing] = cells[name]
    return out


def _check_constant(name: str, frame: IncompleteFrame, rows: NDArray[np.intp], amounts: CellShift) -> None:
    """Refuse amounts that differ within a group of which the variable has one value."""
    level = frame.columns[name].level
    if level == "row" or not len(rows):
        return
    codes = frame.grouping(level).codes[rows]
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    off = (amounts.shift != amounts.shift[first][inverse]).reshape(len(rows), -1).any(axis=1)
    if off.any():
        raise ModelError(
            f"mechanisms[{name!r}]: its delta differs within a {level} ({name_rows(frame.index, rows[off])}), of which "
            f"the variable has one value: let it depend on {level} variables"
        )
