"""The trial as arrays: patients by visits, the arm and baseline of each patient, and the row of every outcome."""

from __future__ import annotations

import re
import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wide import constant_columns, first_known, occasion_order, place_rows, unit_codes
from bayesmi.data.wording import counted, did_you_mean, list_some, plain
from bayesmi.errors import BayesmiNotice, DataError, ModelError
from bayesmi.formula import Formula, parse
from bayesmi.trial.expand import expand_visits

__all__ = ["TrialData", "read_trial"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrialData:
    """n patients, J visits, A arms; made by `read_trial`.

    Attributes
    ----------
    frame : IncompleteFrame
        The long table, one row a patient and visit.
    formula : Formula
        Outcome ~ arm and baseline covariates; at each visit with coefficients of its own.
    outcome, subject, visit, arm : str
        Columns.
    subjects, visits, arms : tuple
        Labels; the control arm first.
    reference : ndarray of int, shape (A,)
        The arm that each arm refers to.
    rows : ndarray of int, shape (n, J)
        Position of each patient and visit in the long table.
    arm_of : ndarray of int, shape (n,)
        Arm of each patient.
    values : ndarray, shape (n, J)
        Outcomes, NaN where missing.
    baseline : DataFrame, n rows
        The arm (categories in the order of `arms`) and the covariates.
    columns : tuple of str
        Name of the outcome at each visit in the wide table that is modelled.
    notices : tuple of str
        What is worth knowing.
    """

    frame: IncompleteFrame
    formula: Formula
    outcome: str
    subject: str
    visit: str
    arm: str
    subjects: tuple[Hashable, ...]
    visits: tuple[Hashable, ...]
    arms: tuple[Hashable, ...]
    reference: NDArray[np.intp]
    rows: NDArray[np.intp]
    arm_of: NDArray[np.intp]
    values: Floats
    baseline: pd.DataFrame
    columns: tuple[str, ...]
    notices: tuple[str, ...]

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.subjects)

    @property
    def n_visits(self) -> int:
        """Number of visits, J."""
        return len(self.visits)

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Which outcomes were observed, (n, J)."""
        return np.isfinite(self.values)

    @property
    def covariates(self) -> tuple[str, ...]:
        """Baseline covariates."""
        return tuple(name for name in self.baseline.columns if name != self.arm)

    @property
    def incomplete(self) -> tuple[str, ...]:
        """Baseline covariates with missing values."""
        return tuple(name for name in self.covariates if self.baseline[name].isna().any())

    def from_long_codes(self, name: str, values: Floats) -> Floats:
        """Return a covariate's cells as the baseline codes them, from the codes of the long table."""
        return _recode(values, self.frame.columns[name].categories, self.baseline[name])

    def to_long_codes(self, name: str, values: Floats) -> Floats:
        """Return the other way."""
        categories = self.frame.columns[name].categories
        if categories is None:
            return np.array(values)
        place = {label: float(k) for k, label in enumerate(categories)}
        codes = np.array([place.get(label, np.nan) for label in self.baseline[name].cat.categories])
        return np.asarray(codes[np.asarray(values, dtype=np.intp)])


def _recode(values: Floats, categories: tuple[Hashable, ...] | None, column: pd.Series) -> Floats:
    """Translate codes into those of a categorical column."""
    if categories is None:
        return np.array(values)
    place = {label: float(k) for k, label in enumerate(column.cat.categories)}
    codes = np.array([place.get(label, np.nan) for label in categories])
    return np.asarray(codes[np.asarray(values, dtype=np.intp)])


