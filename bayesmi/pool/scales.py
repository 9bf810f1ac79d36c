"""Scales on which a bounded quantity is pooled, with their derivatives and the ways back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["BACK", "DERIVATIVE_BACK", "TO", "Scale"]

Floats = NDArray[np.float64]
Scale = Literal["identity", "log", "logit", "cloglog", "atanh"]


def _log(x: Floats) -> tuple[Floats, Floats]:
    """Log and its derivative."""
    return np.log(x), 1.0 / x


def _logit(x: Floats) -> tuple[Floats, Floats]:
    """Logit and its derivative."""
    return special.logit(x), 1.0 / (x * (1.0 - x))


def _cloglog(x: Floats) -> tuple[Floats, Floats]:
    """Log of minus log, of a survival probability, and its derivative."""
    return np.log(-np.log(x)), 1.0 / (x * np.log(x))


def _atanh(x: Floats) -> tuple[Floats, Floats]:
    """Fisher's z and its derivative."""
    return np.arctanh(x), 1.0 / (1.0 - x**2)


def _identity(x: Floats) -> tuple[Floats, Floats]:
    """Leave as it is; the derivative is one."""
    return x, np.ones_like(x)


TO: dict[str, Callable[[Floats], tuple[Floats, Floats]]] = {
    "log": _log, "logit": _logit, "cloglog": _cloglog, "atanh": _atanh, "identity": _identity,
}  # fmt: skip

BACK: dict[str, Callable[[Floats], Floats]] = {
    "log": np.exp,
    "logit": special.expit,
    "cloglog": lambda z: np.exp(-np.exp(z)),
    "atanh": np.tanh,
    "identity": np.asarray,
}

# of the way back, at z
DERIVATIVE_BACK: dict[str, Callable[[Floats], Floats]] = {
    "log": np.exp,
    "logit": lambda z: special.expit(z) * special.expit(-z),
    "cloglog": lambda z: -np.exp(z - np.exp(z)),
    "atanh": lambda z: 1.0 - np.tanh(z) ** 2,
    "identity": lambda z: np.ones_like(z),
}
