"""Which variables go with what is missing: a logistic regression of the missingness of one variable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame
from bayesmi.data.wording import list_some
from bayesmi.errors import DataError
from bayesmi.explore.logistic import fit_logistic, independent_columns
from bayesmi.explore.source import as_frame, columns_of, note_of
from bayesmi.explore.terms import Terms, build_terms
from bayesmi.explore.welch import missingness_t_tests
from bayesmi.imputations import Imputations
from bayesmi.pool import Estimates, d1, pool

__all__ = ["MissingnessModel", "missingness_model"]

Floats = NDArray[np.float64]
Handling = Literal["indicator", "rows"]
_MOST_LEVELS = 20
_TERM = ["estimate", "std.error", "statistic", "df", "p.value", "conf.low", "conf.high"]


@dataclass(frozen=True, eq=False)
class MissingnessModel:
    """What `missingness_model` found.

    Attributes
    ----------
    target : str
        The variable whose missingness is modelled.
    n_missing, n_rows : int
        Rows with it missing, and rows in all, that entered.
    table : DataFrame
        By term: ``estimate`` (log odds of being missing), ``std.error``, ``statistic``, ``df``, ``p.value``,
        ``conf.low``, ``conf.high`` (95 %), and ``odds.ratio``.
    variables : DataFrame
        By predictor, smallest p first: ``statistic``, ``df1``, ``df2``, ``p.value`` of the test that all of its terms are
        zero, its missingness among them. F tests; with infinite df2 the statistic times df1 is Wald's chi-square.
    overall : Series
        The same test of all predictors.
    auc : float
        Chance that a row with the target missing has a higher fitted probability than one with it observed; .5 says
        that nothing is predicted (on the rows it was fitted to, hence optimistic).
    t_tests : DataFrame
        One variable at a time: see `missingness_t_tests`.
    handling : str
        What was done about missing values of the predictors.
    notes : tuple of str
        What was left out, and remarks on these data.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> found = bmi.missingness_model(bmi.datasets.load("popmis"), "popular", ["sex", "texp"])
    >>> found.target, list(found.table.index), 0.5 < found.auc < 1
    ('popular', ['Intercept', 'sex', 'texp'], True)
    """

    target: str
    n_missing: int
    n_rows: int
    table: pd.DataFrame
    variables: pd.DataFrame
    overall: pd.Series
    auc: float
    t_tests: pd.DataFrame
    handling: str
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        o = self.overall
        lines = [
            f"What goes with missing {self.target!r}: logistic regression, {self.n_missing} of {self.n_rows} rows missing",
            f"all predictors: F({o['df1']:.0f}, {o['df2']:.0f}) = {o['statistic']:.2f}, {_p(o['p.value'])}; "
            f"AUC {self.auc:.3f}",
            f"predictors with holes: {self.handling}",
            _rounded(self.variables).to_string(),
            _rounded(self.table).to_string(),
            *(f"- {note}" for note in self.notes),
        ]
        return "\n".join(lines)


def _p(value: float) -> str:
    """Write a p-value, never as zero."""
    return "p < .0001" if value < 1e-4 else f"p = {value:.4f}"


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Four decimals; p-values as text, never as zero."""
    shown = table.round(4)
    return shown.assign(
        **{"p.value": [_p(p).removeprefix("p ").removeprefix("= ") for p in table["p.value"]]}
    )


