"""Estimates from several analyses side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.wording import did_you_mean, list_some
from bayesmi.errors import DataError
from bayesmi.plots.style import GREY, new_row, quiet, series_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["coefficients"]

_ESTIMATE = ("estimate", "mean", "coef", "Coef.")
_LOW = ("conf.low", "2.5 %", "2.5%", "lower", "low", "eti95_lb", "eti_2.5%", "hdi_2.5%", "[0.025")
_HIGH = ("conf.high", "97.5 %", "97.5%", "upper", "high", "eti95_ub", "eti_97.5%", "hdi_97.5%", "0.975]")
_ERROR = ("std.error", "se", "std_error", "Std.Err.")


def coefficients(
    tables: Mapping[str, Any], terms: Sequence[str] | None = None, ax: Axes | None = None
) -> NDArray[Any]:
    """Draw estimates and intervals of several analyses, term by term.

    Parameters
    ----------
    tables : mapping of str to table
        Label -> a `Pooled`, or a DataFrame indexed by term with ``estimate`` (or ``mean``) and the interval
        in ``conf.low`` and ``conf.high`` (or ``eti95_lb`` and ``eti95_ub``), or ``std.error``. An estimate
        without these is a dot without a line.
    terms : sequence of str, optional
        Terms to show, in this order; by default all, in order of appearance.
    ax : Axes, optional
        Draw all terms on one scale here. By default every term has a panel and a scale of its own, since
        differences between analyses are small next to differences between terms.

    Returns
    -------
    array of Axes
        One for each term, or just `ax`.

    Raises
    ------
    DataError
        If a table has no estimates, or a term is in none of them.

    Notes
    -----
    With only a standard error the interval is estimate ± 1.96 standard errors, and its ends carry no caps.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmi import plots
    >>> ours = pd.DataFrame({"estimate": [3.6], "conf.low": [3.2], "conf.high": [4.0]}, index=["Intercept"])
    >>> axes = plots.coefficients({"pooled": ours, "published": ours})
    >>> [label.get_text() for label in axes[0].get_yticklabels()]
    ['pooled', 'published']
    """
    if not isinstance(tables, Mapping):
        raise DataError("coefficients() takes a table by label: {'pooled': pooled, 'complete cases': …}")
    if not tables:
        raise DataError("coefficients() got no tables: pass {'pooled': pooled.table, …}")
    read = {label: _read(label, table) for label, table in tables.items()}
    known = list(dict.fromkeys(str(term) for table in read.values() for term in table.index))
    for term in terms or ():
        if term not in known:
            raise DataError(f"no table has the term '{term}': {did_you_mean(term, known)}")
    chosen = list(terms) if terms is not None else known
    if not chosen:
        raise DataError("coefficients() got no term: name at least one, or pass tables that have rows")
    if ax is not None:
        _together(ax, read, chosen)
        return np.array([ax], dtype=object)
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    height = 0.9 + 0.32 * len(read)
    axes = new_row(rows, columns, 3.1 * columns + 1.6, height * rows + 0.2)
    for spare in axes[len(chosen) :]:
        spare.remove()
    for position, (axis, term) in enumerate(zip(axes, chosen, strict=False)):
        _panel(axis, read, term, named=position % columns == 0)
    return np.array(axes[: len(chosen)], dtype=object)


def _panel(ax: Axes, read: Mapping[str, pd.DataFrame], term: str, named: bool) -> None:
    """One term, one line an analysis."""
    for k, table in enumerate(read.values()):
        if term in table.index:
            _dot(ax, _line(table, term), k, k)
    ax.set_yticks(range(len(read)), list(read) if named else [""] * len(read))
    ax.set_ylim(len(read) - 0.5, -0.5)
    ax.set_title(term, fontsize=10, loc="left")
    _zero(ax)
    quiet(ax, "x")
    ax.locator_params(axis="x", nbins=5, min_n_ticks=3)


def _together(ax: Axes, read: Mapping[str, pd.DataFrame], terms: Sequence[str]) -> None:
    """All terms on one scale, the analyses of a term next to each other."""
    step = 0.7 / max(1, len(read))
    for k, (label, table) in enumerate(read.items()):
        name: str | None = label
        for row, term in enumerate(terms):
            if term in table.index:
                _dot(ax, _line(table, term), row + (k - (len(read) - 1) / 2) * step, k, name)
                name = None
    ax.set_yticks(range(len(terms)), list(terms))
    ax.set_ylim(len(terms) - 0.5, -0.5)
    _zero(ax)
    quiet(ax, "x")
    ax.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)


def _dot(ax: Axes, line: pd.Series, y: float, k: int, label: str | None = None) -> None:
    """Estimate and interval of one analysis."""
    style = series_style(k)
    low, high = float(line["low"]), float(line["high"])
    if np.isfinite([low, high]).all():
        ax.plot([low, high], [y, y], color=style["color"], linewidth=1.6, solid_capstyle="butt")
        if not line["normal"]:
            ax.plot([low, high], [y, y], "|", color=style["color"], markersize=6)
    ax.plot(
        float(line["estimate"]), y, style["marker"], color=style["color"], markersize=6, label=label, zorder=3
    )


def _line(table: pd.DataFrame, term: str) -> pd.Series:
    """Take the line of a term; a table that has it twice is refused."""
    line = table.loc[term]
    if not isinstance(line, pd.Series):
        raise DataError(f"a table has the term '{term}' more than once: give its rows different names")
    return line


def _zero(ax: Axes) -> None:
    """Draw a line at zero where zero is in sight."""
    low, high = ax.get_xlim()
    if low <= 0 <= high:
        ax.axvline(0, color=GREY, linewidth=0.8, zorder=0)


def _read(label: str, table: Any) -> pd.DataFrame:
    """estimate, low, high, and whether the interval is only ± 1.96 standard errors."""
    table = getattr(table, "table", table)
    if isinstance(table, Mapping):
        table = pd.DataFrame({"estimate": pd.Series(table)})
    if not isinstance(table, pd.DataFrame):
        raise DataError(f"table '{label}' is a {type(table).__name__}: pass a DataFrame indexed by term")
    estimate = _column(table, _ESTIMATE)
    if estimate is None:
        raise DataError(f"table '{label}' has no column 'estimate'; it has {list_some(table.columns)}")
    low, high, error = (_column(table, names) for names in (_LOW, _HIGH, _ERROR))
    normal = low is None or high is None
    if normal and error is not None:
        low, high = estimate - 1.96 * error, estimate + 1.96 * error
    elif normal:
        low = high = pd.Series(np.nan, index=table.index)
    return pd.DataFrame(
        {"estimate": estimate, "low": low, "high": high, "normal": normal}, index=table.index
    ).rename(index=str)


def _column(table: pd.DataFrame, names: Sequence[str]) -> pd.Series | None:
    """Find the first of these columns that is there, as numbers."""
    for name in names:
        if name in table.columns:
            return table[name].astype(float)
    return None
