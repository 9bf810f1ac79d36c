"""The posterior density along rho of a selection model, everything else at its best: where it has a second mode.

With weak exclusion restrictions, or errors that are not normal, the likelihood of Heckman's model can have two maxima, one of
them near rho = 1 or -1. Chains rarely cross between them, so the profile is looked at beside the chains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmi.build import BuiltModel
from bayesmi.errors import FitError
from bayesmi.families.selected import Selected

if TYPE_CHECKING:
    from bayesmi.draw import PosteriorDraws

__all__ = ["RHO_GRID", "RhoProfile", "estimated_rhos", "profile_rho"]

Floats = NDArray[np.float64]
RHO_GRID = (-0.99, -0.95, -0.85, -0.7, -0.5, -0.3, -0.1, 0.1, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99)
_DIP = 0.05  # of the log density between two maxima that count as two
_GAIN = 1e-3  # by which a point has to be better to be taken over
_STEPS = 100


@dataclass(frozen=True)
class RhoProfile:
    """Log posterior density (without the Jacobian of rho) maximised over everything else, by rho.

    Attributes
    ----------
    variable : str
        Whose selection it is.
    rho, log_density : array, (points,)
        In increasing order of rho; the largest of the grid is zero.
    modes : tuple of float
        Values of rho at the maxima, highest first.
    heights : tuple of float
        Log density there.
    """

    variable: str
    rho: Floats
    log_density: Floats
    modes: tuple[float, ...]
    heights: tuple[float, ...]

    @property
    def words(self) -> str:
        """What to know about it; empty where there is one mode."""
        if len(self.modes) < 2:
            return ""
        shown = ", ".join(
            f"rho {mode:.3g} (log density {height - self.heights[0]:.1f})"
            for mode, height in zip(self.modes, self.heights, strict=True)
        )
        return (
            f"the profile of rho of {self.variable!r} has {len(self.modes)} maxima, at {shown}: the selection model does not "
            "fit in one way only; look at the errors' shape (a logarithm, errors='student') and at the exclusion restriction"
        )


def estimated_rhos(built: BuiltModel) -> list[str]:
    """Return the variables with a selection equation whose rho is not fixed."""
    return [
        factor.variable
        for factor in built.model.factors
        if factor.selection is not None and isinstance(factor.family, Selected) and factor.family.rho is None
    ]


def profile_rho(
    built: BuiltModel, variable: str, draws: PosteriorDraws | None = None, rho: Sequence[float] = RHO_GRID
) -> RhoProfile:
    """Maximise the log posterior density over everything but rho, from its middle outwards.

    Group sds, at which a maximum over group effects would collapse, stay at their posterior medians.

    Raises
    ------
    FitError
        If a value of `rho` is not between -1 and 1, or rho of the variable is not estimated.
    """
    if variable not in estimated_rhos(built):
        raise FitError(f"rho of {variable!r} is not estimated: there is no profile")
    grid = np.unique(np.asarray(rho, dtype=float))
    if not len(grid) or not np.all(np.abs(grid) < 1.0):
        raise FitError(f"rho= must be numbers between -1 and 1, not {list(rho)!r}")
    start, held = built.program.initial(), np.zeros(built.program.dimensions, dtype=bool)
    place = -1
    for parameter in built.program.parameters:
        part = slice(parameter.start, parameter.start + parameter.size)
        if parameter.name == f"{variable}::rho":
            place = parameter.start
            held[part] = True
        elif "::sd::" in parameter.name:
            held[part] = True
            if draws is not None:
                key, grouping = parameter.name.split("::sd::")
                sds = np.median(draws.factors[key].sds[grouping], axis=0)
                ratio = np.maximum(sds / np.asarray(parameter.scales), 1e-6)
                start[part] = ratio + np.log(-np.expm1(-ratio))
    middle = int(np.argmin(np.abs(grid)))
    values = np.full(len(grid), -np.inf)
    reached = {middle: start}
    for i in (*range(middle, len(grid)), *range(middle - 1, -1, -1)):
        before = reached[i] if i in reached else reached[i - 1 if i > middle else i + 1]
        values[i], reached[i] = _maximum(built, before, place, grid[i], held)
    # and back: a ridge that was missed on the way out is found from the other side
    for way in (range(len(grid) - 2, -1, -1), range(1, len(grid))):
        for i in way:
            found = _maximum(built, reached[i - way.step], place, grid[i], held)
            if found[0] <= values[i] + _GAIN:
                break
            values[i], reached[i] = found
    top = float(values.max())
    peaks = _peaks(built, grid, values, reached, place, held)
    return RhoProfile(
        variable, grid, values - top, tuple(rho for _, rho in peaks), tuple(value - top for value, _ in peaks)
    )


def _peaks(
    built: BuiltModel,
    grid: Floats,
    values: Floats,
    reached: dict[int, Floats],
    place: int,
    held: NDArray[np.bool_],
) -> list[tuple[float, float]]:
    """Log density and rho at the maxima, highest first: from the grid's own maxima uphill."""
    found: list[int] = []
    for i in np.argsort(-values):
        if all(values[min(i, j) : max(i, j) + 1].min() < values[i] - _DIP for j in found):
            found.append(int(i))
    peaks: list[tuple[float, float]] = []
    for i in found:
        value, point = _maximum(built, reached[i], place, None, held)
        rho = float(np.tanh(0.5 * point[place]))
        if all(abs(rho - other) > 0.01 for _, other in peaks):
            peaks.append((value, rho))
    return sorted(peaks, reverse=True)


def _maximum(
    built: BuiltModel, start: Floats, place: int, rho: float | None, held: NDArray[np.bool_]
) -> tuple[float, Floats]:
    """Largest log density at one rho (None: at any), and where."""
    from scipy.optimize import minimize

    whole = start.copy()
    free = ~held
    if rho is None:
        free[place] = True
    else:
        whole[place] = 2.0 * np.arctanh(rho)

    def negative(x: Floats) -> tuple[float, Floats]:
        point = whole.copy()
        point[free] = x
        value, gradient = built.log_density(point)
        if not np.isfinite(value):
            return 1e300, np.zeros(len(x))
        half = 1.0 / (1.0 + np.exp(-point[place]))
        gradient[place] -= 1.0 - 2.0 * half
        return float(np.log(half * (1.0 - half)) - value), -gradient[free]

    found = minimize(
        negative, whole[free], jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "ftol": 1e-7}
    )
    whole[free] = found.x
    return float(-found.fun), whole
