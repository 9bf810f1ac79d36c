"""Quantile-quantile plot of the model's residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesmi.plots.residuals import draw_residuals, quantile_residuals
from bayesmi.plots.style import new_axes, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["qq"]


def qq(observed: Any, replicated: Any, *, name: str, ax: Axes | None = None) -> Axes:
    """Draw the residuals of one variable's model against normal quantiles.

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
        Sorted quantile residuals over the quantiles of a normal sample; the line is equality, the band holds 95 % of each point
        if the model holds.

    Raises
    ------
    DataError
        If the shapes do not fit or there are too few replications.

    Notes
    -----
    Residuals place each observed value among its own replications (Dunn and Smyth 1996). `worm` shows the same, detrended.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmi import plots
    >>> rng = np.random.default_rng(1)
    >>> axes = plots.qq(rng.normal(size=80), rng.normal(size=(200, 80)), name="score")
    >>> axes.get_xlabel()
    'normal quantile'
    """
    residuals = quantile_residuals(observed, replicated, name=name)
    ax = new_axes(ax, 4.8, 4.6)
    draw_residuals(ax, residuals, name, detrended=False)
    ax.set_ylabel("quantile residual")
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    return quiet(ax)
