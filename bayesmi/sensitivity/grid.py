"""The grid of deltas: which variables, which amounts, and what a unit of delta means for each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.mechanism import Delta, Heckman
from bayesmi.model import Model

__all__ = ["DeltaGrid", "Grid", "axis_values", "nine_points", "read_grid"]


class Grid(Protocol):
    """What a sensitivity analysis says of the axes that it varies: deltas, correlations, deltas of arms."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the axes."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of their columns in a table."""
        ...

    @property
    def variables(self) -> tuple[str, ...]:
        """What of the imputed values is told by ``realised_…``."""
        ...

    @property
    def values(self) -> Mapping[str, tuple[float, ...]]:
        """By axis, sorted."""
        ...

    @property
    def kind(self) -> str:
        """After, conditional or model; only a model has a likelihood that changes."""
        ...

    @property
    def title(self) -> str:
        """What the answer is sensitive to."""
        ...

    @property
    def at_zero(self) -> str:
        """What the zero of all axes means."""
        ...

    @property
    def lines(self) -> tuple[str, ...]:
        """What should be known when reading the table."""
        ...

    def label(self, name: str) -> str:
        """Return an axis in words."""
        ...


@dataclass(frozen=True)
class DeltaGrid:
    """Amounts by variable; at each, `units[variable]` is multiplied by it."""

    units: Mapping[str, Delta]
    values: Mapping[str, tuple[float, ...]]  # sorted

    @property
    def names(self) -> tuple[str, ...]:
        """Variables that are shifted."""
        return tuple(self.units)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of a table: ``delta_x``."""
        return tuple(f"delta_{name}" for name in self.names)

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables whose imputed values change."""
        return self.names

    @property
    def at_zero(self) -> str:
        """What the zero of all deltas means."""
        return "missing at random"

    @property
    def title(self) -> str:
        """What the answer is sensitive to."""
        return f"delta_{self.kind} of {' and '.join(self.names)}"

    @property
    def lines(self) -> tuple[str, ...]:
        """What should be known when reading the table."""
        return tuple(f"a unit of delta of {name}: {unit.words}" for name, unit in self.units.items())

    def label(self, name: str) -> str:
        """Return an axis in words."""
        return f"delta_{self.kind} of {name}"

    @property
    def kind(self) -> str:
        """after, conditional or model."""
        return next(iter(self.units.values())).kind

    @property
    def points(self) -> tuple[tuple[float, ...], ...]:
        """Every combination, in the order of the names."""
        return tuple(itertools.product(*(self.values[name] for name in self.names)))

    def mechanisms(self, point: Sequence[float], others: Mapping[str, Any]) -> dict[str, Any]:
        """Return a model's mechanisms at a point."""
        own = {
            name: self.units[name].times(float(value)) for name, value in zip(self.names, point, strict=True)
        }
        return {**others, **own}


def read_grid(
    delta: Mapping[str, Any] | None, kind: str | None, like: Mapping[str, Delta] | None, model: Model
) -> DeltaGrid:
    """Read ``{"x": [-4, -2, 0]}`` with what a unit of it means.

    Raises
    ------
    ModelError
        If a variable is not modelled, its amounts are no numbers, or kinds differ.
    NotSupportedError
        If a variable has another mechanism than a delta, which the delta would replace.
    """
    if not isinstance(delta, Mapping) or not delta:
        raise ModelError(
            "delta= is a mapping by variable, such as {'weight': [-10, -5, 0]}; of a Heckman model rho=[-0.5, 0, 0.5]"
        )
    if len(delta) > 2:
        raise ModelError(
            f"delta= has {len(delta)} variables: a grid of one or two is evaluated; hold the others by mechanisms="
        )
    known = [factor.variable for factor in model.factors]
    units: dict[str, Delta] = {}
    values: dict[str, tuple[float, ...]] = {}
    for name in like or {}:
        if name not in delta:
            raise ModelError(f"like= names {name!r}, which delta= does not")
    for name, given in delta.items():
        if name not in known:
            raise ModelError(
                f"delta= names {name!r}, which the model does not impute: {did_you_mean(name, known)}"
            )
        own = model.mechanisms.get(name)
        if isinstance(own, Delta) and own.kind == "model":
            raise ModelError(
                f"delta= names {name!r}, whose delta is in the fitted likelihood already: fit the model without it, and say "
                "kind='model' here"
            )
        if own is not None and not isinstance(own, Delta):
            other = " or ask for rho=," if isinstance(own, Heckman) else ""
            raise NotSupportedError(
                f"delta= names {name!r}, whose model says {type(own).__name__}(): a grid of deltas is against missing at random; "
                f"the nearest that is supported: fit the model without it,{other} or shift its finished imputations, "
                f"fit.impute(20).delta_after({{{name!r}: -1}})"
            )
        unit = (like or {}).get(name)
        if unit is None:
            unit = Delta(1.0, kind=kind or "conditional")
        elif not isinstance(unit, Delta):
            raise ModelError(f"like[{name!r}] is a Delta of which the grid takes multiples, not {unit!r}")
        elif kind is not None and unit.kind != kind:
            raise ModelError(
                f"like[{name!r}] has kind={unit.kind!r} and kind={kind!r} was asked for: leave one out"
            )
        units[name] = unit
        values[name] = axis_values(f"delta[{name!r}]", given, "numbers, such as [-10, -5, 0]")
    if len({unit.kind for unit in units.values()}) > 1:
        raise ModelError("both deltas need the same kind: after, conditional or model")
    return DeltaGrid(units, values)


def axis_values(label: str, given: Any, words: str, *, below: float = np.inf) -> tuple[float, ...]:
    """Return a number, or numbers in increasing order, whose size is less than `below`.

    Raises
    ------
    ModelError
        If they are not; the line says that `label` is a list of `words`.
    """
    values = np.asarray([given] if np.isscalar(given) else list(given))
    good = values.ndim == 1 and values.size and values.dtype.kind in "iuf"
    if not good or not (np.abs(values) < below).all():
        raise ModelError(f"{label} is a list of {words}, not {given!r}")
    return tuple(float(value) for value in np.unique(values))


def nine_points(given: Any) -> Any:
    """Return nine points over a range of two numbers, other lists as they are; of a mapping for each of its values."""
    if isinstance(given, Mapping):
        return {name: nine_points(own) for name, own in given.items()}
    two = np.ndim(given) == 1 and len(given) == 2
    return np.linspace(float(given[0]), float(given[1]), 9) if two else given
