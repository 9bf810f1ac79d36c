"""Little's test of missing completely at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame
from bayesmi.errors import DataError
from bayesmi.explore.normal_em import PatternRows, fit_normal, rows_by_pattern
from bayesmi.explore.source import as_frame, columns_of, note_of

__all__ = ["McarTest", "mcar_test"]

_LIMITS = (
    "a large p does not show that values are missing completely at random: the test sees means only, and no "
    "dependence on the missing values themselves (MNAR)",
    "a small p does not say which variable, and does not say that missing at random fails",
    "it assumes independent rows and one normal distribution; the chi-square distribution holds for large patterns",
)


@dataclass(frozen=True, eq=False)
class McarTest:
    """What `mcar_test` found.

    Attributes
    ----------
    statistic : float
        Little's d².
    df : int
        Degrees of freedom.
    p_value : float
        Upper tail of the chi-square distribution.
    patterns : DataFrame
        By pattern: ``rows``; ``missing``, the names of its missing variables; ``contribution`` to the statistic.
    mean : Series
        Maximum-likelihood means.
    covariance : DataFrame
        Maximum-likelihood covariance; with ``divisor="n-1"`` times n / (n - 1).
    n_rows : int
        Rows with an observed value.
    notes : tuple of str
        What was left out or merged, and remarks on these data.
    limits : tuple of str
        What the test cannot say.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> test = bmi.mcar_test(bmi.datasets.load("nhanes"))
    >>> test.n_rows, test.n_patterns, list(test.patterns.columns)
    (25, 5, ['rows', 'missing', 'contribution'])
    """

    statistic: float
    df: int
    p_value: float
    patterns: pd.DataFrame
    mean: pd.Series
    covariance: pd.DataFrame
    n_rows: int
    notes: tuple[str, ...]
    limits: tuple[str, ...] = _LIMITS

    @property
    def n_patterns(self) -> int:
        """Number of patterns."""
        return len(self.patterns)

    def __repr__(self) -> str:
        p = f"p = {self.p_value:.4f}" if self.p_value >= 5e-5 else "p < .0001"
        lines = [
            "Little's test of missing completely at random (MCAR)",
            f"d² = {self.statistic:.3f}, df = {self.df}, {p}; {self.n_patterns} patterns, {self.n_rows} rows, "
            f"{len(self.mean)} variables",
            *(f"- {note}" for note in self.notes),
            *(f"- {limit}" for limit in self.limits),
        ]
        return "\n".join(lines)


def mcar_test(
    data: Any, columns: Sequence[str] | None = None, divisor: Literal["n", "n-1"] = "n"
) -> McarTest:
    """Test whether values are missing completely at random, with Little's (1988) statistic.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table, n rows.
    columns : sequence of str, optional
        Variables to test with; all that are numbers, two-valued or ordinal by default. Complete ones belong to it.
    divisor : {"n", "n-1"}
        Of the covariance: ``"n"`` is maximum likelihood, and gives the numbers of Enders (2010) and of the R packages
        naniar and BaylorEdPsych; ``"n-1"`` multiplies it by n / (n - 1), and d² by (n - 1) / n.

    Returns
    -------
    McarTest
        Statistic, degrees of freedom, p value, the contribution of each pattern, the means and covariance used.

    Raises
    ------
    DataError
        If fewer than two columns can be used, a named one has no order, nothing is missing, all rows have the
        same pattern, or the covariance cannot be estimated.

    Notes
    -----
    d² = Σ_j n_j (ȳ_j − μ̂_j)' Σ̂_jj⁻¹ (ȳ_j − μ̂_j) over the patterns j, with the means ȳ_j of the p_j variables that
    the pattern observes, and maximum-likelihood μ̂ and Σ̂ under normality (by EM). Under MCAR it is asymptotically
    chi-square with Σ p_j − p degrees of freedom (Little 1988, Journal of the American Statistical Association 83,
    1198-1202). Two-valued and ordinal variables enter as numbers, which the limit
    theorem allows; nominal ones have no number and are left out, and said to be.

    Limits: it compares means of patterns, so that differences in spread or association go unseen. It has little power
    with few rows, and rejects trivial deviations with many. Not rejecting is no evidence for MCAR; rejecting does not
    tell MAR from MNAR. Rows in clusters are not independent, and p is then too small. Prefer `missingness_model`,
    which says which variables go with what is missing, and an imputation model that holds them.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> test = bmi.mcar_test(bmi.datasets.load("nhanes"))
    >>> test.df, test.n_patterns, test.p_value > 0.05
    (9, 5, True)
    """
    from scipy.stats import chi2

    if divisor not in ("n", "n-1"):
        raise DataError(f"divisor {divisor!r} is not known: use 'n' or 'n-1'")
    frame = as_frame(data)
    chosen, notes = _choose(frame, columns)
    names = [column.name for column in chosen]
    values = np.column_stack([column.values for column in chosen])
    if not any(column.n_missing for column in chosen):
        raise DataError("no value is missing in these columns: there is nothing to test")
    empty = ~np.isfinite(values).any(axis=1)
    if empty.any():
        notes += (
            f"{int(empty.sum())} of {frame.n_rows} rows have no value in these columns and say nothing",
        )
        values = values[~empty]
    fit = fit_normal(values)
    n, p = values.shape
    covariance = fit.covariance * (n / (n - 1) if divisor == "n-1" else 1.0)
    patterns = rows_by_pattern(values)
    parts = [_contribution(pattern, fit.mean, covariance) for pattern in patterns]
    df = int(sum(pattern.observed.sum() for pattern in patterns)) - p
    if df < 1:
        raise DataError("all rows have the same pattern of missing values: there is nothing to compare")
    few = sum(pattern.n < 10 for pattern in patterns)
    if few:
        notes += (f"{few} of {len(patterns)} patterns have fewer than 10 rows: p is rough",)
    statistic = float(sum(parts))
    return McarTest(
        statistic,
        df,
        float(chi2.sf(statistic, df)),
        _table(patterns, parts, names),
        pd.Series(fit.mean, index=names),
        pd.DataFrame(covariance, index=names, columns=names),
        n,
        notes,
    )


def _choose(frame: IncompleteFrame, columns: Sequence[str] | None) -> tuple[list[Column], tuple[str, ...]]:
    """Columns that enter, and a note on those that do not."""

    def fits(column: Column) -> bool:
        return column.is_numeric or column.kind in ("binary", "ordinal")

    if columns is None:
        usable = [column for column in frame.columns.values() if fits(column)]
        still = [column.name for column in usable if column.is_constant]
        chosen = [column for column in usable if not column.is_constant]
        left = [name for name, column in frame.columns.items() if not fits(column)]
        notes = note_of(left, "their values have no order") + note_of(still, "they do not vary")
    else:
        chosen, notes = columns_of(frame, columns), ()
        for column in chosen:
            if not fits(column):
                raise DataError(
                    f"column {column.name!r} is {column.kind.value}: its values have no order, leave it out"
                )
            if column.is_constant:
                raise DataError(f"column {column.name!r} does not vary: leave it out")
    if len(chosen) < 2:
        raise DataError("the test needs at least two columns whose values have an order and vary")
    return chosen, notes


def _contribution(pattern: PatternRows, mean: NDArray[np.float64], covariance: NDArray[np.float64]) -> float:
    """Squared distance of the pattern's means, times its rows."""
    seen = pattern.observed
    away = pattern.mean - mean[seen]
    return float(pattern.n * away @ np.linalg.solve(covariance[np.ix_(seen, seen)], away))


def _table(patterns: list[PatternRows], parts: list[float], names: list[str]) -> pd.DataFrame:
    """Patterns by number of rows, most first."""
    rows = [
        {
            "rows": pattern.n,
            "missing": tuple(name for name, seen in zip(names, pattern.observed, strict=True) if not seen),
            "contribution": part,
        }
        for pattern, part in zip(patterns, parts, strict=True)
    ]
    return pd.DataFrame(rows).sort_values("rows", ascending=False, kind="stable", ignore_index=True)
