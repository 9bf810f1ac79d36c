"""TrialModel: a two-or-more-arm trial with repeated outcomes, as one joint model of all visits."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.wording import plain
from bayesmi.errors import BayesmiNotice, ModelError
from bayesmi.formula import Formula
from bayesmi.model import Model
from bayesmi.priors import Prior
from bayesmi.seeds import check_seed
from bayesmi.trial.ancova import Ancova, make_ancova
from bayesmi.trial.delta import Delta, delta_table, read_delta
from bayesmi.trial.events import Events, StrategyChoice, read_events
from bayesmi.trial.layout import TrialData, read_trial
from bayesmi.trial.strategies import MAR

if TYPE_CHECKING:
    from bayesmi.trial.conditional_mean import ConditionalMean
    from bayesmi.trial.fit import TrialFit

__all__ = ["TrialModel"]

Floats = NDArray[np.float64]
Covariance = Literal["common", "by arm"]


class TrialModel:
    """A mixed model for repeated measures with unstructured covariance, and what is assumed after intercurrent events.

    Parameters
    ----------
    formula : str
        Outcome ~ arm + baseline covariates, such as ``"change ~ arm + baseline"``. Every term has coefficients of its
        own at each visit; the visit is not written.
    data : pandas.DataFrame or polars.DataFrame
        One row a patient and visit. Visits without a row are added, with a notice.
    subject, visit, arm : str
        Columns of the patient, the visit and the arm.
    reference : label or mapping
        The arm that strategies refer to, or by arm the arm that each refers to.
    control : label, optional
        The arm that others are compared with; by default the reference.
    visits : sequence, optional
        The visits in order; by default categories in their order, numbers (also as text) sorted.
    events : table, "dropout" or None
        Intercurrent events: columns `subject`, `visit` (the first affected visit) and perhaps ``strategy``, one row a
        patient. "dropout" makes one of every drop-out. Missing outcomes of other patients, and before the event, are missing at
        random.
    strategy : str
        Of events without one: "MAR", "J2R", "CIR", "CR", "LMCF", or one of `register_strategy`.
    covariance : {"common", "by arm"}
        "by arm" gives each arm everything of its own: covariance, coefficients of covariates, models of
        incomplete covariates.
    kinds, families, formulas : mapping, optional
        Kinds of columns; families and formulas of incomplete covariates, as for `Model`.
    priors : mapping, optional
        `Prior` by the name of the posterior variable, such as ``{"change_5__change_4": …}``; ``print(model.models[0])`` has
        the names.

    Raises
    ------
    BayesmiError
        One line that names the column, patient or token at fault.

    Notes
    -----
    The joint normal distribution of J visits is written as the product of the regressions of each visit on the earlier ones
    f(y1 | arm, x) f(y2 | y1, arm, x) …: the same model, in the form that `Model` fits, with incomplete covariates in the
    same product. Outcomes observed after an event with another strategy than MAR do not enter the fit; imputations are
    conditional on them. Carpenter, Roger & Kenward (2013); Wolbers et al. (2022).

    Examples
    --------
    >>> import bayesmi as bmi, numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> y = rng.normal(size=(40, 1)) + rng.normal(size=(40, 2))
    >>> y[:6, 1] = np.nan
    >>> arm = np.repeat(np.tile(["active", "placebo"], 20), 2)
    >>> data = pd.DataFrame({"id": np.repeat(np.arange(40), 2), "week": [4, 8] * 40, "arm": arm, "y": y.ravel()})
    >>> model = bmi.trial.TrialModel(
    ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
    ... )
    >>> print(model)
    TrialModel of y ~ arm
      40 patients, 2 visits (4, 8), arms placebo (control, 20), active (20)
      covariance of visits unstructured, common to the arms
      missing outcomes: placebo 0, 3; active 0, 3
      intercurrent events: J2R 6
      joint density: f(y_8 | arm, y_4) · f(y_4 | arm)
    """

    def __init__(
        self,
        formula: str,
        data: Any,
        *,
        subject: str,
        visit: str,
        arm: str,
        reference: Hashable | Mapping[Any, Any],
        control: Hashable | None = None,
        visits: Sequence[Hashable] | None = None,
        events: pd.DataFrame | str | None = None,
        strategy: str = MAR,
        covariance: Covariance = "common",
        kinds: Mapping[str, str] | None = None,
        families: Mapping[str, str] | None = None,
        formulas: Mapping[str, str] | None = None,
        priors: Mapping[str, Prior] | None = None,
    ) -> None:
        if covariance not in ("common", "by arm"):
            raise ModelError(f"covariance= is 'common' or 'by arm', not {covariance!r}")
        self._data = read_trial(
            formula,
            data,
            subject=subject,
            visit=visit,
            arm=arm,
            reference=reference,
            control=control,
            visits=visits,
            kinds=kinds,
        )
        self._covariance: Covariance = covariance
        self._events = read_events(
            events,
            subject=subject,
            visit=visit,
            subjects=self._data.subjects,
            visits=self._data.visits,
            strategy=strategy,
            observed=self._data.observed,
        )
        hidden = self._events.not_at_random(self._data.n_visits)
        self._options: dict[str, Any] = {
            "kinds": kinds,
            "families": families,
            "formulas": formulas,
            "priors": priors,
        }
        self._fitted = np.where(hidden, np.nan, self._data.values)
        self._fitted.flags.writeable = False
        self._models = _joint_models(self._data, self._fitted, covariance, families, formulas, priors)
        left_out = int((hidden & self._data.observed).sum())
        self._notices = self._data.notices
        if left_out:
            self._notices += (
                f"{left_out} outcomes observed after an event with another strategy than MAR do not enter the fit; imputations "
                "are conditional on them",
            )
        for line in self._notices:
            warnings.warn(line, BayesmiNotice, stacklevel=2)

    @property
    def data(self) -> TrialData:
        """The trial as arrays."""
        return self._data

    @property
    def formula(self) -> Formula:
        """Outcome, arm and covariates."""
        return self._data.formula

    @property
    def events(self) -> Events:
        """Intercurrent events with their strategies."""
        return self._events

    @property
    def covariance(self) -> Covariance:
        """Whether arms share the covariance of visits."""
        return self._covariance

    @property
    def models(self) -> tuple[Model, ...]:
        """The joint models of the wide table: one, or one an arm."""
        return self._models

    @property
    def fitted_outcomes(self) -> Floats:
        """Outcomes that the model is fitted to, (n, J); NaN where missing or left out after an event."""
        return self._fitted

    @property
    def notices(self) -> tuple[str, ...]:
        """Remarks, one line each."""
        return self._notices

    def to_dict(self) -> dict[str, Any]:
        """Return the specification as plain data, events and strategies written out; the table is not in it.

        Returns
        -------
        dict
            Of strings, numbers, lists and dicts.

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
        >>> spec = model.to_dict()
        >>> spec["visits"], spec["control"], spec["events"][0]
        ([4, 8], 'placebo', [0, 8, 'J2R'])
        """
        data, own = self._data, self._options
        priors = {name: prior.to_dict() for name, prior in (own["priors"] or {}).items()}
        return {
            "formula": str(data.formula),
            "subject": data.subject,
            "visit": data.visit,
            "arm": data.arm,
            "reference": [[plain(data.arms[i]), plain(data.arms[j])] for i, j in enumerate(data.reference)],
            "control": plain(data.arms[0]),
            "visits": [plain(visit) for visit in data.visits],
            "events": [
                [plain(data.subjects[i]), plain(data.visits[first]), self._events.strategies[i]]
                for i, first in enumerate(self._events.first.tolist())
                if first < data.n_visits
            ],
            "covariance": self._covariance,
            **{name: dict(own[name] or {}) for name in ("kinds", "families", "formulas")},
            "priors": priors,
        }

    @classmethod
    def from_dict(cls, spec: Mapping[str, Any], data: Any) -> TrialModel:
        """Return the model of a specification that `to_dict` wrote and the long table.

        Parameters
        ----------
        spec : mapping
            What `to_dict` returned.
        data : DataFrame
            The long table.

        Returns
        -------
        TrialModel

        Raises
        ------
        ModelError
            If a strategy of its own is not registered in this session.

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
        >>> bmi.trial.TrialModel.from_dict(model.to_dict(), data).formula == model.formula
        True
        """
        rest = {
            key: value
            for key, value in spec.items()
            if key not in ("formula", "events", "reference", "priors")
        }
        columns = [spec["subject"], spec["visit"], "strategy"]
        return cls(
            spec["formula"],
            data,
            events=pd.DataFrame(spec["events"], columns=columns) if spec["events"] else None,
            reference=dict(spec["reference"]),
            priors={name: Prior.from_dict(dict(prior)) for name, prior in spec["priors"].items()},
            **rest,
        )

    def events_with(self, strategy: StrategyChoice) -> Events:
        """Return the events under other strategies: a name, a mapping by arm, a Series by patient.

        Parameters
        ----------
        strategy : str, mapping by arm, Series by patient, or None
            None keeps them.

        Returns
        -------
        Events

        Raises
        ------
        ModelError
            If an arm, patient or strategy is not known, or outcomes after the event forbid the change.

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
        >>> model.events_with({"active": "CR"}).strategies[:3]
        ('CR', 'J2R', 'CR')
        """
        data = self._data
        return self._events.with_strategies(
            strategy,
            subjects=data.subjects,
            arms=data.arms,
            arm=data.arm_of,
            n_visits=data.n_visits,
            observed=data.observed,
        )

    def fit(
        self,
        *,
        seed: int | None = None,
        draws: int = 1000,
        tune: int = 1000,
        chains: int = 4,
        cores: int | None = None,
        target_accept: float | None = None,
        sampler: str = "nutpie",
        progress: bool = True,
    ) -> TrialFit:
        """Sample the posterior; parameters as for `Model.fit`.

        Parameters
        ----------
        seed, draws, tune, chains, cores, target_accept, sampler, progress
            As for `Model.fit`.

        Returns
        -------
        TrialFit
            ``.impute(m)`` gives completed tables, ``.summary()`` the posterior of the treatment effect.

        Raises
        ------
        FitError
            If sampling cannot start, or an option is out of range.

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
        >>> fit.passed
        True
        """
        from bayesmi.trial.fit import fit_trial

        return fit_trial(
            self,
            seed=check_seed(seed),
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            target_accept=target_accept,
            sampler=sampler,
            progress=progress,
        )

    def ancova(
        self, formula: str | None = None, *, visits: Sequence[Hashable] | None = None, delta: Delta = None
    ) -> Ancova:
        """Return the analysis of covariance by visit, to run on any completed table of the trial.

        Parameters
        ----------
        formula : str, optional
            By default the trial's own.
        visits : sequence, optional
            By default all.
        delta : as for `TrialFit.impute`
            Added to outcomes before the analysis, also to observed ones after the event.

        Returns
        -------
        Ancova
            A function of a completed table, for ``imputed.analyze(model.ancova())``.

        Raises
        ------
        ModelError
            If a visit, a variable of the formula or an amount is not in the trial.

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
        >>> analyses = imputed.analyze(model.ancova(), progress=False)
        >>> bool((analyses.pool().table["estimate"] - imputed.ancova().pool().table["estimate"]).abs().max() < 1e-8)
        True
        """
        shift = read_delta(self._data, self._events, delta, observed_too=True)
        return make_ancova(self._data, formula, visits, shift)

    def delta_template(
        self,
        delta: float | Sequence[float] | Mapping[Any, Any] | None = None,
        dlag: Sequence[float] | None = None,
        *,
        missing_only: bool = True,
    ) -> pd.DataFrame:
        """Return shifts by patient and visit, to be edited and given to ``impute(delta=...)``.

        Parameters
        ----------
        delta : number, sequence of J numbers, or mapping by arm of these
            What is added at each visit. Arms that a mapping does not name have none.
        dlag : sequence of J numbers
            Multiples at the event, one visit after it, two visits after it, …; by default 1, 0, 0, …
        missing_only : bool
            Zero for observed outcomes after the event.

        Returns
        -------
        DataFrame
            Columns `subject`, `visit`, `arm`, strategy, is_missing, is_after_event, delta: the cumulative sum over the
            visits from the event on of delta at the visit times dlag at the lag.

        Raises
        ------
        ModelError
            If an arm is not in the trial, or there are not J numbers.

        Notes
        -----
        With the default dlag the shift of the event's visit stays to the end; with ``dlag=[1, 1, 1, …]`` it grows with each
        visit. Outcomes missing before the event or without one have none.

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
        >>> template = model.delta_template({"active": 2.0})
        >>> list(template.columns)
        ['id', 'week', 'arm', 'strategy', 'is_missing', 'is_after_event', 'delta']
        >>> template.loc[template["delta"] != 0, ["id", "week", "delta"]].head(2).to_dict("records")
        [{'id': 0, 'week': 8, 'delta': 2.0}, {'id': 2, 'week': 8, 'delta': 2.0}]
        """
        return delta_table(self._data, self._events, delta, dlag, missing_only=missing_only)

    def conditional_mean(
        self,
        *,
        strategy: StrategyChoice = None,
        delta: Delta = None,
        variance: Literal["jackknife", "information-anchored"] = "jackknife",
        formula: str | None = None,
        visits: Sequence[Hashable] | None = None,
        reml: bool = True,
        n_jobs: int = 1,
        progress: bool = True,
    ) -> ConditionalMean:
        """Impute conditional means at the maximum of the likelihood; standard errors by leaving out each patient.

        Parameters
        ----------
        strategy, delta : optional
            As for `TrialFit.impute`.
        variance : {"jackknife", "information-anchored"}
            "jackknife" is the frequentist variance. "information-anchored" is that of imputations under MAR shifted by what
            the strategy changes, the shift held fixed; Rubin's rules on random imputations give about the same.
        formula, visits : optional
            Of the analysis of covariance.
        reml : bool
            Restricted maximum likelihood, else plain.
        n_jobs : int
            Processes, -1 for all cores; the numbers do not depend on it.
        progress : bool
            Show progress where there is a terminal.

        Returns
        -------
        ConditionalMean
            No random number enters.

        Raises
        ------
        FitError
            If the likelihood has no maximum.

        Notes
        -----
        Missing baseline covariates are put at the mean of the patients with a value (categories at the most frequent one), with a
        notice. In a randomised trial any rule that looks neither at the arm nor at outcomes leaves the effect unbiased, and
        this one is close to efficient (White & Thompson 2005); ``fit().impute()`` draws them from the model instead. The
        jackknife holds these means fixed: with balanced arms the effect does not depend on them to first order.
        Wolbers, Noci, Delmar et al. (2022), Statistics in Biopharmaceutical Research; information anchoring: Cro, Carpenter
        & Kenward (2019).

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
        >>> found = model.conditional_mean(strategy="J2R", progress=False)
        >>> list(found.table.index)[:2]
        ['active - placebo at 4', 'mean placebo at 4']
        """
        from bayesmi.trial.conditional_mean import conditional_mean

        return conditional_mean(
            self,
            strategy=strategy,
            delta=delta,
            variance=variance,
            formula=formula,
            visits=visits,
            reml=reml,
            n_jobs=n_jobs,
            progress=progress,
        )

    def __repr__(self) -> str:
        from bayesmi.trial.text import trial_text

        return trial_text(self)


def _joint_models(
    data: TrialData,
    outcomes: Floats,
    covariance: Covariance,
    families: Mapping[str, str] | None,
    formulas: Mapping[str, str] | None,
    priors: Mapping[str, Prior] | None,
) -> tuple[Model, ...]:
    """Return the sequential regressions as joint models of the wide table: one, or one an arm."""
    wide = data.baseline.copy()
    for j, name in enumerate(data.columns):
        wide[name] = outcomes[:, j]
        if not np.isfinite(outcomes[:, j]).any():
            raise ModelError(
                f"nothing is observed at {data.visit} {data.visits[j]!r} that could be fitted to: leave it out"
            )
    terms = [str(term) for term in data.formula.terms]
    kinds = {name: str(data.frame.columns[name].kind) for name in data.covariates}
    kinds |= dict.fromkeys(data.columns, "continuous") | {data.arm: "nominal"}
    tables = [(wide, terms)]
    if covariance == "by arm":
        del kinds[data.arm]
        own = [str(term) for term in data.formula.terms if data.arm not in term.variables]
        tables = [
            (wide[data.arm_of == arm].drop(columns=data.arm).reset_index(drop=True), own)
            for arm in range(len(data.arms))
        ]
    models = []
    for table, right in tables:
        given = dict(formulas or {})
        for j, name in enumerate(data.columns[1:], start=1):
            given[name] = "~ " + " + ".join(["1", *right, *data.columns[:j]])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesmiNotice)
            models.append(
                Model(
                    f"{data.columns[0]} ~ " + " + ".join(["1", *right]),
                    table,
                    auxiliary=data.columns[1:],
                    order=data.columns[1:],
                    formulas=given,
                    families={**dict(families or {}), **dict.fromkeys(data.columns[1:], "gaussian")},
                    kinds={name: kind for name, kind in kinds.items() if kind != "identifier"},
                    priors=priors,
                )
            )
    return tuple(models)
