"""A program for the kernel as it is written: numbers, records and the places of parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.kernel import pack

__all__ = ["Parameter", "Program", "Writer"]


@dataclass(frozen=True)
class Parameter:
    """A piece of the unconstrained vector."""

    name: str
    start: int
    shape: tuple[int, ...]
    transform: (
        str  # "identity", "log", "logit", "correlation", "softplus", "ordered": constrained = inverse of it
    )
    initial: float = 0.0
    scales: tuple[float, ...] = ()  # softplus: constrained = scale log(1 + exp(x)), one scale an entry
    locations: tuple[
        float, ...
    ] = ()  # identity: at x = 0; ordered: the anchor at x = 0, gaps on both sides of it
    anchor: int = 0  # ordered: which number is free

    @property
    def size(self) -> int:
        """Number of entries."""
        return int(np.prod(self.shape, dtype=int))


@dataclass(frozen=True)
class Program:
    """What the kernel runs: the packed buffer, and where each parameter stands in the unconstrained vector."""

    buffer: NDArray[np.float64]
    parameters: tuple[Parameter, ...]
    work: int  # rough number of multiplications in one evaluation

    @property
    def dimensions(self) -> int:
        """Length of the unconstrained vector."""
        return sum(parameter.size for parameter in self.parameters)

    def start(self, seed: int) -> NDArray[np.float64]:
        """Return where a chain starts: `initial` with jitter, correlations of errors anywhere between -0.9 and 0.9."""
        rng = np.random.default_rng(seed)
        point = self.initial() + rng.uniform(-1.0, 1.0, self.dimensions)
        for parameter in self.parameters:
            if parameter.transform == "correlation":
                point[parameter.start] = 2.0 * np.arctanh(rng.uniform(-0.9, 0.9))
        return point

    def initial(self) -> NDArray[np.float64]:
        """Return the unconstrained point where chains start, before jitter."""
        return np.concatenate(
            [np.full(parameter.size, parameter.initial) for parameter in self.parameters] or [np.zeros(0)]
        )


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
