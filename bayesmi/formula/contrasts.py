"""How a category becomes columns: contrast matrices, and which terms need all levels.

Source of the rule: R's "is the margin in the model" (Chambers & Hastie 1992, Statistical Models in S, 2.4.1),
in the form that never loses or repeats a dimension (N. J. Smith's patsy, "Redundancy and categorical factors").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Coding", "Contrast", "Sum", "Treatment", "codings", "contrast_matrix"]

type Coding = tuple[tuple[int, bool], ...]  # (position of a categorical factor in its term, all levels?)


@dataclass(frozen=True)
class Treatment:
    """Every level against a reference level (the first unless said).

    Parameters
    ----------
    reference : str, number or bool, optional
        Label of the reference level.
    """

    reference: object = None

    @property
    def base(self) -> object:
        """Label of the level without a column."""
        return self.reference

    def __str__(self) -> str:
        return "Treatment"


@dataclass(frozen=True)
class Sum:
    """Every level against the mean of all levels; the omitted level (the last unless said) is coded -1.

    Parameters
    ----------
    omit : str, number or bool, optional
        Label of the level without a column.
    """

    omit: object = None

    @property
    def base(self) -> object:
        """Label of the level without a column."""
        return self.omit

    def __str__(self) -> str:
        return "Sum"


type Contrast = Treatment | Sum


def contrast_matrix(
    contrast: Contrast, n_levels: int, base: int, full: bool
) -> tuple[NDArray[np.float64], list[int]]:
    """Rows of the levels, and the level that each column belongs to.

    Parameters
    ----------
    contrast : Treatment or Sum
        The contrast; ignored when `full`.
    n_levels : int
        Number of levels.
    base : int
        Position of the level without a column.
    full : bool
        Whether every level gets an indicator.

    Returns
    -------
    matrix : ndarray, shape (n_levels, n_levels) if full, else (n_levels, n_levels - 1)
        Row of each level.
    levels : list of int
        Level of each column.
    """
    identity = np.eye(n_levels)
    if full:
        return identity, list(range(n_levels))
    kept = [level for level in range(n_levels) if level != base]
    matrix = identity[:, kept]
    if isinstance(contrast, Sum):
        matrix[base] = -1.0
    return matrix, kept


def codings(
    terms: Sequence[tuple[frozenset[object], Sequence[object]]], intercept: bool
) -> list[tuple[Coding, ...]]:
    """Coding of the categorical factors of every term, so that the design has full rank.

    A term spans the products of its categorical factors and of all their subsets. Subsets that terms of lower
    order have spanned already are left out; what remains is gathered into as few blocks as possible, a factor
    being coded with all its levels where the block without it is missing from the model.

    Parameters
    ----------
    terms : sequence of (numeric factors, categorical factors)
        The terms as written. Terms with different numeric factors never share columns.
    intercept : bool
        Whether the model has an intercept.

    Returns
    -------
    list of tuple of Coding
        For each term its blocks: which categorical factors take part, and whether with all levels.
    """
    spanned: dict[frozenset[object], set[frozenset[object]]] = {
        frozenset(): {frozenset()} if intercept else set()
    }
    out: list[tuple[Coding, ...]] = [()] * len(terms)
    for index in sorted(range(len(terms)), key=lambda i: len(terms[i][1])):
        numeric, factors = terms[index]
        seen = spanned.setdefault(numeric, set())
        positions = range(len(factors))
        blocks: list[dict[int, bool]] = []
        for size in range(len(factors) + 1):
            for subset in combinations(positions, size):
                key = frozenset(factors[i] for i in subset)
                if key not in seen:
                    seen.add(key)
                    blocks.append(dict.fromkeys(subset, False))
        _gather(blocks)
        out[index] = tuple(tuple(sorted(block.items())) for block in blocks)
    return out


def _gather(blocks: list[dict[int, bool]]) -> None:
    """Merge a block with the one that has one more reduced factor: together they are that factor in full."""
    merged = True
    while merged:
        merged = False
        for short in blocks:
            for long in blocks:
                added = long.keys() - short.keys()
                if len(added) == 1 and long == {**short, (extra := next(iter(added))): False}:
                    long[extra] = True
                    blocks.remove(short)
                    merged = True
                    break
            if merged:
                break
