"""Which variables are missing together: intersections with their sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import counted
from bayesmi.describe.patterns import missing_patterns
from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame
from bayesmi.plots.style import GREY, IMPUTED, OBSERVED, new_axes, quiet, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["upset"]


def upset(data: Any, ax: Axes | None = None, *, most: int = 20, complete: bool = False) -> NDArray[Any]:
    """Draw an UpSet plot of the variables that are missing together.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    ax : Axes, optional
        Its place is taken.
    most : int
        Combinations shown at most, the most frequent ones; the title says how many are left out.
    complete : bool
        Show the complete rows as a combination too.

    Returns
    -------
    array of Axes
        Bars above: rows with exactly this combination missing. Dots: what is missing in it (filled), joined by a line. Bars to
        the left: missing cells of each variable, most at the top.

    Raises
    ------
    DataError
        If nothing is missing.

    Notes
    -----
    Lex, Gehlenborg, Strobelt, Vuillemot and Pfister (2014); naniar's ``gg_miss_upset``.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bars, matrix, totals = bmi.plots.upset(bmi.datasets.load("nhanes"))
    >>> [label.get_text() for label in totals.get_yticklabels()], totals.get_xlabel()
    (['chl', 'bmi', 'hyp'], 'missing cells')
    """
    frame = as_frame(data)
    table = missing_patterns(frame)
    names = sorted(
        (n for n, c in frame.columns.items() if c.n_missing), key=lambda n: -frame.columns[n].n_missing
    )
    if not names:
        raise DataError("nothing is missing: there are no combinations to draw")
    of_rows = table.columns[-2]
    states = (table[names] == "missing").assign(**{of_rows: table[of_rows]})
    sizes = states.groupby(names, sort=False, observed=True)[of_rows].sum().reset_index()
    if not complete:
        sizes = sizes[sizes[names].any(axis=1)]
    sizes = sizes.sort_values(of_rows, ascending=False, kind="stable")
    shown = sizes.head(most)
    p, k = len(names), len(shown)
    ax = new_axes(ax, float(np.clip(3.4 + 0.36 * k, 6.4, 14)), float(np.clip(2.9 + 0.28 * p, 3.6, 11)))
    ax.set_axis_off()
    below = float(np.clip(p / (p + 6), 0.3, 0.75))
    left, gap = 0.2, 0.02
    matrix = ax.inset_axes((left, 0, 1 - left, below - gap))
    bars = ax.inset_axes((left, below, 1 - left, 1 - below), sharex=matrix)
    totals = ax.inset_axes((0, 0, left - 0.16 if p > 60 else left - 0.02, below - gap), sharey=matrix)
    at = np.arange(k)
    bars.bar(at, shown[of_rows], 0.6, color=OBSERVED)
    for x, rows in enumerate(shown[of_rows]):
        bars.annotate(f"{rows}", (x, rows), (0, 2), textcoords="offset points", ha="center", fontsize=8)
    bars.set_ylabel("rows")
    bars.tick_params(axis="x", bottom=False, labelbottom=False)
    quiet(bars)
    bars.spines["bottom"].set_visible(False)
    bars.tick_params(axis="x", length=0)
    _dots(matrix, shown[names].to_numpy(dtype=bool))
    matrix.set_xlim(-0.6, k - 0.4)
    matrix.set_ylim(p - 0.5, -0.5)
    counts = [frame.columns[name].n_missing for name in names]
    totals.barh(range(p), counts, 0.6, color=IMPUTED, alpha=0.8)
    totals.set_xlim(max(counts) * 1.45, 0)
    for y, count in enumerate(counts):
        totals.annotate(
            f"{count}", (count, y), (-3, 0), textcoords="offset points", ha="right", va="center", fontsize=8
        )
    totals.set_yticks(range(p), shorten(names, 18), fontsize=9)
    totals.yaxis.tick_left()
    totals.tick_params(length=0, labelbottom=False)
    totals.spines[:].set_visible(False)
    totals.set_xlabel("missing cells", fontsize=9)
    left_out = len(sizes) - k
    if left_out:
        rest = int(sizes[of_rows].iloc[k:].sum())
        bars.set_title(f"{k} of {len(sizes)} combinations; {counted(rest, 'row')} in the others", fontsize=10)
    return np.array([bars, matrix, totals], dtype=object)


def _dots(ax: Axes, missing: NDArray[np.bool_]) -> None:
    """Filled where missing, joined from the first to the last."""
    p = missing.shape[1]
    for stripe in range(0, p, 2):
        ax.axhspan(stripe - 0.5, stripe + 0.5, color="#F4F4F4", zorder=0)
    x, y = np.nonzero(~missing)
    ax.plot(x, y, "o", color="#D5D5D5", markersize=5, markeredgewidth=0, zorder=1)
    x, y = np.nonzero(missing)
    ax.plot(x, y, "o", color=IMPUTED, markersize=7, markeredgewidth=0, zorder=3, label="missing")
    for column, row in enumerate(missing):
        where = np.flatnonzero(row)
        if len(where) > 1:
            ax.plot([column, column], [where[0], where[-1]], color=IMPUTED, linewidth=1.6, zorder=2)
    ax.tick_params(length=0, labelbottom=False, labelleft=False, color=GREY)
    ax.spines[:].set_visible(False)
