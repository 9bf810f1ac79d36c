"""Standard errors for analyses that have none: bootstrap within each completed data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.adapters.registry import extract
from bayesmi.errors import PoolError
from bayesmi.seeds import stream

__all__ = ["Bootstrapped", "bootstrapped"]

_PURPOSE = 8241  # of the random stream


@dataclass(frozen=True)
class Bootstrapped:
    """An analysis that returns (estimates, bootstrap covariance); made by `bootstrapped`."""

    function: Callable[[Any], Any]
    replicates: int
    seed: int
    cluster: str | None

    def __call__(self, data: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
        """Analyse the data set and its bootstrap samples."""
        if not isinstance(data, pd.DataFrame):
            raise PoolError(
                f"bootstrap samples are drawn from pandas tables, not from a {type(data).__module__.split('.')[0]} one: convert "
                "the data before they are imputed"
            )
        estimates = _estimates(self.function(data))
        rng = stream(self.seed, _PURPOSE, 0)
        rows: list[np.ndarray] = []
        groups = None
        if self.cluster is not None:
            if self.cluster not in data.columns:
                raise PoolError(f"cluster={self.cluster!r} is no column of the data set")
            unknown = int(data[self.cluster].isna().sum())
            if unknown:
                raise PoolError(
                    f"cluster={self.cluster!r} is missing in {unknown} rows: they would be in no sample"
                )
            groups = list(data.groupby(self.cluster, sort=True).indices.values())
        for replicate in range(self.replicates):
            if groups is None:
                at = rng.integers(0, len(data), len(data))
            else:
                at = np.concatenate([groups[g] for g in rng.integers(0, len(groups), len(groups))])
            found = _estimates(self.function(data.iloc[at].reset_index(drop=True)))
            if set(found.index) != set(estimates.index):
                raise PoolError(
                    f"bootstrap sample {replicate + 1} has other terms than the data set (a rare level is absent): "
                    "merge rare levels"
                )
            rows.append(found[estimates.index].to_numpy(dtype=float))
        names = list(estimates.index)
        return estimates, pd.DataFrame(
            np.atleast_2d(np.cov(np.array(rows), rowvar=False)), index=names, columns=names
        )


def bootstrapped(
    function: Callable[[Any], Any], replicates: int = 200, *, seed: int, cluster: str | None = None
) -> Bootstrapped:
    """Give an analysis standard errors by the bootstrap, so that it can be pooled.

    Parameters
    ----------
    function : callable
        Takes a completed data set; returns a scikit-learn estimator, a mapping of numbers, or any result that can be read.
    replicates : int
        Bootstrap samples within each completed data set.
    seed : int
        Repeats the samples exactly; the same rows are drawn in every data set, which keeps bootstrap noise out of the variance
        between them.
    cluster : str, optional
        Column whose groups are drawn whole.

    Returns
    -------
    Bootstrapped
        A function for `Imputations.analyze`.

    Raises
    ------
    PoolError
        If there are fewer than 10 replicates; on a data set, if it is no pandas table, the cluster is no complete column of it,
        or a sample has other terms than the data set.

    Notes
    -----
    "MI boot" of Schomaker and Heumann (2018): imputation first, bootstrap within each completed data set, Rubin's rules last.
    Penalised estimates stay biased towards zero: no standard error says how much.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import numpy as np, pandas as pd
    >>> analysis = bmi.bootstrapped(lambda d: {"mean": d["x"].mean()}, replicates=100, seed=1)
    >>> estimates, covariance = analysis(pd.DataFrame({"x": np.arange(50.0)}))
    >>> float(estimates["mean"]), bool(1 < covariance.loc["mean", "mean"] ** 0.5 < 3)
    (24.5, True)
    """
    if not isinstance(replicates, int) or replicates < 10:
        raise PoolError(f"replicates={replicates!r}: at least 10 bootstrap samples are needed, 200 is usual")
    return Bootstrapped(function, replicates, seed, cluster)


def _estimates(result: Any) -> pd.Series:
    """Read the estimates, without asking for a covariance."""
    if isinstance(result, pd.Series):
        return result.astype(float)
    if isinstance(result, Mapping):
        return pd.Series({str(name): float(value) for name, value in result.items()})
    return extract(result).estimates
