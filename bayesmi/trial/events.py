"""Intercurrent events: for each patient the first affected visit and the strategy from there on."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.polars_table import is_polars
from bayesmi.data.wide import occasion_order, place_rows, unit_codes
from bayesmi.data.wording import did_you_mean, list_some, plain
from bayesmi.errors import DataError, ModelError
from bayesmi.trial.strategies import MAR, strategy_name

__all__ = ["Events", "StrategyChoice", "dropouts", "last_observed", "read_events"]

StrategyChoice = str | Mapping[Any, str] | pd.Series | None


@dataclass(frozen=True, eq=False)
class Events:
    """One event a patient at most.

    Attributes
    ----------
    first : ndarray of int, shape (n,)
        First affected visit; J where there is no event.
    strategies : tuple of str
        By patient; MAR where there is no event.

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
    >>> model.events.first[:9].tolist()  # two visits: 2 is no event
    [1, 1, 1, 1, 1, 1, 1, 1, 2]
    >>> model.events.strategies[:9]
    ('J2R', 'J2R', 'J2R', 'J2R', 'J2R', 'J2R', 'J2R', 'J2R', 'MAR')
    """

    first: NDArray[np.intp]
    strategies: tuple[str, ...]

    def after(self, n_visits: int) -> NDArray[np.bool_]:
        """Return which visits are at or after the event, (n, J).

        Parameters
        ----------
        n_visits : int
            J.

        Returns
        -------
        ndarray of bool, shape (n, J)

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
        >>> model.events.after(2)[[0, 20]].tolist()
        [[False, True], [False, False]]
        """
        return np.arange(n_visits) >= self.first[:, None]

    def not_at_random(self, n_visits: int) -> NDArray[np.bool_]:
        """Return which visits are at or after an event with another strategy than MAR, (n, J).

        Parameters
        ----------
        n_visits : int
            J.

        Returns
        -------
        ndarray of bool, shape (n, J)

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
        >>> int(model.events.not_at_random(2).sum())
        8
        >>> int(model.events_with("MAR").not_at_random(2).sum())
        0
        """
        other = np.array([name != MAR for name in self.strategies])
        return self.after(n_visits) & other[:, None]

    def with_strategies(
        self,
        choice: StrategyChoice,
        *,
        subjects: Sequence[Hashable],
        arms: Sequence[Hashable],
        arm: NDArray[np.intp],
        n_visits: int,
        observed: NDArray[np.bool_],
    ) -> Events:
        """Return the events under other strategies.

        Parameters
        ----------
        choice : str, mapping by arm, Series by patient, or None
            None keeps them. Arms and patients that are not named keep theirs.
        subjects, arms, arm
            Labels of the patients and arms, and the arm of each patient.
        n_visits : int
            J.
        observed : ndarray of bool, shape (n, J)
            Which outcomes were observed.

        Returns
        -------
        Events
            New ones; these stay as they are.

        Raises
        ------
        ModelError
            If a patient with outcomes after the event would change to or from MAR: the model was fitted with or
            without them.

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
        >>> trial = model.data
        >>> other = model.events.with_strategies(
        ...     {"active": "CIR"}, subjects=trial.subjects, arms=trial.arms, arm=trial.arm_of, n_visits=2, observed=trial.observed
        ... )
        >>> other.strategies[:3]
        ('CIR', 'J2R', 'CIR')
        """
        if choice is None:
            return self
        new = list(self.strategies)
        has_event = self.first < n_visits
        if isinstance(choice, str):
            named = dict.fromkeys(range(len(subjects)), choice)
        elif isinstance(choice, pd.Series):
            named = _by_label(choice.to_dict(), subjects, "patient")
            without = [subjects[i] for i in named if not has_event[i]]
            if without:
                raise ModelError(
                    f"patient {plain(without[0])!r} has no intercurrent event to give a strategy to"
                )
        elif isinstance(choice, Mapping):
            by_arm = _by_label(choice, arms, "arm")
            named = {i: by_arm[a] for i, a in enumerate(arm.tolist()) if a in by_arm}
        else:
            raise ModelError(f"strategy= is a name, a mapping by arm or a Series by patient, not {choice!r}")
        seen_after = (self.after(n_visits) & observed).any(axis=1)
        for i, name in named.items():
            strategy = strategy_name(name)
            if not has_event[i]:
                continue
            if seen_after[i] and (strategy == MAR) != (new[i] == MAR):
                was = "with" if new[i] == MAR else "without"
                raise ModelError(
                    f"patient {plain(subjects[i])!r} has outcomes after the event and the model was fitted {was} them: give "
                    f"the strategy {strategy!r} to TrialModel and fit again"
                )
            new[i] = strategy
        return Events(self.first, tuple(new))


def dropouts(
    data: Any,
    *,
    subject: str,
    visit: str,
    outcome: str,
    visits: Sequence[Hashable] | None = None,
) -> pd.DataFrame:
    """Return an event for each patient who drops out: the visit after the last observed outcome.

    Parameters
    ----------
    data : pandas.DataFrame or polars.DataFrame
        One row a patient and visit; visits without a row count as missing.
    subject, visit, outcome : str
        Columns.
    visits : sequence, optional
        The visits in order.

    Returns
    -------
    DataFrame
        Columns `subject` and `visit`, ready for ``TrialModel(events=...)``; a hole before the last observed
        outcome is no event.

    Examples
    --------
    >>> import bayesmi as bmi, pandas as pd
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2], "visit": [1, 2, 1, 2], "y": [0.5, None, None, 0.2]})
    >>> bmi.trial.dropouts(data, subject="id", visit="visit", outcome="y")
       id  visit
    0   1      2
    """
    if is_polars(data):
        data = data.to_pandas()
    order = occasion_order(data[visit], visit, visits)
    codes, units = unit_codes(data, subject)
    rows = place_rows(data, subject, visit, codes, len(units), order)
    seen = (rows >= 0) & data[outcome].notna().to_numpy()[np.maximum(rows, 0)]
    first = last_observed(seen) + 1
    gone = np.flatnonzero(first < len(order))
    return pd.DataFrame({subject: [units[i] for i in gone], visit: [order[first[i]] for i in gone]})


def last_observed(observed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the last visit with an outcome, (n,), -1 where there is none."""
    n_visits = observed.shape[1]
    return np.where(observed.any(axis=1), n_visits - 1 - observed[:, ::-1].argmax(axis=1), -1).astype(np.intp)


