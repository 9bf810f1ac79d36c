"""Every cell of the table: observed or missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame, labels_of
from bayesmi.plots.style import IMPUTED, OBSERVED, new_axes, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["missing_map"]

_MOST_ROWS = 600


def missing_map(data: Any, ax: Axes | None = None, *, sort: str | None = None) -> Axes:
    """Draw every cell of the table, rows from top to bottom.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    ax : Axes, optional
        Where to draw.
    sort : str, optional
        Order rows by this column; a line separates its values when there are at most 60, so that whole
        clusters without a value stand out.

    Returns
    -------
    Axes
        Columns in table order with their share missing; light is observed, dark missing, white does not
        apply. Of a long table neighbouring rows are averaged into at most 600 bands: the darker, the more is
        missing.

    Raises
    ------
    DataError
        If `sort` is no column.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> ax = bmi.plots.missing_map(bmi.datasets.load("nhanes"), sort="age")
    >>> ax.get_ylabel(), [label.get_text() for label in ax.get_xticklabels()]
    ('row, ordered by age', ['age', 'bmi  36 %', 'hyp  32 %', 'chl  40 %'])
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Patch

    frame = as_frame(data)
    columns = list(frame.columns.values())
    missing = np.column_stack([column.missing for column in columns]).astype(float)
    absent = np.column_stack([column.absent for column in columns])
    lines: list[int] = []
    if sort is not None:
        if sort not in frame.columns:
            raise DataError(f"sort='{sort}' is no column: {did_you_mean(sort, list(frame.columns))}")
        keys = frame.columns[sort].values
        if frame.columns[sort].kind == "identifier":  # dates, names: codes in their order
            labels = labels_of(frame, sort).reset_index(drop=True)
            codes = labels.groupby(labels, sort=True).ngroup().where(labels.notna())
            keys = np.asarray(codes, dtype=np.float64)
        order = np.argsort(keys, kind="stable")  # missing last
        missing, absent = missing[order], absent[order]
        ordered = np.nan_to_num(keys[order], nan=np.inf)
        steps = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
        lines = steps.tolist() if len(steps) < 60 else []
    n, p = missing.shape
    missing = np.where(absent, np.nan, missing)
    bands = np.array_split(np.arange(n), min(n, _MOST_ROWS))
    share = np.full((len(bands), p), np.nan)
    for row, band in enumerate(bands):
        known = ~np.isnan(missing[band])
        total = known.sum(axis=0)
        share[row, total > 0] = np.nansum(missing[band], axis=0)[total > 0] / total[total > 0]
    ax = new_axes(ax, float(np.clip(1.8 + 0.6 * p, 4.8, 14)), 5.2)
    colours = LinearSegmentedColormap.from_list("missing", ["#A9CBEA", IMPUTED]).with_extremes(bad="white")
    ax.imshow(
        share,
        cmap=colours,
        vmin=0,
        vmax=1,
        aspect="auto",
        interpolation="nearest",
        extent=(-0.5, p - 0.5, n, 0),
    )
    for position in range(1, p):
        ax.axvline(position - 0.5, color="white", linewidth=1)
    for line in lines:
        ax.axhline(line, color="white", linewidth=0.8)
    percents = [100 * column.n_missing / max(1, column.n_missing + column.n_observed) for column in columns]
    names = shorten([column.name for column in columns])
    ax.set_xticks(
        range(p), [f"{name}  {_percent(percent)}" if percent else name for name, percent in zip(names, percents, strict=True)],
        rotation=45, ha="left", fontsize=9,
    )  # fmt: skip
    ax.xaxis.tick_top()
    ax.set_ylabel("row" if sort is None else f"row, ordered by {sort}")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    keys_ = [Patch(color="#A9CBEA", label="observed"), Patch(color=IMPUTED, label="missing")]
    if absent.any():
        keys_.append(Patch(facecolor="white", edgecolor=OBSERVED, label="does not apply"))
    ax.legend(handles=keys_, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, frameon=False, fontsize=9)
    return ax


def _percent(percent: float) -> str:
    """Whole percents, and never 0 for something."""
    return "<1 %" if percent < 0.5 else f"{percent:.0f} %"
