"""One factor at one posterior draw, on units whose predictors are all known: its density, and draws from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw.limited import draw_limited
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import predictors, row_scale
from bayesmi.draw.rows import lay_out_completed
from bayesmi.model.factor import Factor
from bayesmi.model.table import ModelTable

__all__ = ["Conditional", "conditional"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Conditional:
    """f(variable | its predictors, group effects) on T units."""

    factor: Factor
    eta: Any  # (T,), or a list of them for a family with several linear predictors
    scales: Mapping[str, Any]  # the family's parameters, and what it knows of each unit

    def draw(self, rng: np.random.Generator) -> Floats:
        """Draw the response on the family's scale, (T,), between its limits where it has some."""
        if not self.factor.limits:
            return self.factor.family.draw(rng, self.eta, self.scales)
        return draw_limited(self.factor, rng, self.eta, self.scales)

    def log_density(self, y: Floats) -> Floats:
        """Return the log density at y, on the family's scale, (T,)."""
        with np.errstate(over="ignore"):  # a mean beyond what a number can hold: the density is zero
            return np.asarray(self.factor.family.log_density(np, y, self.eta, self.scales))


def conditional(
    factor: Factor,
    table: ModelTable,
    units: NDArray[np.intp],
    values: Mapping[str, Floats],
    draw: PosteriorDraws,
) -> Conditional:
    """Return a factor on some units of its level, given completed columns (over rows) and one draw with group effects."""
    rows = lay_out_completed(factor, table, units, values)
    eta = predictors(factor, rows, draw)
    own = [one[0] for one in eta] if factor.family.has_equations else eta[0]
    scales = {
        name: value[0] for name, value in {**draw.scales(factor), **row_scale(factor, rows, draw)}.items()
    }
    return Conditional(factor, own, scales | dict(rows.known))
