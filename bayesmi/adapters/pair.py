"""(estimates, covariance) pairs."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bayesmi.adapters.extract import Adapter, Extract
from bayesmi.pool.read import read_pair

__all__ = ["ADAPTER"]


def _recognises(result: Any) -> bool:
    """Two things in a tuple or list."""
    return isinstance(result, tuple | list) and len(result) == 2


def _extract(result: Any) -> Extract:
    """Label and check; the pair says no more."""
    names, estimates, covariance = read_pair(result)
    terms = list(names or (f"Parameter.{j + 1}" for j in range(len(estimates))))
    return Extract(pd.Series(estimates, index=terms), pd.DataFrame(covariance, index=terms, columns=terms))


ADAPTER = Adapter("(estimates, covariance) pair", _recognises, _extract)
