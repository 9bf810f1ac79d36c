"""Coefficients of the analysis model from a fit, named as the published table names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["COEFFICIENTS", "draws_of", "posterior_table", "published"]

_TABLE = Path(__file__).with_name("published.csv")


def published() -> pd.DataFrame:
    """Return the pooled table of the multilevel tutorial; standard errors that it does not print are NaN."""
    return pd.read_csv(_TABLE).set_index("term")


COEFFICIENTS = tuple(published().index[:-1])


def draws_of(fit: Any) -> pd.DataFrame:
    """Return posterior draws of the published quantities.

    The tutorial had `type` as a number, 1 for OBS and 2 for RCT, so that its intercept is ours less the effect of RCT.
    """
    factor = fit.model.analysis
    own = fit.draws.factors[factor.keys[0]]
    columns: dict[str, NDArray[np.float64]] = {"Intercept": own.intercept}
    columns |= {name: own.coefficients[:, j] for j, name in enumerate(factor.column_names)}
    columns["Intercept"] = columns["Intercept"] - columns["type[RCT]"]
    columns["1|name variance"] = own.sds["name"][:, 0] ** 2
    names = published()["name"]
    return pd.DataFrame({term: columns[name] for term, name in names.items()})


def posterior_table(fit: Any) -> pd.DataFrame:
    """Return posterior mean and sd by published term."""
    draws = draws_of(fit)
    return pd.DataFrame({"mean": draws.mean(), "sd": draws.std(ddof=1)})
