"""``MICE(data); .mice(m=5); .data; .pool_results(results)``, as notes on multiple imputation in Python write it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bayesmi.errors import BayesmiError
from bayesmi.imputations import Imputations
from bayesmi.pool import Pooled

__all__ = ["MICE"]


class MICE:
    """Multiple imputation of a table, with the attribute names of a package that notes describe.

    Parameters
    ----------
    data : DataFrame
        The incomplete table.

    Attributes
    ----------
    data : DataFrame, then list of DataFrame
        The incomplete table until `mice` is called, the m completed ones after.
    imputations : Imputations or None
        The same as `Imputations`, with everything that it can do.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> from bayesmi.compat import MICE
    >>> from statsmodels.api import OLS
    >>> imp = MICE(bmi.datasets.load("nhanes"))
    >>> imputed = imp.mice(m=5, seed=1, progress=False)
    >>> results = [OLS.from_formula("chl ~ age", data=one).fit() for one in imp.data]
    >>> list(imp.pool_results(results).terms)
    ['Intercept', 'age']
    """

    def __init__(self, data: Any) -> None:
        self.data: Any = data
        self.imputations: Imputations | None = None
        self._incomplete = data

    def mice(self, m: int = 5, *, seed: int | None = None, **options: Any) -> Imputations:
        """Make m completed tables; they stand in `data` after.

        Parameters
        ----------
        m : int
            Number of completed tables.
        seed : int, optional
            Repeats them exactly.
        **options
            As in `bayesmi.mice`: method, predictorMatrix, …. By default every incomplete variable is predicted by all
            others, numbers by predictive mean matching, so that imputed values stay in the observed range.

        Returns
        -------
        Imputations
            The same as `data`, with everything that it can do.

        Raises
        ------
        BayesmiError
            As `bayesmi.mice`.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> from bayesmi.compat import MICE
        >>> imp = MICE(bmi.datasets.load("nhanes"))
        >>> imputed = imp.mice(m=5, seed=1, progress=False)
        >>> len(imp.data), int(imp.data[0].isna().sum().sum())
        (5, 0)
        """
        from bayesmi.mice import mice

        self.imputations = mice(self._incomplete, m, seed=seed, **options)
        self.data = list(self.imputations)
        return self.imputations

    def pool_results(self, results: Iterable[Any], dfcom: Any = None) -> Pooled:
        """Pool one fitted analysis a completed table by Rubin's rules.

        Parameters
        ----------
        results : iterable
            statsmodels or lifelines fits, (estimates, covariance) pairs or tidy tables, in the order of `data`.
        dfcom : optional
            Complete-data degrees of freedom, as in `Analyses.pool`.

        Returns
        -------
        Pooled
            ``.table`` holds estimates, standard errors, intervals, df, p-values and fmi.

        Raises
        ------
        BayesmiError
            If `mice` was not called, or there are more or fewer results than tables.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> from bayesmi.compat import MICE
        >>> imp = MICE(bmi.datasets.load("nhanes"))
        >>> imputed = imp.mice(m=5, seed=1, progress=False)
        >>> pooled = imp.pool_results([({"bmi": one["bmi"].mean()}, [[one["bmi"].var() / 25]]) for one in imp.data])
        >>> pooled.m, bool(24 < pooled.table.loc["bmi", "estimate"] < 30)
        (5, True)
        """
        from bayesmi.analyses import Analyses

        if self.imputations is None:
            raise BayesmiError("nothing is imputed yet: call mice(m=5) first")
        listed = list(results)
        if len(listed) != self.imputations.m:
            raise BayesmiError(
                f"{len(listed)} results for {self.imputations.m} completed tables: one each is needed"
            )
        return Analyses.from_results(listed).pool(dfcom)

    def __repr__(self) -> str:
        return (
            "MICE: nothing is imputed yet, call mice(m=5)"
            if self.imputations is None
            else repr(self.imputations)
        )
