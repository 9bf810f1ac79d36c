"""The mixed model for repeated measures with unstructured covariance, by (restricted) maximum likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import FitError

__all__ = ["Mmrm", "PatternSums", "fit_mmrm", "pattern_sums"]

Floats = NDArray[np.float64]
_STEPS = 200
_TOLERANCE = (
    1e-14  # of the Newton decrement, in units of log-likelihood: its root is the error in standard errors
)
_HALVINGS = 40


@dataclass(frozen=True, eq=False)
class PatternSums:
    """Cross products of the patients with one pattern of observed visits: all that the likelihood needs of them."""

    visits: NDArray[np.intp]  # observed, o of them
    n: int
    xx: Floats  # (q, q)
    xy: Floats  # (q, o)
    yy: Floats  # (o, o)

    def without(self, x: Floats, y: Floats) -> PatternSums:
        """Return the sums without one patient's row x (q,) and outcomes y (o,)."""
        return replace(
            self,
            n=self.n - 1,
            xx=self.xx - np.outer(x, x),
            xy=self.xy - np.outer(x, y),
            yy=self.yy - np.outer(y, y),
        )


@dataclass(frozen=True, eq=False)
class Mmrm:
    """The estimate.

    Attributes
    ----------
    coefficients : ndarray, shape (q, J)
        Of the design columns at each visit.
    covariance : ndarray, shape (J, J)
        Unstructured.
    log_likelihood : float
        The (restricted) log-likelihood, up to its constant.
    steps : int
        Fisher-scoring steps taken.
    """

    coefficients: Floats
    covariance: Floats
    log_likelihood: float
    steps: int


def pattern_sums(matrix: Floats, outcomes: Floats) -> tuple[PatternSums, ...]:
    """Return the cross products by pattern of observed visits, of patients with any.

    Parameters
    ----------
    matrix : ndarray, shape (n, q)
        Design of each patient, the same at every visit.
    outcomes : ndarray, shape (n, J)
        NaN where missing.
    """
    observed = np.isfinite(outcomes)
    patterns, which = np.unique(observed, axis=0, return_inverse=True)
    out = []
    for k, pattern in enumerate(patterns):
        visits = np.flatnonzero(pattern)
        if not visits.size:
            continue
        own = which.ravel() == k
        x, y = matrix[own], outcomes[own][:, visits]
        out.append(PatternSums(visits, int(own.sum()), x.T @ x, x.T @ y, y.T @ y))
    return tuple(out)


def fit_mmrm(
    sums: Sequence[PatternSums], n_visits: int, *, reml: bool = True, start: Floats | None = None
) -> Mmrm:
    """Maximise the likelihood by Fisher scoring in the covariance, the coefficients profiled out.

    Parameters
    ----------
    sums : sequence of PatternSums
        The data.
    n_visits : int
        J.
    reml : bool
        Restricted likelihood (else plain).
    start : ndarray, shape (J, J), optional
        Covariance to start from.

    Raises
    ------
    FitError
        If a visit has too few patients for its coefficients, or no maximum is found.

    Notes
    -----
    With P = Σ_oo⁻¹ of a pattern, R its residual cross products at the generalised least-squares coefficients and G what the
    uncertainty of these adds (Jennrich & Schluchter 1986; Patterson & Thompson 1971), the score of Σ_oo is
    -½ (n P - P (R + G) P) and the expected information ½ n P ⊗ P. A step is halved until the likelihood grows.
    """
    cov = _start(sums, n_visits) if start is None else start
    duplication = _duplication(n_visits)
    value, score, information, coefficients = _evaluate(sums, cov, reml)
    for step in range(1, _STEPS + 1):
        gradient = duplication.T @ score.ravel()
        change = np.linalg.solve(duplication.T @ information @ duplication, gradient)
        decrement = float(gradient @ change)
        if decrement < _TOLERANCE:
            return Mmrm(coefficients, cov, value, step)
        move = (duplication @ change).reshape(n_visits, n_visits)
        for halving in range(_HALVINGS):
            tried = cov + move * 0.5**halving
            if _is_positive(tried):
                new = _evaluate(sums, tried, reml)
                if new[0] >= value - 1e-12 * abs(value):
                    break
        else:
            break
        cov = tried
        value, score, information, coefficients = new
    raise FitError(
        "the mixed model for repeated measures has no maximum that could be found: too few patients for an unstructured "
        "covariance; leave covariates out, or use TrialModel.fit(), whose priors keep it in bounds"
    )


