"""IMPACT: f(pupil) f(ct | pupil) f(mort | …) f(hypots | …) f(tsah | …) f(edh | …) with random study effects, row by row.

A row's missing pupil, ct, hypots and tsah are summed out by nested loops; factors that nothing observed depends on are
left out. Predictors that are the same for a study, type and motor score are computed once for each such class. Logs of
a combination's factors are taken together: one logarithm of a product of numbers of order one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.kernels.parameters import (
    add_priors,
    fused,
    predictor,
    read,
    read_thresholds,
    sigmoid,
    softplus,
    start_of,
    thresholds_back,
    unwhiten,
)

__all__ = ["density", "prepare"]

_KEYS = ("pupil[None]", "pupil[One]", "ct", "mort", "hypots", "tsah", "edh")
_MOVING = ("age", "pupil[None]", "pupil[One]", "ct[III]", "ct[IV/V]", "mort", "hypots[1]", "tsah[1]")
_N = len(_KEYS)


def prepare(model: Any, built: Any, data: Any) -> tuple[Any, ...]:
    """Codes of all variables by row, the classes' designs, and where everything stands in x."""
    from bayesmi.build.centring import centrings
    from bayesmi.build.links import typical_link_sds

    assert tuple(key for factor in model.factors for key in factor.keys) == _KEYS
    static = data[["name", "type", "motor_score"]].astype(str).agg("|".join, axis=1)
    classes, first, member = np.unique(static.to_numpy(str), return_index=True, return_inverse=True)
    studies = data["name"].cat.codes.to_numpy().astype(np.intp)
    groups = int(studies.max()) + 1
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
    owners = [factor for factor in model.factors for _ in factor.keys]
    predictors = tuple(predictor(built, key) for key in _KEYS)
    widest = max(len(p.centers) for p in predictors)
    designs = np.zeros((_N, len(classes), widest))
    moving = np.full((_N, len(_MOVING)), -1)
    links = np.full((_N, 8, 2), -1)
    typical = np.ones((_N, 8))
    weights = np.zeros((_N, groups, widest))
    takes = np.zeros(_N, dtype=np.bool_)
    absorbs = np.zeros((_N, 8), dtype=np.bool_)  # links that are part of what is sampled
    places = np.zeros((_N, 2), dtype=np.intp)
    spreads = np.ones((_N, 2))
    centred = np.zeros(_N, dtype=np.bool_)
    for n, (key, factor) in enumerate(zip(_KEYS, owners, strict=True)):
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
            typical[n, m] = typical_link_sds(factor)[m]
        centring = centrings(factor, table, built.plan).get("name")
        if centring is not None:
            weights[n, :, :p] = centring.weights[0]
            takes[n] = centring.intercept >= 0
            absorbs[n, [m for m, _ in centring.links]] = True
        centred[n] = built.plan.effect(factor.variable, "name").treatment == "centred"
        (sd,) = (q for q in built.program.parameters if q.name == f"{key}::sd::name")
        places[n] = sd.start, start_of(built, f"{key}::effects::name")
        spreads[n] = sd.scales[0], factor.priors.group_sds["name"][0].parameters["sigma"]
    (threshold,) = (p for p in built.program.parameters if p.name == "ct::threshold")
    tail = model.factor("ct").priors.scales["threshold"].parameters
    return (
        *predictors,
        threshold.start,
        np.array(threshold.locations),
        np.array([tail["nu"], tail["sigma"]]),
        codes,
        data["age"].to_numpy(float),
        studies[first],
        designs,
        moving,
        links,
        typical,
        weights,
        takes,
        absorbs,
        places,
        spreads,
        centred,
    )


@fused
def _link_spread(sd, typical):  # type: ignore[no-untyped-def]
    return math.sqrt((sd / typical) ** 2 + 0.01)


@fused
def _read(x, n, p, a, beta, sds, u, links, typical, weights, takes, absorbs, places, spreads, centred):  # type: ignore[no-untyped-def]
    """Fill parameters and study effects of one predictor; its links' sources come before it."""
    own = beta[n, : len(p.centers)]
    a[n] = read(x, p, own)
    for m in range(links.shape[1]):
        if links[n, m, 0] >= 0:
            own[links[n, m, 0]] /= _link_spread(sds[links[n, m, 1]], typical[n, m])
    sds[n] = spreads[n, 0] * softplus(x[places[n, 0]])
    for g in range(u.shape[1]):
        value = x[places[n, 1] + g]
        if not centred[n]:
            u[n, g] = sds[n] * value
            continue
        value *= p.spread
        if takes[n]:
            value -= a[n] - p.location
        for j in range(len(p.centers)):
            value -= weights[n, g, j] * own[j]
        for m in range(links.shape[1]):
            if absorbs[n, m]:
                value -= own[links[n, m, 0]] * u[links[n, m, 1], g]
        u[n, g] = value


