"""A logistic regression with an ordinal, a binary and a continuous incomplete covariate: f(g) f(b | g) f(c | b, g) f(y | …).

The binary and the ordinal cell are summed out of their row; the continuous one is sampled (a place in x) or summed over
its grid, as the plan has it. One pass over the rows.
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
    read_thresholds,
    start_of,
    thresholds_back,
    write_back,
)

__all__ = ["density", "prepare"]


def prepare(model: Any, built: Any, data: Any) -> tuple[Any, ...]:
    """Rows as (y, z, b, c) and codes of g, holes as -1; where each cell of c is sampled, or its grid."""
    names = {f.variable: f.column_names for f in model.factors}
    assert names["g"] == ("z",)
    assert names["b"] == ("z", "g[mid]", "g[high]")
    assert names["c"] == ("z", "g[mid]", "g[high]", "b")
    assert names["y"] == ("b", "g[mid]", "g[high]", "c", "z")
    rows = data[["y", "z", "b", "c"]].to_numpy(float)
    holes = np.isnan(rows[:, 3])
    cell = np.full(len(rows), -1)
    cell[holes] = np.arange(holes.sum())
    grid = built.tables.cells.get("c")
    points = np.zeros((1, 0)) if grid is None else grid.values
    weights = np.zeros(points.shape) if grid is None else np.broadcast_to(grid.log_weights, points.shape)
    (threshold,) = (p for p in built.program.parameters if p.name == "g::threshold")
    tail = model.factor("g").priors.scales["threshold"].parameters
    own = model.factor("c").priors.scales["sigma"].parameters
    return (
        predictor(built, "g"),
        predictor(built, "b"),
        predictor(built, "c"),
        predictor(built, "y"),
        np.array(
            [threshold.start, start_of(built, "c::sigma"), start_of(built, "cell::c"), threshold.anchor]
        ),
        np.array(threshold.locations),
        np.array([tail["nu"], tail["sigma"]]),
        np.array([own["nu"], own["sigma"]]),
        np.nan_to_num(rows, nan=-1.0),
        data["g"].cat.codes.to_numpy().astype(np.intp),
        cell,
        np.ascontiguousarray(points),
        np.ascontiguousarray(weights),
    )


@fused
def density(x, gradient, pg, pb, pc, py, places, steps, tail, own, rows, grades, cell, points, weights):  # type: ignore[no-untyped-def]
    gradient[:] = 0.0
    gz, bb, cb, yb = np.empty(1), np.empty(3), np.empty(4), np.empty(5)
    read(x, pg, gz)
    ba, ca, ya = read(x, pb, bb), read(x, pc, cb), read(x, py, yb)
    b0, c0, y0, g0 = ba, ca, ya, -pg.centers[0] * gz[0]
    for j in range(3):
        b0 -= pb.centers[j] * bb[j]
    for j in range(4):
        c0 -= pc.centers[j] * cb[j]
    for j in range(5):
        y0 -= py.centers[j] * yb[j]
    thresholds = np.empty(2)
    read_thresholds(x, places[0], places[3], steps, thresholds)
    log_gap = math.log(1.0 - math.exp(thresholds[0] - thresholds[1]))
    inverse = 1.0 / (math.exp(thresholds[1] - thresholds[0]) - 1.0)
    log_sigma = x[places[1]]
    sigma = math.exp(log_sigma)
    t = 1.0 / (sigma * sigma)
    b_of = np.array([0.0, bb[1], bb[2]])
    c_of = np.array([0.0, cb[1], cb[2]])
    y_of = np.array([0.0, yb[1], yb[2]])
    sampled = places[2] >= 0
    most = max(1, points.shape[1])
    logs, y_rest, c_rest = np.empty((3, 2, most)), np.empty((3, 2, most)), np.empty((3, 2, most))
    g_eta, g_low, g_high = np.empty(3), np.empty(3), np.empty(3)
    b_rest = np.empty((3, 2))
    d_gz, d_low, d_high, d_gc, rr, total = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    d_b, d_c, d_y = np.zeros(4), np.zeros(5), np.zeros(6)  # intercepts last
    for i in range(len(rows)):
        y, z, grade = rows[i, 0], rows[i, 1], grades[i]
        first_g, last_g = (0, 3) if grade < 0 else (grade, grade + 1)
        first_b, last_b = (0, 2) if rows[i, 2] < 0.0 else (int(rows[i, 2]), int(rows[i, 2]) + 1)
        n_points = points.shape[1] if cell[i] >= 0 and not sampled else 1
        c_value = rows[i, 3]
        if cell[i] >= 0 and sampled:
            c_value = pc.location + pc.spread * x[places[2] + cell[i]]
        eta_g = g0 + gz[0] * z
        low, high = thresholds[0] - eta_g, thresholds[1] - eta_g
        e_low, e_high = math.exp(-abs(low)), math.exp(-abs(high))
        p_low = (1.0 if low > 0.0 else e_low) / (1.0 + e_low)  # F(low)
        p_high = (1.0 if high > 0.0 else e_high) / (1.0 + e_high)
        log_low, log_high = math.log(1.0 + e_low), math.log(1.0 + e_high)
        top = -1e300
        for g in range(first_g, last_g):
            if g == 0:
                value = min(low, 0.0) - log_low
                g_low[0], g_high[0] = 1.0 - p_low, 0.0
            elif g == 1:
                value = log_gap - max(low, 0.0) - log_low + min(high, 0.0) - log_high
                g_low[1], g_high[1] = -p_low - inverse, 1.0 - p_high + inverse
            else:
                value = -max(high, 0.0) - log_high
                g_low[2], g_high[2] = 0.0, -p_high
            g_eta[g] = -g_low[g] - g_high[g]
            eta_b = b0 + bb[0] * z + b_of[g]
            small = math.exp(-abs(eta_b))
            log_one_plus = max(eta_b, 0.0) + math.log(1.0 + small)
            p = (1.0 if eta_b > 0.0 else small) / (1.0 + small)
            for b in range(first_b, last_b):
                b_rest[g, b] = b - p
                so_far = value + b * eta_b - log_one_plus
                mean_c = c0 + cb[0] * z + c_of[g] + cb[3] * b
                eta_rest = y0 + yb[0] * b + y_of[g] + yb[4] * z
                for k in range(n_points):
                    log_weight = 0.0
                    if n_points > 1:
                        c_value = points[cell[i], k]
                        log_weight = weights[cell[i], k]
                    r = c_value - mean_c
                    eta = eta_rest + yb[3] * c_value
                    small = math.exp(-abs(eta))
                    p_y = (1.0 if eta > 0.0 else small) / (1.0 + small)
                    c_rest[g, b, k], y_rest[g, b, k] = r, y - p_y
                    one = so_far + log_weight - 0.5 * t * r * r
                    one += y * eta - max(eta, 0.0) - math.log(1.0 + small)
                    logs[g, b, k] = one
                    top = max(top, one)
        mass = 0.0
        for g in range(first_g, last_g):
            for b in range(first_b, last_b):
                for k in range(n_points):
                    logs[g, b, k] = math.exp(logs[g, b, k] - top)
                    mass += logs[g, b, k]
        total += top + math.log(mass)
        share = 1.0 / mass
        d_cell = 0.0
        for g in range(first_g, last_g):
            w_g = 0.0
            for b in range(first_b, last_b):
                w_b, s_c, s_y, s_yc = 0.0, 0.0, 0.0, 0.0
                for k in range(n_points):
                    w = logs[g, b, k] * share
                    if n_points > 1:
                        c_value = points[cell[i], k]
                    r = c_rest[g, b, k]
                    w_b += w
                    s_c += w * r
                    rr += w * r * r
                    s_y += w * y_rest[g, b, k]
                    s_yc += w * y_rest[g, b, k] * c_value
                w_g += w_b
                d = w_b * b_rest[g, b]
                d_b[0] += d * z
                d_b[3] += d
                d_c[0] += s_c * z
                d_c[3] += s_c * b
                d_c[4] += s_c
                d_y[0] += s_y * b
                d_y[3] += s_yc
                d_y[4] += s_y * z
                d_y[5] += s_y
                if g > 0:
                    d_b[g] += d
                    d_c[g] += s_c
                    d_y[g] += s_y
                d_cell += s_y * yb[3] - t * s_c
            d = w_g * g_eta[g]
            d_gz += d * z
            d_gc += d
            d_low += w_g * g_low[g]
            d_high += w_g * g_high[g]
        if cell[i] >= 0 and sampled:
            gradient[places[2] + cell[i]] = pc.spread * d_cell
    total -= len(rows) * log_sigma
    value, slope = half_student(sigma, own[0], own[1])
    total += value + log_sigma
    gradient[places[1]] = t * rr - len(rows) + slope * sigma + 1.0
    d_threshold = np.array([d_low, d_high])
    total += thresholds_back(x, places[0], places[3], steps, tail, thresholds, d_threshold, gradient)
    total += write_back(pg, 0.0, gz, 0.0, np.array([d_gz - pg.centers[0] * d_gc]), gradient)
    total += write_back(pb, ba, bb, d_b[3], d_b[:3] - pb.centers * d_b[3], gradient)
    total += write_back(pc, ca, cb, t * d_c[4], t * (d_c[:4] - pc.centers * d_c[4]), gradient)
    return total + write_back(py, ya, yb, d_y[5], d_y[:5] - py.centers * d_y[5], gradient)