def _evaluate(sums: Sequence[PatternSums], cov: Floats, reml: bool) -> tuple[float, Floats, Floats, Floats]:
    """Return log-likelihood, score (J, J), information (J², J²) and coefficients (q, J)."""
    n_visits, q = len(cov), len(sums[0].xx)
    inverses = [np.linalg.inv(cov[np.ix_(s.visits, s.visits)]) for s in sums]
    lhs = np.zeros((n_visits, q, n_visits, q))
    rhs = np.zeros((n_visits, q))
    for s, p in zip(sums, inverses, strict=True):
        lhs[np.ix_(s.visits, range(q), s.visits, range(q))] += np.einsum("jk,ab->jakb", p, s.xx)
        rhs[s.visits] += (s.xy @ p).T
    flat = lhs.reshape(n_visits * q, n_visits * q)
    sign, log_det = np.linalg.slogdet(flat)
    if sign <= 0 or not np.isfinite(log_det):
        raise FitError("the coefficients of some visit cannot be estimated: too few patients are seen there")
    spread = np.linalg.inv(flat)
    coefficients = (spread @ rhs.ravel()).reshape(n_visits, q).T
    spread = spread.reshape(n_visits, q, n_visits, q)
    value = -0.5 * log_det if reml else 0.0
    score = np.zeros((n_visits, n_visits))
    information = np.zeros((n_visits,) * 4)
    for s, p in zip(sums, inverses, strict=True):
        b = coefficients[:, s.visits]
        cross = b.T @ s.xy
        residual = s.yy - cross - cross.T + b.T @ s.xx @ b
        value += 0.5 * s.n * np.linalg.slogdet(p)[1] - 0.5 * float(np.sum(p * residual))
        if reml:
            own = spread[np.ix_(s.visits, range(q), s.visits, range(q))]
            residual = residual + np.einsum("jakb,ab->jk", own, s.xx)
        at = np.ix_(s.visits, s.visits)
        score[at] -= 0.5 * (s.n * p - p @ residual @ p)
        information[np.ix_(s.visits, s.visits, s.visits, s.visits)] += (
            0.5 * s.n * np.einsum("ik,jl->ijkl", p, p)
        )
    return value, score, information.reshape(n_visits**2, n_visits**2), coefficients


def _start(sums: Sequence[PatternSums], n_visits: int) -> Floats:
    """Residual variances of each visit on its own, correlated by a half."""
    variances = np.empty(n_visits)
    for j in range(n_visits):
        seen = [(s, int(np.flatnonzero(s.visits == j)[0])) for s in sums if j in s.visits]
        n = sum(s.n for s, _ in seen)
        q = len(sums[0].xx)
        if n <= q:
            raise FitError(
                f"visit {j + 1} has {n} outcomes for {q} coefficients: leave covariates or the visit out"
            )
        xx = sum((s.xx for s, _ in seen), np.zeros((q, q)))
        xy = sum((s.xy[:, at] for s, at in seen), np.zeros(q))
        if np.linalg.matrix_rank(xx) < q:
            raise FitError(f"visit {j + 1}: its coefficients cannot be told apart; leave a covariate out")
        yy = sum(s.yy[at, at] for s, at in seen)
        variances[j] = (yy - xy @ np.linalg.solve(xx, xy)) / (n - q)
    if not (variances > 0).all():
        raise FitError(f"visit {int(np.argmin(variances)) + 1} has no residual variation")
    scale = np.sqrt(variances)
    return np.asarray(np.outer(scale, scale) * (0.5 + 0.5 * np.eye(n_visits)))


@lru_cache(maxsize=8)
def _duplication(n: int) -> Floats:
    """Return the matrix that spreads the lower triangle of a symmetric matrix over all its entries."""
    rows, columns = np.tril_indices(n)
    out = np.zeros((n, n, len(rows)))
    at = np.arange(len(rows))
    out[rows, columns, at] = 1.0
    out[columns, rows, at] = 1.0
    return out.reshape(n * n, len(rows))


def _is_positive(matrix: Floats) -> bool:
    """Whether a covariance is positive definite."""
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True
