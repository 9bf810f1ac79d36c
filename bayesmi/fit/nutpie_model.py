"""The kernel as nutpie's compiled model: the C function's address and the program's buffer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numba import carray, types
from numpy.typing import NDArray
from nutpie import _lib
from nutpie.sample import CompiledModel

from bayesmi.build.program import Program
from bayesmi.kernel import compiled_density
from bayesmi.kernel.on_disk import compiled

__all__ = ["KernelModel"]

_NAME, _DIM = "unconstrained", "unconstrained_dim"
_EXPAND = types.int64(
    types.uint64,
    types.uint64,
    types.CPointer(types.float64),
    types.CPointer(types.float64),
    types.voidptr,
)


def _copy(dimensions, expanded, x_, out_, program_):  # type: ignore[no-untyped-def]
    """Keep the unconstrained vector; parameters are computed for all draws at once afterwards."""
    x = carray(x_, (dimensions,))
    out = carray(out_, (expanded,))
    for j in range(dimensions):
        out[j] = x[j]
    return 0


@cache
def _expand_function() -> Any:
    return compiled(_EXPAND, _copy)


@dataclass(frozen=True)
class KernelModel(CompiledModel):
    """What nutpie samples."""

    program: Program | None = None

    @classmethod
    def of(cls, program: Program) -> KernelModel:
        """Return the model of a program."""
        return cls(dims={_NAME: (_DIM,)}, program=program)

    @property
    def n_dim(self) -> int:
        """Length of the unconstrained vector."""
        assert self.program is not None
        return self.program.dimensions

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of what is stored."""
        return {_NAME: (self.n_dim,)}

    @property
    def coords(self) -> dict[str, Any]:
        """Positions in the vector."""
        return {_DIM: pd.RangeIndex(self.n_dim)}

    def _make_sampler(
        self,
        settings: Any,
        init_mean: Any,
        cores: int,
        progress_type: Any,
        extra_callback: Any,
        extra_callback_rate: Any,
        store: Any,
    ) -> Any:
        return _lib.PySampler.from_pymc(
            settings,
            cores,
            self._make_model(init_mean),
            progress_type,
            extra_callback,
            extra_callback_rate,
            store,
        )

    def _make_model(self, init_mean: Any) -> Any:
        assert self.program is not None
        program = self.program
        address = program.buffer.ctypes.data

        def initial(seed: int) -> NDArray[np.float64]:
            return program.start(seed)

        density = _lib.LogpFunc(compiled_density().address, address, self)
        expand = _lib.ExpandFunc(self.n_dim, self.n_dim, _expand_function().address, address, self)
        sizes = {_DIM: self.n_dim}
        variables = _lib.PyVariable.new_variables(
            [_NAME], ["float64"], [(self.n_dim,)], sizes, {_NAME: [_DIM]}
        )
        coords = {_DIM: pd.RangeIndex(self.n_dim)}
        return _lib.PyMcModel(density, expand, variables, self.n_dim, sizes, coords, initial, None)
