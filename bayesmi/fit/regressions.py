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
        n_groups, n = design.shape[1], len(sd)
        own = np.broadcast_to(np.eye(n_groups), (n, n_groups, n_groups)) * sd[:, None, None]
        both = np.concatenate(
            [design / np.sqrt(regression.precision), own], axis=2
        )  # of coefficients and effects
        weighted = both * regression.information[:, None]
        precision = np.eye(both.shape[2]) + np.einsum("sga,sgb->sab", both, weighted)
        w = _conditional(
            precision, np.einsum("sga,sg->sa", weighted, regression.said - others), np.column_stack([z, raw])
        )
        p = design.shape[2]
        return np.einsum("sga,sa->sg", both, w) + others, w[:, :p] / np.sqrt(regression.precision)
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