def missingness_model(
    data: Any, target: str, predictors: Sequence[str] | None = None, *, incomplete: Handling = "indicator"
) -> MissingnessModel:
    """Regress the missingness of a variable on the other variables.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table, n rows. With Imputations the model is fitted to each completed data set, where only
        predictors are completed, and pooled.
    target : str
        The variable; its own values do not enter.
    predictors : sequence of str, optional
        Columns that may go with its missingness; all others by default, but for identifiers, constants and nominal
        columns of more than 20 levels.
    incomplete : {"indicator", "rows"}
        Missing values of predictors. ``"indicator"``: the hole takes the mean (first level) and a further term "x
        missing" of its own; all rows are used. ``"rows"``: rows with a hole in a predictor are left out, and
        counted. With Imputations only holes that were not imputed are dealt with so.

    Returns
    -------
    MissingnessModel
        Coefficients, a test for each predictor and for all, AUC, and t tests of one variable at a time.

    Raises
    ------
    DataError
        If a column is unknown, the target has no missing or no observed cell, or no predictor is left.

    Notes
    -----
    A predictor that goes with the missingness of y and with y itself belongs into the imputation model, else missing at
    random is doubtful (van Buuren 2018, section 2.2.4; Collins, Schafer and Kam 2001). That nothing goes with it does
    not show that values are missing completely at random: whether they depend on themselves cannot be seen. The
    indicator is right for description; it is not a way to analyse data (Jones 1996).

    Where a combination of predictors separates missing from observed, maximum likelihood does not exist and Firth's
    penalised estimate is used, and said. Rows are taken as independent: in clusters p is too small.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> found = bmi.missingness_model(bmi.datasets.load("popmis"), "popular", ["sex", "texp", "teachpop"])
    >>> found.variables.index.tolist()[0], found.n_missing, found.n_rows
    ('sex', 848, 2000)
    """
    if incomplete not in ("indicator", "rows"):
        raise DataError(
            f"incomplete= is {incomplete!r}: use 'indicator' or 'rows', or give Imputations as data"
        )
    frame = as_frame(data)
    hole = columns_of(frame, target)[0]
    applies = ~hole.absent
    if not hole.n_missing or not hole.n_observed:
        word = "missing" if not hole.n_missing else "observed"
        raise DataError(f"column {target!r} has no {word} cell: there is nothing to explain")
    chosen, notes = _choose(frame, target, predictors)
    sets = _completed(data, chosen)
    rows = applies.copy()
    if incomplete == "rows":
        for column in chosen:
            rows &= np.isfinite(sets[0][column.name])
        lost = int((applies & ~rows).sum())
        handling = f"{lost} of {int(applies.sum())} rows left out for a missing predictor"
    else:
        holes = [c.name for c in chosen if not np.isfinite(sets[0][c.name][rows]).all()]
        handling = (
            f"mean or first level, and a term of their own ({', '.join(holes)})" if holes else "none left"
        )
    if len(sets) > 1:
        handling = f"{len(sets)} completed data sets, pooled; rest: {handling}"
    y = hole.missing[rows].astype(float)
    if y.min() == y.max():
        raise DataError(
            f"all rows left have {target!r} {'missing' if y[0] else 'observed'}: use incomplete='indicator'"
        )
    designs = [build_terms(chosen, {name: values[rows] for name, values in one.items()}) for one in sets]
    kept = independent_columns(designs[0].matrix)
    aliased = [name for j, name in enumerate(designs[0].names) if j not in kept]
    notes += (f"terms that follow from others are left out: {list_some(aliased)}",) if aliased else ()
    fits = [fit_logistic(design.matrix[:, kept], y) for design in designs]
    if any(fit.penalised for fit in fits):
        notes += (
            "predictors separate missing from observed: Firth's penalised likelihood is used; look for a term that is "
            "missing or not exactly where the target is",
        )
    notes += _clusters(frame, hole)
    names = tuple(designs[0].names[j] for j in kept)
    table, variables, overall = _tables(
        [(f.coefficients, f.covariance) for f in fits], names, designs[0], kept
    )
    auc = float(np.mean([_auc(fit.probabilities, y) for fit in fits]))
    numeric = [column.name for column in chosen if column.is_numeric]
    tests = missingness_t_tests(frame, target, numeric)
    return MissingnessModel(
        target, int(y.sum()), len(y), table, variables, overall, auc, tests, handling, notes
    )


def _choose(
    frame: IncompleteFrame, target: str, predictors: Sequence[str] | None
) -> tuple[list[Column], tuple[str, ...]]:
    """Predictors that can enter, and notes on those that do not."""

    def why_not(column: Column) -> str | None:
        if column.kind == "identifier":
            return "identifiers"
        if column.is_constant:
            return "constants"
        if column.kind == "nominal" and len(column.categories or ()) > _MOST_LEVELS:
            return f"more than {_MOST_LEVELS} levels"
        return None

    if predictors is not None:
        chosen = columns_of(frame, predictors)
        for column in chosen:
            if column.name == target:
                raise DataError(f"{target!r} cannot predict its own missingness: leave it out of predictors=")
            reason = why_not(column)
            if reason in ("identifiers", "constants"):
                raise DataError(
                    f"column {column.name!r} is among {reason} and cannot be a predictor: leave it out"
                )
        notes: tuple[str, ...] = ()
    else:
        others = [column for column in frame.columns.values() if column.name != target]
        chosen = [column for column in others if why_not(column) is None]
        notes = ()
        for reason in dict.fromkeys(r for column in others if (r := why_not(column)) is not None):
            notes += note_of([column.name for column in others if why_not(column) == reason], reason)
    if not chosen:
        raise DataError(f"no column is left that could predict whether {target!r} is missing")
    return chosen, notes


