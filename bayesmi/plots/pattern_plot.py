"""Missing-data patterns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.data.wording import counted, did_you_mean
from bayesmi.describe.patterns import missing_patterns
from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame
from bayesmi.plots.style import IMPUTED, OBSERVED, new_axes, shorten, write_beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["pattern"]


def pattern(
    data: Any, ax: Axes | None = None, *, columns: Sequence[str] | None = None, most: int = 25
) -> Axes:
    """Draw the missing-data patterns, as mice's ``md.pattern``.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    ax : Axes, optional
        Where to draw.
    columns : sequence of str, optional
        Variables to show; all by default.
    most : int
        Patterns shown at most, the most frequent ones; the title says how many are left out.

    Returns
    -------
    Axes
        One row a pattern, one column a variable, least missing first. Blue is observed, red with a cross
        missing, white does not apply. Left: rows with the pattern; right: missing cells in it; below: missing
        cells of the variable.

    Raises
    ------
    DataError
        If a name in `columns` is no column.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from bayesmi import plots
    >>> axes = plots.pattern(pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": [0.5, np.nan, np.nan]}))
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['1', '2']
    """
    from matplotlib.patches import Patch, Rectangle

    frame = as_frame(data)
    table = missing_patterns(frame)
    names = [str(name) for name in table.columns[:-2]]
    of_rows, of_missing = table.columns[-2:]
    if columns is not None:
        for name in columns:
            if name not in names:
                raise DataError(f"no column '{name}' to plot: {did_you_mean(name, names)}")
        names = [name for name in names if name in set(columns)]
        counts = table.groupby(names, sort=False, observed=True)[of_rows].sum().reset_index()
        counts[of_missing] = (counts[names] == "missing").sum(axis=1)
        table = counts
    shown = table.loc[table[of_rows].nlargest(most, keep="first").index.sort_values()]
    p, k = len(names), len(shown)
    ax = new_axes(
        ax, width=float(np.clip(1.6 + 0.62 * p, 4.8, 14)), height=float(np.clip(1.9 + 0.34 * k, 3.0, 11))
    )
    for row, states in enumerate(shown[names].to_numpy()):
        for position, state in enumerate(states):
            colour = {"observed": OBSERVED, "missing": IMPUTED, "absent": "white"}[state]
            strength = 0.75 if state == "observed" else 1.0
            ax.add_patch(
                Rectangle(
                    (position - 0.5, row - 0.5),
                    1,
                    1,
                    facecolor=colour,
                    edgecolor="white",
                    alpha=strength,
                    gid=state,
                )
            )
            if state == "missing":
                ax.plot(position, row, marker="x", color="white", markersize=5, markeredgewidth=1.2)
            if state == "absent":
                ax.plot(position, row, marker="_", color=IMPUTED, markersize=6)
    ax.set_xlim(-0.5, p - 0.5)
    ax.set_ylim(k - 0.5, -0.5)
    slanted = max((len(name) for name in names), default=0) > 6
    ax.set_xticks(
        range(p),
        shorten(names),
        rotation=45 if slanted else 0,
        ha="left" if slanted else "center",
        fontsize=9,
    )
    ax.xaxis.tick_top()
    ax.set_yticks(range(k), [f"{rows}" for rows in shown[of_rows]], fontsize=9)
    ax.set_ylabel("rows with the pattern")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    write_beside(ax, p - 0.5, [f"{missing}" for missing in shown[of_missing]], "missing")
    for position, name in enumerate(names):
        total = frame.columns[name].n_missing
        ax.annotate(
            f"{total}",
            (position, k - 0.5),
            (0, -5),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=9,
        )
    every = sum(frame.columns[name].n_missing for name in names)
    ax.annotate(f"{every}", (p - 0.5, k - 0.5), (16, -5), textcoords="offset points", va="top", fontsize=9)
    ax.annotate(
        "missing in the pattern", (1, 0.5), (26, 0), xycoords="axes fraction", textcoords="offset points",
        rotation=90, va="center",
    )  # fmt: skip
    ax.set_xlabel("missing cells", labelpad=16)
    kinds = set(shown[names].to_numpy().ravel())
    keys = [Patch(color=OBSERVED, alpha=0.75, label="observed")]
    if "missing" in kinds:
        keys.append(Patch(color=IMPUTED, label="missing (×)"))
    if "absent" in kinds:
        keys.append(Patch(facecolor="white", edgecolor=IMPUTED, label="does not apply (–)"))
    ax.legend(
        handles=keys, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3, frameon=False, fontsize=9,
        borderaxespad=2.6,
    )  # fmt: skip
    left_out = len(table) - k
    if left_out:
        rest = int(table[of_rows].sum() - shown[of_rows].sum())
        ax.set_title(
            f"the {k} most frequent of {len(table)} patterns; {counted(rest, 'row')} in the others",
            fontsize=10,
        )
    return ax
