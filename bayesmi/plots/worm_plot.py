"""Worm plot: residuals of the model, detrended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.plots.residuals import quantile_band, quantile_residuals
from bayesmi.plots.style import GREY, OBSERVED, new_axes, quiet, readable_alpha

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["worm"]


def worm(observed: Any, replicated: Any, *, name: str, ax: Axes | None = None) -> Axes:
    """Draw the worm plot of the residuals of one variable's model.

    Parameters
    ----------
    observed : array_like, shape (n,)
        Observed values of the variable.
    replicated : array_like, shape (replications, n)
        Values drawn for the same cells by the model: ``fit.check().replicated[name]``, 50 rows at least.
    name : str
        The variable, for the axis.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Sorted quantile residuals less what a normal sample has, over its quantiles; the band holds 95 % of each point if the
        model holds.

    Raises
    ------
    DataError
        If the shapes do not fit or there are too few replications.

    Notes
    -----
    Van Buuren and Fredriks (2001): a worm above zero says that the location is off, a slope the spread, a U the skewness, an S
    the tails. Residuals place each observed value among its own replications (Dunn and Smyth 1996).

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmi import plots
    >>> rng = np.random.default_rng(1)
    >>> axes = plots.worm(rng.normal(size=80), rng.normal(size=(200, 80)), name="score")
    >>> axes.get_xlabel()
    'normal quantile'
    """
    residuals = quantile_residuals(observed, replicated, name=name)
    expected, low, high = quantile_band(len(residuals))
    shift = expected
    ax = new_axes(ax, 6.0, 3.8)
    ax.fill_between(
        expected,
        low - shift,
        high - shift,
        color=GREY,
        alpha=0.25,
        linewidth=0,
        label="95 % if the model holds",
    )
    ax.plot(expected, expected - shift, color=GREY, linewidth=1)
    ax.plot(
        expected, residuals - shift, "o", color=OBSERVED, markersize=3.5, markeredgewidth=0,
        alpha=readable_alpha(len(residuals) // 50, many=0.4), label=f"{name} ({len(residuals):,})",
    )  # fmt: skip
    ax.set_xlabel("normal quantile")
    ax.set_ylabel("residual − normal quantile")
    reach = 1.15 * float(
        np.quantile(np.abs(np.concatenate([low - shift, high - shift, residuals - shift])), 0.995)
    )
    ax.set_ylim(-reach, reach)
    ax.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    return quiet(ax)
