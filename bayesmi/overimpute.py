"""Overimputation: observed cells held out, imputed by the model, and compared with what they are."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import BayesmiError, BayesmiNotice, DataError
from bayesmi.model import Model
from bayesmi.model.limited import has_interval
from bayesmi.priors import Prior
from bayesmi.seeds import check_seed, stream

__all__ = ["Overimputation", "overimpute"]

Floats = NDArray[np.float64]
_PURPOSE = 120  # of the random stream


@dataclass(frozen=True, eq=False)
class Overimputation:
    """Held-out observed cells of one column, and what the model imputed for them.

    Attributes
    ----------
    column : str
        The column.
    table : DataFrame
        One row a held-out cell, by row label: observed, fold; for numbers mean, median, low, high (of the central ``prob``
        interval), inside and pit (share of draws below); for categories and binary values the probability of what was
        observed, and the most probable level.
    draws : ndarray, shape (m, n_cells)
        Numbers or codes, in the order of the table.
    levels : tuple
        Of a discrete column, in the order of the codes; empty for numbers.
    prob : float
        Of the intervals.
    seed : int
        Repeats it.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> model = bmi.Model("chl ~ bmi + age", bmi.datasets.load("nhanes"))
    >>> found = bmi.overimpute(model, "chl", folds=3, m=100, seed=1, progress=False)
    >>> found.column, found.prob, list(found.table.columns)
    ('chl', 0.95, ['observed', 'fold', 'mean', 'median', 'low', 'high', 'inside', 'pit'])
    """

    column: str
    table: pd.DataFrame
    draws: Floats
    levels: tuple[Any, ...]
    prob: float
    seed: int

    @property
    def coverage(self) -> float:
        """Share of numbers inside their interval; of discrete cells, share whose most probable level is the observed one."""
        return float(self.table["inside" if not self.levels else "right"].mean())

    def __repr__(self) -> str:
        n = len(self.table)
        if self.levels:
            score = float(self.table["probability"].mean())
            return (
                f"Overimputation of '{self.column}': {n} observed cells held out; the most probable level is the observed one in "
                f"{100 * self.coverage:.0f} %, mean probability of the observed one {score:.2f}"
            )
        error = self.table["mean"] - self.table["observed"]
        return (
            f"Overimputation of '{self.column}': {n} observed cells held out; {100 * self.coverage:.0f} % inside their "
            f"{100 * self.prob:.0f} % interval; bias {error.mean():.3g}, root mean squared error {np.sqrt((error**2).mean()):.3g}"
        )


def overimpute(
    model: Model,
    column: str,
    *,
    folds: int = 5,
    cells: int | None = None,
    m: int = 200,
    prob: float = 0.95,
    seed: int | None = None,
    despite_gate: bool = False,
    **fit: Any,
) -> Overimputation:
    """Hold out observed cells of a column, fold by fold, and impute them.

    Parameters
    ----------
    model : Model
        Its specification is fitted again, once for each fold.
    column : str
        A column that the model imputes, or its response.
    folds : int
        Number of refits.
    cells : int, optional
        Number of observed cells to hold out, drawn at random; all by default.
    m : int
        Draws for each cell.
    prob : float
        Content of the intervals.
    seed : int, optional
        Repeats folds and fits exactly.
    despite_gate : bool
        Go on where the checks of a fold's chains fail.
    **fit
        For `Model.fit`: draws, tune, chains, cores, progress.

    Returns
    -------
    Overimputation
        See `bayesmi.plots.overimputation`.

    Raises
    ------
    DataError
        If the column is not modelled, or there are too few observed cells.
    BayesmiError
        If a fold cannot be fitted; the message names it.

    Notes
    -----
    Blackwell, Honaker and King (2017) overimpute every observed cell as if it were measured with infinite error; here cells are
    held out in folds, since a model that has seen a cell is not tested by it. Values that are predicted well are no proof that
    the missing ones are: these may be missing for reasons that no observed value has. In a table whose default priors are scaled
    from data, each fold scales its own.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> model = bmi.Model("chl ~ bmi + age", bmi.datasets.load("nhanes"))
    >>> found = bmi.overimpute(model, "chl", folds=3, m=100, seed=1, progress=False)
    >>> len(found.table), 0.6 < found.coverage <= 1
    (15, True)
    """
    seed = check_seed(seed)
    known = [
        f.variable
        for f in model.factors
        if not f.is_observation and not model.table.unknown[f.variable].all()
    ]
    if column not in known:
        raise DataError(f"'{column}' is not imputed by this model: {did_you_mean(column, known)}")
    if column in model.mechanisms:
        raise DataError(
            f"overimpute: {column!r} has a mechanism ({model.mechanisms[column].words}), which observed cells do not follow: "
            "overimpute the model without it"
        )
    if has_interval(column, model.table):
        raise DataError(
            f"overimpute: {column!r} has limits ({model.limits[column].words}); values that were seen because they lie inside of "
            "these are not like those held out: overimpute another column"
        )
    held = model.frame.columns[column]
    observed = np.flatnonzero(held.observed)
    if cells is not None and not 1 <= cells <= len(observed):
        raise DataError(f"cells={cells}: column '{column}' has {len(observed)} observed cells")
    if not 2 <= folds <= (cells or len(observed)):
        raise DataError(f"folds={folds}: give 2 or more, and not more than there are cells to hold out")
    if not 0 < prob < 1:
        raise DataError(f"prob={prob!r} must lie between 0 and 1")
    rng = stream(seed, _PURPOSE)
    chosen = rng.permutation(observed)[:cells]
    parts = [np.sort(part) for part in np.array_split(chosen, folds)]
    rows, draws = [], []
    for number, part in enumerate(parts, start=1):
        try:
            drawn = _impute_fold(
                model, column, part, m, int(stream(seed, _PURPOSE, number).integers(2**31)), despite_gate, fit
            )
        except BayesmiError as error:
            raise type(error)(f"fold {number} of {folds}: {error}") from error
        draws.append(drawn)
        rows.append(pd.DataFrame({"position": part, "fold": number}))
    table, stacked = pd.concat(rows, ignore_index=True), np.concatenate(draws, axis=1)
    order = np.argsort(table["position"].to_numpy(), kind="stable")
    table, stacked = table.iloc[order], stacked[:, order]
    at = table["position"].to_numpy()
    truth = held.values[at]
    out = pd.DataFrame({"observed": truth, "fold": table["fold"].to_numpy()}, index=model.frame.index[at])
    levels: tuple[Any, ...] = ()
    if held.categories is not None or model.factor(column).family.is_discrete:
        values = np.unique(np.concatenate([held.values[observed], stacked.ravel()]))
        shares = (stacked[:, :, None] == values).mean(axis=0)
        best = values[shares.argmax(axis=1)]
        out["probability"] = (stacked == truth).mean(axis=0)
        out["most_probable"] = best
        out["right"] = best == truth
        labels = held.categories
        levels = tuple(values.tolist()) if labels is None else tuple(labels[int(v)] for v in values)
        if labels is not None:
            for name in ("observed", "most_probable"):
                out[name] = pd.Series(
                    [labels[int(code)] for code in out[name]], index=out.index, dtype=object
                )
    else:
        low, middle, high = np.quantile(stacked, [(1 - prob) / 2, 0.5, (1 + prob) / 2], axis=0)
        out = out.assign(mean=stacked.mean(axis=0), median=middle, low=low, high=high)
        out["inside"] = (truth >= low) & (truth <= high)
        out["pit"] = ((stacked < truth).sum(axis=0) + 0.5 * (stacked == truth).sum(axis=0)) / m
    return Overimputation(column, out, stacked, levels, prob, seed)


def _impute_fold(
    model: Model,
    column: str,
    rows: NDArray[np.intp],
    m: int,
    seed: int,
    despite_gate: bool,
    fit: dict[str, Any],
) -> Floats:
    """Fit the model to the table without these cells; their draws, shape (m, cells)."""
    again = _without(model, column, rows)
    imputed = again.fit(seed=seed, **fit).impute(m, seed=seed, despite_gate=despite_gate)
    missing = np.flatnonzero(again.frame.columns[column].missing)
    return np.asarray(imputed.draws_of(column)[np.searchsorted(missing, rows)].T)


def _without(model: Model, column: str, rows: NDArray[np.intp]) -> Model:
    """Make the same model of the table with these cells missing."""
    spec = {key: value for key, value in model.to_dict().items() if key != "schema"}
    spec["priors"] = {name: Prior.from_dict(prior) for name, prior in spec["priors"].items()}
    table = model.frame.original()
    if not isinstance(table, pd.DataFrame):
        table = table.to_pandas()
    values = table[column]
    if pd.api.types.is_integer_dtype(values) or pd.api.types.is_bool_dtype(values):
        values = values.astype("Int64" if pd.api.types.is_integer_dtype(values) else "boolean")
    mask = np.zeros(len(table), dtype=bool)
    mask[rows] = True
    blanked = values.mask(mask)
    kinds = {name: one.plain_kind for name, one in model.frame.columns.items()}
    formula = spec.pop("formula")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)  # said when the model was made
        return Model(
            formula,
            table.assign(**{column: blanked}),
            **{**spec, "kinds": {**kinds, **(spec.get("kinds") or {})}},
        )
