"""The program that the kernel runs, and where its parameters stand in the unconstrained vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Parameter", "Program"]


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
