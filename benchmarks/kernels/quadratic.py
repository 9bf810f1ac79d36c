"""A cell with a quadratic effect, summed over its grid: rows one by one, two passes over the points of a missing cell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.kernels.parameters import fused, half_student, predictor, read, start_of, write_back

__all__ = ["density", "prepare"]


def prepare(model: Any, built: Any, data: Any) -> tuple[Any, ...]:
    """Complete rows (x, z, y); of the others (z, y), and the points of their cells with log weights."""
    assert model.factor("y").column_names == ("x", "I(x ** 2)", "z")
    assert model.factor("x").column_names == ("z",)
    known = data.dropna(subset="x")
    holes = data[data["x"].isna()]
    grid = built.tables.cells["x"]
    tails = np.array(
        [
            [model.factor(name).priors.scales["sigma"].parameters[key] for key in ("nu", "sigma")]
            for name in "yx"
        ]
    )
    return (
        predictor(built, "y"),
        predictor(built, "x"),
        np.array([start_of(built, "y::sigma"), start_of(built, "x::sigma")]),
        tails,
        np.ascontiguousarray(known[["x", "z", "y"]].to_numpy(float)),
        np.ascontiguousarray(holes[["z", "y"]].to_numpy(float)),
        np.ascontiguousarray(grid.values),
        np.ascontiguousarray(np.broadcast_to(grid.log_weights, grid.values.shape)),
    )


@fused
def density(x, gradient, outcome, covariate, sigmas, tails, known, holes, points, log_weights):  # type: ignore[no-untyped-def]
    gradient[:] = 0.0
    beta, slope = np.empty(3), np.empty(1)
    at_means = read(x, outcome, beta)
    own_at_means = read(x, covariate, slope)
    a = at_means - outcome.centers[0] * beta[0] - outcome.centers[1] * beta[1] - outcome.centers[2] * beta[2]
    own = own_at_means - covariate.centers[0] * slope[0]
    b1, b2, b3, c1 = beta[0], beta[1], beta[2], slope[0]
    sigma, tau = math.exp(x[sigmas[0]]), math.exp(x[sigmas[1]])
    t, s = 1.0 / (sigma * sigma), 1.0 / (tau * tau)
    n = len(known) + len(holes)
    total = -n * (x[sigmas[0]] + x[sigmas[1]])
    # sums over rows and points of the residuals r of y and e of x, times what they are differentiated by
    r0, rx, rxx, rz, rr, e0, ez, ee = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(known)):
        value, z = known[i, 0], known[i, 1]
        r = known[i, 2] - a - b1 * value - b2 * value * value - b3 * z
        e = value - own - c1 * z
        r0 += r
        rx += r * value
        rxx += r * value * value
        rz += r * z
        rr += r * r
        e0 += e
        ez += e * z
        ee += e * e
    total -= 0.5 * (t * rr + s * ee)
    logs = np.empty(points.shape[1])
    for i in range(len(holes)):
        z = holes[i, 0]
        r_i, e_i = holes[i, 1] - a - b3 * z, -own - c1 * z
        top = -1e300
        for k in range(len(logs)):
            value = points[i, k]
            r, e = r_i - value * (b1 + b2 * value), e_i + value
            logs[k] = log_weights[i, k] - 0.5 * (t * r * r + s * e * e)
            top = max(top, logs[k])
        mass, m0, mx, mxx, mr, me, mee = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(len(logs)):
            value = points[i, k]
            r, e = r_i - value * (b1 + b2 * value), e_i + value
            w = math.exp(logs[k] - top)
            mass += w
            m0 += w * r
            mx += w * r * value
            mxx += w * r * value * value
            mr += w * r * r
            me += w * e
            mee += w * e * e
        total += top + math.log(mass)
        share = 1.0 / mass
        r0 += m0 * share
        rx += mx * share
        rxx += mxx * share
        rz += m0 * share * z
        rr += mr * share
        e0 += me * share
        ez += me * share * z
        ee += mee * share
    value, slope_of = half_student(sigma, tails[0, 0], tails[0, 1])
    total += value + x[sigmas[0]]
    gradient[sigmas[0]] = t * rr - n + slope_of * sigma + 1.0
    value, slope_of = half_student(tau, tails[1, 0], tails[1, 1])
    total += value + x[sigmas[1]]
    gradient[sigmas[1]] = s * ee - n + slope_of * tau + 1.0
    c = outcome.centers
    d_beta = np.array([t * (rx - c[0] * r0), t * (rxx - c[1] * r0), t * (rz - c[2] * r0)])
    total += write_back(outcome, at_means, beta, t * r0, d_beta, gradient)
    d_slope = np.array([s * (ez - covariate.centers[0] * e0)])
    return total + write_back(covariate, own_at_means, slope, s * e0, d_slope, gradient)
