"""Group effects of a fit with intervals, as xarray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import FitError
from bayesmi.fit.names import plain_labels

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = ["group_effects"]


def group_effects(
    fit: Fit, grouping: str | None = None, *, variable: str | None = None, prob: float = 0.95
) -> xr.Dataset:
    """Return the effects of one grouping in the model of one variable; see `Fit.group_effects`."""
    if not 0.0 < prob < 1.0:
        raise FitError(f"prob must be between 0 and 1, such as 0.95, not {prob!r}")
    model = fit.model
    name = model.response if variable is None else variable
    with_effects = {f.variable: f for f in model.factors if f.effects}
    if name not in with_effects:
        known = list(with_effects)
        hint = did_you_mean(name, known) if known else "no model here has group effects"
        raise FitError(f"group_effects(): the model of {name!r} has none: {hint}")
    factor = with_effects[name]
    known = [effect.grouping for effect in factor.effects]
    if grouping is None and len(known) > 1:
        raise FitError(f"group_effects(): {name!r} has effects of {', '.join(known)}: name one")
    chosen = known[0] if grouping is None else grouping
    if chosen not in known:
        raise FitError(
            f"group_effects(): {name!r} has no effects of {chosen!r}: {did_you_mean(chosen, known)}"
        )
    effect = factor.effect(chosen)
    shape = (fit.draws.n_chains, fit.draws.n_draws)
    each = [fit.draws.factors[key].effects[chosen] for key in factor.keys]
    values = np.stack(each, axis=1) if factor.labels else each[0]
    levels: tuple[str, ...] = ("level",) if factor.labels else ()
    coords: dict[str, Any] = {
        "chain": np.arange(shape[0]),
        "draw": np.arange(shape[1]),
        chosen: plain_labels(model.table.groupings[chosen].labels),
        "term": ["Intercept" if one == "1" else one for one in effect.names],
    }
    if levels:
        coords["level"] = list(factor.labels)
    dims = (*levels, chosen, "term")
    low, high = np.quantile(values, [(1.0 - prob) / 2.0, (1.0 + prob) / 2.0], axis=0)
    return xr.Dataset(
        {
            "draws": (("chain", "draw", *dims), values.reshape((*shape, *values.shape[1:]))),
            "estimate": (dims, values.mean(axis=0)),
            "std.error": (dims, values.std(axis=0, ddof=1)),
            "conf.low": (dims, low),
            "conf.high": (dims, high),
        },
        coords,
        attrs={"variable": name, "prob": prob},
    )