def read_events(
    events: Any,
    *,
    subject: str,
    visit: str,
    subjects: Sequence[Hashable],
    visits: Sequence[Hashable],
    strategy: str,
    observed: NDArray[np.bool_],
) -> Events:
    """Read the events of a model: a table, "dropout", or none."""
    strategy = strategy_name(strategy)
    n, n_visits = observed.shape
    first = np.full(n, n_visits, dtype=np.intp)
    names = [MAR] * n
    if events is None:
        if strategy != MAR:
            raise ModelError(
                f"strategy={strategy!r} needs events: events='dropout', or a table with {subject} and {visit}"
            )
        return Events(first, tuple(names))
    if isinstance(events, str):
        if events != "dropout":
            raise ModelError(f"events= is a table, 'dropout' or None, not {events!r}")
        first = last_observed(observed) + 1
        return Events(first, tuple(strategy if at < n_visits else MAR for at in first.tolist()))
    if is_polars(events):
        events = events.to_pandas()
    if not isinstance(events, pd.DataFrame):
        raise ModelError(
            f"events= is a table with {subject} and {visit}, 'dropout' or None, not {type(events).__name__}"
        )
    for name in (subject, visit):
        if name not in events.columns:
            raise DataError(
                f"events= has no column {name!r}: {did_you_mean(name, [str(c) for c in events.columns])}"
            )
    unit = {label: i for i, label in enumerate(subjects)}
    place = {label: j for j, label in enumerate(visits)}
    own = events["strategy"].tolist() if "strategy" in events.columns else [strategy] * len(events)
    for who, when, how in zip(events[subject].tolist(), events[visit].tolist(), own, strict=True):
        if who not in unit:
            raise DataError(f"events= names {subject} {who!r}, who is not in the table")
        if when not in place:
            raise DataError(
                f"events= has {visit} {when!r} for {subject} {who!r}; the visits are {list_some(visits)}"
            )
        if first[unit[who]] < n_visits:
            raise DataError(f"events= has two rows for {subject} {who!r}: a patient has one event, the first")
        first[unit[who]] = place[when]
        names[unit[who]] = strategy_name(how)
    return Events(first, tuple(names))


def _by_label(given: Mapping[Any, Any], labels: Sequence[Hashable], what: str) -> dict[int, Any]:
    """Translate labels into positions."""
    place = {label: i for i, label in enumerate(labels)}
    unknown = [key for key in given if key not in place]
    if unknown:
        raise ModelError(f"strategy= names the {what} {plain(unknown[0])!r}; known are {list_some(labels)}")
    return {place[key]: value for key, value in given.items()}
