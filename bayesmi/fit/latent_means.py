"""Latent group means of an analysis model with between(x), with intervals, as xarray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import FitError
from bayesmi.fit.contextual_view import group_parts
from bayesmi.fit.names import plain_labels

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = ["latent_means"]


def latent_means(fit: Fit, variable: str | None = None, *, prob: float = 0.95) -> xr.Dataset:
    """Return the latent group means of one variable; see `Fit.latent_means`."""
    if not 0.0 < prob < 1.0:
        raise FitError(f"prob must be between 0 and 1, such as 0.95, not {prob!r}")
    model = fit.model
    known = {one.variable: one for one in model.analysis.contextual}
    if not known:
        raise FitError("latent_means(): the formula has no latent group mean, such as between(x)")
    if variable is None and len(known) > 1:
        raise FitError(f"latent_means(): there are those of {', '.join(known)}: name one")
    name = next(iter(known)) if variable is None else variable
    if name not in known:
        raise FitError(f"latent_means(): {name!r} has none: {did_you_mean(name, list(known))}")
    grouping = known[name].grouping
    part = next(one for one in group_parts(model.factors, fit.draws) if one.variable == name)
    first = model.table.groupings[grouping].first_row
    matrix = model.analysis.matrix(
        {key: values[first] for key, values in model.table.values.items()}, len(first)
    )
    mean = np.repeat(part.constant[:, None], len(first), axis=1)
    for column, weight in part.columns.items():
        values = matrix[:, model.analysis.column_names.index(column)]
        if not np.isfinite(values).all():
            raise FitError(
                f"latent_means(): {column!r} is incomplete, and the latent means of {name!r} depend on it: take them from "
                "completed data"
            )
        mean += weight[:, None] * values
    for source, weight in part.effects.items():
        factor = model.factor(source)
        u = fit.draws.factors[factor.keys[0]].effects[grouping]
        mean += weight[:, None] * u[:, :, factor.effect(grouping).names.index("1")]
    low, high = np.quantile(mean, [(1.0 - prob) / 2.0, (1.0 + prob) / 2.0], axis=0)
    shape = (fit.draws.n_chains, fit.draws.n_draws)
    coords: dict[str, Any] = {
        "chain": np.arange(shape[0]),
        "draw": np.arange(shape[1]),
        grouping: plain_labels(model.table.groupings[grouping].labels),
    }
    return xr.Dataset(
        {
            "draws": (("chain", "draw", grouping), mean.reshape((*shape, -1))),
            "estimate": ((grouping,), mean.mean(axis=0)),
            "std.error": ((grouping,), mean.std(axis=0, ddof=1)),
            "conf.low": ((grouping,), low),
            "conf.high": ((grouping,), high),
        },
        coords,
        attrs={"variable": name, "prob": prob},
    )
