"""What missing values would be if the chance of being observed depended on the value in a way that is supposed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesmi.errors import DataError
from bayesmi.seeds import check_seed, stream

__all__ = ["SelectionWeights", "selection_weights"]

Floats = NDArray[np.float64]
_PURPOSE = 132  # of the random stream


@dataclass(frozen=True, eq=False)
class SelectionWeights:
    """Distribution of a variable among the observed, the missing and all, on the values that were observed.

    Attributes
    ----------
    values : ndarray, shape (n,)
        Observed values.
    observed, missing, overall : ndarray, shape (n,)
        Weights that sum to one: f(y | observed), f(y | missing), f(y).
    share_observed : float
        P(observed) that the supposed probabilities imply.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> found = bmi.selection_weights([1.0, 2.0], [0.5, 1.0])
    >>> found.missing.tolist(), round(found.share_observed, 4), found.difference
    ([1.0, 0.0], 0.6667, -0.5)
    """

    values: Floats
    observed: Floats
    missing: Floats
    overall: Floats
    share_observed: float

    @property
    def observed_mean(self) -> float:
        """Mean of the observed values."""
        return float(self.observed @ self.values)

    @property
    def missing_mean(self) -> float:
        """Mean of the missing values."""
        return float(self.missing @ self.values)

    @property
    def overall_mean(self) -> float:
        """Mean of all values."""
        return float(self.overall @ self.values)

    @property
    def difference(self) -> float:
        """Mean of the missing less mean of the observed: the delta that stands for this selection."""
        return self.missing_mean - self.observed_mean

    def draw(self, n: int, *, seed: int | None = None) -> Floats:
        """Draw n missing values from the observed ones with the weights of the missing.

        Parameters
        ----------
        n : int
            How many.
        seed : int, optional
            Repeats them exactly.

        Returns
        -------
        ndarray, shape (n,)

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.selection_weights([1.0, 2.0], [0.5, 1.0]).draw(3, seed=1).tolist()
        [1.0, 1.0, 1.0]
        """
        rng = stream(check_seed(seed), _PURPOSE)
        return np.asarray(rng.choice(self.values, size=n, p=self.missing))

    def __repr__(self) -> str:
        return (
            f"SelectionWeights of {len(self.values)} values: mean {self.overall_mean:.4g} overall, "
            f"{self.observed_mean:.4g} observed, {self.missing_mean:.4g} missing (difference {self.difference:.4g})"
        )


def selection_weights(
    values: ArrayLike, response: Callable[[Floats], Any] | ArrayLike, *, weights: ArrayLike | None = None
) -> SelectionWeights:
    """Reweight observed values to the missing ones under a supposed chance of being observed.

    Parameters
    ----------
    values : array_like, shape (n,)
        Observed values.
    response : callable or array_like, shape (n,)
        P(observed | value), between 0 and 1, for each of them; a callable takes the values.
    weights : array_like, shape (n,), optional
        How often each was observed; once by default.

    Returns
    -------
    SelectionWeights
        Distributions and means of the observed, of the missing and of all.

    Raises
    ------
    DataError
        If lengths differ, a value is not finite or a probability does not lie in (0, 1].

    Notes
    -----
    f(y | missing) is proportional to f(y | observed) (1 - p) / p with p = P(observed | y), and f(y) to f(y | observed) / p
    (Rubin 1987, ch. 6; Van Buuren 2018, sec. 3.8). With log odds of being observed linear in y, a - b y, a Gaussian variable
    with variance s² has its missing values shifted by b s²: what a `Delta` says in the units of the variable.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import numpy as np
    >>> found = bmi.selection_weights([1.0, 2.0], [0.5, 1.0])
    >>> round(found.overall_mean, 4), found.missing_mean
    (1.3333, 1.0)
    """
    y = np.asarray(values, dtype=float)
    if y.ndim != 1 or not y.size or not np.isfinite(y).all():
        raise DataError("selection_weights takes observed values: one list of finite numbers")
    p = np.asarray(response(y) if callable(response) else response, dtype=float)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
    for label, given in (("response", p), ("weights", w)):
        if given.shape != y.shape:
            raise DataError(f"{label} has shape {given.shape}, the values have {len(y)} entries")
    if not ((p > 0) & (p <= 1)).all():
        raise DataError("response holds probabilities of being observed: above 0, at most 1")
    if not ((w >= 0) & np.isfinite(w)).all() or w.sum() <= 0:
        raise DataError("weights are numbers of times a value was observed: none negative, some positive")
    if not ((p < 1) & (w > 0)).any():
        raise DataError("response is 1 for every value: nothing is missing")
    observed = w / w.sum()
    missing = observed * (1.0 - p) / p
    overall = observed / p
    return SelectionWeights(
        y, observed, missing / missing.sum(), overall / overall.sum(), float(1.0 / overall.sum())
    )
