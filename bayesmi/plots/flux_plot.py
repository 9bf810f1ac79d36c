"""Influx against outflux."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesmi.describe.flux import flux as flux_table
from bayesmi.describe.patterns import observed_cells
from bayesmi.explore.source import as_frame
from bayesmi.plots.style import GREY, IMPUTED, OBSERVED, new_axes, place_labels, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["flux"]


def flux(data: Any, ax: Axes | None = None) -> Axes:
    """Draw outflux against influx of every variable, as mice's ``fluxplot``.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        A point a variable; complete variables are circles at the top left. High outflux: useful for imputing
        others; high influx: much to be imputed, from much that is known. Variables on the diagonal have holes
        that lie like everybody's.

    Notes
    -----
    van Buuren (2018), section 4.1.3; see `bayesmi.describe.flux`.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> ax = bmi.plots.flux(bmi.datasets.load("nhanes"))
    >>> ax.get_xlabel(), ax.get_ylabel(), sorted(text.get_text() for text in ax.texts)
    ('influx', 'outflux', ['age', 'bmi', 'chl', 'hyp'])
    """
    table = flux_table(observed_cells(as_frame(data)))
    ax = new_axes(ax, 5.2, 5.0)
    ax.plot([0, 1], [1, 0], color=GREY, linewidth=0.8, zorder=0)
    complete = table["pobs"] == 1
    for chosen, colour, marker, label in (
        (complete, OBSERVED, "o", "complete"),
        (~complete, IMPUTED, "^", "incomplete"),
    ):
        if chosen.any():
            part = table[chosen]
            ax.plot(
                part["influx"],
                part["outflux"],
                marker,
                color=colour,
                markersize=6,
                label=label,
                clip_on=False,
            )
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-0.03, 1.06)
    ax.set_aspect("equal")
    place_labels(
        ax, table["influx"].to_numpy(), table["outflux"].to_numpy(), [str(name) for name in table.index]
    )
    ax.set_xlabel("influx")
    ax.set_ylabel("outflux")
    quiet(ax, None)
    ax.legend(
        frameon=False, fontsize=9, loc="upper right"
    )  # names of complete variables pile up at the top left
    return ax
