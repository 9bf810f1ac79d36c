"""Where the conclusion turns: the root of the answer's margin in delta, with its Monte Carlo error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.errors import ModelError
from bayesmi.sensitivity.point import Point

if TYPE_CHECKING:
    from bayesmi.sensitivity.sensitivity import Sensitivity

__all__ = ["TippingPoint", "find_tipping_point", "tipping_line"]

Floats = NDArray[np.float64]
_STEPS = 25  # evaluations beyond the grid, at most


@dataclass(frozen=True, eq=False, repr=False)
class TippingPoint:
    """The delta at which a conclusion turns.

    Attributes
    ----------
    value : float
        The one nearest to missing at random; NaN where nothing turns in the range.
    mcse : float
        Its Monte Carlo error: over bootstrap samples of the imputations, or over blocks of posterior draws left out.
    values : tuple of float
        All in the range.
    term, criterion : str
        What turns, and how that is told.
    estimate : Series
        Estimate, interval, p-value and realised differences nearest to it.
    sensitivity : Sensitivity
        With the points that were evaluated on the way.
    lost : float
        Share of the replicates in which nothing turned in the range.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> found = fit.sensitivity({"chl": [0, 50, 100]}, m=10, progress=False)
    >>> tipping = found.tipping_point("bmi", criterion=7.5)
    >>> tipping.values == (tipping.value,), tipping.mcse > 0
    (True, True)
    >>> float(round(tipping.estimate["estimate"], 1))
    7.5
    """

    value: float
    mcse: float
    values: tuple[float, ...]
    term: str
    criterion: str
    estimate: pd.Series
    sensitivity: Sensitivity
    lost: float

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        (name,) = self.sensitivity.grid.names
        grid = self.sensitivity.grid
        values = grid.values[name]
        where = f"{grid.label(name)} between {values[0]:g} and {values[-1]:g}"
        if not np.isfinite(self.value):
            return f"No tipping point of {self.term} ({self.criterion}) for {where}"
        line = (
            f"Tipping point of {self.term} ({self.criterion}): {grid.label(name)} = {self.value:.4g} "
            f"(Monte Carlo error {self.mcse:.2g})"
        )
        realised = self.estimate[f"realised_{grid.variables[0]}"]
        lines = [line]
        if np.isfinite(realised):
            lines.append(
                f"  there imputed values differ by {realised:.4g} from those "
                f"{'under' if grid.at_zero == 'missing at random' else 'at'} {grid.at_zero}"
            )
        lines.append(
            f"  there the estimate is {self.estimate['estimate']:.4g} ({self.estimate['conf.low']:.4g} to "
            f"{self.estimate['conf.high']:.4g})"
        )
        if len(self.values) > 1:
            lines.append(
                f"  it turns again at {', '.join(f'{v:.4g}' for v in self.values if v != self.value)}"
            )
        if self.lost > 0:
            lines.append(
                f"  in {100 * self.lost:.0f} % of the replicates nothing turns in the range: widen it, or raise m"
            )
        return "\n".join(lines)


def find_tipping_point(
    sensitivity: Sensitivity, term: str, criterion: str | float, alpha: float, tolerance: float
) -> TippingPoint:
    """Refine the grid around the sign change nearest to zero; see `Sensitivity.tipping_point`."""
    if len(sensitivity.grid.names) != 1:
        raise ModelError("a tipping point is on one axis; on two there is a line: tipping_line(), or plot()")
    target, words = read_criterion(criterion, alpha)
    (name,) = sensitivity.grid.names
    if len(sensitivity.grid.values[name]) < 2:
        raise ModelError(
            f"a tipping point lies between two values of {sensitivity.grid.label(name)}: give a range, such as (-10, 0)"
        )
    points = {point.values[0]: point for point in sensitivity.points}

    def margins() -> tuple[Floats, Floats]:
        x = np.array(sorted(points))
        return x, np.array([points[float(v)].answer.margin(term, target, alpha) for v in x])

    x, g = margins()
    least = tolerance * float(x[-1] - x[0])
    brackets = _brackets(x, g)
    side = 0
    for _ in range(_STEPS if brackets else 0):
        x, g = margins()
        k = min(_brackets(x, g), key=lambda k: abs(_root(x, g, k)))
        if x[k + 1] - x[k] <= least or g[k] == 0.0 or g[k + 1] == 0.0:
            break
        guess = _root(x, g, k)
        margin = 0.1 * float(x[k + 1] - x[k])
        if side >= 2:  # the same end moved twice: halve
            guess, side = 0.5 * float(x[k] + x[k + 1]), 0
        guess = float(np.clip(guess, x[k] + 0.1 * margin, x[k + 1] - 0.1 * margin))
        if min(guess - x[k], x[k + 1] - guess) < 0.5 * least:  # look on both sides of the root
            guess = (
                float(x[k] + 0.5 * least)
                if guess - x[k] < x[k + 1] - guess
                else float(x[k + 1] - 0.5 * least)
            )
        side += 1
        points[guess] = sensitivity.evaluator((guess,))
    x, g = margins()
    roots = sorted({_root(x, g, k) for k in _brackets(x, g)}, key=abs)
    whole = sensitivity.with_points(list(points.values()))
    if not roots:
        nothing = pd.Series(dtype=float)
        return TippingPoint(float("nan"), float("nan"), (), term, words, nothing, whole, float("nan"))
    value = roots[0]
    spread, lost = _monte_carlo(points, x, term, target, alpha, value, sensitivity.seed)
    nearest = float(x[np.argmin(np.abs(x - value))])
    rows = whole.table
    row = rows[(rows[whole.columns[0]] == nearest) & (rows["term"] == term)].iloc[0]
    return TippingPoint(value, spread, tuple(sorted(roots)), term, words, row, whole, lost)


def read_criterion(criterion: str | float, alpha: float) -> tuple[float | None, str]:
    """Return the number that the estimate has to cross (None: significance) and the criterion in words.

    Raises
    ------
    ModelError
        If it is none of these.
    """
    if not 0.0 < alpha < 1.0:
        raise ModelError(f"alpha={alpha!r} must lie between 0 and 1")
    if criterion == "interval":
        return None, f"{100 * (1 - alpha):g} % interval touches 0"
    if criterion == "p":
        return None, f"p = {alpha:g}"
    if (
        isinstance(criterion, bool)
        or not isinstance(criterion, int | float | np.number)
        or not np.isfinite(criterion)
    ):
        raise ModelError(
            f"criterion is 'interval', 'p' or a number that the estimate crosses, not {criterion!r}"
        )
    return float(criterion), f"estimate crosses {criterion:g}"


def tipping_line(sensitivity: Sensitivity, term: str, criterion: str | float, alpha: float) -> pd.DataFrame:
    """Interpolate along both deltas; see `Sensitivity.tipping_line`."""
    if len(sensitivity.grid.names) != 2:
        raise ModelError("a tipping line is on two axes; on one there is a point: tipping_point()")
    target, _ = read_criterion(criterion, alpha)
    margins = {point.values: point.answer.margin(term, target, alpha) for point in sensitivity.points}
    rows: set[tuple[float, float]] = set()
    for held in (0, 1):
        for value in sensitivity.grid.values[sensitivity.grid.names[held]]:
            own = sorted((point[1 - held], g) for point, g in margins.items() if point[held] == value)
            x, g = np.array([one for one, _ in own]), np.array([one for _, one in own])
            roots = [_root(x, g, k) for k in _brackets(x, g)]
            rows |= {(value, root) if held == 0 else (root, value) for root in roots}
    return pd.DataFrame(sorted(rows), columns=list(sensitivity.columns), dtype=float)


def _brackets(x: Floats, g: Floats) -> list[int]:
    """Places k where g changes sign between k and k + 1."""
    sign = g >= 0.0
    return [int(k) for k in np.flatnonzero(sign[1:] != sign[:-1])]


def _root(x: Floats, g: Floats, k: int) -> float:
    """Zero of the line between two points."""
    return float(x[k] - g[k] * (x[k + 1] - x[k]) / (g[k + 1] - g[k]))


def _monte_carlo(
    points: dict[float, Point],
    x: Floats,
    term: str,
    target: float | None,
    alpha: float,
    value: float,
    seed: int,
) -> tuple[float, float]:
    """Spread of the root over replicates, of the same imputations (or draws) at every delta."""
    replicated = np.stack(
        [points[float(v)].answer.replicated_margins(term, target, alpha, seed) for v in x], axis=1
    )
    roots = np.full(len(replicated), np.nan)
    for b, g in enumerate(replicated):
        found = [_root(x, g, k) for k in _brackets(x, g)]
        if found:
            roots[b] = min(found, key=lambda root: abs(root - value))
    lost = float(np.isnan(roots).mean())
    if lost > 0.5:
        return float("nan"), lost
    return points[float(x[0])].answer.spread(roots), lost
