"""IMPACT without priors, group effects and sampling: maximum likelihood with incomplete categories, by EM.

Studies are fixed effects. f(pupil | x) f(ct | pupil, x) f(mort | ct, pupil, x): two softmax regressions and a logistic one. A row
with holes stands once for each combination of its missing levels, weighted by its probability; one step of Newton's method of
each regression follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Codes", "Regressions", "codes_of", "draw", "maximize", "predictors"]

Floats = NDArray[np.float64]
Codes = dict[str, NDArray[np.intp]]  # pupil, ct and mort, (rows,)
_LEVELS = {"pupil": 3, "ct": 3, "mort": 2}
_RIDGE = 1e-4  # a level that a study lacks
_STEPS, _ENOUGH = 400, 1e-5


@dataclass(frozen=True)
class Regressions:
    """Coefficients of the three regressions, (columns, levels - 1) each, and standard errors of that of mort."""

    coefficients: tuple[Floats, ...]
    errors: Floats

    @property
    def of_categories(self) -> Floats:
        """Effects of pupil and ct on mort: pupil2, pupil3, ct2, ct3."""
        return self.coefficients[2][-4:, 0]


def predictors(data: pd.DataFrame) -> Floats:
    """Return intercept, studies, age and motor score."""
    columns = [np.ones(len(data)), (data["age"] - 40.0) / 15.0]
    dummies = [
        pd.get_dummies(data[name], drop_first=True).to_numpy(dtype=float) for name in ("name", "motor_score")
    ]
    return np.column_stack([*columns, *dummies])


def codes_of(data: pd.DataFrame) -> Codes:
    """Return the levels of complete rows as numbers."""
    own: Codes = {name: data[name].cat.codes.to_numpy().astype(np.intp) for name in ("pupil", "ct")}
    return {**own, "mort": data["mort"].to_numpy().astype(np.intp)}


def draw(x: Floats, regressions: Regressions, rng: np.random.Generator) -> Codes:
    """Return simulated levels."""
    codes: Codes = {}
    for name, coefficients in zip(_LEVELS, regressions.coefficients, strict=True):
        own = np.column_stack([x, *(_indicators(codes[before], before) for before in codes)])
        eta = np.column_stack([np.zeros(len(x)), own @ coefficients])
        codes[name] = (eta + rng.gumbel(size=eta.shape)).argmax(axis=1)
    return codes


def maximize(
    x: Floats, codes: Codes, missing: Mapping[str, NDArray[np.bool_]], start: Regressions | None = None
) -> Regressions:
    """Maximize the observed-data likelihood; codes of missing cells are not looked at."""
    rows, known = _expanded(codes, missing)
    designs, matrix = [], x[rows]
    for name in _LEVELS:
        designs.append(matrix)
        matrix = np.column_stack([matrix, _indicators(known[name], name)])
    now = (
        [
            np.zeros((design.shape[1], levels - 1))
            for design, levels in zip(designs, _LEVELS.values(), strict=True)
        ]
        if start is None
        else list(start.coefficients)
    )
    information = np.eye(1)
    for _ in range(_STEPS):
        each = [
            _log_mass(design, known[name], own)
            for design, name, own in zip(designs, _LEVELS, now, strict=True)
        ]
        joint = np.sum(each, axis=0)
        top = np.full(len(x), -np.inf)
        np.maximum.at(top, rows, joint)
        mass = np.exp(joint - top[rows])
        weights = mass / np.bincount(rows, mass, len(x))[rows]
        before = now[-1]
        steps = [
            _newton(design, known[name], weights, own)
            for design, name, own in zip(designs, _LEVELS, now, strict=True)
        ]
        now, information = [step[0] for step in steps], steps[-1][1]
        if np.abs(now[-1] - before).max() < _ENOUGH:
            break
    return Regressions(tuple(now), np.sqrt(np.diag(np.linalg.inv(information))))


def _expanded(codes: Codes, missing: Mapping[str, NDArray[np.bool_]]) -> tuple[NDArray[np.intp], Codes]:
    """Return the row of each combination, and its levels."""
    rows = np.arange(len(codes["mort"]))
    known = dict(codes)
    for name in missing:
        holes = missing[name][rows]
        times = np.where(holes, _LEVELS[name], 1)
        index = np.repeat(np.arange(len(rows)), times)
        place = np.arange(len(index)) - np.repeat(np.cumsum(times) - times, times)
        known = {other: own[index] for other, own in known.items()}
        known[name] = np.where(holes[index], place, known[name])
        rows = rows[index]
    return rows, known


def _indicators(codes: NDArray[np.intp], name: str) -> Floats:
    return np.eye(_LEVELS[name])[codes][:, 1:]


def _log_mass(design: Floats, codes: NDArray[np.intp], coefficients: Floats) -> Floats:
    eta = np.column_stack([np.zeros(len(design)), design @ coefficients])
    return np.asarray(eta[np.arange(len(eta)), codes] - np.logaddexp.reduce(eta, axis=1))


def _newton(design: Floats, codes: NDArray[np.intp], weights: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Return one step further, and the information."""
    p, k = now.shape
    eta = np.column_stack([np.zeros(len(design)), design @ now])
    share = np.exp(eta - np.logaddexp.reduce(eta, axis=1)[:, None])[:, 1:]
    seen = np.eye(k + 1)[codes][:, 1:]
    gradient = (design.T @ (weights[:, None] * (seen - share))).T.ravel() - _RIDGE * now.T.ravel()
    information = _RIDGE * np.eye(p * k)
    for i in range(k):
        for j in range(k):
            own = weights * share[:, i] * ((i == j) - share[:, j])
            information[i * p : (i + 1) * p, j * p : (j + 1) * p] += design.T @ (own[:, None] * design)
    return now + np.linalg.solve(information, gradient).reshape(k, p).T, information
