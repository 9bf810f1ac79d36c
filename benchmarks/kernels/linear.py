"""Three incomplete Gaussian covariates integrated out, from the cross products of each pattern of missing cells.

In the order of the product the residuals of the four regressions are r = R u, u = [1, z, v1, v2, v3, v4], v4 = y. With
T = diag(1 / sigma²) a pattern's missing entries of u have mean K u, V = (A'TA)^-1, A = -R[:, missing], K = V A'T R. By
Fisher's identity the gradient needs only the completed cross products, summed over patterns: d/dR = -T R E[uu'].
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.kernels.parameters import fused, half_student, predictor, read, start_of, write_back

__all__ = ["density", "prepare"]


def prepare(model: Any, built: Any, data: Any) -> tuple[Any, ...]:
    """Cross products of [1, z, v] by pattern, missing cells at 0."""
    names = [factor.variable for factor in model.factors]
    assert names[-1] == "y"
    columns = ["z", *names]
    table = data[columns].to_numpy(float)
    full = np.column_stack([np.ones(len(table)), np.nan_to_num(table)])
    holes = np.isnan(table[:, 1:])
    patterns, member = np.unique(holes, axis=0, return_inverse=True)
    parts = [full[member.reshape(-1) == p] for p in range(len(patterns))]
    places = np.full((4, 5), -1)
    for i, factor in enumerate(model.factors):
        places[i, : len(factor.column_names)] = [1 + columns.index(name) for name in factor.column_names]
    tails = np.array(
        [[f.priors.scales["sigma"].parameters[key] for key in ("nu", "sigma")] for f in model.factors]
    )
    return (
        predictor(built, names[0]),
        predictor(built, names[1]),
        predictor(built, names[2]),
        predictor(built, names[3]),
        np.array([start_of(built, f"{name}::sigma") for name in names]),
        tails,
        places,
        np.stack([part.T @ part for part in parts]),
        patterns,
    )


@fused
def _residual_rows(x, p, i, places, a, beta, r):  # type: ignore[no-untyped-def]
    """Fill one row of R."""
    count = len(p.centers)
    a[i] = read(x, p, beta[i, :count])
    r[i, 0] = -a[i]
    for j in range(count):
        r[i, 0] += p.centers[j] * beta[i, j]
        r[i, places[i, j]] = -beta[i, j]
    r[i, 2 + i] = 1.0


@fused
def _backward(p, i, places, a, beta, d_r, gradient):  # type: ignore[no-untyped-def]
    count = len(p.centers)
    d_beta = np.empty(count)
    for j in range(count):
        d_beta[j] = p.centers[j] * d_r[0] - d_r[places[i, j]]
    return write_back(p, a[i], beta[i, :count], -d_r[0], d_beta, gradient)


@fused
def density(x, gradient, p0, p1, p2, p3, sigmas, tails, places, grams, patterns):  # type: ignore[no-untyped-def]
    gradient[:] = 0.0
    a, beta, r = np.empty(4), np.empty((4, 5)), np.zeros((4, 6))
    _residual_rows(x, p0, 0, places, a, beta, r)
    _residual_rows(x, p1, 1, places, a, beta, r)
    _residual_rows(x, p2, 2, places, a, beta, r)
    _residual_rows(x, p3, 3, places, a, beta, r)
    sigma, t = np.empty(4), np.empty(4)
    log_scale = 0.0
    for i in range(4):
        sigma[i] = math.exp(x[sigmas[i]])
        t[i] = 1.0 / (sigma[i] * sigma[i])
        log_scale += x[sigmas[i]]
    total, rows = 0.0, 0.0
    completed = np.zeros((6, 6))
    where = np.empty(3, dtype=np.intp)
    v, k, kg = np.empty((3, 3)), np.empty((3, 6)), np.empty((3, 6))
    for pattern in range(len(patterns)):
        g = grams[pattern]
        n, q = g[0, 0], 0
        for i in range(3):
            if patterns[pattern, i]:
                where[q] = 2 + i
                q += 1
        rows += n
        total -= n * log_scale
        for e in range(6):
            for c in range(6):
                completed[e, c] += g[e, c]
        if q > 0:
            total -= n * _invert(r, t, where, q, v)
            for i in range(q):  # K
                for c in range(6):
                    value = 0.0
                    for j in range(q):
                        for m in range(4):
                            value -= v[i, j] * r[m, where[j]] * t[m] * r[m, c]
                    k[i, c] = value
            for j in range(q):  # their own columns are empty in u
                for i in range(q):
                    k[i, where[j]] = 0.0
            for i in range(q):
                for c in range(6):
                    value = 0.0
                    for e in range(6):
                        value += k[i, e] * g[e, c]
                    kg[i, c] = value
            for i in range(q):
                for c in range(6):
                    completed[where[i], c] += kg[i, c]
                    completed[c, where[i]] += kg[i, c]
                for j in range(q):
                    value = n * v[i, j]
                    for e in range(6):
                        value += kg[i, e] * k[j, e]
                    completed[where[i], where[j]] += value
            total += 0.5 * n * q
    value = 0.0
    d_r = np.empty((4, 6))
    for i in range(4):
        square = 0.0
        for c in range(6):
            value = 0.0
            for e in range(6):
                value += r[i, e] * completed[e, c]
            square += value * r[i, c]
            d_r[i, c] = -t[i] * value
        total -= 0.5 * t[i] * square  # the q / 2 of each row above is what V adds to it
        value, slope = half_student(sigma[i], tails[i, 0], tails[i, 1])
        total += value + x[sigmas[i]]
        gradient[sigmas[i]] = t[i] * square - rows + slope * sigma[i] + 1.0
    total += _backward(p0, 0, places, a, beta, d_r[0], gradient)
    total += _backward(p1, 1, places, a, beta, d_r[1], gradient)
    total += _backward(p2, 2, places, a, beta, d_r[2], gradient)
    total += _backward(p3, 3, places, a, beta, d_r[3], gradient)
    return total


@fused
def _invert(r, t, where, q, v):  # type: ignore[no-untyped-def]
    """Fill V = (A'TA)^-1 of up to three cells; return half the log determinant of A'TA."""
    s = np.zeros((3, 3))
    for i in range(q):
        for j in range(q):
            value = 0.0
            for m in range(4):
                value += t[m] * r[m, where[i]] * r[m, where[j]]
            s[i, j] = value
    for i in range(q, 3):
        s[i, i] = 1.0
    c00 = s[1, 1] * s[2, 2] - s[1, 2] * s[2, 1]
    c01 = s[1, 2] * s[2, 0] - s[1, 0] * s[2, 2]
    c02 = s[1, 0] * s[2, 1] - s[1, 1] * s[2, 0]
    determinant = s[0, 0] * c00 + s[0, 1] * c01 + s[0, 2] * c02
    scale = 1.0 / determinant
    v[0, 0] = c00 * scale
    v[0, 1] = v[1, 0] = c01 * scale
    v[0, 2] = v[2, 0] = c02 * scale
    v[1, 1] = (s[0, 0] * s[2, 2] - s[0, 2] * s[2, 0]) * scale
    v[1, 2] = v[2, 1] = (s[0, 2] * s[1, 0] - s[0, 0] * s[1, 2]) * scale
    v[2, 2] = (s[0, 0] * s[1, 1] - s[0, 1] * s[1, 0]) * scale
    return 0.5 * math.log(determinant)
