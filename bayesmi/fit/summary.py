"""The one-step answer: effects, variance components, correlations and ICC, with intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.fit import diagnostics
from bayesmi.fit.contextual_view import as_written, written_factor
from bayesmi.fit.explained import intercept_shares, residual_variance
from bayesmi.fit.prior_share import prior_sensitivity
from bayesmi.model import Factor, Model

__all__ = ["summarize", "term_draws"]

Floats = NDArray[np.float64]


def summarize(
    model: Model,
    draws: PosteriorDraws,
    *,
    analysis_only: bool,
    prob: float = 0.95,
    explained: Mapping[str, Floats] | None = None,
) -> pd.DataFrame:
    """Return a table with one row a quantity: kind, mean, sd, equal-tailed interval, r-hat, ESS, MCSE of the mean, prior's say.

    Variance components come as standard deviations, correlations and, per grouping, the intraclass correlation
    of the intercept: tau² / (tau² + sigma²), with pi²/3 in place of sigma² on the logit scale. Where sigma has a model of
    its own there is no such ratio for all rows, and no ICC. `explained` has draws of R² of the analysis model, and of the
    ICC of counts.
    """
    shape = (draws.n_chains, draws.n_draws)
    rows: list[tuple[str, str, Floats]] = []
    modelled = [factor for factor in reversed(model.factors) if not factor.is_observation]
    chosen = [model.analysis] if analysis_only else modelled
    written = as_written(model.factors, draws)
    for factor in chosen:
        rows += _factor_rows(written_factor(factor), written)
        if factor is model.analysis:
            rows += [
                (name, "ICC" if name.startswith("ICC|") else "R²", values)
                for name, values in (explained or {}).items()
            ]
    table = _table(rows, shape, prob)
    every = np.stack([values for _, _, values in rows], axis=1)
    table["prior_sensitivity"] = prior_sensitivity(model.factors, draws, every)
    return table


def term_draws(model: Model, draws: PosteriorDraws) -> tuple[tuple[str, ...], Floats]:
    """Return names and draws, (S, terms), of the effects of the analysis model."""
    whole = _factor_rows(written_factor(model.analysis), as_written(model.factors, draws))
    rows = [(name, values) for name, kind, values in whole if kind == "effect"]
    return tuple(name for name, _ in rows), np.stack([values for _, values in rows], axis=1)


def _factor_rows(factor: Factor, draws: PosteriorDraws) -> list[tuple[str, str, Floats]]:
    rows = [row for part in factor.parts for row in _part_rows(part, draws)]
    for label, key in zip(factor.labels or ("",), factor.keys, strict=True):
        rows += _icc_rows(factor, key, f"[{label}]" if label else "", draws)
    return rows


def _part_rows(factor: Factor, draws: PosteriorDraws) -> list[tuple[str, str, Floats]]:
    prefix = factor.prefix
    what = f" on log {factor.parameter}" if factor.parameter else ""
    if factor.parameter == "selection":
        what = " on being seen"
    rows: list[tuple[str, str, Floats]] = []
    for label, key in zip(factor.labels or ("",), factor.keys, strict=True):
        own = draws.factors[key]
        end = f"[{label}]" if label else ""
        if own.intercept is not None:
            rows.append((f"{prefix}Intercept{end}", f"effect{what}", own.intercept))
        for j, name in enumerate(factor.column_names):
            rows.append((f"{prefix}{name}{end}", f"effect{what}", own.coefficients[:, j]))
    first = draws.factors[factor.keys[0]]
    for parameter in factor.parameters:
        values = first.scales[parameter.name]
        name = f"{prefix}{parameter.name}"
        if parameter.per_level:
            rows += [(f"{name}[{j}]", "threshold", values[:, j]) for j in range(values.shape[1])]
        else:
            rows.append((name, parameter.words, values))
    for label, key in zip(factor.labels or ("",), factor.keys, strict=True):
        own = draws.factors[key]
        end = f"[{label}]" if label else ""
        for effect in factor.effects:
            grouping = effect.grouping
            for j, name in enumerate(effect.names):
                rows.append(
                    (f"{prefix}{name}|{grouping}_sigma{end}", f"group sd{what}", own.sds[grouping][:, j])
                )
            for pair, (i, j) in zip(effect.pair_labels, effect.correlated_pairs, strict=True):
                matrix = own.correlations[grouping]
                rows.append((f"{prefix}{grouping}__corr[{pair}]{end}", "correlation", matrix[:, i, j]))
    return rows


def _icc_rows(factor: Factor, key: str, end: str, draws: PosteriorDraws) -> list[tuple[str, str, Floats]]:
    own = draws.factors[key]
    residual = residual_variance(factor, own)
    if residual is None:
        return []
    return [
        (f"{factor.prefix}{name}{end}", "ICC", values)
        for name, values in intercept_shares(factor, own, residual).items()
    ]


def _table(rows: list[tuple[str, str, Floats]], shape: tuple[int, int], prob: float) -> pd.DataFrame:
    low, high = (1 - prob) / 2, 1 - (1 - prob) / 2
    records = []
    for name, kind, values in rows:
        chains = values.reshape((1, *shape))
        constant = np.ptp(values) == 0.0
        records.append(
            {
                "term": name,
                "kind": kind,
                "mean": values.mean(),
                "sd": values.std(ddof=1),
                f"{100 * low:g}%": np.quantile(values, low),
                f"{100 * high:g}%": np.quantile(values, high),
                "r_hat": np.nan if constant else float(diagnostics.r_hat(chains)[0]),
                "ess_bulk": np.nan if constant else float(diagnostics.ess_bulk(chains)[0]),
                "ess_tail": np.nan if constant else float(diagnostics.ess_tail(chains)[0]),
                "mcse_mean": np.nan if constant else float(diagnostics.mcse_mean(chains)[0]),
            }
        )
    return pd.DataFrame.from_records(records).set_index("term")
