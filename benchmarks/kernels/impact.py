"""IMPACT: f(pupil) f(ct | pupil) f(mort | …) f(hypots | …) f(tsah | …) f(edh | …) with random study effects, row by row.

A row's missing pupil, ct, hypots and tsah are summed out by nested loops; factors that nothing observed depends on are
left out. Predictors that are the same for a study, type and motor score are computed once for each such class. Logs of
a combination's factors are taken together: one logarithm of a product of numbers of order one.

A function of intercepts, coefficients, study effects and thresholds as they are. The sampler's coordinates and the priors of
a few hundred numbers, which the built density has too, are left out here: they are nothing beside 11 022 rows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.kernels.parameters import fused

__all__ = ["density", "natural", "prepare", "reference"]

_KEYS = ("pupil[None]", "pupil[One]", "ct", "mort", "hypots", "tsah", "edh")
_MOVING = ("age", "pupil[None]", "pupil[One]", "ct[III]", "ct[IV/V]", "mort", "hypots[1]", "tsah[1]")
_N = len(_KEYS)


def prepare(model: Any, built: Any, data: Any) -> tuple[Any, ...]:
    """Codes of all variables by row, the classes' designs, and which coefficients move within a class."""
    assert tuple(key for factor in model.factors for key in factor.keys) == _KEYS
    static = data[["name", "type", "motor_score"]].astype(str).agg("|".join, axis=1)
    classes, first, member = np.unique(static.to_numpy(str), return_index=True, return_inverse=True)
    studies = data["name"].cat.codes.to_numpy().astype(np.intp)
    codes = np.stack(
        [
            member.reshape(-1),
            data["pupil"].cat.codes,
            data["ct"].cat.codes,
            data["mort"],
            *(data[name].cat.codes for name in ("hypots", "tsah", "edh")),
        ],
        axis=1,
    ).astype(np.intp)
    designs = np.zeros((_N, len(classes), _widest(model)))
    moving = np.full((_N, len(_MOVING)), -1)
    links = np.full((_N, 8, 2), -1)
    for n, factor in enumerate(_owners(model)):
        table = built.tables.factors[factor.variable]
        row_of = {int(unit): row for row, unit in reversed(list(enumerate(table.units)))}
        known = np.array([row_of.get(int(row), -1) for row in first])
        for c in np.flatnonzero(known < 0):  # a class whose first row is not in the factor
            known[c] = next(row_of[int(r)] for r in np.flatnonzero(codes[:, 0] == c) if int(r) in row_of)
        p = factor.design.n_columns
        designs[n, :, :p] = table.base[known]
        for place, name in enumerate(_MOVING):
            if name in factor.column_names:
                moving[n, place] = factor.column_names.index(name)
                designs[n, :, moving[n, place]] = -factor.centers[moving[n, place]]
        for m, link in enumerate(factor.links):
            links[n, m] = p + m, _KEYS.index(link.key)
    return codes, data["age"].to_numpy(float), studies[first], int(studies.max()) + 1, designs, moving, links


def natural(model: Any, built: Any, points: Any) -> Any:
    """Intercepts, coefficients, study effects and thresholds at points of the sampler, (P, numbers of this kernel)."""
    draws = _draws(model, built, points)
    widest = _widest(model)
    intercepts, slopes, effects = [], [], []
    for key, factor in zip(_KEYS, _owners(model), strict=True):
        own = draws.factors[key]
        intercepts.append(own.centred_intercept(factor)[:, None])
        slopes.append(np.zeros((len(points), widest)))
        slopes[-1][:, : own.coefficients.shape[1]] = own.coefficients
        effects.append(own.effects["name"][:, :, 0])
    return np.concatenate([*intercepts, *slopes, *effects, draws.factors["ct"].scales["threshold"]], axis=1)


def reference(model: Any, built: Any, points: Any) -> Any:
    """The log likelihood that this kernel has to give, (P,)."""
    from bayesmi.likelihood.densities import densities, sum_combinations
    from bayesmi.likelihood.part import Part

    part = Part(model.factors, model.table, built.plan, built.tables)
    terms = sum_combinations(part, densities(part, _draws(model, built, points)))
    return terms.rows.sum(axis=1)


def _owners(model: Any) -> list[Any]:
    return [factor for factor in model.factors for _ in factor.keys]


def _widest(model: Any) -> int:
    return max(factor.design.n_columns + len(factor.links) for factor in model.factors)


def _draws(model: Any, built: Any, points: Any) -> Any:
    from bayesmi.draw import draw_back_effects
    from bayesmi.fit.constrain import constrained, posterior_draws

    points = np.atleast_2d(points)
    draws = posterior_draws(built, constrained(built.program, points), 1, len(points))
    return draw_back_effects(model.factors, built.plan, built.tables, draws, np.random.default_rng(0))


