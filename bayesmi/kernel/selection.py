"""Rows of a factor with a selection equation: Heckman's model and its relatives.

y is seen where e_s > -eta_s, and corr(e_y, e_s) = rho. The selection's predictor is a record of its own
(`F_SELECTION_EQUATION`) on the same rows: what is returned as derivative by it becomes d eta of that record. A row is of one
of four kinds (`F_SELECTED`), which say what of (e_y, e_s) is known. Bivariate normal: Amemiya (1984), type 2 Tobit; bivariate
t: Marchenko & Genton (2012); levels by rectangles: Van de Ven & Van Praag (1981).

The last of the factor's numbers is h = (rho + 1) / 2.
"""

from __future__ import annotations

import math

from bayesmi.kernel import layout as k
from bayesmi.kernel.families import (
    SELECTED_ORDINAL_PROBIT,
    SELECTED_PROBIT,
    SELECTED_STUDENT,
    prepare_student,
    student_density,
)
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.rectangle import log_rectangle
from bayesmi.kernel.special import log_interval, log_phi
from bayesmi.kernel.student_cdf import log_student_cdf

__all__ = ["add_selected", "selected_rows", "selection_of"]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_LEAST = 1e-16  # of h (1 - h), where rho has rounded to one


@kernel
def _log_phi_slope(t):  # type: ignore[no-untyped-def]
    """Log Phi(t) and its derivative."""
    value = log_phi(t)
    return value, math.exp(-0.5 * t * t - _HALF_LOG_2PI - value)


@kernel
def _gaussian(y, eta, s, kind, own, rho, c):  # type: ignore[no-untyped-def]
    """Log density; derivatives by eta, s, sigma, (none), rho."""
    if kind == k.NOT_SELECTED:
        value, slope = _log_phi_slope(-s)
        return value, 0.0, -slope, 0.0, 0.0, 0.0
    sigma = own[0]
    z = (y - eta) / sigma
    value, d_z, d_s, d_rho = -0.5 * z * z - math.log(sigma) - _HALF_LOG_2PI, -z, 0.0, 0.0
    if kind != k.BY_DESIGN:
        sign = 1.0 if kind == k.SELECTED else -1.0
        more, slope = _log_phi_slope(sign * (s + rho * z) / c)
        value += more
        d_s = sign * slope / c
        d_z += rho * d_s
        d_rho = sign * slope * (z + rho * s) / (c * c * c)
    return value, -d_z / sigma, d_s, -(1.0 + z * d_z) / sigma, 0.0, d_rho


@kernel
def _student(y, eta, s, kind, own, rho, c):  # type: ignore[no-untyped-def]
    """Log density; derivatives by eta, s, sigma, nu, rho. own: sigma, nu, …; `own[3:5]` are prepared."""
    sigma, nu = own[0], own[1]
    if kind == k.NOT_SELECTED:
        value, slope, d_nu = log_student_cdf(-s, nu)
        return value, 0.0, -slope, 0.0, d_nu, 0.0
    z = (y - eta) / sigma
    value, d_eta, d_sigma, d_nu = student_density(y, eta, sigma, nu, own[3], own[4])
    if kind == k.BY_DESIGN:
        return value, d_eta, 0.0, d_sigma, d_nu, 0.0
    sign = 1.0 if kind == k.SELECTED else -1.0
    whole = nu + z * z
    widening = math.sqrt((nu + 1.0) / whole)
    inner = (s + rho * z) / c
    more, slope, d_more = log_student_cdf(sign * inner * widening, nu + 1.0)
    slope *= sign
    d_z = slope * widening * (rho / c - inner * z / whole)
    d_nu += d_more + slope * inner * widening * 0.5 * (1.0 / (nu + 1.0) - 1.0 / whole)
    d_rho = slope * widening * (z + rho * s) / (c * c * c)
    return (
        value + more,
        d_eta - d_z / sigma,
        slope * widening / c,
        d_sigma - d_z * z / sigma,
        d_nu,
        d_rho,
    )


