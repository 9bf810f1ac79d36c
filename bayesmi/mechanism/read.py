"""`mechanisms=` of a model: one record a variable, with a registry of what there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.mechanism.delta import Delta
from bayesmi.mechanism.heckman import Heckman
from bayesmi.mechanism.indicator import SelfMasking, SharedEffects

__all__ = ["Mechanism", "deltas_of", "mechanism_objects", "read_mechanisms"]


class Mechanism(Protocol):
    """What every mechanism has, whatever it does to the model."""

    @property
    def words(self) -> str:
        """How it reads in a printout."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a model file, with its name in the registry as "mechanism"."""
        ...


REGISTRY: dict[str, Any] = {
    "delta": Delta,
    "heckman": Heckman,
    "selfmasking": SelfMasking,
    "sharedeffects": SharedEffects,
}  # name in a model file -> class
_EXAMPLE = "{'weight': bmi.Delta(-5)}"


def mechanism_objects(given: Any) -> dict[str, Any]:
    """Return the mechanisms of a mapping, read from plain data where they are; anything else is left to `read_mechanisms`."""
    if not isinstance(given, Mapping):
        return {}
    return {
        name: REGISTRY[value["mechanism"]].from_dict(value)
        if isinstance(value, Mapping) and value.get("mechanism") in REGISTRY
        else value
        for name, value in given.items()
    }


def read_mechanisms(given: Mapping[str, Any] | None, columns: Collection[str]) -> dict[str, Any]:
    """Read ``{"weight": Delta(-5)}``, or what `to_dict` made of it.

    Raises
    ------
    ModelError
        If a key is no column.
    NotSupportedError
        If a value is no mechanism that there is.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ModelError(f"mechanisms= is a mapping by column, such as {_EXAMPLE}, not {given!r}")
    out: dict[str, Any] = {}
    for name, value in (given or {}).items():
        if name not in columns:
            raise ModelError(
                f"mechanisms= names {name!r}, which is not a column of the table: {did_you_mean(name, list(columns))}"
            )
        if isinstance(value, Mapping) and value.get("mechanism") in REGISTRY:
            value = REGISTRY[value["mechanism"]].from_dict(value)
        if isinstance(value, type) and value in REGISTRY.values():
            raise ModelError(f"mechanisms[{name!r}] is the class: say bmi.{value.__name__}(…)")
        if not isinstance(value, tuple(REGISTRY.values())):
            raise NotSupportedError(
                f"mechanisms[{name!r}] = {value!r} is not supported; those that are: Delta, Heckman, SelfMasking, "
                f"SharedEffects, such as {_EXAMPLE}"
            )
        out[name] = value
    return out


def deltas_of(mechanisms: Mapping[str, Any], kind: str) -> dict[str, Delta]:
    """Return the deltas of one kind, by variable."""
    return {
        name: value for name, value in mechanisms.items() if isinstance(value, Delta) and value.kind == kind
    }
