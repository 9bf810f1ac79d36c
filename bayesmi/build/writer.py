"""A program as it is written: numbers, records and the places of parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.program import Parameter, Program
from bayesmi.kernel import pack

__all__ = ["Writer"]


class Writer:
    """Collects floats, integers and parameters; gives back offsets."""

    def __init__(self) -> None:
        self._floats: list[NDArray[np.float64]] = []
        self._n_floats = 0
        self._integers: list[NDArray[np.int64]] = []
        self._n_integers = 0
        self.parameters: list[Parameter] = []
        self._dimensions = 0
        self.regressions = 0  # how far the work vector of group-level regressions is used

    def floats(self, values: object) -> int:
        """Keep numbers; return where they start."""
        array = np.ascontiguousarray(values, dtype=np.float64).ravel()
        self._floats.append(array)
        self._n_floats += len(array)
        return self._n_floats - len(array)

    def integers(self, values: object) -> int:
        """Keep integers; return where they start."""
        array = np.ascontiguousarray(values, dtype=np.int64).ravel()
        self._integers.append(array)
        self._n_integers += len(array)
        return self._n_integers - len(array)

    def parameter(
        self,
        name: str,
        shape: tuple[int, ...],
        transform: str = "identity",
        initial: float = 0.0,
        scales: tuple[float, ...] = (),
        locations: tuple[float, ...] = (),
        anchor: int = 0,
    ) -> int:
        """Give a parameter its place in the unconstrained vector; return it."""
        start = self._dimensions
        self.parameters.append(Parameter(name, start, shape, transform, initial, scales, locations, anchor))
        self._dimensions += self.parameters[-1].size
        return start

    def finish(self, first: list[int], work: int) -> Program:
        """Put the global record in the place that was kept for it, and pack."""
        self._integers[0][:] = first
        floats = np.concatenate(self._floats) if self._floats else np.zeros(0)
        return Program(pack(floats, np.concatenate(self._integers)), tuple(self.parameters), work)
