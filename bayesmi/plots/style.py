"""One look for all plots: mice's colours, quiet axes, told apart in grey by shape, width and hatching too."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "COMPLETED",
    "GREY",
    "IMPUTED",
    "OBSERVED",
    "new_axes",
    "new_row",
    "place_labels",
    "quiet",
    "readable_alpha",
    "series_style",
    "shorten",
    "write_beside",
]

OBSERVED = "#006CC2"  # mice's mdc(1)
IMPUTED = "#B61A51"  # mice's mdc(2): the colour of what is missing, and of what stands for it
COMPLETED = "#3A3A3A"
GREY = "#8A8A8A"

# Okabe and Ito's palette, darkest apart, each with its own marker and dash
_SERIES = (
    ("#006CC2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#009E73", "D", "-."),
    ("#000000", "^", ":"),
    ("#CC79A7", "v", (0, (5, 1, 1, 1, 1, 1))),
    ("#E69F00", "P", (0, (1, 1))),
    ("#56B4E9", "X", (0, (3, 1))),
)


def new_axes(ax: Axes | None, width: float = 6.4, height: float = 4.0) -> Axes:
    """Return `ax`, or the only axes of a new figure."""
    return ax if ax is not None else new_row(1, 1, width, height)[0]


def new_row(rows: int, columns: int, width: float, height: float, **share: Any) -> list[Axes]:
    """Axes of a new figure, row by row.

    Where pyplot shows figures (in a notebook, or in use with windows) the figure is pyplot's; otherwise it
    belongs to nobody and no global state is touched.
    """
    if _is_shown():
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(width, height), layout="constrained")
    else:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
    return list(np.ravel(figure.subplots(rows, columns, squeeze=False, **share)))


def _is_shown() -> bool:
    """Whether a figure of pyplot would be shown: inline, or in a window."""
    if _in_notebook():
        return True
    if "matplotlib.pyplot" not in sys.modules:
        return False
    import matplotlib

    return matplotlib.get_backend().lower() not in {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}


def _in_notebook() -> bool:
    """Whether an IPython kernel runs this code."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in getattr(shell, "config", {})


def quiet(ax: Axes, grid: Literal["x", "y"] | None = "y") -> Axes:
    """No frame on top and right, a light grid behind the data, small ticks."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)
    ax.tick_params(color=GREY, labelsize=9, length=3)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(True, axis=grid, color="#E6E6E6", linewidth=0.8)
    return ax


def series_style(k: int) -> dict[str, Any]:
    """Colour, marker and dash of the k-th of several series."""
    colour, marker, dash = _SERIES[k % len(_SERIES)]
    return {"color": colour, "marker": marker, "linestyle": dash}


def readable_alpha(n: int, one: float = 0.9, many: float = 0.15) -> float:
    """Opacity of n overlapping things: full when alone, never invisible."""
    return float(np.clip(one / max(1.0, n) ** 0.4, many, one))


def shorten(labels: Sequence[object], longest: int = 14) -> list[str]:
    """Labels that fit under an axis; their middle is left out where their beginnings are alike."""
    texts = [str(label) for label in labels]
    short = [text if len(text) <= longest else text[: longest - 1] + "…" for text in texts]
    if len(set(short)) == len(set(texts)):
        return short
    tail = longest // 2
    head = longest - 1 - tail
    return [text if len(text) <= longest else f"{text[:head]}…{text[-tail:]}" for text in texts]


def write_beside(ax: Axes, x: float, texts: Sequence[str], gid: str) -> None:
    """Write one text at the right of each row, counted from 0."""
    for row, text in enumerate(texts):
        ax.annotate(text, (x, row), (6, 0), textcoords="offset points", va="center", fontsize=9, gid=gid)


def place_labels(
    ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], labels: Sequence[str], gap: float = 0.035
) -> None:
    """Write labels beside points; those of one place share a label, close ones are moved apart upwards.

    Axes run over about one unit, so that `gap` is a share of their height.
    """
    places: dict[tuple[float, float], list[str]] = {}
    for px, py, label in zip(x, y, labels, strict=True):
        if np.isfinite(px) and np.isfinite(py):
            places.setdefault((round(float(px), 3), round(float(py), 3)), []).append(label)
    if _crowded(list(places), gap):
        _list_labels(ax, places, gap)
        return
    used: list[tuple[float, float]] = []
    for (px, py), names in sorted(places.items(), key=lambda item: item[0][1]):
        text = _together(names)
        beside = px > 0.12 and any(  # a point stands where the text would go
            abs(py - oy) < gap and 0.015 < ox - px < 0.12 for ox, oy in places
        )
        at = py
        while any(abs(at - other) < gap and abs(px - ox) < 0.25 for ox, other in used):
            at += gap / 4
        used.append((px, at))
        ax.annotate(
            text, (px, py), (px - 0.025 if beside else px + 0.025, at), va="center", fontsize=9,
            ha="right" if beside else "left",
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5} if at - py > gap / 2 else None,
        )  # fmt: skip


def _together(names: Sequence[str]) -> str:
    """One label for the names of one place."""
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _crowded(points: Sequence[tuple[float, float]], gap: float) -> bool:
    """Whether many labels would have to climb over each other."""
    return any(sum(abs(x - a) < 0.25 and abs(y - b) < 3 * gap for a, b in points) > 6 for x, y in points)


def _list_labels(ax: Axes, places: dict[tuple[float, float], list[str]], gap: float) -> None:
    """Labels in a column to the right, from top to bottom, each with a line to its point."""
    ordered = sorted(places.items(), key=lambda item: (-item[0][1], item[0][0]))
    step = min(1.3 * gap, 1.04 / max(1, len(ordered) - 1))
    for k, ((px, py), names) in enumerate(ordered):
        ax.annotate(
            _together(names), (px, py), (1.1, 1.02 - k * step), va="center", ha="left", fontsize=min(9.0, 240 * step),
            annotation_clip=False, arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "relpos": (0, 0.5)},
        )  # fmt: skip