def read_trial(
    formula: str,
    data: Any,
    *,
    subject: str,
    visit: str,
    arm: str,
    reference: Hashable | Mapping[Any, Any],
    control: Hashable | None = None,
    visits: Sequence[Hashable] | None = None,
    kinds: Mapping[str, str] | None = None,
) -> TrialData:
    """Read a long table; see `TrialModel` for the parameters."""
    parsed = parse(formula)
    outcome = _outcome(parsed, formula, arm)
    long = data if isinstance(data, pd.DataFrame) else None
    if long is None:
        if not hasattr(data, "to_pandas"):
            raise DataError(f"a trial is a pandas or polars table, not {type(data).__name__}")
        long = data.to_pandas()
    covariates = (
        sorted(parsed.variables - {arm}, key=[str(c) for c in long.columns].index)
        if _known(parsed, long)
        else []
    )
    for name in (subject, visit, arm, outcome):
        if name not in long.columns:
            raise DataError(f"no column {name!r}: {did_you_mean(name, [str(c) for c in long.columns])}")
    order = occasion_order(long[visit], visit, visits)
    if len(order) < 2:
        raise DataError(f"column {visit!r} has one visit only: a plain Model does for that")
    notices: list[str] = []
    expanded = expand_visits(long, subject=subject, visit=visit, visits=order)
    if len(expanded) > len(long):
        if data is not long:
            raise DataError(
                f"{counted(len(expanded) - len(long), 'visit')} of patients have no row: add them by "
                "bmi.trial.expand_visits(data.to_pandas(), …)"
            )
        notices.append(
            f"{counted(len(expanded) - len(long), 'row')} added for visits of patients that had none; rows are numbered anew"
        )
        data = long = expanded
    codes, units = unit_codes(long, subject)
    rows = place_rows(long, subject, visit, codes, len(units), order)
    constant = constant_columns(long, codes, [arm, *covariates])
    for name in (arm, *covariates):
        if name not in constant:
            raise DataError(
                f"column {name!r} {_varies(long, name, codes, units)}: it must be constant within a {subject}"
            )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        frame = IncompleteFrame.from_table(data, kinds={outcome: "continuous", **(kinds or {})})
    notices += frame.notices
    notices += frame.dtype_notices([outcome], [])
    values = frame.columns[outcome].values
    if len(np.unique(values[np.isfinite(values)])) == 2:
        notices += [
            f"outcome {outcome!r} has two values only: it is modelled as normal, which shares of patients are not"
        ]
    if frame.columns[outcome].absent.any():
        raise DataError(f"outcome {outcome!r} has cells that do not apply: take these rows out")
    arms, arm_of, labels = _arms(long, arm, codes, units, subject, reference, control)
    baseline = pd.DataFrame(
        {arm: pd.Categorical.from_codes(arm_of, pd.Index([str(label) for label in labels]))}
    )
    for name in covariates:
        baseline[name] = _covariate(first_known(long[name], codes, len(units)))
    columns = _column_names(outcome, order, list(baseline.columns))
    return TrialData(
        frame=frame,
        formula=parsed,
        outcome=outcome,
        subject=subject,
        visit=visit,
        arm=arm,
        subjects=tuple(units),
        visits=tuple(plain(value) for value in order),
        arms=tuple(labels),
        reference=arms,
        rows=rows,
        arm_of=arm_of,
        values=values[rows],
        baseline=baseline,
        columns=columns,
        notices=tuple(notices),
    )


def _outcome(formula: Formula, text: str, arm: str) -> str:
    """Check the formula of a trial and return its outcome."""
    if formula.response is None:
        raise ModelError(f"formula {text!r} has no outcome: write 'change ~ {arm} + baseline'")
    if formula.response.is_transformed or formula.response.trials is not None:
        raise ModelError(
            f"the outcome {formula.response} of a trial is a column of numbers: make it one first"
        )
    if formula.groups:
        raise ModelError(
            f"{formula.groups[0]} has no place in a trial's formula: the covariance of a patient's visits is unstructured"
        )
    if formula.offsets:
        raise ModelError("offset() has no place in a trial's formula: subtract it from the outcome")
    if not formula.intercept:
        raise ModelError("a trial's formula keeps its intercept: leave out the 0")
    if not any(term.variables == {arm} for term in formula.terms):
        raise ModelError(f"the formula lacks the arm: write '{formula.response.name} ~ {arm} + …'")
    return formula.response.name


