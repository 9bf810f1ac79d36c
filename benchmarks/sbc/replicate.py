"""One replicate: draw parameters and data from the prior, fit, and rank the truth among the posterior draws."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.sbc.shape import Shape, Values

__all__ = ["M", "one_replicate"]

M = 99  # posterior draws among which the truth is ranked: ranks 0 ... 99
SEED = 2026
_ATTEMPTS = 200


def one_replicate(shape: Shape, replicate: int) -> dict[str, Any]:
    """Return ranks by quantity, with the seconds and the state of the sampler.

    A simulated table that the model refuses (a level nobody has, a constant column) is drawn anew together with its
    parameters: that selects on observed data only, and given these the posterior is what it was.

    Raises
    ------
    RuntimeError
        If the plan does not treat the cells as the shape says, or a prior is not the shape's.
    """
    import bayesmi as bmi

    started = time.perf_counter()
    refused = ""
    for attempt in range(_ATTEMPTS):
        rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(replicate, attempt)))
        data, truth, values = shape.simulate(rng)
        refused = _level_nobody_has(data)
        if refused:  # it would have no threshold
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", bmi.BayesmiNotice)
                model = bmi.Model(shape.formula, data, priors=shape.priors(), **shape.options)
            plan = model.plan()
        except bmi.BayesmiError as problem:
            refused = str(problem)
            continue
        break
    else:
        raise RuntimeError(f"{shape.name}: no usable table in {_ATTEMPTS} attempts; the last: {refused}")
    check_design(shape, model, plan)
    fit = model.fit(seed=replicate, draws=shape.draws, tune=shape.tune, cores=1, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bmi.BayesmiNotice)
        imputed = fit.impute(M, despite_gate=True)
    posterior = fit.posterior.to_dataset()
    chain, draw = imputed.origin["chain"].to_numpy(), imputed.origin["draw"].to_numpy()
    row: dict[str, Any] = {
        "replicate": replicate,
        "attempts": attempt + 1,
        "r_hat": round(fit.gate.r_hat, 4),
        "ess": round(min(fit.gate.ess_bulk, fit.gate.ess_tail)),
        "divergences": int(fit.gate.divergences),
    }
    ties = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(replicate, 10_000)))
    for name, true in truth.items():
        array = posterior[name].transpose("chain", "draw", ...).to_numpy()[chain, draw]
        flat, flat_true = array.reshape(M, -1), np.ravel(true)
        if flat.shape[1] != flat_true.size:
            raise RuntimeError(
                f"{shape.name}: {name} has {flat.shape[1]} entries, {flat_true.size} were drawn"
            )
        # of group effects the first and the last
        is_effect = "|" in name and not name.endswith("_sigma") and "between(" not in name
        for i in (0, flat_true.size - 1) if is_effect else range(flat_true.size):
            label = name if flat_true.size == 1 else f"{name}[{i}]"
            row[label] = rank(flat[:, i], flat_true[i], ties)
    row |= _cell_ranks(shape, imputed, values, ties)
    row["seconds"] = round(time.perf_counter() - started, 2)
    return row


def _level_nobody_has(data: pd.DataFrame) -> str:
    for name, column in data.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            nobody = column.cat.categories.difference(column.dropna().unique())
            if len(nobody):
                return f"nobody has level {nobody[0]!r} of {name!r}"
    return ""


def rank(draws: np.ndarray, true: float, ties: np.random.Generator) -> int:
    """Number of draws below the truth, with ties broken at random; uniform on 0 ... M if all is right."""
    below, equal = int((draws < true).sum()), int((draws == true).sum())
    return below + int(ties.integers(equal + 1))


def _cell_ranks(shape: Shape, imputed: Any, values: Values, ties: np.random.Generator) -> dict[str, int]:
    """Ranks of the first and the last cell of each variable, of their mean, and of their mean product with the response."""
    out = {}
    response = next(variable for variable in shape.variables if variable.is_response)
    for variable in shape.variables:
        if not variable.missing:
            continue
        units = values["row"] if variable.level == "row" else values[variable.level]
        rows = np.flatnonzero(np.isin(units, variable.missing))
        drawn, true = imputed.draws_of(variable.name), values[variable.name][rows]
        if len(drawn) != len(true):
            raise RuntimeError(
                f"{shape.name}: {len(drawn)} cells of {variable.name}, {len(true)} were hidden"
            )
        name = f"cell {variable.name}"
        out[f"{name} first"] = rank(drawn[0], true[0], ties)
        out[f"{name} last"] = rank(drawn[-1], true[-1], ties)
        out[f"{name} mean"] = rank(drawn.mean(axis=0), true.mean(), ties)
        if variable.family == "nominal":
            out[f"{name} share of second"] = rank((drawn == 1).mean(axis=0), (true == 1).mean(), ties)
        if variable.is_response:
            continue
        seen = ~np.isin(rows, response.missing)
        if seen.any():
            # rounded, so that sums of the same numbers tie
            y = values[response.name][rows][seen]
            products = np.round((drawn[seen] * y[:, None]).mean(axis=0), 10)
            out[f"{name} times y"] = rank(products, np.round((true[seen] * y).mean(), 10), ties)
    return out


def check_design(shape: Shape, model: Any, plan: Any) -> None:
    """Refuse a shape in which a prior is left to the package, or a treatment is not what it says."""
    given = set(shape.priors())
    from bayesmi.model.checks import factor_prior_names

    for factor in model.factors:
        blocks = {
            f"{factor.prefix}{name}": f"{factor.prefix}{b.name}"
            for b in factor.design.blocks
            for name in b.names
        }
        for name in factor_prior_names(factor):
            if name not in given and blocks.get(name) not in given:
                raise RuntimeError(f"{shape.name}: {name} has no prior of the shape's")
    shown = {group.treatment for group in (*plan.cells, *plan.effects)}
    absent = set(shape.treatments) - shown
    if absent:
        raise RuntimeError(
            f"{shape.name}: its plan has no {', '.join(sorted(absent))}; it has {', '.join(sorted(shown))}"
        )
