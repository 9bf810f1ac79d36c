"""What pooling needs of one foreign result, and the record that an adapter is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Adapter", "Extract", "Likelihood"]


@dataclass(frozen=True, eq=False)
class Extract:
    """Estimates, covariance and what goes with them, read out of one result.

    Attributes
    ----------
    estimates : Series, length k
        Indexed by term.
    covariance : DataFrame, k x k
        Labelled by term; NaN off the diagonal where only standard errors are known.
    dfcom : float or mapping by term
        Complete-data degrees of freedom used unless told otherwise; infinity for none.
    dfcom_choices : mapping
        Other rules by name ("residual", "between-within"), each a number or a mapping by term.
    variance_components : DataFrame or None
        Indexed by term, columns estimate, std.error, scale, singular.
    n_obs : int or None
        Rows used.
    converged : bool or None
        None where the result does not say.
    notes : tuple of str
        Remarks on this fit.
    superseded : tuple of str
        Parts of warnings on which the adapter has passed its own judgement.
    """

    estimates: pd.Series
    covariance: pd.DataFrame
    dfcom: float | Mapping[str, float] = float("inf")
    dfcom_choices: Mapping[str, float | Mapping[str, float]] = field(default_factory=dict)
    variance_components: pd.DataFrame | None = None
    n_obs: int | None = None
    converged: bool | None = None
    notes: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Log-likelihood of one maximum-likelihood fit as a function of all its parameters.

    Attributes
    ----------
    parameters : ndarray
        At the maximum; variances as variances, so that means over data sets make sense.
    log_likelihood : callable
        Of such an array.
    terms : tuple of str
        Names of the regression coefficients.
    """

    parameters: NDArray[np.float64]
    log_likelihood: Callable[[NDArray[np.float64]], float]
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Adapter:
    """How one kind of result is read.

    Attributes
    ----------
    name : str
        For messages.
    recognises : callable
        Whether a result is of this kind; must not import what it looks for.
    extract : callable
        Result -> Extract.
    likelihood : callable or None
        Result -> Likelihood, refitted by maximum likelihood if need be; None where D3 and D4 are not offered.
    stacked : callable or None
        Results of all data sets -> maximised log-likelihood of all their rows together, clusters kept apart.
    held : callable or None
        Result, coefficients -> log-likelihood with the linear predictor held at these coefficients, intercept and
        variance estimated anew: what mice's D3 evaluates.
    """

    name: str
    recognises: Callable[[Any], bool]
    extract: Callable[[Any], Extract]
    likelihood: Callable[[Any], Likelihood] | None = None
    stacked: Callable[[Sequence[Any]], float] | None = None
    held: Callable[[Any, NDArray[np.float64]], float] | None = None
