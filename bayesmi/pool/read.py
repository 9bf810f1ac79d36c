"""Reading (estimates, covariance) pairs: checked, and their terms put in one order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.errors import PoolError
from bayesmi.pool.estimates import Estimates
from bayesmi.pool.names import first_twice

__all__ = ["read_estimates", "read_pair"]

Floats = NDArray[np.float64]

# how far a covariance matrix may be from symmetric or positive, on the correlation scale
_TOLERANCE = 1e-8


def read_estimates(analyses: Iterable[Any]) -> Estimates:
    """Check m (estimates, covariance) pairs and put their terms in one order.

    Parameters
    ----------
    analyses : iterable of (estimates, covariance)
        See `bayesmi.pool.pool`.

    Returns
    -------
    Estimates

    Raises
    ------
    PoolError
        In one line that names the data set.
    """
    if isinstance(analyses, str | Mapping | pd.DataFrame | pd.Series):
        raise PoolError(
            f"analyses must be a list of (estimates, covariance), one per data set, not {_kind(analyses)}"
        )
    if not isinstance(analyses, Iterable):
        raise PoolError(f"analyses must be a list of (estimates, covariance), not {_kind(analyses)}")
    pairs = []
    for i, pair in enumerate(analyses, start=1):
        try:
            pairs.append(read_pair(pair))
        except PoolError as error:
            raise PoolError(f"data set {i}: {error}") from None
    if len(pairs) < 2:
        raise PoolError(
            f"pooling needs at least two completed data sets, got {len(pairs)}: impute with m = 20 or more"
        )
    terms = pairs[0][0]
    values, covariances = [], []
    for i, (names, value, covariance) in enumerate(pairs, start=1):
        if (names is None) != (terms is None):
            raise PoolError(
                f"data set {i}: the estimates have {'no names' if names is None else 'names'}, "
                f"those of data set 1 have {'names' if names is None else 'none'}: name all or none"
            )
        if len(value) != len(pairs[0][1]) and names is None:
            raise PoolError(f"data set {i} has {len(value)} estimates, data set 1 has {len(pairs[0][1])}")
        if terms is not None and names is not None:
            try:
                at = _same_terms(terms, names)
            except PoolError as error:
                raise PoolError(f"data set {i}: {error}") from None
            value, covariance = value[at], covariance[np.ix_(at, at)]
        values.append(value)
        covariances.append(covariance)
    stacked = np.array(covariances)
    _check_unknown_covariances(stacked)
    k = len(values[0])
    return Estimates(terms or tuple(f"Parameter.{j + 1}" for j in range(k)), np.array(values), stacked)


def read_pair(pair: Any) -> tuple[tuple[str, ...] | None, Floats, Floats]:
    """Check one (estimates, covariance) pair.

    Parameters
    ----------
    pair : (estimates, covariance)
        See `bayesmi.pool.pool`.

    Returns
    -------
    names : tuple of str or None
        None where neither part is labelled.
    estimates : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)

    Raises
    ------
    PoolError
        If it is no such pair, or holds what no analysis can mean.
    """
    if isinstance(pair, pd.DataFrame) or not isinstance(pair, tuple | list) or len(pair) != 2:
        raise PoolError(
            f"expected (estimates, covariance), got {_kind(pair)}; "
            "fits and tables are read by bayesmi.Analyses"
        )
    estimates, covariance = pair
    names = _names(estimates)
    if isinstance(estimates, Mapping):
        estimates = list(estimates.values())
    value = np.atleast_1d(_floats(estimates, "the estimates"))
    if value.ndim != 1 or value.size == 0:
        raise PoolError(f"the estimates must be a vector, got shape {value.shape}")
    k = len(value)
    cov_names = None
    if isinstance(covariance, pd.DataFrame):
        cov_names = tuple(str(name) for name in covariance.index)
        columns = tuple(str(name) for name in covariance.columns)
        _refuse_twice(cov_names)
        covariance = covariance.iloc[:, _same_terms(cov_names, columns, "the columns of the covariance")]
    matrix = _floats(covariance, "the covariance").copy()
    if matrix.ndim < 2:
        raise PoolError(
            f"{_kind(covariance)} is no covariance matrix; if it holds variances or errors, "
            "give numpy.diag(variances) or numpy.diag(standard_errors**2), for one estimate [[variance]]"
        )
    if matrix.shape != (k, k):
        raise PoolError(f"{k} estimates need a {k} x {k} covariance matrix, got shape {matrix.shape}")
    if cov_names is not None:
        if names is None:
            names = cov_names
        at = _same_terms(names, cov_names, "the covariance")
        matrix = matrix[np.ix_(at, at)]
    _check_values(names or tuple(f"Parameter.{j + 1}" for j in range(k)), value, matrix)
    return names, value, (matrix + matrix.T) / 2.0


def _names(estimates: Any) -> tuple[str, ...] | None:
    """Term names that the estimates carry."""
    if isinstance(estimates, pd.Series):
        names = tuple(str(name) for name in estimates.index)
    elif isinstance(estimates, Mapping):
        names = tuple(str(name) for name in estimates)
    else:
        return None
    _refuse_twice(names)
    return names


def _check_values(names: Sequence[str], value: Floats, matrix: Floats) -> None:
    """Refuse what no analysis can mean: holes, infinities, asymmetry, variances that are not positive."""
    for name, one, variance in zip(names, value, np.diag(matrix), strict=True):
        if not np.isfinite(one):
            raise PoolError(f"the estimate of {name!r} is {one}: look at that fit")
        if not np.isfinite(variance) or variance <= 0:
            raise PoolError(f"the variance of {name!r} is {variance:g}: look at that fit")
    off = ~np.eye(len(value), dtype=bool)
    if np.isnan(matrix[off]).all():
        return
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise PoolError(f"the covariance of {names[row]!r} and {names[column]!r} is {matrix[row, column]}")
    scale = np.sqrt(np.diag(matrix))
    correlation = matrix / np.outer(scale, scale)
    gap = np.abs(correlation - correlation.T)
    if gap.max() > _TOLERANCE:
        row, column = (int(at) for at in np.unravel_index(int(gap.argmax()), gap.shape))
        raise PoolError(
            f"the covariance is not symmetric: {names[row]!r} with {names[column]!r} is "
            f"{matrix[row, column]:g} one way and {matrix[column, row]:g} the other"
        )
    if np.linalg.eigvalsh(correlation).min() < -_TOLERANCE * len(value):
        raise PoolError("the covariance matrix is not positive semi-definite: it cannot be one")


def _check_unknown_covariances(covariances: Floats) -> None:
    """Covariances are known in every data set or in none."""
    unknown = np.isnan(covariances).any(axis=(1, 2))
    if unknown.any() and not unknown.all():
        i = int(np.flatnonzero(unknown != unknown[0])[0]) + 1
        raise PoolError(
            f"data set {i} {'lacks' if unknown[i - 1] else 'has'} covariances between terms, "
            f"data set 1 {'has' if unknown[i - 1] else 'lacks'} them: give them for all or none"
        )


def _same_terms(terms: Sequence[str], names: Sequence[str], what: str = "the estimates") -> list[int]:
    """Positions in `names` of each of `terms`; the same set is required."""
    for name in terms:
        if name not in names:
            raise PoolError(f"{what} lack the term {name!r}: every data set must have the same terms")
    for name in names:
        if name not in terms:
            raise PoolError(f"{what} have a term {name!r} too many: every data set must have the same terms")
    position = {name: j for j, name in enumerate(names)}
    return [position[name] for name in terms]


def _floats(values: Any, what: str) -> Floats:
    """As a float array, or a line that says which data set has what else."""
    try:
        if isinstance(values, pd.Series | pd.DataFrame):
            return values.to_numpy(dtype=float, na_value=np.nan)
        array = np.asarray(values)
        if array.dtype.kind == "c":
            raise TypeError
        return array.astype(float)
    except (TypeError, ValueError):
        raise PoolError(f"{what} must be numbers, got {_kind(values)}") from None


def _refuse_twice(names: Sequence[str]) -> None:
    """Refuse a name that means two estimates."""
    if len(set(names)) < len(names):
        raise PoolError(f"two estimates are named {first_twice(names)!r}")


def _kind(thing: Any) -> str:
    """Say what a thing is, for a message."""
    if isinstance(thing, np.ndarray):
        return f"an array of shape {thing.shape}"
    if isinstance(thing, tuple | list):
        return f"a {type(thing).__name__} of {len(thing)}"
    return f"a {type(thing).__name__}"
