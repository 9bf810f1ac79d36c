"""Sampled cells: their values on the scale of the data, their places in responses, and the way back to the sampler."""

from __future__ import annotations

from bayesmi.kernel import layout as k
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.matrices import copy

__all__ = ["add_cell_gradient", "cell_value", "fill_response", "response_backward"]


@kernel
def cell_value(x, f, i, variable, index):  # type: ignore[no-untyped-def]
    """Value of a sampled cell on the scale of the data."""
    record = i[k.G_CELL_TABLE] + variable * k.C_SIZE
    return f[i[record + k.C_F]] + f[i[record + k.C_F] + 1] * x[i[record + k.C_X] + index]


@kernel
def add_cell_gradient(f, i, variable, index, value, gradient):  # type: ignore[no-untyped-def]
    """Add the derivative by a sampled cell to that by what the sampler sees of it."""
    record = i[k.G_CELL_TABLE] + variable * k.C_SIZE
    gradient[i[record + k.C_X] + index] += f[i[record + k.C_F] + 1] * value


@kernel
def fill_response(x, f, i, at, y):  # type: ignore[no-untyped-def]
    """Fill the response of one factor, sampled cells in their places."""
    start, rows, response = i[at + k.F_ROW_START], i[at + k.F_ROWS], i[at + k.F_RESPONSE]
    copy(f[response : response + rows], y[start : start + rows])
    for row in range(i[at + k.F_RESPONSE_CELLS]):
        t = i[i[at + k.F_RESPONSE_POSITIONS] + row]
        y[start + t] = cell_value(x, f, i, i[at + k.F_RESPONSE_VARIABLE], i[i[at + k.F_RESPONSE_INDEX] + row])


@kernel
def response_backward(f, i, at, d_eta, gradient):  # type: ignore[no-untyped-def]
    """From d eta of one factor to sampled cells of its response: y - eta in every family that has such cells."""
    start = i[at + k.F_ROW_START]
    for row in range(i[at + k.F_RESPONSE_CELLS]):
        t = i[i[at + k.F_RESPONSE_POSITIONS] + row]
        index = i[i[at + k.F_RESPONSE_INDEX] + row]
        add_cell_gradient(f, i, i[at + k.F_RESPONSE_VARIABLE], index, -d_eta[start + t], gradient)
