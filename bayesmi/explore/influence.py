"""Influx, outflux and the share of incomplete cases, straight from a table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bayesmi.describe.flux import flux as flux_of_mask
from bayesmi.describe.patterns import observed_cells
from bayesmi.explore.source import as_frame

__all__ = ["fico", "flux"]


def flux(data: Any) -> pd.DataFrame:
    """Influx and outflux of every variable of a table.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.

    Returns
    -------
    DataFrame
        By variable ``pobs``, ``influx``, ``outflux``, ``ainb``, ``aout``, ``fico``: see
        `bayesmi.describe.flux.flux`. A cell that does not apply counts as not observed.

    Notes
    -----
    mice's ``flux``; van Buuren (2018), section 4.1.3.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.flux(bmi.datasets.load("nhanes")).loc["bmi", ["influx", "outflux"]].round(3).tolist()
    [0.164, 0.111]
    """
    return flux_of_mask(observed_cells(as_frame(data)))


def fico(data: Any) -> pd.Series:
    """Fraction of incomplete cases among the rows in which a variable is observed.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.

    Returns
    -------
    Series
        By variable; 0 says that where it is observed, everything is; NaN where it is never observed.

    Notes
    -----
    mice's ``fico``; van Buuren (2018), section 4.1.3.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.fico(bmi.datasets.load("nhanes")).round(3).tolist()
    [0.48, 0.188, 0.235, 0.133]
    """
    return flux(data)["fico"]
