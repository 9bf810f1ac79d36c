"""The pooled answer: one row per term, its covariance, its Monte Carlo error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.errors import NotSupportedError
from bayesmi.pool import display
from bayesmi.pool.estimates import Estimates
from bayesmi.pool.inference import Rule, pool_moments
from bayesmi.pool.monte_carlo import columns_of, monte_carlo
from bayesmi.pool.recommended_m import Recommendation, recommend_m
from bayesmi.pool.rubin import Rubin, RubinMatrices, rubin_matrices
from bayesmi.pool.variance_components import pool_variance_components

if TYPE_CHECKING:
    from bayesmi.pool.ftest import FTest

__all__ = ["Pooled"]

_SUMMARY = ["estimate", "std.error", "statistic", "df", "p.value", "conf.low", "conf.high", "fmi"]


@dataclass(frozen=True, repr=False, eq=False)
class Pooled:
    """Analyses of m completed data sets, pooled; made by `bayesmi.pool` or `Analyses.pool`.

    Attributes
    ----------
    estimates : Estimates
        What each completed data set gave.
    dfcom : ndarray, shape (k,)
        Complete-data degrees of freedom of each term.
    rule : {"rubin1987", "reiter2003"}
        How they are pooled.
    components : tuple of DataFrame
        Variance components of each fit; empty where there are none.
    notices : tuple of str
        Remarks on single analyses, each naming its data set.

    Notes
    -----
    Intervals are 95 % equal-tailed; statistics and p-values are of the two-sided t test of zero.

    Examples
    --------
    >>> import bayesmi as bmi, numpy as np
    >>> pooled = bmi.pool([({"x": estimate}, np.eye(1)) for estimate in (1.0, 2.0, 3.0)])
    >>> pooled.m, float(pooled.table.loc["x", "estimate"])
    (3, 2.0)
    """

    estimates: Estimates
    dfcom: NDArray[np.float64]
    rule: Rule = "rubin1987"
    components: tuple[pd.DataFrame, ...] = ()
    notices: tuple[str, ...] = field(default=())

    @property
    def m(self) -> int:
        """Number of completed data sets."""
        return self.estimates.m

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the k estimands."""
        return self.estimates.terms

    @property
    def table(self) -> pd.DataFrame:
        """Every pooled quantity, indexed by term, with the column names of mice.

        estimate, ubar, b, t, dfcom, df, riv, lambda, fmi, std.error, statistic, p.value, conf.low, conf.high.
        """
        return pd.DataFrame(dict(columns_of(self._scalars)), index=self._index)

    def summary(self) -> pd.DataFrame:
        """Give the short table: estimate, standard error, test, interval, fraction of missing information.

        Returns
        -------
        DataFrame
            Indexed by term: estimate, std.error, statistic, df, p.value, conf.low, conf.high, fmi.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> pooled = bmi.pool([({"x": 1.0}, [[1.0]]), ({"x": 2.0}, [[1.0]]), ({"x": 3.0}, [[1.0]])])
        >>> pooled.summary()[["estimate", "std.error"]].round(4).loc["x"].to_dict()
        {'estimate': 2.0, 'std.error': 1.5275}
        """
        return self.table[_SUMMARY]

    @property
    def covariance(self) -> pd.DataFrame:
        """Total covariance of the pooled estimates, k x k; its diagonal is the column t."""
        if self.rule == "reiter2003":
            return self._labelled(self._matrices.within + self._matrices.between / self.m)
        return self._labelled(self._matrices.total)

    @property
    def within(self) -> pd.DataFrame:
        """Mean of the m covariance matrices, k x k."""
        return self._labelled(self._matrices.within)

    @property
    def between(self) -> pd.DataFrame:
        """Covariance of the estimates between the data sets, k x k, divisor m - 1."""
        return self._labelled(self._matrices.between)

    @property
    def variance_components(self) -> pd.DataFrame:
        """Variances, covariances and intraclass correlations, pooled; empty where the analyses have none.

        Indexed by term; the estimate is the plain mean as in mitml, and `reason` says why a component has
        no interval.
        """
        if not self.components:
            columns = ["estimate", "conf.low", "conf.high", "mcse", "fmi", "scale", "reason"]
            return pd.DataFrame(columns=columns, index=pd.Index([], name="term"))
        return pool_variance_components(self.components, self.rule)

    @property
    def monte_carlo(self) -> pd.DataFrame:
        """Monte Carlo standard error of the columns of `table`, by the jackknife over data sets."""
        return monte_carlo(self.estimates, self.dfcom, self.rule)

    @property
    def recommended_m(self) -> int:
        """Number of imputations the stricter of two rules asks for; `recommendation` says why."""
        return self.recommendation.m

    @cached_property
    def recommendation(self) -> Recommendation:
        """Both rules for m, per term, and the sentence that states what decides."""
        return recommend_m(self.terms, self._scalars, self.rule)

    def test(self, terms: str | Sequence[str] | None = None, *, method: str = "D1") -> FTest:
        """Test jointly that several terms are zero.

        Parameters
        ----------
        terms : str, sequence of str or None
            Names of terms; None tests all.
        method : {"D1", "D2"}, default "D1"
            Pool the vectors (D1, with Reiter's df where `dfcom` is finite), or the Wald statistics (D2).

        Returns
        -------
        FTest
            Statistic, its two degrees of freedom and p-value.

        Raises
        ------
        PoolError
            If a term is unknown or the within covariance is singular.
        NotSupportedError
            For synthetic data: D1 and D2 hold for missing data.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np
        >>> pooled = bmi.pool([({"a": 1.0 + i, "b": 3.0 - i}, np.eye(2)) for i in (0.0, 0.5, 1.0)])
        >>> test = pooled.test(["a", "b"])
        >>> test.terms, test.df1, round(test.statistic, 4)
        (('a', 'b'), 2.0, 3.1875)
        """
        from bayesmi.pool.constraints import wald_test

        self._refuse_synthetic()
        return wald_test(self.estimates.select(terms, joint=True), self._dfcom_of(terms), method=method)

    def constraints(self, *constraints: str, method: str = "D1") -> FTest:
        """Test linear or nonlinear constraints jointly, by the delta method in each data set.

        Parameters
        ----------
        *constraints : str
            Such as "texp = 0", "male - female", "exp(a) * b = 1"; names that are no identifiers go in
            backticks, "`a:b` = 0". Functions: log, exp, sqrt, abs, tanh, atanh, logit, expit.
        method : {"D1", "D2"}, default "D1"
            How the transformed estimates are tested.

        Returns
        -------
        FTest
            Statistic, its two degrees of freedom and p-value.

        Raises
        ------
        PoolError
            If a constraint cannot be read or names no term.
        NotSupportedError
            For synthetic data, as `test`.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np
        >>> pooled = bmi.pool([({"a": 1.0 + i, "b": 3.0 - i}, np.eye(2)) for i in (0.0, 0.5, 1.0)])
        >>> test = pooled.constraints("a = b")
        >>> test.df1, round(test.statistic, 4)
        (1.0, 0.3)
        """
        from bayesmi.pool.constraints import wald_test

        self._refuse_synthetic()
        transformed = self.transform(dict(zip(constraints, constraints, strict=True)))
        return wald_test(transformed.estimates, transformed.dfcom, method=method)

    def transform(self, expressions: dict[str, str]) -> Pooled:
        """Pool functions of the terms: differences, ratios, predictions, odds ratios.

        Parameters
        ----------
        expressions : dict of str
            New name -> expression in the terms, written as for `constraints`; "a = b" stands for a - b.

        Returns
        -------
        Pooled
            Each function computed in every data set with its delta-method covariance, then pooled.

        Raises
        ------
        PoolError
            If an expression cannot be read or names no term.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np
        >>> pooled = bmi.pool([({"a": 1.0 + i, "b": 3.0 - i}, np.eye(2)) for i in (0.0, 0.5, 1.0)])
        >>> made = pooled.transform({"difference": "a - b", "ratio": "exp(a)"})
        >>> made.table["estimate"].round(4).to_dict()
        {'difference': -1.0, 'ratio': 4.863}
        """
        from bayesmi.pool.constraints import transform

        estimates, used = transform(self.estimates, expressions)
        dfcom = np.array(
            [min((self._dfcom_by_term[term] for term in terms), default=np.inf) for terms in used]
        )
        return Pooled(estimates, dfcom, self.rule, notices=self.notices)

    def __repr__(self) -> str:
        return display.text(self)

    def _repr_html_(self) -> str:
        return display.html(self)

    @cached_property
    def _scalars(self) -> Rubin:
        q = self.estimates.values
        return pool_moments(
            self.rule,
            self.m,
            q.mean(axis=0),
            self.estimates.variances.mean(axis=0),
            q.var(axis=0, ddof=1),
            self.dfcom,
        )

    @cached_property
    def _matrices(self) -> RubinMatrices:
        return rubin_matrices(self.estimates.values, self.estimates.covariances)

    @property
    def _index(self) -> pd.Index:
        return pd.Index(self.terms, name="term")

    @property
    def _dfcom_by_term(self) -> dict[str, float]:
        return dict(zip(self.terms, self.dfcom.tolist(), strict=True))

    def _dfcom_of(self, terms: str | Sequence[str] | None) -> NDArray[np.float64]:
        names = self.terms if terms is None else [terms] if isinstance(terms, str) else terms
        return np.array([self._dfcom_by_term[name] for name in names])

    def _refuse_synthetic(self) -> None:
        if self.rule == "reiter2003":
            raise NotSupportedError(
                "D1 and D2 are for missing data, and their variance between data sets is too large for synthetic ones; "
                ".table tests each term by Reiter's rule, .transform() a function of them"
            )

    def _labelled(self, matrix: NDArray[np.float64]) -> pd.DataFrame:
        return pd.DataFrame(matrix, index=self._index, columns=list(self.terms))
