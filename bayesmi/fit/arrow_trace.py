"""Draws and statistics out of nutpie's Arrow batches, one batch a chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["draws_and_statistics"]

Floats = NDArray[np.float64]


def draws_and_statistics(
    trace: Any, variable: str, names: Sequence[str], draws: int
) -> tuple[Floats, dict[str, NDArray[Any]]]:
    """Return kept draws of one vector (chains, draws, length) and statistics (chains, draws).

    A chain that was stopped before its last draw raises KeyboardInterrupt: half a posterior is none.
    """
    batches, statistics = trace.get_arrow_trace()
    vectors, columns = [], []
    for batch, own in zip(batches, statistics, strict=True):
        kept = ~_numbers(own.column("tuning"))
        if int(kept.sum()) < draws:
            raise KeyboardInterrupt
        vectors.append(_numbers(batch.column(variable)).reshape(batch.num_rows, -1)[kept])
        columns.append({name: _numbers(own.column(name))[kept] for name in names if name in own.schema.names})
    shared = [name for name in names if all(name in column for column in columns)]
    return np.stack(vectors), {name: np.stack([column[name] for column in columns]) for name in shared}


def _numbers(column: Any) -> NDArray[Any]:
    """Take the numbers of a column, those of lists one after the other."""
    import pyarrow

    array = pyarrow.array(column) if not isinstance(column, pyarrow.Array) else column
    flat = array.flatten() if hasattr(array, "flatten") else array
    return np.asarray(flat.to_numpy(zero_copy_only=False))
