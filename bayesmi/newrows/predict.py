"""Predictions of a fit: the expected response, and new values of it, for the fit's rows or for new ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayesmi.data.polars_table import is_polars
from bayesmi.draw.cells import complete_cells
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import chunks, predictors, scales
from bayesmi.draw.rows import lay_out_completed
from bayesmi.draw.shifted import full_columns
from bayesmi.errors import FitError
from bayesmi.fit.names import plain_labels
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable
from bayesmi.newrows.effects import effects_at
from bayesmi.newrows.laid import LaidOut, lay_out_new
from bayesmi.newrows.rows import read_new_rows
from bayesmi.progress import Progress
from bayesmi.seeds import PREDICT, check_seed, stream

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = ["GROUPS", "KINDS", "predict", "predictions"]

Floats = NDArray[np.float64]

KINDS = ("mean", "response", "link")
GROUPS = ("known", "population", "zero")


def predict(
    fit: Fit,
    newdata: Any = None,
    *,
    kind: str = "mean",
    groups: str = "known",
    draws: int | None = 1000,
    seed: int | None = None,
    progress: bool = True,
) -> xr.DataArray:
    """Return draws of the expected response or of new values; see `Fit.predict`."""
    factor = _response(fit)
    _check(fit, kind, groups, draws)
    own = fit.seed if seed is None else check_seed(seed)
    n_chains, n_draws = fit.draws.n_chains, fit.draws.n_draws
    each = n_draws if draws is None else min(n_draws, -(-int(draws) // n_chains))
    places = np.linspace(0, n_draws - 1, each).astype(np.intp)
    chosen = (np.arange(n_chains)[:, None] * n_draws + places).ravel()
    some = fit.draws.take(chosen)
    with Progress(show=progress) as bar:

        def moved(done: int) -> None:
            bar.working("predictions", done, some.n)

        if newdata is None and groups == "known":
            values = _of_fit(fit, factor, some, kind, own, moved)
            index = fit.model.frame.index
        else:
            table = fit.model.frame.original() if newdata is None else newdata
            laid = _laid(fit, factor, table, groups, some)
            values = _of_new(fit, laid, factor, some, kind, groups, own, moved)
            index = laid.rows.frame.index
    labels = plain_labels(list(index)) if index.is_unique else np.arange(len(index))
    coords: dict[str, Any] = {"chain": np.arange(n_chains), "draw": places, "row": labels}
    dims = ["chain", "draw", "row"]
    if values.ndim == 3:
        dims.append("level")
        labels_ = list(fit.model.table.level_labels(factor.variable))
        coords["level"] = labels_[1:] if kind == "link" else labels_
    attrs = {"kind": kind, "groups": groups, "seed": own}
    if kind == "response" and factor.family.has_levels:
        attrs["levels"] = list(fit.model.table.level_labels(factor.variable))
    return xr.DataArray(
        values.reshape((n_chains, each, *values.shape[1:])), coords, dims, name=factor.variable, attrs=attrs
    )


def predictions(
    fit: Fit,
    newdata: Any = None,
    *,
    kind: str = "mean",
    groups: str = "known",
    draws: int | None = 1000,
    prob: float = 0.95,
    seed: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Return predictions with intervals, one row each; see `Fit.predictions`."""
    if not 0.0 < prob < 1.0:
        raise FitError(f"prob must be between 0 and 1, such as 0.95, not {prob!r}")
    found = predict(fit, newdata, kind=kind, groups=groups, draws=draws, seed=seed, progress=progress)
    table = fit.model.frame.original() if newdata is None else newdata
    table = table.to_pandas() if is_polars(table) else table.copy(deep=False)
    ends = [(1.0 - prob) / 2.0, (1.0 + prob) / 2.0]

    def summarised(values: Floats) -> dict[str, Floats]:
        flat = values.reshape(-1, values.shape[-1])
        low, high = np.quantile(flat, ends, axis=0)
        return {
            "estimate": flat.mean(axis=0),
            "std.error": flat.std(axis=0, ddof=1),
            "conf.low": low,
            "conf.high": high,
        }

    factor = _response(fit)
    if kind == "response" and factor.family.has_levels:
        found = _shares(found, factor, fit.model.table.level_labels(factor.variable))
    if "level" not in found.dims:
        return table.assign(**summarised(found.values))
    parts = [
        table.assign(level=label, **summarised(found.sel(level=label).values))
        for label in found["level"].values.tolist()
    ]
    return pd.concat(parts)


def _shares(found: xr.DataArray, factor: Factor, labels: tuple[str, ...]) -> xr.DataArray:
    """Return for drawn levels whether each is the one drawn."""
    each = [(found == value).astype(float) for value in factor.levels]
    return xr.concat(each, dim=pd.Index(list(labels), name="level"))


def _response(fit: Fit) -> Factor:
    derived = fit.model.derived_response
    if derived is not None:
        raise FitError(
            f"the response {derived.name!r} is derived and has no model of its own: .impute(m, newdata=…) "
            "computes it in every completed table"
        )
    factor = fit.model.analysis
    if factor.selection is not None:
        raise FitError(
            f"predictions of {factor.variable!r}, which has a selection equation, are not supported; its imputations are"
        )
    return factor


