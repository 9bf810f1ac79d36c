"""Random intercepts integrated out, from each school's sums: y_g ~ N(X_g beta, sigma² I + tau² 11').

With t = 1 / sigma², r the residuals without the school's effect and M_g = 1 + n_g t tau²,

    log f = -N log sigma - t r'r / 2 + sum_g [ (t tau 1'r_g)² / M_g - log M_g ] / 2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.kernels.parameters import (
    fused,
    half_student,
    predictor,
    read,
    sigmoid,
    softplus,
    start_of,
    write_back,
)

__all__ = ["density", "prepare"]


def prepare(model: Any, built: Any, data: Any) -> tuple[Any, ...]:
    """Cross products of [1, texp, sex, popular], all centred, and their sums by school."""
    known = data.dropna(subset="popular")
    own = predictor(built, "popular")
    factor = model.factors[0]
    assert factor.column_names == ("texp", "sex")
    columns = np.column_stack(
        [
            np.ones(len(known)),
            known[["texp", "sex"]].to_numpy(float) - own.centers,
            known["popular"].to_numpy(float) - own.location,
        ]
    )
    codes = known["school"].astype("category").cat.codes.to_numpy()
    sums = np.stack([np.bincount(codes, column) for column in columns.T], axis=1)
    (sd,) = (p for p in built.program.parameters if p.name == "popular::sd::school")
    tail = factor.priors.scales["sigma"].parameters
    return (
        own,
        np.array([start_of(built, "popular::sigma"), sd.start]),
        np.array([sd.scales[0], factor.priors.group_sds["school"][0].parameters["sigma"]]),
        np.array([tail["nu"], tail["sigma"]]),
        columns.T @ columns,
        np.ascontiguousarray(sums),
    )


@fused
def density(x, gradient, own, places, spread, tail, gram, sums):  # type: ignore[no-untyped-def]
    gradient[:] = 0.0
    beta = np.empty(2)
    a = read(x, own, beta)
    sigma = math.exp(x[places[0]])
    tau = spread[0] * softplus(x[places[1]])
    t, v = 1.0 / (sigma * sigma), tau * tau
    w = (own.location - a, -beta[0], -beta[1], 1.0)
    rows = gram[0, 0]
    rr = 0.0
    d_w = np.empty(4)
    for i in range(4):
        value = gram[i, 0] * w[0] + gram[i, 1] * w[1] + gram[i, 2] * w[2] + gram[i, 3]
        rr += value * w[i]
        d_w[i] = -t * value
    total = -rows * math.log(sigma) - 0.5 * t * rr
    d_t, d_v = 0.5 * rows / t - 0.5 * rr, 0.0
    d0, d1, d2 = 0.0, 0.0, 0.0
    for g in range(len(sums)):
        n = sums[g, 0]
        r = n * w[0] + sums[g, 1] * w[1] + sums[g, 2] * w[2] + sums[g, 3]
        m = 1.0 / (1.0 + n * t * v)
        s = t * r * m
        total += 0.5 * (s * t * v * r + math.log(m))
        d = s * t * v
        d0 += d * n
        d1 += d * sums[g, 1]
        d2 += d * sums[g, 2]
        d_v += 0.5 * (s * s - t * n * m)
        d_t += 0.5 * v * (2.0 * t * r * r * m - n * s * s * v - n * m)
    value, slope = half_student(sigma, tail[0], tail[1])
    gradient[places[0]] = sigma * (slope - 2.0 * d_t * t / sigma) + 1.0
    z = tau / spread[1]
    share = sigmoid(x[places[1]])
    total += value + x[places[0]] - 0.5 * z * z + math.log(share)
    gradient[places[1]] = (2.0 * tau * d_v - z / spread[1]) * spread[0] * share + 1.0 - share
    d_beta = np.array([-d_w[1] - d1, -d_w[2] - d2])
    return total + write_back(own, a, beta, -d_w[0] - d0, d_beta, gradient)
