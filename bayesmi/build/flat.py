"""The kernel as a PyTensor Op, so that PyMC's own samplers can run it."""

# ruff: noqa: E402
from __future__ import annotations

from typing import Any

import numpy as np
import pytensor

# a pip install has no BLAS to link and PyMC would warn; no graph of ours needs one
pytensor.config.blas__ldflags = ""

import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from bayesmi.build.program import Program
from bayesmi.kernel import evaluate

__all__ = ["flat_model"]


class _DensityGradient(Op):
    """(log density, gradient) of a program at an unconstrained vector."""

    __props__ = ()

    def __init__(self, program: Program) -> None:
        self._buffer = program.buffer

    def make_node(self, x: Any) -> Apply:
        x = pt.as_tensor(x)
        return Apply(self, [x], [pt.dscalar(), pt.dvector()])

    def perform(self, node: Any, inputs: list[Any], outputs: list[Any]) -> None:
        value, gradient = evaluate(self._buffer, inputs[0])
        outputs[0][0] = np.asarray(value)
        outputs[1][0] = gradient

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        return [cotangents[0] * outputs[1]]

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def flat_model(program: Program) -> pm.Model:
    """Return a model with one free vector "unconstrained"."""
    operator = _DensityGradient(program)
    with pm.Model() as model:
        x = pm.Flat("unconstrained", shape=(program.dimensions,), initval=program.initial())
        pm.Potential("density", operator(x)[0])
    return model
