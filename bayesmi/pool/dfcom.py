"""One complete-data df per term, however it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.errors import PoolError
from bayesmi.pool.names import listing

__all__ = ["read_dfcom"]


def read_dfcom(dfcom: Any, terms: Sequence[str]) -> NDArray[np.float64]:
    """One complete-data df per term.

    Parameters
    ----------
    dfcom : None, number, mapping by term, Series, or sequence in the order of the terms
        None is infinity.
    terms : sequence of str
        The k names.

    Returns
    -------
    ndarray, shape (k,)

    Raises
    ------
    PoolError
        If a term has no df, a df belongs to no term, or one is not a positive number.
    """
    if dfcom is None:
        return np.full(len(terms), np.inf)
    if isinstance(dfcom, str):
        raise PoolError(f"dfcom={dfcom!r} is not a number: give one number, or a mapping from term to df")
    if isinstance(dfcom, pd.Series):
        dfcom = dfcom.to_dict()
    if isinstance(dfcom, Mapping):
        by_term = {str(name): df for name, df in dfcom.items()}
        for name in by_term:
            if name not in terms:
                raise PoolError(f"dfcom names {name!r}, which is no term: the terms are {listing(terms)}")
        for name in terms:
            if name not in by_term:
                raise PoolError(f"dfcom has no df for {name!r}: add it, math.inf for a large-sample test")
        dfcom = [by_term[name] for name in terms]
    try:
        df = np.asarray(dfcom, dtype=float)
    except (TypeError, ValueError):
        raise PoolError("dfcom must be a number, or a number per term") from None
    if df.ndim > 1 or (df.ndim == 1 and len(df) != len(terms)):
        raise PoolError(
            f"dfcom has {df.size} values for {len(terms)} terms: give one number, or one per term"
        )
    df = np.broadcast_to(df, (len(terms),)).copy()
    for name, one in zip(terms, df, strict=True):
        if not one > 0:
            raise PoolError(
                f"dfcom of {name!r} is {one:g}: complete-data degrees of freedom must be positive"
            )
    return df
