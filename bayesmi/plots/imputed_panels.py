"""Panels for series of imputed means and standard deviations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.errors import DataError
from bayesmi.plots.imputed_series import ImputedSeries
from bayesmi.plots.style import new_row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["panels", "shared_legend"]


def panels(series: Sequence[ImputedSeries], ax: Any) -> list[Axes]:
    """Axes for as many panels as there are series."""
    if ax is None:
        columns = min(2, len(series))
        rows = -(-len(series) // columns)
        axes = new_row(rows, columns, 4.8 * columns, 2.1 * rows + 0.6)
        for spare in axes[len(series) :]:
            spare.remove()
    else:
        axes = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(axes) < len(series):
        raise DataError(f"{len(series)} panels need {len(series)} axes, got {len(axes)}")
    return axes[: len(series)]


def shared_legend(axes: Sequence[Axes], *, own_figure: bool) -> None:
    """One legend for all panels."""
    handles, labels = axes[0].get_legend_handles_labels()
    look: dict[str, Any] = {"frameon": False, "fontsize": 9, "ncols": min(len(labels), 6)}
    if own_figure:
        axes[0].figure.legend(handles, labels, loc="outside upper right", **look)
    else:
        axes[0].legend(handles, labels, **look)
