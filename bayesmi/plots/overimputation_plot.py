"""Held-out observed cells against what the model imputed for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmi.overimpute import Overimputation
from bayesmi.plots.style import GREY, IMPUTED, OBSERVED, new_axes, quiet, readable_alpha, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["overimputation"]

_BINS = 10


def overimputation(result: Overimputation, ax: Axes | None = None) -> Axes:
    """Draw held-out cells against their intervals, or for categories predicted against observed shares.

    Parameters
    ----------
    result : Overimputation
        What `bayesmi.overimpute` returned.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Numbers: over each observed value the median (dot) and interval (line) of its imputations; blue circles where the interval
        holds the value, red triangles where it does not; the diagonal is equality, the title says how many hold. Categories:
        cells in ten groups by their imputed probability of a level; the share in which that level was observed, with a 95 %
        interval (Wilson), one marker a level; on the diagonal the model is calibrated.

    Notes
    -----
    The first is Blackwell, Honaker and King's (2017) plot, with cells held out.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from bayesmi import plots
    >>> from bayesmi.overimpute import Overimputation
    >>> table = pd.DataFrame(
    ...     {"observed": [1.0, 2.0], "median": [1.1, 1.9], "low": [0.5, 2.1], "high": [1.5, 2.6], "inside": [True, False]}
    ... )
    >>> plots.overimputation(Overimputation("x", table, np.zeros((2, 2)), (), 0.95, 1)).get_title(loc="left")
    '1 of 2 (50 %) inside their 95 % interval'
    """
    if result.levels:
        return _calibration(result, new_axes(ax, 5.2, 5.0))
    ax = new_axes(ax, 5.6, 5.0)
    table = result.table
    alpha = readable_alpha(len(table) // 20, many=0.25)
    for inside, colour, marker, label in ((True, OBSERVED, "o", "inside"), (False, IMPUTED, "^", "outside")):
        part = table[table["inside"] == inside]
        if not len(part):
            continue
        strength = alpha if inside else max(alpha, 0.7)
        ax.vlines(part["observed"], part["low"], part["high"], color=colour, linewidth=0.9, alpha=strength)
        ax.plot(
            part["observed"], part["median"], marker, color=colour, markersize=4, markeredgewidth=0,
            alpha=min(1.0, strength + 0.2), label=f"{label} ({len(part)})",
        )  # fmt: skip
    ends = [float(table["observed"].min()), float(table["observed"].max())]
    ax.plot(ends, ends, color="black", linewidth=1, zorder=4)
    count = int(table["inside"].sum())
    ax.set_title(
        f"{count} of {len(table)} ({100 * count / len(table):.0f} %) inside their {100 * result.prob:.0f} % interval",
        fontsize=10, loc="left", pad=22,
    )  # fmt: skip
    ax.set_xlabel(f"{result.column}, observed")
    ax.set_ylabel(f"{result.column}, imputed")
    ax.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    return quiet(ax)


def _calibration(result: Overimputation, ax: Axes) -> Axes:
    """Observed share over imputed probability, level by level."""
    from bayesmi.plots.style import series_style

    codes = np.unique(result.draws)
    observed = result.table["observed"].to_numpy()
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1)
    shown = list(zip(codes, result.levels, strict=False))
    if len(shown) == 2:  # the other one is its mirror
        shown = shown[1:]
    for k, (code, level) in enumerate(shown):
        chance = (result.draws == code).mean(axis=0)
        hit = (observed == level).astype(float)
        group = np.minimum((chance * _BINS).astype(int), _BINS - 1)
        style = series_style(k)
        x, y, low, high = [], [], [], []
        for one in np.unique(group):
            here = group == one
            n, share = int(here.sum()), float(hit[here].mean())
            centre, half = (
                (share + 1.92 / n) / (1 + 3.84 / n),
                1.96 * np.sqrt(share * (1 - share) / n + 0.96 / n**2) / (1 + 3.84 / n),
            )
            x.append(float(chance[here].mean()))
            y.append(share)
            low.append(centre - half)
            high.append(centre + half)
        ax.vlines(x, low, high, color=style["color"], linewidth=1)
        ax.plot(
            x, y, style["marker"], color=style["color"], markersize=6, label=shorten([_word(level)], 20)[0]
        )
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-0.03, 1.03)
    only = f" = {_word(shown[0][1])}" if len(shown) == 1 else ""
    ax.set_xlabel(f"imputed probability of {result.column}{only}")
    ax.set_ylabel("share observed")
    if not only:
        ax.legend(
            frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2
        )
    return quiet(ax, None)


def _word(level: object) -> str:
    """Write a level, numbers without a needless decimal."""
    return f"{level:g}" if isinstance(level, float) else str(level)