def _check(fit: Fit, kind: str, groups: str, draws: Any) -> None:
    if kind not in KINDS:
        raise FitError(f"kind={kind!r} is not known: 'mean', 'response' or 'link'")
    if groups not in GROUPS:
        raise FitError(f"groups={groups!r} is not known: 'known', 'population' or 'zero'")
    if draws is not None and (
        isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1
    ):
        raise FitError(f"draws must be a whole number, 1 or more, or None for all, not {draws!r}")


def _laid(fit: Fit, factor: Factor, data: Any, groups: str, draws: PosteriorDraws) -> LaidOut:
    """Lay out rows without their response, and without what is modelled given the response."""
    model = fit.model
    names = [str(name) for name in getattr(data, "columns", ())]
    without = data[[name for name in names if name != factor.variable]] if factor.variable in names else data
    columns = [part for grouping in model.groupings for part in _parts(grouping, model.frame.columns)]
    there = groups == "known" or (groups == "zero" and set(columns) <= set(names))
    factors = [one for one in model.factors if one.role != "auxiliary"]
    rows = read_new_rows(model, without, factors=factors, own_groups=there)
    return lay_out_new(model, fit.plan, rows, draws)


def _parts(grouping: str, columns: Mapping[str, Any]) -> list[str]:
    return [grouping] if grouping in columns else [part.strip() for part in grouping.split(":")]


def _of_new(
    fit: Fit,
    laid: LaidOut,
    factor: Factor,
    draws: PosteriorDraws,
    kind: str,
    groups: str,
    seed: int,
    moved: Callable[[int], None],
) -> Floats:
    """Return predictions for new rows, (S, rows) or (S, rows, levels)."""
    table, rows = laid.part.table, laid.rows
    rng = stream(seed, PREDICT)
    drawn_cells = any(table.unknown[name].any() or name in rows.carried for name in factor.parents)
    if not drawn_cells and not factor.links:
        drawn = effects_at(draws, rows.known, rng)
        return _values(factor, table, table.values, _zeroed(drawn, factor, groups), kind, rng)
    together = None if laid.is_one_by_one else laid.draw(laid.part, draws, rng)
    if not drawn_cells and together is not None:
        return _values(factor, table, table.values, _zeroed(together, factor, groups), kind, rng)
    out = []
    model = fit.model
    for s in range(draws.n):
        part, one = laid.part, draws.take(np.array([s]))
        if rows.carried:
            own = complete_cells(
                model.factors, model.table, fit.plan, fit.tables, one, stream(seed, PREDICT, s + 1)
            )
            part = laid.at(full_columns(model.table, own))
        draw = laid.draw(part, one, rng) if together is None else together.take(np.array([s]))
        cells = complete_cells(part.factors, part.table, part.plan, part.tables, draw, rng)
        values = full_columns(part.table, cells)
        out.append(_values(factor, part.table, values, _zeroed(draw, factor, groups), kind, rng)[0])
        moved(s + 1)
    return np.stack(out)


def _of_fit(
    fit: Fit, factor: Factor, draws: PosteriorDraws, kind: str, seed: int, moved: Callable[[int], None]
) -> Floats:
    """Return predictions for the rows of the fit: missing predictors drawn given all that is observed there."""
    model = fit.model
    rng = stream(seed, PREDICT)
    if not any(model.table.unknown[name].any() for name in factor.parents):
        return _values(factor, model.table, model.table.values, draws, kind, rng)
    out = []
    for s in range(draws.n):
        one = draws.take(np.array([s]))
        cells = complete_cells(
            model.factors, model.table, fit.plan, fit.tables, one, stream(seed, PREDICT, s + 1)
        )
        out.append(_values(factor, model.table, full_columns(model.table, cells), one, kind, rng)[0])
        moved(s + 1)
    return np.stack(out)


def _zeroed(draws: PosteriorDraws, factor: Factor, groups: str) -> PosteriorDraws:
    """Return the draws with the effects of the response's own model at zero, if that is asked for."""
    if groups != "zero":
        return draws
    factors = dict(draws.factors)
    for key in (key for part in factor.parts for key in part.keys):
        own = factors[key]
        factors[key] = replace(own, effects={name: np.zeros_like(u) for name, u in own.effects.items()})
    return replace(draws, factors=factors)


def _values(
    factor: Factor,
    table: ModelTable,
    columns: Mapping[str, Floats],
    draws: PosteriorDraws,
    kind: str,
    rng: np.random.Generator,
) -> Floats:
    """Return one kind of prediction for completed rows, NaN where the response does not apply."""
    units = np.flatnonzero(~table.column(factor.variable).absent)
    laid = lay_out_completed(factor, table, units, columns)
    parts = []
    for piece in chunks(draws.n, laid.n_rows * (len(factor.levels) + 4)):
        some = draws.take(piece)
        eta, own = predictors(factor, laid, some), scales(factor, laid, some)
        if kind == "link":
            found = np.stack(eta, axis=-1) if factor.family.has_equations else eta
        elif kind == "response":
            found = factor.values(factor.family.draw(rng, eta, own))
        elif factor.family.has_levels and len(factor.levels) > 2:
            found = factor.family.probabilities(eta, own)  # type: ignore[attr-defined]
        else:
            found = factor.family.mean(np, eta, own)
        parts.append(np.asarray(found, dtype=float))
    found = np.concatenate(parts)
    out = np.full((draws.n, table.n_rows, *found.shape[2:]), np.nan)
    out[:, units] = found
    return out
