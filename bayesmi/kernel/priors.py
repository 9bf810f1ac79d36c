"""Log prior densities with their derivative; the constant is computed when the program is written."""

from __future__ import annotations

import math

import numpy as np

from bayesmi.errors import ModelError
from bayesmi.kernel.jit import kernel
from bayesmi.priors import Prior

__all__ = ["CODES", "encode_prior", "log_prior"]

CODES = (
    "Normal",
    "StudentT",
    "Cauchy",
    "Laplace",
    "Logistic",
    "HalfNormal",
    "HalfStudentT",
    "HalfCauchy",
    "Exponential",
    "Gamma",
    "InverseGamma",
    "LogNormal",
    "Weibull",
    "Flat",
    "HalfFlat",
    "Beta",
)


def encode_prior(prior: Prior) -> list[float]:
    """Return the prior's record: code, constant, three arguments."""
    if prior.name not in CODES:
        raise ModelError(f"prior {prior} cannot stand here")
    p = prior.parameters
    match prior.name:
        case "Normal":
            a, b, c = p["mu"], p["sigma"], 0.0
            constant = -0.5 * math.log(2 * math.pi) - math.log(b)
        case "StudentT":
            a, b, c = p["mu"], p["sigma"], p["nu"]
            constant = _student(c, b)
        case "Cauchy":
            a, b, c = p["alpha"], p["beta"], 0.0
            constant = -math.log(math.pi * b)
        case "Laplace":
            a, b, c = p["mu"], p["b"], 0.0
            constant = -math.log(2 * b)
        case "Logistic":
            a, b, c = p["mu"], p["s"], 0.0
            constant = -math.log(b)
        case "HalfNormal":
            a, b, c = 0.0, p["sigma"], 0.0
            constant = 0.5 * math.log(2 / math.pi) - math.log(b)
        case "HalfStudentT":
            a, b, c = 0.0, p["sigma"], p["nu"]
            constant = math.log(2.0) + _student(c, b)
        case "HalfCauchy":
            a, b, c = 0.0, p["beta"], 0.0
            constant = math.log(2.0) - math.log(math.pi * b)
        case "Exponential":
            a, b, c = p["lam"], 0.0, 0.0
            constant = math.log(a)
        case "Gamma":
            a, b, c = p["alpha"], p["beta"], 0.0
            constant = a * math.log(b) - math.lgamma(a)
        case "InverseGamma":
            a, b, c = p["alpha"], p["beta"], 0.0
            constant = a * math.log(b) - math.lgamma(a)
        case "LogNormal":
            a, b, c = p["mu"], p["sigma"], 0.0
            constant = -0.5 * math.log(2 * math.pi) - math.log(b)
        case "Weibull":
            a, b, c = p["alpha"], p["beta"], 0.0
            constant = math.log(a) - a * math.log(b)
        case "Beta":
            a, b, c = p["alpha"], p["beta"], 0.0
            constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        case _:
            a = b = c = constant = 0.0
    return [float(CODES.index(prior.name)), constant, a, b, c]


def _student(nu: float, sigma: float) -> float:
    return math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(nu * math.pi) - math.log(sigma)


@kernel
def log_prior(record, x):  # type: ignore[no-untyped-def]
    """Return (log density, derivative) of a prior record at x."""
    code = int(record[0])
    constant, a, b, c = record[1], record[2], record[3], record[4]
    if code == 0 or code == 5:  # Normal, HalfNormal
        z = (x - a) / b
        return constant - 0.5 * z * z, -z / b
    if code == 1 or code == 6:  # StudentT, HalfStudentT
        z = (x - a) / b
        t = 1.0 + z * z / c
        return constant - 0.5 * (c + 1.0) * math.log(t), -(c + 1.0) * z / (c * b * t)
    if code == 2 or code == 7:  # Cauchy, HalfCauchy
        z = (x - a) / b
        return constant - math.log1p(z * z), -2.0 * z / (b * (1.0 + z * z))
    if code == 3:  # Laplace
        return constant - abs(x - a) / b, -np.sign(x - a) / b
    if code == 4:  # Logistic
        z = (x - a) / b
        e = math.exp(-abs(z))
        return constant - abs(z) - 2.0 * math.log1p(e), -np.sign(z) * (1.0 - e) / (1.0 + e) / b
    if code == 8:  # Exponential
        return constant - a * x, -a
    if code == 9:  # Gamma
        return constant + (a - 1.0) * math.log(x) - b * x, (a - 1.0) / x - b
    if code == 10:  # InverseGamma
        return constant - (a + 1.0) * math.log(x) - b / x, -(a + 1.0) / x + b / (x * x)
    if code == 11:  # LogNormal
        z = (math.log(x) - a) / b
        return constant - math.log(x) - 0.5 * z * z, -(1.0 + z / b) / x
    if code == 12:  # Weibull
        power = (x / b) ** a
        return constant + (a - 1.0) * math.log(x) - power, ((a - 1.0) - a * power) / x
    if code == 15:  # Beta
        return (
            constant + (a - 1.0) * math.log(x) + (b - 1.0) * math.log1p(-x),
            (a - 1.0) / x - (b - 1.0) / (1.0 - x),
        )
    return 0.0, 0.0
