"""Design columns of predictors that may themselves have holes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import Column

__all__ = ["Terms", "build_terms"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Terms:
    """Columns of a design with intercept first, and the variable that each comes from."""

    matrix: Floats  # (n, k)
    names: tuple[str, ...]  # (k,)
    variables: tuple[str, ...]  # (k,), "" for the intercept


def build_terms(columns: list[Column], values: Mapping[str, Floats]) -> Terms:
    """Numbers as they are, categories against their first level; a hole is 0 or the mean, and a column says so.

    `values` holds numbers or codes by column, NaN where there is a hole to be dealt with. A hole of a number takes the
    mean of the rest, a hole of a category its first level; with "x missing" in the design the choice of that value does
    not matter for the other coefficients.
    """
    n = len(next(iter(values.values()))) if values else 0
    parts: list[Floats] = [np.ones(n)]
    names, variables = ["Intercept"], [""]

    def add(name: str, variable: str, part: Floats) -> None:
        parts.append(part)
        names.append(name)
        variables.append(variable)

    for column in columns:
        given = values[column.name]
        hole = ~np.isfinite(given)
        if column.categories is None:
            mean = given[~hole].mean() if (~hole).any() else 0.0
            add(column.name, column.name, np.where(hole, mean, given))
        else:
            for code, label in enumerate(column.categories[1:], start=1):
                add(f"{column.name}[{label}]", column.name, (given == code).astype(float))
        if hole.any():
            add(f"{column.name} missing", column.name, hole.astype(float))
    return Terms(np.column_stack(parts), tuple(names), tuple(variables))
