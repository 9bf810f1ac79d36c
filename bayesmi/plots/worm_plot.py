"""Worm plot: residuals of the model, detrended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesmi.plots.residuals import draw_residuals, quantile_residuals
from bayesmi.plots.style import new_axes, quiet

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
    ax = new_axes(ax, 6.0, 3.8)
    draw_residuals(ax, residuals, name, detrended=True)
    ax.set_ylabel("residual − normal quantile")
    ax.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    return quiet(ax)