def _known(formula: Formula, long: pd.DataFrame) -> bool:
    """Refuse names in the formula that the table does not have."""
    known = [str(name) for name in long.columns]
    for name in sorted(formula.variables):
        if name not in known:
            raise DataError(f"no column {name!r}: {did_you_mean(name, known)}")
    return True


def _varies(long: pd.DataFrame, name: str, codes: NDArray[np.intp], units: Sequence[Hashable]) -> str:
    """Say of whom a column varies."""
    spread = long[name].groupby(codes).nunique()
    who = units[int(np.argmax(spread.to_numpy() > 1))]
    return f"varies between the visits of {plain(who)!r}"


def _arms(
    long: pd.DataFrame,
    arm: str,
    codes: NDArray[np.intp],
    units: Sequence[Hashable],
    subject: str,
    reference: Any,
    control: Hashable | None,
) -> tuple[NDArray[np.intp], NDArray[np.intp], list[Hashable]]:
    """Return the reference of each arm, the arm of each patient and the arms, control first."""
    own = first_known(long[arm], codes, len(units))
    if own.isna().any():
        who = units[int(np.argmax(own.isna().to_numpy()))]
        raise DataError(f"column {arm!r} is missing for {subject} {plain(who)!r}: every patient is in an arm")
    labels = [plain(label) for label in own.tolist()]
    seen = list(own.cat.categories) if isinstance(own.dtype, pd.CategoricalDtype) else sorted(set(labels))
    seen = [plain(label) for label in seen if plain(label) in set(labels)]
    if len(seen) < 2:
        raise DataError(
            f"column {arm!r} has one arm only, {seen[0]!r}: there is nothing to compare or to refer to"
        )
    refers = dict(reference) if isinstance(reference, Mapping) else dict.fromkeys(seen, reference)
    for a in seen:
        if a not in refers:
            raise ModelError(f"reference= says nothing of arm {a!r}: the arms are {list_some(seen)}")
    for a, r in refers.items():
        for label in (a, r):
            if label not in seen:
                raise ModelError(
                    f"reference= names {label!r}, which is no arm: the arms are {list_some(seen)}"
                )
    if control is None:
        among = [a for a in seen if refers[a] == a]
        if len(among) != 1:
            raise ModelError(f"say control=, the arm that others are compared with: one of {list_some(seen)}")
        control = among[0]
    elif control not in seen:
        raise ModelError(f"control={control!r} is no arm: the arms are {list_some(seen)}")
    order = [control, *(label for label in seen if label != control)]
    if len({str(label) for label in order}) < len(order):
        raise DataError(f"two arms of column {arm!r} are spelled alike: {list_some(order)}")
    place = {label: i for i, label in enumerate(order)}
    refs = np.array([place[refers[label]] for label in order], dtype=np.intp)
    return refs, np.array([place[label] for label in labels], dtype=np.intp), order


def _covariate(column: pd.Series) -> pd.Series:
    """Return a covariate so that every part of the table codes it alike: text as categories."""
    if column.dtype.kind in "biuf" or isinstance(column.dtype, pd.CategoricalDtype):
        return column
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return column
    return pd.Series(pd.Categorical(column, sorted(set(column.dropna().tolist()))), name=column.name)


def _column_names(outcome: str, visits: Sequence[Hashable], taken: Sequence[str]) -> tuple[str, ...]:
    """Return plain, distinct names of the outcome at each visit."""
    names: list[str] = []
    for j, visit in enumerate(visits):
        name = re.sub(r"\W", "_", f"{outcome}_{plain(visit)}")
        if not re.match(r"[A-Za-z]", name):
            name = f"y_{name}"
        if name in names or name in taken:
            name = f"{name}_{j + 1}"
        names.append(name)
    return tuple(names)
