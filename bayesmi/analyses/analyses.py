"""What an analysis gave on each completed data set: pooled by Rubin's rules, or tested against a smaller model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from bayesmi.adapters.extract import Extract
from bayesmi.adapters.nested import compare_fits
from bayesmi.adapters.registry import adapter_for
from bayesmi.analyses.outcome import Outcome, read_result
from bayesmi.errors import AnalysisError, PoolError
from bayesmi.pool import FTest, Pooled
from bayesmi.pool import pool as pool_pairs

__all__ = ["Analyses"]


@dataclass(frozen=True, eq=False, repr=False)
class Analyses:
    """What one function gave on each of m completed data sets; made by `Imputations.analyze`.

    Attributes
    ----------
    results : tuple
        As returned by the function, one per data set.
    extracts : tuple of Extract
        Estimates, covariance, df and variance components read out of each.
    notices : tuple of str
        Remarks on single analyses ("data set 3: did not converge"), each naming its data set.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> analyses = bmi.Analyses.from_results([({"x": 1.0}, [[1.0]]), ({"x": 2.0}, [[1.0]]), ({"x": 3.0}, [[1.0]])])
    >>> float(analyses.pool().table.loc["x", "estimate"])
    2.0
    """

    results: tuple[Any, ...]
    extracts: tuple[Extract, ...]
    notices: tuple[str, ...] = field(default=())

    @classmethod
    def from_results(cls, results: Iterable[Any]) -> Analyses:
        """Take analyses that were run elsewhere.

        Parameters
        ----------
        results : iterable
            One per data set: statsmodels or lifelines fits, (estimates, covariance) pairs, or tidy tables.

        Returns
        -------
        Analyses

        Raises
        ------
        PoolError
            If one cannot be read; the message names the data set.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> import statsmodels.formula.api as smf
        >>> data = bmi.datasets.load("nhanes").fillna({"bmi": 26.0, "chl": 190.0})
        >>> tables = [data, data.assign(bmi=data["bmi"] + data["age"])]
        >>> analyses = bmi.Analyses.from_results([smf.ols("chl ~ bmi", table).fit() for table in tables])
        >>> analyses.m, list(analyses.pool().terms)
        (2, ['Intercept', 'bmi'])
        """
        return cls.from_outcomes([read_result(i, result) for i, result in enumerate(results, start=1)])

    @classmethod
    def from_outcomes(cls, outcomes: Sequence[Outcome]) -> Analyses:
        """Gather all data sets, or raise the error of the first that failed.

        Parameters
        ----------
        outcomes : sequence of Outcome
            What `bayesmi.analyses.outcome.read_result` made of the result of each data set, or the failure of its analysis.

        Returns
        -------
        Analyses

        Raises
        ------
        AnalysisError
            If there are none, or an analysis failed: the first that did is named.
        PoolError
            If a result could not be read.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> from bayesmi.analyses.outcome import read_result
        >>> outcomes = [read_result(number, ({"x": float(number)}, [[1.0]])) for number in (1, 2, 3)]
        >>> bmi.Analyses.from_outcomes(outcomes).m
        3
        """
        if not outcomes:
            raise AnalysisError("there are no completed data sets to analyse")
        for one in outcomes:
            if one.failure:
                raise one.error(one.failure) from one.cause
        return cls(
            tuple(one.result for one in outcomes),
            tuple(one.extract for one in outcomes if one.extract is not None),
            tuple(f"data set {one.number}: {remark}" for one in outcomes for remark in one.remarks),
        )

    @property
    def m(self) -> int:
        """Number of completed data sets."""
        return len(self.results)

    def table(self) -> pd.DataFrame:
        """Give the estimates of each data set in long form.

        Returns
        -------
        DataFrame
            Columns .imp (1 … m), term, estimate, std.error.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> analyses = bmi.Analyses.from_results([({"x": 1.0}, [[1.0]]), ({"x": 2.0}, [[4.0]])])
        >>> print(analyses.table())
           .imp term  estimate  std.error
        0     1    x       1.0        1.0
        1     2    x       2.0        2.0
        """
        parts = []
        for i, one in enumerate(self.extracts, start=1):
            errors = pd.Series(one.covariance.to_numpy().diagonal() ** 0.5, index=one.covariance.index)
            parts.append(
                pd.DataFrame(
                    {
                        ".imp": i,
                        "term": list(one.estimates.index),
                        "estimate": one.estimates.to_numpy(dtype=float),
                        "std.error": errors.loc[one.estimates.index].to_numpy(dtype=float),
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)

    def means(self) -> pd.DataFrame:
        """Average the estimates: all there is for results without standard errors, such as scikit-learn's.

        Returns
        -------
        DataFrame
            Indexed by term: estimate (mean over the data sets), b (variance between them) and mcse (Monte Carlo error of
            the mean, (b/m)^½). None of these is a standard error: how far the estimate is from the truth they do not say.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> analyses = bmi.Analyses.from_results([({"x": 1.0}, [[1.0]]), ({"x": 2.0}, [[1.0]])])
        >>> print(analyses.means())
              estimate    b  mcse
        term
        x          1.5  0.5   0.5
        """
        table = pd.DataFrame([one.estimates for one in self.extracts])
        between = table.var(ddof=1)
        means = {"estimate": table.mean(), "b": between, "mcse": (between / self.m) ** 0.5}
        return pd.DataFrame(means).rename_axis("term")

    def pool(self, dfcom: Any = None, *, rule: Literal["rubin1987", "reiter2003"] = "rubin1987") -> Pooled:
        """Pool by Rubin's rules.

        Parameters
        ----------
        dfcom : None, number, mapping by term, Series, sequence, "residual" or "between-within"
            Complete-data degrees of freedom. None takes what the fits say: residual df of linear and
            generalised linear models and events less parameters of Cox models (as mice), infinity of mixed models
            (as mitml), GEE and parametric survival models. "residual" counts rows
            minus parameters of a mixed model too (as mice does for lmer); "between-within" gives
            cluster-level and row-level coefficients of a mixed model their own df.
        rule : {"rubin1987", "reiter2003"}
            Missing data, or partially synthetic data.

        Returns
        -------
        Pooled
            Estimates, standard errors, tests, intervals and fractions of missing information.

        Raises
        ------
        PoolError
            If there are fewer than two data sets, terms differ, or the rule for dfcom does not exist for
            these fits.

        Notes
        -----
        Where the data sets have different df (different rows in each), the smallest counts.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> results = [({"x": 1.0}, [[1.0]]), ({"x": 2.0}, [[1.0]]), ({"x": 3.0}, [[1.0]])]
        >>> pooled = bmi.Analyses.from_results(results).pool(dfcom=50)
        >>> pooled.table.loc["x", ["estimate", "t"]].round(4).to_dict()
        {'estimate': 2.0, 't': 2.3333}
        """
        if all(one.covariance.isna().all(axis=None) for one in self.extracts):
            raise PoolError(
                f"a {adapter_for(self.results[0]).name} has no standard errors, so there is nothing to pool by Rubin's rules: "
                ".means() has what can be had; for standard errors use statsmodels, return (estimates, covariance), or wrap "
                "the function in bayesmi.bootstrapped()"
            )
        if dfcom is None:
            dfcom = self._smallest([one.dfcom for one in self.extracts])
        elif isinstance(dfcom, str):
            for i, one in enumerate(self.extracts, start=1):
                if dfcom not in one.dfcom_choices:
                    known = ", ".join(repr(name) for name in one.dfcom_choices) or "none by name"
                    raise PoolError(
                        f"data set {i}: no dfcom={dfcom!r} for this fit, it has {known}; or give numbers"
                    )
            dfcom = self._smallest([one.dfcom_choices[dfcom] for one in self.extracts])
        components = [one.variance_components for one in self.extracts if one.variance_components is not None]
        return pool_pairs(
            [(one.estimates, one.covariance) for one in self.extracts],
            dfcom,
            rule=rule,
            variance_components=components if len(components) == self.m else (),
            notices=self.notices,
        )

    def compare(
        self,
        null: Analyses,
        method: Literal["D1", "D2", "D3", "D4"] = "D1",
        *,
        use: Literal["wald", "likelihood"] = "wald",
        ariv: Literal["default", "positive", "robust"] = "default",
        dfcom: float | None = None,
        convention: Literal["mitml", "mice"] = "mitml",
    ) -> FTest:
        """Test these fits against nested ones.

        Parameters
        ----------
        null : Analyses
            The smaller model on the same data sets.
        method : {"D1", "D2", "D3", "D4"}
            D1 pools the additional coefficients; D2 test statistics (crude); D3 and D4 likelihood ratios,
            for which REML fits are refitted by maximum likelihood.
        use : {"wald", "likelihood"}
            Statistics that D2 pools.
        ariv : {"default", "positive", "robust"}
            Estimate of the average relative increase in variance (D3, D4), as in mitml.
        dfcom : float, optional
            Complete-data df for D1 (Reiter 2007). None is infinity, as mitml; mice's D1 passes the residual
            df.
        convention : {"mitml", "mice"}
            Where the two differ. mitml: D1 with infinite dfcom, D3 at the means of *all* parameters. mice: D1 with
            the residual df, D3 with the coefficients held and intercept and variance estimated anew in each data
            set; for linear and generalised linear models only, since for mixed models that is wrong (mice issue
            226).

        Returns
        -------
        FTest
            Statistic, its two degrees of freedom and p-value.

        Raises
        ------
        PoolError
            If the models are not nested or their numbers of data sets differ.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> nhanes = bmi.datasets.load("nhanes")
        >>> imputed = bmi.impute(nhanes, "chl ~ age + bmi", m=10, seed=1, progress=False)
        >>> full, null = imputed.with_("chl ~ age + bmi"), imputed.with_("chl ~ 1")
        >>> test = full.compare(null, "D1")
        >>> test.terms, test.df1, test.m
        (('age', 'bmi'), 2.0, 10)
        """
        if not isinstance(null, Analyses) or null.m != self.m:
            raise PoolError(f"null must be the smaller model's Analyses of the same {self.m} data sets")
        mine, theirs = _outcome(self.results[0]), _outcome(null.results[0])
        if mine != theirs and mine is not None and theirs is not None:
            raise PoolError(
                f"the models have different outcomes, {mine!r} and {theirs!r}: they are not nested"
            )
        return compare_fits(self, null, method, use=use, ariv=ariv, dfcom=dfcom, convention=convention)

    def __len__(self) -> int:
        return self.m

    def __iter__(self) -> Iterator[Any]:
        return iter(self.results)

    def __getitem__(self, i: int) -> Any:
        return self.results[i]

    def __repr__(self) -> str:
        terms = ", ".join(str(term) for term in self.extracts[0].estimates.index)
        kind = type(self.results[0]).__name__.removesuffix("Wrapper")
        lines = [f"Analyses of m = {self.m} completed data sets ({kind}): {terms}"]
        return "\n".join(
            lines + [f"  {notice}" for notice in self.notices[:5]] + ["  …"] * (len(self.notices) > 5)
        )

    def _smallest(self, dfs: Sequence[float | Mapping[str, float]]) -> dict[str, float]:
        """Per term, the smallest df over the data sets."""
        smallest: dict[str, float] = {}
        for one, df in zip(self.extracts, dfs, strict=True):
            for term in one.estimates.index:
                value = df[term] if isinstance(df, Mapping) else df
                smallest[term] = min(float(value), smallest.get(term, float("inf")))
        return {term: smallest[term] for term in self.extracts[0].estimates.index}


def _outcome(result: Any) -> str | None:
    """Name of what a statsmodels fit explains; None where it does not say."""
    name = getattr(getattr(result, "model", None), "endog_names", None)
    return name if isinstance(name, str) else None
