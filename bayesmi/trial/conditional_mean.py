"""Conditional mean imputation: one completed table, standard errors by leaving out each patient in turn."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from bayesmi.errors import BayesmiNotice, FitError, ModelError
from bayesmi.progress import shown
from bayesmi.trial.ancova import Ancova, make_ancova
from bayesmi.trial.baseline_means import at_means, baseline_notices
from bayesmi.trial.conditional import Moments, PatientGroup, fill_means, group_patients
from bayesmi.trial.delta import Delta, read_delta
from bayesmi.trial.design import ArmDesign, arm_design, baseline_values
from bayesmi.trial.events import Events, StrategyChoice
from bayesmi.trial.mmrm import Mmrm, PatternSums, fit_mmrm, pattern_sums

if TYPE_CHECKING:
    from bayesmi.trial.model import TrialModel

__all__ = ["ConditionalMean", "conditional_mean"]

Floats = NDArray[np.float64]
Variance = Literal["jackknife", "information-anchored"]


@dataclass(frozen=True, eq=False, repr=False)
class ConditionalMean:
    """The estimates of one data set completed by conditional means; made by `TrialModel.conditional_mean`.

    Attributes
    ----------
    table : DataFrame
        Indexed by term: estimate, std.error, statistic, p.value, conf.low, conf.high (normal, 95 %).
    replicates : DataFrame, shape (n, terms)
        The estimates without each patient.
    completed : DataFrame
        The long table with missing outcomes at their conditional means: not for any other analysis, since a mean
        varies less than an outcome.
    variance : str
        "jackknife" or "information-anchored".
    strategies : tuple of str
        In use.

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
    >>> found = model.conditional_mean(progress=False)
    >>> found.variance, found.replicates.shape, found.table.index[0]
    ('jackknife', (60, 6), 'active - placebo at 4')
    >>> int(found.completed["y"].isna().sum())
    0
    """

    table: pd.DataFrame
    replicates: pd.DataFrame
    completed: Any
    variance: str
    strategies: tuple[str, ...]

    def __repr__(self) -> str:
        shown = self.table.round(4).to_string()
        return (
            f"Conditional mean imputation ({', '.join(self.strategies)}), {self.variance} variance\n\n{shown}"
        )


@dataclass(frozen=True, eq=False)
class _Part:
    """Patients who share a covariance: all of them, or an arm."""

    patients: NDArray[np.intp]
    arms: tuple[int, ...]
    sums: tuple[PatternSums, ...]
    estimate: Mmrm


@dataclass(frozen=True, eq=False)
class _Setting:
    """What all replicates share."""

    design: ArmDesign
    values: dict[str, Floats]
    own: Floats  # (n, q) design in the own arm
    by_arm: tuple[Floats, ...]  # A of (n, q)
    fitted: Floats  # (n, J) outcomes the model is fitted to
    outcomes: Floats  # (n, J)
    reml: bool


def conditional_mean(
    model: TrialModel,
    *,
    strategy: StrategyChoice = None,
    delta: Delta = None,
    variance: Variance = "jackknife",
    formula: str | None = None,
    visits: Sequence[Hashable] | None = None,
    reml: bool = True,
    n_jobs: int = 1,
    progress: bool = True,
) -> ConditionalMean:
    """See `TrialModel.conditional_mean`."""
    data = model.data
    if variance not in ("jackknife", "information-anchored"):
        raise ModelError(f"variance= is 'jackknife' or 'information-anchored', not {variance!r}")
    events = model.events_with(strategy)
    ancova = make_ancova(data, formula, visits)
    shift = read_delta(data, events, delta)
    setting = _setting(model, reml)
    for line in baseline_notices(data):
        warnings.warn(line, BayesmiNotice, stacklevel=3)
    parts = tuple(_parts(model, setting))
    groups = group_patients(data.observed, events, data.arm_of, data.reference)
    own = _completed(setting, parts, groups, data.reference, data.arm_of)
    whole = own if shift is None else own + shift
    estimate = ancova.analyse(whole, setting.values)["estimate"].to_numpy()
    if variance == "jackknife":
        replicate_groups, fixed = groups, shift
    else:
        at_random = Events(events.first, tuple("MAR" for _ in events.strategies))
        replicate_groups = group_patients(data.observed, at_random, data.arm_of, data.reference)
        fixed = whole - _completed(setting, parts, replicate_groups, data.reference, data.arm_of)
    tasks = (
        _Task(i, setting, parts, replicate_groups, fixed, ancova, data.reference, data.arm_of)
        for i in range(data.n)
    )
    replicates = np.array(list(shown(_run(tasks, n_jobs), data.n, progress, "leaving out each patient")))
    n = data.n
    errors = np.sqrt((n - 1) / n * ((replicates - replicates.mean(axis=0)) ** 2).sum(axis=0))
    gone = ~data.observed
    cells = np.full(data.frame.n_rows, np.nan)
    cells[data.rows[gone]] = whole[gone]
    missing = data.frame.columns[data.outcome].missing
    completed = data.frame.fill({data.outcome: cells[missing]})
    return ConditionalMean(
        _table(ancova.terms, estimate, errors),
        pd.DataFrame(
            replicates, columns=list(ancova.terms), index=pd.Index(data.subjects, name=data.subject)
        ),
        completed,
        variance,
        tuple(dict.fromkeys(events.strategies)),
    )


@dataclass(frozen=True, eq=False)
class _Task:
    """One replicate: everything without patient i."""

    i: int
    setting: _Setting
    parts: tuple[_Part, ...]
    groups: tuple[PatientGroup, ...]
    fixed: Floats | None
    ancova: Ancova
    reference: NDArray[np.intp]
    arm_of: NDArray[np.intp]

    def __call__(self) -> Floats:
        """Refit, impute and analyse."""
        i, setting = self.i, self.setting
        seen = np.flatnonzero(np.isfinite(setting.fitted[i]))
        parts = []
        for part in self.parts:
            if i in part.patients and seen.size:
                sums = []
                for own in part.sums:
                    if np.array_equal(own.visits, seen):
                        own = own.without(setting.own[i], setting.fitted[i, seen])
                    if own.n:
                        sums.append(own)
                try:
                    estimate = fit_mmrm(
                        sums, setting.fitted.shape[1], reml=setting.reml, start=part.estimate.covariance
                    )
                except (FitError, np.linalg.LinAlgError) as error:
                    raise FitError(
                        f"without patient {i + 1} of {len(setting.own)} the model cannot be fitted: {error}"
                    ) from None
                part = _Part(part.patients, part.arms, part.sums, estimate)
            parts.append(part)
        whole = _completed(setting, tuple(parts), self.groups, self.reference, self.arm_of)
        if self.fixed is not None:
            whole = whole + self.fixed
        keep = np.arange(len(whole)) != i
        values = {name: own[keep] for name, own in setting.values.items()}
        return np.asarray(self.ancova.analyse(whole[keep], values)["estimate"].to_numpy())


def _setting(model: TrialModel, reml: bool) -> _Setting:
    data = model.data
    design = arm_design(data)
    _, known = baseline_values(data)
    values = at_means(data, known)
    by_arm = tuple(design.matrix(values, arm) for arm in range(len(data.arms)))
    own = design.matrix(values)
    if model.covariance == "by arm":  # everything crossed with the arm: its own columns and no other's
        free = [j for j in range(own.shape[1]) if np.allclose(by_arm[0][:, j], by_arm[1][:, j])]
        free = [j for j in free if all(np.allclose(by_arm[0][:, j], other[:, j]) for other in by_arm)]
        own, by_arm = own[:, free], tuple(each[:, free] for each in by_arm)
    return _Setting(design, values, own, by_arm, model.fitted_outcomes, data.values, reml)


def _parts(model: TrialModel, setting: _Setting) -> Iterator[_Part]:
    data = model.data
    everyone = tuple(range(len(data.arms)))
    for arms in [everyone] if model.covariance == "common" else [(arm,) for arm in everyone]:
        patients = np.flatnonzero(np.isin(data.arm_of, arms))
        sums = pattern_sums(setting.own[patients], setting.fitted[patients])
        yield _Part(patients, arms, sums, fit_mmrm(sums, data.n_visits, reml=setting.reml))


def _completed(
    setting: _Setting,
    parts: tuple[_Part, ...],
    groups: tuple[PatientGroup, ...],
    reference: NDArray[np.intp],
    arm_of: NDArray[np.intp],
) -> Floats:
    """Return the outcomes with missing ones at their conditional means, (n, J)."""
    estimates = {arm: part.estimate for part in parts for arm in part.arms}
    means = [setting.by_arm[arm] @ estimates[arm].coefficients for arm in range(len(reference))]
    covariance = np.array([estimates[arm].covariance for arm in range(len(reference))])
    everyone = np.arange(len(arm_of))
    stacked = np.array(means)
    moments = Moments(
        stacked[arm_of, everyone][None], stacked[reference[arm_of], everyone][None], covariance[None]
    )
    return np.asarray(fill_means(groups, moments, setting.outcomes)[0])


def _run(tasks: Iterator[_Task], n_jobs: int) -> Iterator[Floats]:
    if n_jobs == 1:
        yield from (task() for task in tasks)
        return
    from joblib import Parallel, delayed

    yield from Parallel(n_jobs=n_jobs, return_as="generator")(delayed(_call)(task) for task in tasks)


def _call(task: _Task) -> Floats:
    return task()


def _table(terms: Sequence[str], estimate: Floats, errors: Floats) -> pd.DataFrame:
    z = np.divide(estimate, errors, out=np.full_like(estimate, np.nan), where=errors > 0)
    width = stats.norm.ppf(0.975) * errors
    return pd.DataFrame(
        {
            "estimate": estimate,
            "std.error": errors,
            "statistic": z,
            "p.value": 2 * stats.norm.sf(np.abs(z)),
            "conf.low": estimate - width,
            "conf.high": estimate + width,
        },
        index=pd.Index(terms, name="term"),
    )
