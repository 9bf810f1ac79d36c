"""Room for work arrays: memory that is asked for once an evaluation, and views of it that nobody counts.

numba counts who refers to an array, atomically, at each view of it: in a small model that took half of a gradient's time. The
views here belong to nobody; whoever asked for the room keeps it until the evaluation is done.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from bayesmi.kernel.jit import kernel

__all__ = ["shaped", "take", "take_rows", "uncounted"]


def _uncounted(typing_context: Any, array: Any) -> Any:

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(array)(context, builder, value=arguments[0])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        view.parent = cgutils.get_null_value(view.parent.type)
        return view._getvalue()

    return array(array), generate


def _shaped(typing_context: Any, values: Any, shape: Any) -> Any:
    rows = types.Array(values.dtype, len(shape), "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = context.make_array(values)(context, builder, value=arguments[0])
        view = context.make_array(rows)(context, builder)
        lengths = cgutils.unpack_tuple(builder, arguments[1])
        steps = [vector.itemsize]
        for length in lengths[:0:-1]:
            steps.insert(0, builder.mul(steps[0], length))
        populate_array(
            view, data=vector.data, shape=lengths, strides=steps, itemsize=vector.itemsize, meminfo=None
        )
        return view._getvalue()

    return rows(values, shape), generate


# uncounted(array): the array without its owner
uncounted: Any = intrinsic(_uncounted)
# shaped(vector, shape): a contiguous vector as rows (and rows of rows), without its owner; its length is not looked at
shaped: Any = intrinsic(_shaped)


@kernel
def take(room, at, n):  # type: ignore[no-untyped-def]
    """Return the n numbers from `at` on, and where the next begin."""
    return room[at : at + n], at + n


@kernel
def take_rows(room, at, rows, columns):  # type: ignore[no-untyped-def]
    """Return the numbers from `at` on as rows, and where the next begin."""
    return shaped(room[at : at + rows * columns], (rows, columns)), at + rows * columns
