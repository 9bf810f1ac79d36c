"""Analysis of covariance by visit: differences from the control arm and least-squares means."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.wording import list_some, plain
from bayesmi.errors import AnalysisError, ModelError
from bayesmi.trial.design import ArmDesign, arm_design
from bayesmi.trial.layout import TrialData

__all__ = ["Ancova", "make_ancova", "term_names"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Design (n, q), contrasts (terms of a visit, q), (X'X)⁻¹ and residual degrees of freedom."""

    matrix: Floats
    contrasts: Floats
    inverse: Floats
    df: int


@dataclass(frozen=True, eq=False)
class Ancova:
    """A least-squares regression of the outcome on arm and covariates at each visit; call it on a completed table.

    Attributes
    ----------
    data : TrialData
        The trial.
    design : ArmDesign
        Columns of the regression.
    visits : tuple of int
        Positions of the visits analysed.
    delta : ndarray, shape (n, J), or None
        Added to the outcomes before the analysis, the observed ones too.

    Notes
    -----
    Least-squares means are averages of the predictions for all patients put into the arm ("counterfactual" weights),
    an arm's effect is its mean less that of the control arm. Without interactions of the arm that is its coefficient.

    Examples
    --------
    >>> import bayesmi as bmi, numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
    >>> y[:8, 1] = np.nan
    >>> arm = np.repeat(["active", "placebo"] * 30, 2)
    >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
    >>> model = bmi.trial.TrialModel(
    ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
    ... )
    >>> ancova = model.ancova()
    >>> ancova.terms[:3]
    ('active - placebo at 4', 'mean placebo at 4', 'mean active at 4')
    >>> list(ancova(data.fillna({"y": 0.0})).columns)
    ['term', 'estimate', 'std.error', 'df']
    """

    data: TrialData
    design: ArmDesign
    visits: tuple[int, ...]
    delta: Floats | None = None

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the estimates: ``DRUG - PLACEBO at 7``, ``mean DRUG at 7``."""
        return term_names(self.data, self.visits)

    def __call__(self, completed: Any) -> pd.DataFrame:
        """Analyse a completed long table; return a tidy table with term, estimate, std.error and df."""
        table = completed if isinstance(completed, pd.DataFrame) else completed.to_pandas()
        if len(table) != self.data.frame.n_rows:
            raise AnalysisError(
                f"the table has {len(table)} rows and the trial {self.data.frame.n_rows}: analyse a completed table as it is"
            )
        outcomes = table[self.data.outcome].to_numpy(dtype=float, na_value=np.nan)[self.data.rows]
        values: dict[str, Floats] = {self.data.arm: self.data.arm_of.astype(float)}
        for name in self.data.covariates:
            own = table[name].iloc[self.data.rows[:, 0]]
            dtype = self.data.baseline[name].dtype
            if isinstance(dtype, pd.CategoricalDtype):
                codes = pd.Categorical(own, dtype.categories).codes.astype(float)
                values[name] = np.where(codes < 0, np.nan, codes)
            else:
                values[name] = own.to_numpy(dtype=float, na_value=np.nan)
        return self.analyse(outcomes, values)

    def analyse(self, outcomes: Floats, values: Mapping[str, Floats]) -> pd.DataFrame:
        """Analyse outcomes, (n, J), given baseline values, (n,) each.

        Parameters
        ----------
        outcomes : ndarray, shape (n, J)
            Complete outcomes of the patients.
        values : mapping of str to ndarray, shape (n,)
            Arm (codes) and covariates.

        Returns
        -------
        DataFrame
            term, estimate, std.error, df.

        Raises
        ------
        AnalysisError
            If something is missing, or columns cannot be told apart.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
        ... )
        >>> table = model.ancova().analyse(np.nan_to_num(y), {"arm": model.data.arm_of.astype(float)})
        >>> table.shape, float(table["df"].iloc[0])
        ((6, 4), 58.0)
        """
        return self.estimates(outcomes, self.prepare(values))

    def prepare(self, values: Mapping[str, Floats]) -> Prepared:
        """Return what the regressions of all visits share, given baseline values, (n,) each.

        Parameters
        ----------
        values : mapping of str to ndarray, shape (n,)
            Arm (codes) and covariates.

        Returns
        -------
        Prepared
            For `estimates` and `moments`.

        Raises
        ------
        AnalysisError
            If a covariate is missing, or columns cannot be told apart.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
        ... )
        >>> shared = model.ancova().prepare({"arm": model.data.arm_of.astype(float)})
        >>> shared.matrix.shape, shared.df
        ((60, 2), 58)
        """
        matrix = self.design.matrix(values)
        if not np.isfinite(matrix).all():
            raise AnalysisError("a covariate is missing: analyse completed data")
        df = len(matrix) - matrix.shape[1]
        if df < 1 or np.linalg.matrix_rank(matrix) < matrix.shape[1]:
            raise AnalysisError(
                f"the columns {list_some(self.design.names)} cannot be told apart: leave a covariate out of the analysis"
            )
        return Prepared(matrix, self.contrasts(values), np.linalg.inv(matrix.T @ matrix), df)

    def estimates(self, outcomes: Floats, shared: Prepared) -> pd.DataFrame:
        """Return the tidy table of outcomes, (n, J).

        Parameters
        ----------
        outcomes : ndarray, shape (n, J)
            Complete outcomes of the patients.
        shared : Prepared
            Of `prepare`.

        Returns
        -------
        DataFrame
            term, estimate, std.error, df.

        Raises
        ------
        AnalysisError
            If an outcome is missing.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
        ... )
        >>> ancova = model.ancova()
        >>> shared = ancova.prepare({"arm": model.data.arm_of.astype(float)})
        >>> ancova.estimates(np.nan_to_num(y), shared)["term"].tolist()[:2]
        ['active - placebo at 4', 'mean placebo at 4']
        """
        estimates, covariance = self.moments(outcomes, shared)
        return pd.DataFrame(
            {
                "term": self.terms,
                "estimate": estimates,
                "std.error": np.sqrt(np.diagonal(covariance)),
                "df": float(shared.df),
            }
        )

    def moments(self, outcomes: Floats, shared: Prepared) -> tuple[Floats, Floats]:
        """Return estimates (terms,) and their covariance (terms, terms), also between visits.

        The regressions of all visits have the same columns, so that coefficients of two visits have covariance (X'X)⁻¹ times
        that of their residuals.

        Parameters
        ----------
        outcomes : ndarray, shape (n, J)
            Complete outcomes of the patients.
        shared : Prepared
            Of `prepare`.

        Returns
        -------
        estimates, covariance : ndarray
            Shapes (terms,) and (terms, terms).

        Raises
        ------
        AnalysisError
            If an outcome is missing.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
        ... )
        >>> ancova = model.ancova()
        >>> shared = ancova.prepare({"arm": model.data.arm_of.astype(float)})
        >>> estimates, covariance = ancova.moments(np.nan_to_num(y), shared)
        >>> estimates.shape, covariance.shape
        ((6,), (6, 6))
        """
        y = outcomes if self.delta is None else outcomes + self.delta
        y = y[:, list(self.visits)]
        if not np.isfinite(y).all():
            raise AnalysisError(f"outcome {self.data.outcome!r} has missing values: analyse completed data")
        beta = shared.inverse @ (shared.matrix.T @ y)
        residual = y - shared.matrix @ beta
        spread = shared.contrasts @ shared.inverse @ shared.contrasts.T
        covariance = np.asarray(np.kron(residual.T @ residual / shared.df, spread))
        return np.asarray((shared.contrasts @ beta).T.ravel()), covariance

    def contrasts(self, values: Mapping[str, Floats], weights: Floats | None = None) -> Floats:
        """Return the contrasts of the coefficients: A - 1 differences, then A means, (2 A - 1, q).

        Parameters
        ----------
        values : mapping
            Baseline values, (n,) each.
        weights : ndarray, shape (n,), optional
            Of the patients; by default equal.

        Returns
        -------
        ndarray, shape (2 A - 1, q)
            A row a difference or mean, a column a coefficient.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
        ... )
        >>> model.ancova().contrasts({"arm": model.data.arm_of.astype(float)}).round(6).tolist()
        [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
        """
        means = np.array(
            [
                np.average(self.design.matrix(values, arm), axis=0, weights=weights)
                for arm in range(len(self.data.arms))
            ]
        )
        return np.concatenate([means[1:] - means[0], means])


def make_ancova(
    data: TrialData,
    formula: str | None = None,
    visits: Sequence[Hashable] | None = None,
    delta: Floats | None = None,
) -> Ancova:
    """Return the analysis of a trial; by default with the trial's own formula at every visit."""
    chosen = list(data.visits) if visits is None else list(visits)
    for visit in chosen:
        if visit not in data.visits:
            raise ModelError(f"visits= names {plain(visit)!r}; the visits are {list_some(data.visits)}")
    if not chosen:
        raise ModelError(f"visits= is empty; the visits are {list_some(data.visits)}")
    return Ancova(data, arm_design(data, formula), tuple(data.visits.index(visit) for visit in chosen), delta)


def term_names(data: TrialData, visits: Sequence[int]) -> tuple[str, ...]:
    """Return the names of differences and means at these visits."""
    control, *others = (str(label) for label in data.arms)
    names = []
    for j in visits:
        names += [f"{arm} - {control} at {data.visits[j]}" for arm in others]
        names += [f"mean {arm} at {data.visits[j]}" for arm in (control, *others)]
    return tuple(names)
