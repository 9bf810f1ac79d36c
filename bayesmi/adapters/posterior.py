"""Posteriors of Bayesian analyses: posterior mean and covariance; r-hat within the data set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayesmi.adapters.extract import Adapter, Extract

__all__ = ["ADAPTER"]

_R_HAT = 1.01


def _recognises(result: Any) -> bool:
    """Tell a Dataset or DataTree with chains and draws, or something that has one as its posterior."""
    node = getattr(result, "posterior", result)
    sizes = getattr(node, "sizes", None)
    return sizes is not None and hasattr(node, "data_vars") and "chain" in sizes and "draw" in sizes


def _extract(result: Any) -> Extract:
    """Means, covariance and a remark where the chains of this data set disagree."""
    from bayesmi.fit.diagnostics import r_hat
    from bayesmi.imputations.posterior import posterior_dataset
    from bayesmi.posthoc.stacked_posteriors import scalar_draws

    labels, draws = scalar_draws(posterior_dataset(result))
    flat = draws.reshape(len(draws), -1)
    varies = flat.std(axis=1) > 0  # diagonals of correlation matrices do not
    labels = [label for label, keep in zip(labels, varies, strict=True) if keep]
    flat, hats = flat[varies], r_hat(draws[varies])
    notes: tuple[str, ...] = ()
    worst = float(np.nanmax(hats)) if np.isfinite(hats).any() else float("nan")
    if worst > _R_HAT:
        notes = (f"r-hat of {labels[int(np.nanargmax(hats))]} is {worst:.3f}: sample longer",)
    return Extract(
        pd.Series(flat.mean(axis=1), index=labels),
        pd.DataFrame(np.atleast_2d(np.cov(flat)), index=labels, columns=labels),
        converged=None if np.isnan(worst) else worst <= _R_HAT,
        notes=notes,
    )


ADAPTER = Adapter("posterior", _recognises, _extract)
