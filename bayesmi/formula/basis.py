"""Orthogonal polynomials and B-splines with frozen constants; numpy vectors and PyTensor vectors alike.

Both are written with `+ - *` and indexing, which numpy and PyTensor share; only looking up an interval differs.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import FormulaError

__all__ = ["poly_columns", "poly_constants", "raw_poly_columns", "spline_columns", "spline_knots"]


def poly_constants(x: NDArray[np.float64], degree: int, name: str) -> tuple[float, ...]:
    """Centres and squared norms of the orthogonal polynomials on the observed values.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Observed values.
    degree : int
        Highest power.
    name : str
        The call, for the message.

    Returns
    -------
    tuple of float, length 2 * degree + 1
        `degree` centres, then the squared norms of the polynomials of degree 0 ... `degree`.

    Raises
    ------
    FormulaError
        If there are not more than `degree` different values.

    Notes
    -----
    Three-term recurrence of Kennedy & Gentle (1980, Statistical Computing, pp. 343-4), as R's `poly()`.
    """
    if len(np.unique(x)) <= degree:
        raise FormulaError(
            f"`{name}` needs more than {degree} different observed values, there are {len(np.unique(x))}"
        )
    before, now = np.zeros_like(x), np.ones_like(x)
    centres: list[float] = []
    norms = [float(len(x))]
    for _ in range(degree):
        centres.append(float(x @ now**2) / norms[-1])
        ratio = norms[-1] / norms[-2] if len(norms) > 1 else 0.0
        before, now = now, (x - centres[-1]) * now - ratio * before
        norms.append(float(now @ now))
    return (*centres, *norms)


def poly_columns(x: Any, constants: tuple[float, ...]) -> list[Any]:
    """Columns of unit length over the observed values; `constants` from `poly_constants`."""
    degree = len(constants) // 2
    centres, norms = constants[:degree], constants[degree:]
    before: Any = 0.0
    now: Any = 1.0
    columns = []
    for i in range(degree):
        after = (x - centres[i]) * now
        if i > 0:
            after = after - (norms[i] / norms[i - 1]) * before
        before, now = now, after
        columns.append(now * (1.0 / math.sqrt(norms[i + 1])))
    return columns


def raw_poly_columns(x: Any, degree: int) -> list[Any]:
    """Plain powers."""
    columns = [x]
    for _ in range(degree - 1):
        columns.append(columns[-1] * x)
    return columns


def spline_knots(
    x: NDArray[np.float64], df: int | None, degree: int, knots: tuple[float, ...] | None, name: str
) -> tuple[float, ...]:
    """Lower boundary, interior knots, upper boundary.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Observed values; the boundary is their range, interior knots are quantiles unless given.
    df : int or None
        Number of columns.
    degree : int
        Degree of the pieces.
    knots : tuple of float or None
        Interior knots.
    name : str
        The call, for messages.

    Returns
    -------
    tuple of float
        Strictly increasing.

    Raises
    ------
    FormulaError
        If df and knots contradict each other, or the knots do not lie apart and inside the range.
    """
    low, high = float(np.min(x)), float(np.max(x))
    if knots is None:
        count = (df or 0) - degree
        if count < 0:
            raise FormulaError(f"`{name}`: df is at least the degree, {degree}")
        if count > len(x):
            raise FormulaError(
                f"`{name}`: df={df} needs {count} knots and there are {len(x)} observed values; choose fewer"
            )
        knots = tuple(float(q) for q in np.quantile(x, np.linspace(0, 1, count + 2)[1:-1]))
    elif df is not None and df != degree + len(knots):
        raise FormulaError(
            f"`{name}`: {len(knots)} knots of degree {degree} make df={degree + len(knots)}, not {df}"
        )
    every = (low, *knots, high)
    if any(b <= a for a, b in pairwise(every)):
        shown = ", ".join(f"{knot:g}" for knot in knots)
        raise FormulaError(
            f"`{name}`: the knots {shown} do not lie apart inside the observed range {low:g} to {high:g};"
            " choose fewer, or give knots=[...]"
        )
    return every


def spline_columns(x: Any, knots: tuple[float, ...], degree: int) -> list[Any]:
    """B-splines without the first (the intercept holds their sum), continued as straight lines beyond the boundary.

    Parameters
    ----------
    x : ndarray or TensorVariable, shape (n,)
        Where to evaluate.
    knots : tuple of float
        From `spline_knots`.
    degree : int
        Degree of the pieces.

    Returns
    -------
    list of `len(knots) - 2 + degree` vectors
        Value and slope are continuous at the boundary knots.

    Notes
    -----
    On each interval a column is a polynomial in the distance from the interval's left end: de Boor (2001), A
    Practical Guide to Splines, ch. IX. The interval is looked up by counting knots, the coefficients by indexing,
    so that the graph of a symbolic `x` does not grow with the number of knots.
    """
    origins, coefficients = _pieces(knots, degree)
    if isinstance(x, np.ndarray):
        take, piece = _take_array, np.searchsorted(knots, x, side="right")
    else:
        take, piece = _take_tensor, _count_tensor(knots, x)
    distance = x - take(origins, piece)
    columns = []
    for column in range(1, coefficients.shape[2]):
        value = take(coefficients[:, degree, column], piece)
        for power in range(degree - 1, -1, -1):
            value = value * distance + take(coefficients[:, power, column], piece)
        columns.append(value)
    return columns


@lru_cache(maxsize=64)
def _pieces(knots: tuple[float, ...], degree: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Left ends (pieces,) and Taylor coefficients (pieces, degree + 1, columns); first and last piece are lines."""
    from scipy.interpolate import BSpline

    low, high = knots[0], knots[-1]
    every = np.concatenate([[low] * degree, knots, [high] * degree])
    n_columns = len(every) - degree - 1
    spline = BSpline(every, np.eye(n_columns), degree)
    origins = np.array([low, *knots[:-1], high])
    coefficients = np.zeros((len(origins), degree + 1, n_columns))
    for power in range(degree + 1):
        values = spline.derivative(power)(origins) if power else spline(origins)
        coefficients[:, power] = values / math.factorial(power)
    coefficients[[0, -1], 2:] = 0.0
    origins.flags.writeable = coefficients.flags.writeable = False
    return origins, coefficients


def _take_array(table: NDArray[np.float64], index: NDArray[np.intp]) -> NDArray[np.float64]:
    return table[index]


def _count_tensor(knots: tuple[float, ...], x: Any) -> Any:
    """Count the knots at or below each value."""
    import pytensor.tensor as pt

    return pt.ge(x[:, None], np.asarray(knots)[None, :]).astype("int64").sum(axis=1)


def _take_tensor(table: NDArray[np.float64], index: Any) -> Any:
    import pytensor.tensor as pt

    return pt.as_tensor_variable(np.ascontiguousarray(table))[index]