@fused
def density(x, gradient, codes, age, study_of, groups, designs, moving, links):  # type: ignore[no-untyped-def]
    widest, classes = designs.shape[2], designs.shape[1]
    at_u = _N * (1 + widest)
    at_t = at_u + _N * groups
    a, beta = x[:_N], x[_N:at_u].reshape(_N, widest)
    u, thresholds = x[at_u:at_t].reshape(_N, groups), x[at_t:]
    log_gap = math.log(1.0 - math.exp(thresholds[0] - thresholds[1]))
    inverse = 1.0 / (math.exp(thresholds[1] - thresholds[0]) - 1.0)
    base = np.empty((classes, _N))
    move = np.zeros((_N, len(_MOVING)))  # coefficients of what moves within a class
    for n in range(_N):
        for m in range(len(_MOVING)):
            if moving[n, m] >= 0:
                move[n, m] = beta[n, moving[n, m]]
        for c in range(classes):
            g = study_of[c]
            value = a[n] + u[n, g]
            for j in range(widest):
                value += designs[n, c, j] * beta[n, j]
            for m in range(links.shape[1]):
                if links[n, m, 0] >= 0:
                    value += beta[n, links[n, m, 0]] * u[links[n, m, 1], g]
            base[c, n] = value
    d_base, d_move = np.zeros((classes, _N)), np.zeros((_N, len(_MOVING)))
    gradient[:] = 0.0
    d_threshold = gradient[at_t:]
    total = _rows(codes, age, base, move, thresholds, log_gap, inverse, d_base, d_move, d_threshold)
    d_a, d_beta = gradient[:_N], gradient[_N:at_u].reshape(_N, widest)
    d_u = gradient[at_u:at_t].reshape(_N, groups)
    for n in range(_N):
        for m in range(len(_MOVING)):
            if moving[n, m] >= 0:
                d_beta[n, moving[n, m]] += d_move[n, m]
        for c in range(classes):
            g, d = study_of[c], d_base[c, n]
            d_a[n] += d
            d_u[n, g] += d
            for j in range(widest):
                d_beta[n, j] += designs[n, c, j] * d
            for m in range(links.shape[1]):
                if links[n, m, 0] >= 0:
                    d_beta[n, links[n, m, 0]] += d * u[links[n, m, 1], g]
                    d_u[links[n, m, 1], g] += d * beta[n, links[n, m, 0]]
    return total


@fused
def _bernoulli(y, eta):  # type: ignore[no-untyped-def]
    """log f = (first) - log(second), and y - p."""
    small = math.exp(-abs(eta))
    p = (1.0 if eta > 0.0 else small) / (1.0 + small)
    return y * eta - max(eta, 0.0), 1.0 + small, y - p


