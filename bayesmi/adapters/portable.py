"""Make a result survive the way back from another process."""

from __future__ import annotations

import pickle
from typing import Any

__all__ = ["NotKept", "make_portable"]


class NotKept:
    """Stands for a result that could not be sent between processes; its numbers were read before.

    Parameters
    ----------
    kind : str
        What it was.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"<{self.kind}: not kept, run with n_jobs=1 to have it>"


def make_portable(result: Any) -> Any:
    """Give the result in a form that can be sent, or a `NotKept` in its place.

    Parameters
    ----------
    result : object

    Returns
    -------
    object

    Notes
    -----
    statsmodels fits made by formula read their formula again on arrival, in whatever frame they find, and
    fail; without the formula's design they arrive whole, except that they cannot predict for new data by
    formula.
    """
    data = getattr(getattr(getattr(result, "_results", result), "model", None), "data", None)
    if data is not None:
        pass
    try:
        pickle.dumps(result)
    except Exception:
        return NotKept(f"{type(result).__module__}.{type(result).__qualname__}")
    return result
