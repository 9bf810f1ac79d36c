"""Making a complete table incomplete, by a known mechanism."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesmi.ampute.blank import blank
from bayesmi.ampute.patterns import Plan, read_plan
from bayesmi.ampute.probabilities import Type, by_odds, by_type, sum_scores
from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import did_you_mean, list_some, name_rows
from bayesmi.errors import BayesmiNotice, DataError
from bayesmi.seeds import check_seed, stream

__all__ = ["Amputed", "ampute"]

_PURPOSE = 100  # of the random streams; the small numbers belong to the sampler and the imputations
_PATTERN, _MISSING = range(2)
_MECHANISMS = ("MCAR", "MAR", "MNAR")


@dataclass(frozen=True, eq=False)
class Amputed:
    """An incomplete table with the truth behind it; mice's ``mads``.

    Attributes
    ----------
    amp : DataFrame
        The incomplete table.
    data : DataFrame
        The complete table.
    prop : float
        Intended proportion of incomplete rows.
    patterns : DataFrame, shape (k, p)
        0 = missing, 1 = observed; patterns are numbered from 1.
    freq : ndarray, shape (k,)
        Share of the rows that are candidates for each pattern.
    mech : {"MCAR", "MAR", "MNAR"}
        Mechanism.
    weights : DataFrame, shape (k, p), or None
        Weights of the sum scores; None under MCAR.
    type : tuple of str, or None
        Form of the logistic probabilities by pattern; None under MCAR and with odds.
    odds : ndarray, shape (k, groups), or None
        Odds by quantile group of the sum scores.
    std : bool
        Whether columns were standardised before they were weighted.
    cand : ndarray of int, shape (n,)
        The pattern for which each row is a candidate, from 1.
    scores : ndarray, shape (n,)
        Standardised weighted sum score of each row among the candidates of its pattern; NaN under MCAR.
    probabilities : ndarray, shape (n,)
        Chance of each row to get the holes of its pattern.
    missing : ndarray of bool, shape (n, p)
        Cells made missing.
    seed : int
        Makes the same table again.
    notices : tuple of str
        Remarks.

    Examples
    --------
    >>> import bayesmi as bmi, numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame(rng.normal(size=(1000, 3)), columns=["x", "y", "z"])
    >>> made = bmi.ampute(table, prop=0.4, seed=1)
    >>> made.data.equals(table), made.mech, made.patterns.shape
    (True, 'MAR', (3, 3))
    >>> bool(abs(made.missing.any(axis=1).mean() - 0.4) < 0.05)
    True
    """

    amp: Any
    data: Any
    prop: float
    patterns: pd.DataFrame
    freq: NDArray[np.float64]
    mech: str
    weights: pd.DataFrame | None
    type: tuple[Type, ...] | None
    odds: NDArray[np.float64] | None
    std: bool
    cand: NDArray[np.intp]
    scores: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    missing: NDArray[np.bool_]
    seed: int
    notices: tuple[str, ...]

    @property
    def summary(self) -> pd.DataFrame:
        """By pattern: its variables, candidates, rows that got its holes, and their share of all rows."""
        table = self.patterns.copy()
        hit = self.missing.any(axis=1)
        numbers = np.arange(1, len(table) + 1)
        table["freq"] = self.freq
        table["candidates"] = [int((self.cand == k).sum()) for k in numbers]
        table["incomplete"] = [int((hit & (self.cand == k)).sum()) for k in numbers]
        table["share"] = table["incomplete"] / len(hit)
        return table

    def __repr__(self) -> str:
        rows, cells = self.missing.any(axis=1).mean(), self.missing.mean()
        lines = [
            f"{self.mech}: {rows:.1%} of {len(self.missing)} rows incomplete (intended {self.prop:.1%}), {cells:.1%} of cells "
            f"missing; seed {self.seed}",
            self.summary.to_string(),
            *(f"- {line}" for line in self.notices),
        ]
        return "\n".join(lines)


def ampute(
    data: Any,
    prop: float = 0.5,
    patterns: Any = None,
    freq: Sequence[float] | None = None,
    mech: Literal["MCAR", "MAR", "MNAR"] = "MAR",
    weights: ArrayLike | pd.DataFrame | None = None,
    type: str | Sequence[str] | None = None,
    bycases: bool = True,
    std: bool = True,
    seed: int | None = None,
    *,
    cont: bool | None = None,
    odds: ArrayLike | None = None,
) -> Amputed:
    """Make a complete table incomplete, several variables at once and by a known mechanism.

    Parameters
    ----------
    data : DataFrame
        pandas or polars, complete, n rows and p >= 2 columns.
    prop : float
        Proportion of incomplete rows (of missing cells with ``bycases=False``); above 1 a percentage.
    patterns : array_like of shape (k, p), DataFrame, or sequences of names
        0 = missing, 1 = observed; or for each pattern the names of the variables that it makes missing. One pattern for
        each variable by default.
    freq : sequence of float, shape (k,)
        Relative frequency of the patterns; all the same by default.
    mech : {"MCAR", "MAR", "MNAR"}
        Whether missingness depends on nothing, on what stays observed, or on what becomes missing.
    weights : array_like of shape (k, p) or DataFrame, optional
        Weight of each variable in the sum score on which missingness depends. By default 1 for what stays observed
        (MAR) or for what becomes missing (MNAR).
    type : {"RIGHT", "LEFT", "MID", "TAIL"} or sequence of k
        Which scores are most often missing: high, low, middle, or extreme ones. RIGHT by default.
    bycases : bool
        Whether ``prop`` is about rows; otherwise about cells.
    std : bool
        Whether columns are standardised before they are weighted.
    seed : int, optional
        Repeats the table exactly. Without it one is drawn, and kept in the result.
    cont : bool, optional
        False: probabilities by quantile group of the scores, with ``odds`` (1, 2, 3, 4 by default); True: logistic ones,
        with ``type``. False if odds are given, otherwise True.
    odds : array_like of shape (groups,) or (k, groups), optional
        Odds of being missing of the quantile groups of the scores, relative to each other; NaN for patterns with fewer
        groups.

    Returns
    -------
    Amputed
        ``amp`` is the incomplete table, in the dtypes of the complete one (whole numbers with a hole become float64,
        bool boolean); ``data`` the complete one.

    Raises
    ------
    DataError
        If the table has holes already, or an argument does not fit it.

    Warns
    -----
    BayesmiNotice
        Where an argument was adjusted, a pattern has no candidates or scores that do not vary, or a weight makes MAR
        into MNAR.

    Notes
    -----
    Multivariate amputation of Schouten, Lugtig and Vink (2018, Journal of Statistical Computation and Simulation 88,
    2909-2930), as in mice's ``ampute``: every row becomes a candidate for one pattern (by ``freq``), gets a sum score of
    its weighted values, standardised among the candidates, and is made incomplete with a probability that depends on
    the score. Logistic probabilities are shifted so that normal scores meet ``prop``; with skewed scores it is met only
    roughly.

    Differences from mice 3.15: the shift is computed and not found with random numbers; with ``bycases=False`` and
    patterns of different size, mice exceeds the proportion of cells, which here is met; a column that does not vary
    among the candidates counts nothing, where mice then leaves all columns unstandardised; arguments that do not fit are
    refused and not mended. Categories enter scores by their code, and keep their dtype.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame(rng.normal(size=(1000, 3)), columns=["x", "y", "z"])
    >>> made = bmi.ampute(table, prop=0.4, patterns=[["y"], ["y", "z"]], freq=[0.7, 0.3], seed=1)
    >>> made.amp.isna().mean().round(1).tolist()
    [0.0, 0.4, 0.1]
    """
    seed = check_seed(seed)
    if mech not in _MECHANISMS:
        raise DataError(f"mech {mech!r} is not known: {did_you_mean(str(mech).upper(), list(_MECHANISMS))}")
    frame = data if isinstance(data, IncompleteFrame) else IncompleteFrame.from_table(data)
    names = list(frame.columns)
    _check_complete(frame)
    if cont is None:
        cont = odds is None
    if mech == "MCAR" and (odds is not None or type is not None):
        raise DataError(
            "type= and odds= say how missingness depends on scores, and under MCAR it does not: leave them out"
        )
    if cont and odds is not None:
        raise DataError("odds= are for cont=False: leave out one of them")
    if not cont and type is not None:
        raise DataError(
            "type= is for logistic probabilities (cont=True), odds= for groups: leave out one of them"
        )
    if not cont and odds is None:
        odds = (1.0, 2.0, 3.0, 4.0)
    plan = read_plan(names, prop, patterns, freq, mech, weights, type, odds, bycases)
    n, k = frame.n_rows, len(plan.patterns)
    values, weighted, notices = _numbers(frame, plan)
    cand = stream(seed, _PURPOSE, _PATTERN).choice(k, size=n, p=plan.freq)
    scores, probabilities = np.full(n, np.nan), np.full(n, plan.prop)
    for i in range(k):
        rows = np.flatnonzero(cand == i)
        if not len(rows):
            notices.append(f"pattern {i + 1} has no candidates among {n} rows and does not occur")
        elif mech != "MCAR" and weighted is not None:
            scores[rows] = sum_scores(values[rows], weighted[i], std)
            if np.ptp(scores[rows]) == 0:
                notices.append(
                    f"pattern {i + 1}: all candidates have the same score and the same chance, {plan.prop:g}"
                )
            if plan.odds is None:
                probabilities[rows] = by_type(scores[rows], plan.types[i], plan.prop)
            else:
                probabilities[rows] = by_odds(scores[rows], plan.odds[i], plan.prop, i + 1)
                if (probabilities[rows] > 1).any():
                    notices.append(
                        f"pattern {i + 1}: odds and prop= ask for more than all rows of a group: fewer are missing"
                    )
    hit = stream(seed, _PURPOSE, _MISSING).uniform(size=n) < probabilities
    gone = hit[:, None] & (plan.patterns[cand] == 0)
    for line in notices:
        warnings.warn(line, BayesmiNotice, stacklevel=2)
    index = pd.RangeIndex(1, k + 1, name="pattern")
    original = frame.original()
    return Amputed(
        amp=blank(original, gone),
        data=original,
        prop=plan.prop,
        patterns=pd.DataFrame(plan.patterns, index=index, columns=names),
        freq=plan.freq,
        mech=mech,
        weights=None if weighted is None else pd.DataFrame(weighted, index=index, columns=names),
        type=None if mech == "MCAR" or plan.odds is not None else plan.types,
        odds=plan.odds,
        std=std,
        cand=cand + 1,
        scores=scores,
        probabilities=np.minimum(probabilities, 1.0),
        missing=gone,
        seed=seed,
        notices=tuple(notices),
    )


def _check_complete(frame: IncompleteFrame) -> None:
    """Refuse a table with holes, or with one column."""
    if len(frame.columns) < 2:
        raise DataError(
            f"ampute needs at least two columns, the table has only {next(iter(frame.columns))!r}"
        )
    for name, column in frame.columns.items():
        if column.n_missing or column.n_absent:
            rows = name_rows(frame.index, ~column.observed)
            raise DataError(
                f"column {name!r} has missing values already, in {rows}: ampute starts from a complete table"
            )


def _numbers(
    frame: IncompleteFrame, plan: Plan
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, list[str]]:
    """Values for the scores (n, p), weights without identifiers, and remarks."""
    notices = list(plan.notices)
    columns = list(frame.columns.values())
    values = np.column_stack([np.nan_to_num(column.values) for column in columns])
    if plan.weights is None:
        return values, None, notices
    weights = plan.weights.copy()
    used = weights.any(axis=0)
    identifiers = [j for j, column in enumerate(columns) if column.kind == "identifier" and used[j]]
    if identifiers:
        weights[:, identifiers] = 0.0
        notices.append(
            f"identifiers have no number and count nothing: {list_some(columns[j].name for j in identifiers)}"
        )
    coded = [
        c.name for j, c in enumerate(columns) if c.kind == "nominal" and used[j] and j not in identifiers
    ]
    if coded:
        notices.append(
            f"nominal columns enter scores by the order of their levels: {list_some(coded)}; weight them 0 if not meant"
        )
    return values, weights, notices
