"""How much the rows of a group say about the group's effect on the logarithm of a scale."""

from __future__ import annotations

import numpy as np

from bayesmi.model.factor import Factor, GroupEffect
from bayesmi.model.scale import rough_residuals
from bayesmi.model.table import ModelTable

__all__ = ["scale_information"]

_LEAST = 3  # rows from which a group's own variance is looked at


def scale_information(owner: Factor, effect: GroupEffect, table: ModelTable) -> float:
    """Return 2 n tau² of a typical group: information of its n rows on its log sd over that of the prior, 1 / tau².

    tau² is the variance of the groups' log sds beyond that of sampling, 1 / (2 (n - 1)), from the residuals of a rough fit.
    """
    residual, units = rough_residuals(owner, table)
    codes = table.codes_at(effect.grouping, owner.level)[units]
    count = np.bincount(codes)
    large = count >= _LEAST
    if large.sum() < 2:
        return 0.0
    mean = np.bincount(codes, weights=residual) / np.maximum(count, 1)
    square = np.bincount(codes, weights=(residual - mean[codes]) ** 2)
    variance = square[large] / (count[large] - 1)
    log_sd = 0.5 * np.log(np.maximum(variance, 1e-12 * variance.max()))
    between = float(log_sd.var(ddof=1)) - float((0.5 / (count[large] - 1)).mean())
    return 2.0 * float(np.median(count[count > 0])) * max(0.0, between)