def _completed(data: Any, chosen: list[Column]) -> list[dict[str, Floats]]:
    """Values of the predictors in each completed data set; one set, with its holes, without imputations."""
    if not isinstance(data, Imputations):
        return [{column.name: column.values for column in chosen}]
    sets: list[dict[str, Floats]] = [{} for _ in range(data.m)]
    for column in chosen:
        draws = data.draws_of(column.name) if column.name in data.names else None
        for i, one in enumerate(sets):
            values = column.values.copy()
            if draws is not None:
                values[column.missing] = draws[:, i]
            one[column.name] = values
    return sets


def _clusters(frame: IncompleteFrame, hole: Column) -> tuple[str, ...]:
    """Say that rows of a cluster are not independent."""
    if hole.level != "row":
        return (
            f"{hole.name!r} is a variable of {hole.level!r}: its rows repeat, standard errors are too small",
        )
    if frame.groups:
        return (
            f"rows lie in clusters ({', '.join(frame.groups)}) and are taken as independent: p is too small",
        )
    return ()


def _tables(
    fits: list[tuple[Floats, Floats]], names: tuple[str, ...], design: Terms, kept: list[int]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Terms, predictors, and all predictors; from one fit or pooled."""
    variables = [design.variables[j] for j in kept]
    groups = {v: [k for k, w in enumerate(variables) if w == v] for v in dict.fromkeys(variables) if v}
    if len(fits) > 1:
        pooled = pool([(pd.Series(b, index=names), pd.DataFrame(v, names, names)) for b, v in fits])
        table = pooled.table[_TERM].copy()
    else:
        table = _wald_table(*fits[0], names)
    table["odds.ratio"] = np.exp(table["estimate"])
    every = [k for k, v in enumerate(variables) if v]
    tests = {v: _test(fits, [names[k] for k in at], at) for v, at in groups.items()}
    by_variable = pd.DataFrame.from_dict(tests, orient="index").sort_values(
        ["p.value", "statistic"], ascending=[True, False], kind="stable"
    )
    return table, by_variable, pd.Series(_test(fits, [names[k] for k in every], every))


def _wald_table(b: Floats, v: Floats, names: tuple[str, ...]) -> pd.DataFrame:
    """Normal tests and intervals of one fit."""
    from scipy.special import ndtr, ndtri

    se = np.sqrt(np.diag(v))
    z, half = b / se, float(ndtri(0.975)) * se
    columns = [b, se, z, np.full(len(b), np.inf), 2 * ndtr(-np.abs(z)), b - half, b + half]
    return pd.DataFrame(dict(zip(_TERM, columns, strict=True)), index=list(names))


def _test(fits: list[tuple[Floats, Floats]], names: list[str], at: list[int]) -> dict[str, float]:
    """Wald's test of several coefficients, or D1 of several fits."""
    from scipy.special import chdtrc

    if len(fits) > 1:
        values = np.array([b[at] for b, _ in fits])
        test = d1(Estimates(tuple(names), values, np.array([v[np.ix_(at, at)] for _, v in fits])))
        return {"statistic": test.statistic, "df1": test.df1, "df2": test.df2, "p.value": test.p_value}
    b, v = fits[0]
    wald = float(b[at] @ np.linalg.solve(v[np.ix_(at, at)], b[at]))
    k = float(len(at))
    return {"statistic": wald / k, "df1": k, "df2": float("inf"), "p.value": float(chdtrc(k, wald))}


def _auc(probabilities: Floats, y: Floats) -> float:
    """Area under the ROC curve, by ranks."""
    from scipy.stats import rankdata

    n1 = y.sum()
    ranks = rankdata(probabilities)
    return float((ranks[y == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * (len(y) - n1)))
