"""Complete columns and columns of terms that several shapes share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.sbc.shape import Column, Values


def rows(n: int, seed: int = 7) -> Callable[[], Values]:
    """n rows with a complete z of mean 0 and sd 1."""

    def make() -> Values:
        z = np.random.default_rng(seed).normal(size=n)
        return {"row": np.arange(n), "z": (z - z.mean()) / z.std()}

    return make


def in_groups(groups: int, size: int, seed: int = 7) -> Callable[[], Values]:
    """Groups g of equal size with a complete z."""

    def make() -> Values:
        return {**rows(groups * size, seed)(), "g": np.repeat(np.arange(groups), size)}

    return make


def col(name: str) -> Column:
    """A variable itself."""
    return lambda v: v[name]


def log(name: str) -> Column:
    return lambda v: np.log(v[name])


def square(name: str) -> Column:
    return lambda v: v[name] ** 2


def product(first: str, second: str) -> Column:
    return lambda v: v[first] * v[second]


def dummies(name: str, levels: int) -> Column:
    """An indicator of each level but the first."""
    return lambda v: np.column_stack([v[name] == k for k in range(1, levels)]).astype(float)


def group_mean(name: str, grouping: str) -> Column:
    """Mean of the group that a row is in."""

    def mean(v: Values) -> np.ndarray:
        codes = v[grouping].astype(int)
        return (np.bincount(codes, weights=v[name]) / np.bincount(codes))[codes]

    return mean


def deviation(name: str, grouping: str) -> Column:
    """Deviation from the mean of the group that a row is in."""
    return lambda v: v[name] - group_mean(name, grouping)(v)


def span(start: int, stop: int) -> tuple[int, ...]:
    return tuple(range(start, stop))