@kernel
def _levels(code, y, eta, s, kind, own, n_thresholds, rho, c):  # type: ignore[no-untyped-def]
    """Log probability; derivatives by eta, s, the threshold above, the one below, rho."""
    if kind == k.NOT_SELECTED:
        value, slope = _log_phi_slope(-s)
        return value, 0.0, -slope, 0.0, 0.0, 0.0
    level = int(y)
    a, b = -math.inf, math.inf
    if code == SELECTED_PROBIT:
        if level == 1:
            a = -eta
        else:
            b = -eta
    else:
        if level > 0:
            a = own[level - 1] - eta
        if level < n_thresholds:
            b = own[level] - eta
    if kind == k.BY_DESIGN:
        value, d_b, d_a = log_interval(a, b)
        return value, -d_a - d_b, 0.0, d_b, d_a, 0.0
    if kind == k.SELECTED:  # a < e_y < b and -e_s < s
        value, d_a, d_b, d_s, d_r = log_rectangle(a, b, s, -rho, c)
        return value, -d_a - d_b, d_s, d_b, d_a, -d_r
    value, d_a, d_b, d_s, d_r = log_rectangle(a, b, -s, rho, c)
    return value, -d_a - d_b, -d_s, d_b, d_a, d_r


@kernel
def selection_of(i, factor):  # type: ignore[no-untyped-def]
    """Return the number of a factor's selection equation, its record, and how many columns it has."""
    n = i[factor + k.F_SELECTION_EQUATION]
    at = i[i[k.G_FACTOR_TABLE] + n]
    return n, at, i[at + k.F_COLUMNS]


@kernel
def selected_rows(f, i, at, own, y, eta, d_eta, d_first, d_second, row_value):  # type: ignore[no-untyped-def]
    """Fill the log density of every row, and its derivatives by both predictors and by the family's parameters.

    That by h stands in the first derivatives of the selection's own rows.
    """
    start, rows, kinds = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_SELECTED]
    code, n_own = i[at + k.F_FAMILY], i[at + k.F_AUX_N] + i[at + k.F_CONSTANTS_N]
    selection = i[i[i[k.G_FACTOR_TABLE] + i[at + k.F_SELECTION_EQUATION]] + k.F_ROW_START]
    h = own[n_own - 1]
    rho, c = 2.0 * h - 1.0, 2.0 * math.sqrt(max(h * (1.0 - h), _LEAST))
    if code == SELECTED_STUDENT:
        prepare_student(own[1], own[3:])
    for t in range(rows):
        kind = int(f[kinds + t])
        own_y, own_eta, s = y[start + t], eta[start + t], eta[selection + t]
        if code == SELECTED_STUDENT:
            found = _student(own_y, own_eta, s, kind, own, rho, c)
        elif code in (SELECTED_PROBIT, SELECTED_ORDINAL_PROBIT):
            found = _levels(code, own_y, own_eta, s, kind, own, n_own - 1, rho, c)
        else:
            found = _gaussian(own_y, own_eta, s, kind, own, rho, c)
        row_value[start + t], d_eta[start + t], d_eta[selection + t] = found[0], found[1], found[2]
        d_first[start + t], d_second[start + t], d_first[selection + t] = found[3], found[4], 2.0 * found[5]


@kernel
def add_selected(i, at, y, mass, d_first, d_second, d_aux):  # type: ignore[no-untyped-def]
    """Add the derivatives of all rows by the family's parameters and by h to their sums."""
    start, rows, counts = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_COUNTS]
    code, n_own = i[at + k.F_FAMILY], i[at + k.F_AUX_N] + i[at + k.F_CONSTANTS_N]
    selection = i[i[i[k.G_FACTOR_TABLE] + i[at + k.F_SELECTION_EQUATION]] + k.F_ROW_START]
    weight = 1.0
    for t in range(rows):
        if counts >= 0:
            weight = mass[start + t]
        if weight <= 0.0:
            continue
        d_aux[n_own - 1] += weight * d_first[selection + t]
        if code == SELECTED_ORDINAL_PROBIT:
            level = int(y[start + t])
            if level < n_own - 1:
                d_aux[level] += weight * d_first[start + t]
            if level > 0:
                d_aux[level - 1] += weight * d_second[start + t]
        elif code == SELECTED_STUDENT:
            d_aux[0] += weight * d_first[start + t]
            d_aux[1] += weight * d_second[start + t]
        elif code != SELECTED_PROBIT:
            d_aux[0] += weight * d_first[start + t]