@fused
def _back(  # type: ignore[no-untyped-def]
    x,
    n,
    p,
    a,
    beta,
    sds,
    u,
    links,
    typical,
    weights,
    takes,
    absorbs,
    places,
    spreads,
    centred,
    d_a,
    d_beta,
    d_u,
    gradient,
):
    """Priors and gradient of one predictor; those that are linked to it come before."""
    count, groups = len(p.centers), u.shape[1]
    own, d_own = beta[n, :count], d_beta[n, :count]
    sd, d_sd, total = sds[n], 0.0, 0.0
    for g in range(groups):
        d = d_u[n, g]
        if centred[n]:
            z = u[n, g] / sd
            total -= 0.5 * z * z + math.log(sd)
            d -= z / sd
            d_sd += (z * z - 1.0) / sd
            gradient[places[n, 1] + g] += p.spread * d
            if takes[n]:
                d_a[n] -= d
            for j in range(count):
                d_own[j] -= weights[n, g, j] * d
            for m in range(links.shape[1]):
                if absorbs[n, m]:
                    d_own[links[n, m, 0]] -= d * u[links[n, m, 1], g]
                    d_u[links[n, m, 1], g] -= d * own[links[n, m, 0]]
        else:
            z = x[places[n, 1] + g]
            total -= 0.5 * z * z
            gradient[places[n, 1] + g] += d * sd - z
            d_sd += d * z
    z = sd / spreads[n, 1]
    share = sigmoid(x[places[n, 0]])
    total += math.log(share) - 0.5 * z * z
    gradient[places[n, 0]] += (d_sd - z / spreads[n, 1]) * spreads[n, 0] * share + 1.0 - share
    total += add_priors(p, a[n], own, d_a[n], d_own, gradient)
    for m in range(links.shape[1]):
        j = links[n, m, 0]
        if j >= 0:
            source = links[n, m, 1]
            spread = _link_spread(sds[source], typical[n, m])
            total -= math.log(spread)
            slope = (
                sds[source] / typical[n, m] ** 2 / spread * spreads[source, 0] * sigmoid(x[places[source, 0]])
            )
            gradient[places[source, 0]] -= (d_own[j] * own[j] + 1.0) * slope / spread
            d_own[j] /= spread
    unwhiten(p, d_own, gradient)
    return total


@fused
def density(  # type: ignore[no-untyped-def]
    x, gradient, p0, p1, p2, p3, p4, p5, p6, threshold_x, steps, tail, codes, age, study_of, designs, moving, links,
    typical, weights, takes, absorbs, places, spreads, centred,
):  # fmt: skip
    gradient[:] = 0.0
    widest, classes, groups = designs.shape[2], designs.shape[1], weights.shape[1]
    a, beta, sds, u = np.zeros(_N), np.zeros((_N, widest)), np.empty(_N), np.empty((_N, groups))
    _read(x, 0, p0, a, beta, sds, u, links, typical, weights, takes, absorbs, places, spreads, centred)
    _read(x, 1, p1, a, beta, sds, u, links, typical, weights, takes, absorbs, places, spreads, centred)
    _read(x, 2, p2, a, beta, sds, u, links, typical, weights, takes, absorbs, places, spreads, centred)
    _read(x, 3, p3, a, beta, sds, u, links, typical, weights, takes, absorbs, places, spreads, centred)
    _read(x, 4, p4, a, beta, sds, u, links, typical, weights, takes, absorbs, places, spreads, centred)
    _read(x, 5, p5, a, beta, sds, u, links, typical, weights, takes, absorbs, places, spreads, centred)
    _read(x, 6, p6, a, beta, sds, u, links, typical, weights, takes, absorbs, places, spreads, centred)
    thresholds = np.empty(2)
    read_thresholds(x, threshold_x, steps, thresholds)
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
    d_base, d_move, d_threshold = np.zeros((classes, _N)), np.zeros((_N, len(_MOVING))), np.zeros(2)
    total = _rows(codes, age, base, move, thresholds, log_gap, inverse, d_base, d_move, d_threshold)
    d_a, d_beta, d_u = np.zeros(_N), np.zeros((_N, widest)), np.zeros((_N, groups))
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
    more = (links, typical, weights, takes, absorbs, places, spreads, centred, d_a, d_beta, d_u, gradient)
    total += _back(x, 6, p6, a, beta, sds, u, *more)
    total += _back(x, 5, p5, a, beta, sds, u, *more)
    total += _back(x, 4, p4, a, beta, sds, u, *more)
    total += _back(x, 3, p3, a, beta, sds, u, *more)
    total += _back(x, 2, p2, a, beta, sds, u, *more)
    total += _back(x, 1, p1, a, beta, sds, u, *more)
    total += _back(x, 0, p0, a, beta, sds, u, *more)
    return total + thresholds_back(x, threshold_x, steps, tail, thresholds, d_threshold, gradient)


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
