"""The predictor matrix, every code explained in its legend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesmi.errors import DataError
from bayesmi.plots.style import new_axes, shorten, write_beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["predictor_matrix"]

# code -> colour and meaning; light to dark so that grey keeps them apart, and the number stands in the cell
_CODES = {
    0: ("#FFFFFF", "not used"),
    1: ("#BBD9F0", "predictor (fixed effect)"),
    2: ("#5FA8DB", "fixed effect and random slope"),
    3: ("#F3CF9B", "fixed effect and cluster mean"),
    4: ("#D98B2B", "fixed effect, random slope and cluster mean"),
    -2: ("#4D4D4D", "cluster"),
    -3: ("#9BD3BF", "Heckman: selection equation only"),
    -4: ("#C9A3C4", "Heckman: outcome equation only"),
}
_HECKMAN_TWO = "in both equations (Heckman), else fixed effect and random slope"
_DARK = {4, -2}


def predictor_matrix(
    matrix: pd.DataFrame, ax: Axes | None = None, *, method: Mapping[str, str] | pd.Series | None = None
) -> Axes:
    """Draw a predictor matrix: which column predicts which row, and how.

    Parameters
    ----------
    matrix : DataFrame, shape (p, p)
        mice's codes, the variable that is imputed in the rows, predictors in the columns.
    ax : Axes, optional
        Where to draw.
    method : mapping or Series of str, optional
        Method by variable, written at the right; rows without one ("") are hatched: they are not imputed, and their codes do
        nothing.

    Returns
    -------
    Axes
        One cell a code, the number in it, the diagonal crossed out; the legend explains every code that occurs.

    Raises
    ------
    DataError
        If rows and columns are not the same variables, or a code is not known.

    Notes
    -----
    Codes of mice 3.15, miceadds and micemd. They are not the same in all packages: mitml's ``type`` means other things by 1, 2
    and 3.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmi import plots
    >>> codes = pd.DataFrame([[0, 1], [2, 0]], index=["a", "b"], columns=["a", "b"])
    >>> [text.get_text() for text in plots.predictor_matrix(codes).get_legend().get_texts()]
    ['1  predictor (fixed effect)', '2  fixed effect and random slope']
    """
    from matplotlib.patches import Patch, Rectangle

    if not isinstance(matrix, pd.DataFrame):
        raise DataError(
            f"a predictor matrix is a DataFrame with variables as rows and columns, not {type(matrix).__name__}"
        )
    rows, columns = [str(n) for n in matrix.index], [str(n) for n in matrix.columns]
    unknown = [name for name in rows if name not in columns]
    if unknown:
        raise DataError(f"row {unknown[0]!r} is no column of the predictor matrix")
    codes = matrix.to_numpy()
    for (i, j), code in np.ndenumerate(codes):
        if code not in _CODES:
            known = ", ".join(str(c) for c in _CODES)
            raise DataError(f"row {rows[i]!r}, column {columns[j]!r}: code {code} is not known: use {known}")
    said = {} if method is None else dict(method)
    methods = {name: str(said.get(name, "")) for name in rows}
    q, p = codes.shape
    ax = new_axes(ax, float(np.clip(3.2 + 0.5 * p, 5.2, 14)), float(np.clip(2.2 + 0.36 * q, 3.4, 13)))
    for (i, j), code in np.ndenumerate(codes):
        same = rows[i] == columns[j]
        colour = "#F2F2F2" if same else _CODES[int(code)][0]
        idle = method is not None and not methods[rows[i]]
        ax.add_patch(
            Rectangle(
                (j - 0.5, i - 0.5), 1, 1, facecolor=colour, edgecolor="#9A9A9A", linewidth=0.6,
                hatch="////" if idle else None, alpha=0.45 if idle else 1.0, gid=f"{rows[i]}|{columns[j]}",
            )
        )  # fmt: skip
        if same:
            ax.plot([j - 0.4, j + 0.4], [i - 0.4, i + 0.4], color="#9A9A9A", linewidth=0.8)
        else:
            text = f"{int(code)}".replace("-", "−")
            ax.text(
                j,
                i,
                text,
                ha="center",
                va="center",
                fontsize=9,
                color="white" if int(code) in _DARK and not idle else "black",
            )
    ax.set_xlim(-0.5, p - 0.5)
    ax.set_ylim(q - 0.5, -0.5)
    ax.set_xticks(range(p), shorten(columns, 16), rotation=45, ha="left", fontsize=9)
    ax.xaxis.tick_top()
    ax.set_yticks(range(q), shorten(rows, 18), fontsize=9)
    ax.set_ylabel("is imputed by a model of")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if method is not None:
        write_beside(ax, p - 0.5, [methods[name] or "(not imputed)" for name in rows], "method")
    heckman = any("heckman" in one.lower() for one in methods.values())
    present = [
        code
        for code in _CODES
        if any(codes[i, j] == code for i in range(q) for j in range(p) if rows[i] != columns[j])
    ]
    keys: list[Any] = []
    for code in present:
        colour, meaning = _CODES[code]
        if code == 2 and heckman:
            meaning = _HECKMAN_TWO
        label = f"{code}  {meaning}".replace("-", "−", 1) if code < 0 else f"{code}  {meaning}"
        keys.append(Patch(facecolor=colour, edgecolor="#9A9A9A", label=label))
    if method is not None and not all(methods.values()):
        keys.append(
            Patch(
                facecolor="white",
                edgecolor="#9A9A9A",
                hatch="////",
                label="not imputed: the row does nothing",
            )
        )
    ax.legend(
        handles=keys, loc="upper left", bbox_to_anchor=(0, -0.02), frameon=False, fontsize=9, borderaxespad=0.2,
        ncols=1 if p < 9 else 2,
    )  # fmt: skip
    return ax
