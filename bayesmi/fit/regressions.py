"""Group-level regressions read back: from what NUTS sees (build/regression.py) to values of the groups and coefficients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.regression import GroupRegression

__all__ = ["given_the_groups"]

Floats = NDArray[np.float64]


def given_the_groups(
    regression: GroupRegression,
    scale: float,
    raw: Floats,
    z: Floats,
    sd: Floats,
    others: Floats,
    before: Sequence[Floats],
) -> tuple[Floats, Floats]:
    """Return the values of the groups (S, G) and the coefficients (S, P), intercept, columns, links.

    `raw` (S, G) and `z` (S, P) are what was sampled, `sd` (S,) the group sd, `others` (S, G) what columns beside the regression
    contribute, `before` the effects (S, G) that links stand for, and `scale` one unit of centred values.
    """
    design = np.tile(regression.static, (len(sd), 1, 1))
    for number, effects in enumerate(before, design.shape[2] - len(before)):
        design[:, :, number] = effects
    shown = scale * raw - others
    if regression.said is not None and regression.information is not None:
        scaled = design / np.sqrt(regression.precision)
        n_groups = design.shape[1]
        prior = np.einsum("sgj,shj->sgh", scaled, scaled) + sd[:, None, None] ** 2 * np.eye(n_groups)
        factor = np.linalg.cholesky(prior)
        weight = regression.information
        precision = np.eye(n_groups) + np.einsum("sga,g,sgb->sab", factor, weight, factor)
        moved = np.einsum("sga,g,sg->sa", factor, weight, regression.said - others)
        shown = np.einsum("sga,sa->sg", factor, _conditional(precision, moved, raw))
    weight = 1.0 / sd**2
    precision = np.einsum("sgj,sgk->sjk", design, design) * weight[:, None, None] + np.diag(
        regression.precision
    )
    moved = np.einsum("sgj,sg->sj", design, shown) * weight[:, None]
    return shown + others, _conditional(precision, moved, z)


def _conditional(precision: Floats, moved: Floats, z: Floats) -> Floats:
    """Return M^-1 c + L'^-1 z for each draw."""
    root = np.linalg.cholesky(precision)
    part = np.linalg.solve(root, moved[:, :, None]) + z[:, :, None]
    return np.asarray(np.linalg.solve(np.swapaxes(root, 1, 2), part)[:, :, 0])
