"""Bring a result back from another process, or say that it could not be brought."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

__all__ = ["NotKept", "Parcel", "pack", "unpack"]


@dataclass(frozen=True)
class NotKept:
    """Stands for a result that could not be sent between processes; its numbers were read before.

    Attributes
    ----------
    kind : str
        What it was.
    """

    kind: str

    def __repr__(self) -> str:
        return f"<{self.kind}: not kept, run with n_jobs=1 to have it>"


@dataclass(frozen=True)
class Parcel:
    """A result on its way, as bytes: whether it can be opened is found out here, not in the queue between processes.

    Attributes
    ----------
    kind : str
        What it is.
    content : bytes
        Empty where it could not be packed.
    """

    kind: str
    content: bytes


def pack(result: Any) -> Parcel:
    """Make a result ready to be sent.

    Parameters
    ----------
    result : object

    Returns
    -------
    Parcel

    Notes
    -----
    A statsmodels fit made by formula reads its formula again on arrival, in whatever frame it finds there, and may
    fail; without the formula's design it arrives whole, except that it cannot predict for new data by formula.
    """
    kind = f"{type(result).__module__}.{type(result).__qualname__}".removeprefix("builtins.")
    data = getattr(getattr(getattr(result, "_results", result), "model", None), "data", None)
    if hasattr(data, "model_spec"):
        vars(data).pop("model_spec", None)
    try:
        return Parcel(kind, pickle.dumps(result))
    except Exception:
        return Parcel(kind, b"")


def unpack(parcel: Parcel) -> Any:
    """Open what `pack` made, in the process that made the workers.

    Parameters
    ----------
    parcel : Parcel

    Returns
    -------
    object
        The result, or a `NotKept` in its place.
    """
    try:
        return pickle.loads(parcel.content)
    except Exception:
        return NotKept(parcel.kind)
