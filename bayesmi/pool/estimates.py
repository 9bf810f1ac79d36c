"""The estimates and covariances of the m completed data sets, their terms in one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import PoolError
from bayesmi.pool.names import first_twice, listing

__all__ = ["Estimates"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimates:
    """k estimates and their covariance from each of m completed data sets.

    Attributes
    ----------
    terms : tuple of str
        The k names, in the order of the first data set.
    values : ndarray, shape (m, k)
        The estimates, read-only.
    covariances : ndarray, shape (m, k, k)
        Their covariance matrices, read-only; off the diagonal NaN where only standard errors are known.

    Examples
    --------
    >>> import bayesmi as bmi, numpy as np
    >>> estimates = bmi.pool([({"a": 1.0 + i, "b": 3.0}, np.eye(2)) for i in (0.0, 0.5)]).estimates
    >>> estimates.terms, estimates.values.tolist(), estimates.covariances.shape
    (('a', 'b'), [[1.0, 3.0], [1.5, 3.0]], (2, 2, 2))
    """

    terms: tuple[str, ...]
    values: Floats = field(repr=False)
    covariances: Floats = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("values", "covariances"):  # views: the arrays themselves stay as their owner has them
            view = getattr(self, name).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    @property
    def m(self) -> int:
        """Number of completed data sets."""
        return int(self.values.shape[0])

    @property
    def variances(self) -> Floats:
        """Squared standard errors, shape (m, k)."""
        return np.diagonal(self.covariances, axis1=1, axis2=2)

    def select(self, terms: Sequence[str] | None, *, joint: bool = False) -> Estimates:
        """Keep some terms, in the order asked for.

        Parameters
        ----------
        terms : sequence of str or None
            Names to keep; None keeps all.
        joint : bool, default False
            Whether the covariances between the terms are needed.

        Returns
        -------
        Estimates

        Raises
        ------
        PoolError
            If a name is unknown or given twice, or `joint` is set and the covariances are not known.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np
        >>> estimates = bmi.pool([({"a": 1.0 + i, "b": 3.0}, np.eye(2)) for i in (0.0, 0.5)]).estimates
        >>> estimates.select(["a"]).values.tolist()
        [[1.0], [1.5]]
        """
        names = self.terms if terms is None else tuple([terms] if isinstance(terms, str) else terms)
        if not names:
            raise PoolError("no term named: give at least one of " + listing(self.terms))
        unknown = [name for name in names if name not in self.terms]
        if unknown:
            raise PoolError(f"no term {unknown[0]!r}: the terms are {listing(self.terms)}")
        if len(set(names)) < len(names):
            raise PoolError(f"term {first_twice(names)!r} is named twice")
        at = [self.terms.index(name) for name in names]
        covariances = self.covariances[:, at][:, :, at]
        if joint and np.isnan(covariances).any():
            raise PoolError(
                "only standard errors are known, and this needs covariances between terms: "
                "pool (estimates, covariance) pairs"
            )
        return Estimates(names, self.values[:, at], covariances)
