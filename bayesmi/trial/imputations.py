"""Completed data sets of a trial: `Imputations` that know the arms, the visits and the analysis by visit."""

from __future__ import annotations

import os
import warnings
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.adapters.extract import Extract
from bayesmi.errors import BayesmiNotice, ModelError
from bayesmi.imputations import Imputations, StoredDraws
from bayesmi.trial.ancova import make_ancova
from bayesmi.trial.delta import realised_difference
from bayesmi.trial.design import baseline_values
from bayesmi.trial.events import Events

if TYPE_CHECKING:
    from bayesmi.analyses import Analyses
    from bayesmi.trial.model import TrialModel

__all__ = ["TrialImputations"]

Floats = NDArray[np.float64]


class TrialImputations(Imputations):
    """m completed long tables of a trial; made by `TrialFit.impute`.

    Everything of `Imputations`, and `ancova` and `realised_difference`.

    Parameters
    ----------
    frame, draws, formula, families, seed, integer_valued, gate, mids
        As in `Imputations`; `of` makes them of a trial.

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
    >>> fit = model.fit(seed=1, progress=False)
    >>> imputed = fit.impute(10)
    >>> imputed.m, imputed.names
    (10, ('y',))
    >>> imputed.strategies.value_counts().to_dict()
    {'MAR': 52, 'J2R': 8}
    """

    _trial: TrialModel
    _events: Events
    _shift: Floats | None

    @classmethod
    def of(
        cls,
        model: TrialModel,
        events: Events,
        draws: StoredDraws,
        shift: Floats | None,
        seed: int,
        gate: str,
    ) -> Self:
        """Make them of draws.

        Parameters
        ----------
        model : TrialModel
            The trial.
        events : Events
            With the strategies that were used.
        draws : StoredDraws
            Values of the missing cells.
        shift : ndarray, shape (n, J), or None
            What delta added.
        seed : int
            The seed of the draws.
        gate : str
            Verdict on the posterior.

        Returns
        -------
        TrialImputations

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
        >>> from bayesmi.imputations import StoredDraws
        >>> draws = StoredDraws({"y": np.zeros((2, 8))}, ((0, 0), (0, 1)))
        >>> bmi.trial.TrialImputations.of(model, model.events, draws, None, 1, "by hand").m
        2
        """
        data = model.data
        families = {data.outcome: "gaussian"}
        families |= {
            f.variable: f.family.name
            for joint in model.models
            for f in joint.factors
            if f.variable in data.incomplete
        }
        whole = {f.variable for joint in model.models for f in joint.factors if f.family.integer_valued}
        made = cls(
            data.frame,
            draws,
            formula=str(data.formula),
            families=families,
            seed=seed,
            integer_valued=frozenset(whole & set(data.incomplete)),
            gate=gate,
        )
        made._trial, made._events, made._shift = model, events, shift
        return made

    @property
    def strategies(self) -> pd.Series:
        """Strategy of each patient; MAR without an event."""
        data = self._trial.data
        return pd.Series(
            self._events.strategies, index=pd.Index(data.subjects, name=data.subject), name="strategy"
        )

    def ancova(self, formula: str | None = None, *, visits: Sequence[Hashable] | None = None) -> Analyses:
        """Analyse covariance by visit in every completed table.

        Parameters
        ----------
        formula : str, optional
            By default the trial's own.
        visits : sequence, optional
            By default all.

        Returns
        -------
        Analyses
            Differences from the control arm and least-squares means; ``.pool()`` combines them by Rubin's rules.

        Raises
        ------
        ModelError
            If a visit or a variable of the formula is not in the trial.
        AnalysisError
            If covariates cannot be told apart.

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
        >>> fit = model.fit(seed=1, progress=False)
        >>> imputed = fit.impute(10)
        >>> list(imputed.ancova(visits=[8]).pool().terms)
        ['active - placebo at 8', 'mean placebo at 8', 'mean active at 8']
        """
        from bayesmi.analyses import Analyses

        data = self._trial.data
        analysis = make_ancova(data, formula, visits)
        _, known = baseline_values(data)
        n = data.frame.n_rows
        patient = np.empty(n, dtype=np.intp)
        patient[data.rows] = np.arange(data.n)[:, None]
        gone = data.frame.columns[data.outcome].missing
        where = {name: data.frame.columns[name].missing for name in data.incomplete}
        shared = None if where else analysis.prepare(known)
        results, extracts = [], []
        index = pd.Index(analysis.terms)
        for i in range(self.m):
            cells = self._cells_of(i)
            long = np.empty(n)
            long[data.rows] = data.values
            if gone.any():
                long[gone] = cells[data.outcome]
            values = dict(known)
            for name, holes in where.items():
                own = values[name].copy()
                own[patient[holes]] = data.from_long_codes(name, cells[name])
                values[name] = own
            prepared = shared or analysis.prepare(values)
            estimates, covariance = analysis.moments(long[data.rows], prepared)
            results.append((estimates, covariance))
            extracts.append(
                Extract(
                    pd.Series(estimates, index=index),
                    pd.DataFrame(covariance, index=index, columns=index),
                    dfcom=float(prepared.df),
                    n_obs=data.n,
                )
            )
        return Analyses(tuple(results), tuple(extracts))

    def save(self, path: str | os.PathLike[str], force: bool = False) -> None:
        """Save the completed tables; the trial is not in the file, which loads as plain `Imputations`.

        `TrialFit.save` keeps the trial, and the same imputations come out of it again by their seed.

        Parameters
        ----------
        path, force
            As in `Imputations.save`.

        Raises
        ------
        DataError
            If the file exists, or a column cannot be stored without change.

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
        >>> fit = model.fit(seed=1, progress=False)
        >>> imputed = fit.impute(10)
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "imputed.bmi"
        ...     imputed.save(path)
        ...     again = bmi.load(path)
        >>> again.complete("long").equals(imputed.complete("long"))
        True
        """
        warnings.warn(
            "the file holds the completed tables and not the trial: ancova() and realised_difference() come back with the fit's "
            "save(), which repeats these imputations by their seed",
            BayesmiNotice,
            stacklevel=2,
        )
        super().save(path, force)

    def realised_difference(self, by: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Return what delta comes to, by arm and visit: the mean shift of imputed outcomes and of the arm's mean.

        Parameters
        ----------
        by : None
            Arm and visit; there are no others in a trial.

        Returns
        -------
        DataFrame
            Indexed by arm and visit: patients, imputed, shift, arm_mean.

        Raises
        ------
        ModelError
            If `by` is given.

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
        >>> fit = model.fit(seed=1, progress=False)
        >>> moved = fit.impute(5, delta=model.delta_template(3.0)).realised_difference()
        >>> float(moved.loc[("active", 8), "shift"])
        3.0
        """
        if by is not None:
            raise ModelError("by= is the arm and the visit in a trial: leave it out")
        return realised_difference(self._trial.data, self._shift)
