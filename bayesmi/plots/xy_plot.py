"""Two variables in a completed data set, with the imputed cells marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError
from bayesmi.imputations import Imputations
from bayesmi.plots.style import IMPUTED, OBSERVED, new_axes, quiet, readable_alpha, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["xy"]


def xy(imputations: Imputations, x: str, y: str, ax: Axes | None = None, *, imputation: int = 1) -> Axes:
    """Draw two variables of one completed data set against each other.

    Parameters
    ----------
    imputations : Imputations
        Completed data sets.
    x, y : str
        Variables.
    ax : Axes, optional
        Where to draw.
    imputation : int
        Number of the completed data set, 1 … m.

    Returns
    -------
    Axes
        Blue circles where both were observed, red triangles where at least one was imputed. Discrete
        variables are jittered, the same way every time.

    Raises
    ------
    DataError
        If there is no such imputation or column.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
    >>> ax = bmi.plots.xy(imputed, "bmi", "chl")
    >>> ax.get_xlabel(), [text.get_text() for text in ax.get_legend().get_texts()]
    ('bmi', ['observed (13)', 'imputed (12)'])
    """
    if not 1 <= imputation <= len(imputations):
        raise DataError(f"imputation={imputation}: there are {len(imputations)}, 1 … {len(imputations)}")
    rng = np.random.default_rng(0)
    ax = new_axes(ax, 5.6, 4.4)
    (a, made_a), (b, made_b) = (_values(imputations, name, imputation) for name in (x, y))
    imputed = made_a | made_b
    shown = np.isfinite(a) & np.isfinite(b)
    columns = imputations.frame.columns
    jitter = [
        rng.uniform(-0.12, 0.12, len(a)) if columns[name].kind not in ("continuous", "count") else 0.0
        for name in (x, y)
    ]
    for chosen, colour, marker, label in (
        (~imputed & shown, OBSERVED, "o", "observed"),
        (imputed & shown, IMPUTED, "^", "imputed"),
    ):
        n = int(chosen.sum())
        ax.plot(
            (a + jitter[0])[chosen], (b + jitter[1])[chosen], marker, color=colour, markeredgewidth=0,
            markersize=float(np.clip(16 / max(1, n) ** 0.2, 3, 5.5)), alpha=readable_alpha(n // 40, many=0.3),
            label=f"{label} ({n})",
        )  # fmt: skip
    for axis, name in ((ax.xaxis, x), (ax.yaxis, y)):
        categories, support = columns[name].categories, columns[name].support
        if categories is not None:
            axis.set_ticks(range(len(categories)), shorten(categories))
        elif support is not None:
            axis.set_ticks(support)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    quiet(ax, None)
    ax.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    return ax


def _values(
    imputations: Imputations, name: str, imputation: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers or codes of a completed column, and which were imputed."""
    columns = imputations.frame.columns
    if name not in columns:
        raise DataError(f"no column '{name}' to plot: {did_you_mean(name, list(columns))}")
    column = columns[name]
    values = column.values.copy()
    made = np.zeros(len(values), dtype=bool)
    if name in imputations.names:
        values[column.missing] = imputations.draws_of(name)[:, imputation - 1]
        made = column.missing
    return values, made
