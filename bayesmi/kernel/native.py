"""The kernel as a C function on one buffer: no Python, no GIL, nothing to compile after the first time."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numba import carray, types
from numpy.typing import NDArray

from bayesmi.kernel.density import density
from bayesmi.kernel.on_disk import compiled, on_disk
from bayesmi.kernel.once import in_one_piece

__all__ = ["compiled_density", "evaluate", "is_cached", "pack"]

_HEADER = 3
_PATIENCE = 600.0  # seconds
_ONE_THREAD = threading.Lock()
_SIGNATURE = types.int64(
    types.uint64,
    types.CPointer(types.float64),
    types.CPointer(types.float64),
    types.CPointer(types.float64),
    types.CPointer(types.float64),
)


def pack(floats: NDArray[np.float64], integers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return one buffer: header, floats, integers (bit by bit)."""
    header = np.array([_HEADER + len(floats) + len(integers), len(floats), len(integers)], dtype=np.int64)
    return np.concatenate(
        [
            header.view(np.float64),
            np.ascontiguousarray(floats),
            np.ascontiguousarray(integers).view(np.float64),
        ]
    )


def _density_c(dimensions, x_, gradient_, value_, program_):  # type: ignore[no-untyped-def]
    """Return 0, or 3 and 4 where gradient and density are not finite (nutpie's codes)."""
    header = carray(program_, (3,)).view(np.int64)
    n_floats = header[1]
    program = carray(program_, (header[0],))
    floats = program[3 : 3 + n_floats]
    integers = program[3 + n_floats : header[0]].view(np.int64)
    x = carray(x_, (dimensions,))
    gradient = carray(gradient_, (dimensions,))
    value = density(x, floats, integers, gradient)
    carray(value_, (1,))[0] = value
    if not np.isfinite(value):
        return 4
    for j in range(dimensions):
        if not np.isfinite(gradient[j]):
            return 3
    return 0


def compiled_density() -> Any:
    """Return the C function: its `address` is what a sampler needs; compiled once for a machine."""
    with _ONE_THREAD:  # what `in_one_piece` changes of numba must be undone before it is changed again
        return _compiled_density()


@cache
def _compiled_density() -> Any:
    with _one_process(), in_one_piece(_density_c.__name__), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compiled(_SIGNATURE, _density_c)


@contextmanager
def _one_process() -> Iterator[None]:
    """Let one process compile while others, such as refits at once, wait for what it leaves on disk."""
    from filelock import FileLock, Timeout

    kept = on_disk(_density_c)
    if kept is None or kept.holds(_SIGNATURE):
        yield
        return
    folder = Path(kept.cache_path)
    lock = FileLock(folder / ".compiling.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_PATIENCE)
    except (OSError, Timeout):  # a folder that cannot be written to, or somebody stuck: each for itself
        yield
        return
    try:
        yield
    finally:
        lock.release()


def evaluate(program: NDArray[np.float64], x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return (log density, gradient) of a packed program at x, from Python."""
    import ctypes

    function = compiled_density()
    gradient = np.empty(len(x))
    value = np.empty(1)
    x = np.ascontiguousarray(x, dtype=np.float64)
    pointer = ctypes.POINTER(ctypes.c_double)
    function.ctypes(
        len(x),
        x.ctypes.data_as(pointer),
        gradient.ctypes.data_as(pointer),
        value.ctypes.data_as(pointer),
        program.ctypes.data_as(pointer),
    )
    return float(value[0]), gradient


def is_cached() -> bool:
    """Whether the compiled code of this very kernel, for this kind of processor, is on the machine's disk already."""
    kept = on_disk(_density_c)
    return kept is not None and kept.holds(_SIGNATURE)