@fused
def _rows(codes, age, base, move, thresholds, log_gap, inverse, d_base, d_move, d_threshold):  # type: ignore[no-untyped-def]
    """Return the log density of all rows; fill the derivatives by base, by what moves, and by the thresholds."""
    total = 0.0
    e, d = np.empty(_N), np.empty(_N)
    r0, r1 = np.empty(3), np.empty(3)
    low, high, rm = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    rh, rt, re = np.empty((3, 3, 2)), np.empty((3, 3, 2, 2)), np.empty((3, 3, 2, 2))
    logs = np.empty((3, 3, 2, 2))
    for i in range(len(codes)):
        row, mort, edh = codes[i, 0], float(codes[i, 3]), codes[i, 6]
        for n in range(_N):
            e[n] = base[row, n] + move[n, 0] * age[i]
            d[n] = 0.0
        with_edh = edh >= 0
        with_tsah = with_edh or codes[i, 5] >= 0
        with_hypots = with_tsah or codes[i, 4] >= 0
        p_first, p_end = (0, 3) if codes[i, 1] < 0 else (codes[i, 1], codes[i, 1] + 1)
        c_first, c_end = (0, 3) if codes[i, 2] < 0 else (codes[i, 2], codes[i, 2] + 1)
        h_first, h_end = (0, 2) if codes[i, 4] < 0 else (codes[i, 4], codes[i, 4] + 1)
        t_first, t_end = (0, 2) if codes[i, 5] < 0 else (codes[i, 5], codes[i, 5] + 1)
        if not with_hypots:
            h_end = h_first + 1
        if not with_tsah:
            t_end = t_first + 1
        top = max(0.0, e[0], e[1])
        w0, w1 = math.exp(e[0] - top), math.exp(e[1] - top)
        sum_p = math.exp(-top) + w0 + w1
        most = -1e300
        for p in range(p_first, p_end):
            r0[p], r1[p] = -w0 / sum_p, -w1 / sum_p
            value_p = -top
            if p == 1:
                r0[p] += 1.0
                value_p += e[0]
            elif p == 2:
                r1[p] += 1.0
                value_p += e[1]
            eta = e[2]
            if p > 0:
                eta += move[2, p]
            a, b = thresholds[0] - eta, thresholds[1] - eta
            small_a, small_b = math.exp(-abs(a)), math.exp(-abs(b))
            f_a = (1.0 if a > 0.0 else small_a) / (1.0 + small_a)
            f_b = (1.0 if b > 0.0 else small_b) / (1.0 + small_b)
            for c in range(c_first, c_end):
                if c == 0:
                    value_c, prod_c = value_p + min(a, 0.0), sum_p * (1.0 + small_a)
                    low[p, c], high[p, c] = 1.0 - f_a, 0.0
                elif c == 1:
                    value_c = value_p + log_gap - max(a, 0.0) + min(b, 0.0)
                    prod_c = sum_p * (1.0 + small_a) * (1.0 + small_b)
                    low[p, c], high[p, c] = -f_a - inverse, 1.0 - f_b + inverse
                else:
                    value_c, prod_c = value_p - max(b, 0.0), sum_p * (1.0 + small_b)
                    low[p, c], high[p, c] = 0.0, -f_b
                own_m, own_h, own_t, own_e = e[3], e[4], e[5], e[6]
                if p > 0:
                    own_m += move[3, p]
                    own_h += move[4, p]
                    own_t += move[5, p]
                    own_e += move[6, p]
                if c > 0:
                    own_m += move[3, 2 + c]
                    own_h += move[4, 2 + c]
                    own_t += move[5, 2 + c]
                    own_e += move[6, 2 + c]
                value_m, prod_m, rm[p, c] = _bernoulli(mort, own_m)
                value_m += value_c
                prod_m *= prod_c
                own_h += move[4, 5] * mort
                own_t += move[5, 5] * mort
                own_e += move[6, 5] * mort
                for h in range(h_first, h_end):
                    value_h, prod_h = value_m, prod_m
                    if with_hypots:
                        value, factor, rh[p, c, h] = _bernoulli(float(h), own_h)
                        value_h += value
                        prod_h *= factor
                    value_t, factor_t, p_t = 0.0, 1.0, 0.0
                    if with_tsah:  # minus the probability of one; what is observed is added below
                        value_t, factor_t, p_t = _bernoulli(0.0, own_t + move[5, 6] * h)
                    for t in range(t_first, t_end):
                        value, prod = value_h, prod_h
                        if with_tsah:
                            value += value_t
                            if t == 1:
                                value += own_t + move[5, 6] * h
                            prod *= factor_t
                            rt[p, c, h, t] = t + p_t
                        if with_edh:
                            eta = own_e + move[6, 6] * h + move[6, 7] * t
                            value_e, factor, re[p, c, h, t] = _bernoulli(float(edh), eta)
                            value += value_e
                            prod *= factor
                        logs[p, c, h, t] = value - math.log(prod)
                        most = max(most, logs[p, c, h, t])
        mass = 0.0
        for p in range(p_first, p_end):
            for c in range(c_first, c_end):
                for h in range(h_first, h_end):
                    for t in range(t_first, t_end):
                        logs[p, c, h, t] = math.exp(logs[p, c, h, t] - most)
                        mass += logs[p, c, h, t]
        total += most + math.log(mass)
        for p in range(p_first, p_end):
            w_p = 0.0
            for c in range(c_first, c_end):
                w_c = 0.0
                dh, dt, de = 0.0, 0.0, 0.0
                for h in range(h_first, h_end):
                    w_h, dt_h, de_h = 0.0, 0.0, 0.0
                    for t in range(t_first, t_end):
                        w = logs[p, c, h, t] / mass
                        w_h += w
                        if with_tsah:
                            dt_h += w * rt[p, c, h, t]
                        if with_edh:
                            one = w * re[p, c, h, t]
                            de_h += one
                            d_move[6, 7] += one * t
                    w_c += w_h
                    if with_hypots:
                        dh += w_h * rh[p, c, h]
                    d_move[5, 6] += dt_h * h
                    d_move[6, 6] += de_h * h
                    dt += dt_h
                    de += de_h
                w_p += w_c
                dm = w_c * rm[p, c]
                dc = -w_c * (low[p, c] + high[p, c])
                d_threshold[0] += w_c * low[p, c]
                d_threshold[1] += w_c * high[p, c]
                d[2] += dc
                d[3] += dm
                d[4] += dh
                d[5] += dt
                d[6] += de
                if p > 0:
                    d_move[2, p] += dc
                    d_move[3, p] += dm
                    d_move[4, p] += dh
                    d_move[5, p] += dt
                    d_move[6, p] += de
                if c > 0:
                    d_move[3, 2 + c] += dm
                    d_move[4, 2 + c] += dh
                    d_move[5, 2 + c] += dt
                    d_move[6, 2 + c] += de
            d[0] += w_p * r0[p]
            d[1] += w_p * r1[p]
        d_move[4, 5] += d[4] * mort
        d_move[5, 5] += d[5] * mort
        d_move[6, 5] += d[6] * mort
        for n in range(_N):
            d_base[row, n] += d[n]
            d_move[n, 0] += d[n] * age[i]
    return total
