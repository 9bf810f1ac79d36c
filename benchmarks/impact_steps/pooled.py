"""The analysis model on every completed data set by lme4's glmer, pooled by Rubin's rules."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayesmi as bmi
from benchmarks.engine_steps.process import run_alone
from benchmarks.impact_steps.estimates import COEFFICIENTS

__all__ = ["pool_by_glmer"]


def pool_by_glmer(imputed: Any) -> pd.DataFrame | None:
    """Return estimate, standard error and fraction of missing information by term; None where R or lme4 is not."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        table, out = Path(name) / "long.csv", Path(name) / "estimates.csv"
        imputed.complete("long").to_csv(table, index=False)
        script = Path(__file__).with_name("glmer.R")
        done = run_alone(["Rscript", "--vanilla", str(script), str(table), str(out)])
        if done.code != 0:
            if "no package called" in done.errors:
                return None
            raise RuntimeError(f"glmer failed: {done.errors[-1000:]}")
        fits = pd.read_csv(out)
    estimates = fits.pivot(index="imp", columns="term", values="estimate")
    errors = fits.pivot(index="imp", columns="term", values="se")
    terms = list(COEFFICIENTS)
    pairs = [
        (estimates.loc[i, terms].to_numpy(), np.diag(errors.loc[i, terms].to_numpy() ** 2))
        for i in estimates.index
    ]
    pooled = bmi.pool(pairs).table[["estimate", "std.error", "fmi"]].set_axis(terms)
    pooled.columns = ["estimate", "se", "fmi"]
    pooled.loc["Intercept variance"] = [estimates["Intercept variance"].mean(), np.nan, np.nan]
    return pooled
