"""The grid of known correlations of selection models: of the errors, and of the group effects of the two equations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmi.data.wording import did_you_mean
from bayesmi.draw.across import common_groupings
from bayesmi.errors import ModelError
from bayesmi.mechanism import Heckman, heckmans_of
from bayesmi.model import Model
from bayesmi.sensitivity.grid import axis_values

__all__ = ["RhoAxis", "RhoGrid", "read_rho_grid"]


@dataclass(frozen=True)
class RhoAxis:
    """One correlation of one variable's selection model."""

    variable: str
    what: str  # "rho" or "group_rho"

    @property
    def name(self) -> str:
        """Its column: ``rho_wage``, ``group_rho_wage``."""
        return f"{self.what}_{self.variable}"


@dataclass(frozen=True)
class RhoGrid:
    """Known values of one or two correlations."""

    axes: tuple[RhoAxis, ...]
    values: Mapping[str, tuple[float, ...]]  # by axis name, sorted
    lines: tuple[str, ...]  # what becomes of the group effects
    joined: tuple[str, ...]  # variables whose group effects may correlate across the equations

    @property
    def kind(self) -> str:
        """The likelihood changes from point to point."""
        return "model"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the axes."""
        return tuple(axis.name for axis in self.axes)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of their columns."""
        return self.names

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables whose imputed values change."""
        return tuple(dict.fromkeys(axis.variable for axis in self.axes))

    @property
    def points(self) -> tuple[tuple[float, ...], ...]:
        """Every combination, in the order of the names."""
        return tuple(itertools.product(*(self.values[name] for name in self.names)))

    @property
    def zero(self) -> tuple[float, ...]:
        """The point against which others are told."""
        return (0.0,) * len(self.axes)

    @property
    def title(self) -> str:
        """What the answer is sensitive to."""
        return " and ".join(self.label(name) for name in self.names)

    @property
    def at_zero(self) -> str:
        """What the zero of all axes means."""
        known = {axis.variable for axis in self.axes if axis.what == "group_rho"}
        if any(axis.what == "rho" for axis in self.axes) and known >= set(self.joined):
            return "missing at random"
        return " and ".join(f"{axis.what} = 0" for axis in self.axes)

    def label(self, name: str) -> str:
        """Return an axis in words."""
        axis = self.axes[self.names.index(name)]
        return f"{axis.what} of {axis.variable}"

    def mechanisms(self, point: Sequence[float], mechanisms: Mapping[str, Any]) -> dict[str, Any]:
        """Return a model's mechanisms with the correlations of a point known."""
        out = dict(mechanisms)
        for axis, value in zip(self.axes, point, strict=True):
            out[axis.variable] = out[axis.variable].fixed_at(**{axis.what: float(value)})
        return out

    def neighbours(self, one: Sequence[float], other: Sequence[float]) -> bool:
        """Whether two points are next to each other, also across a corner."""
        steps = []
        for name, a, b in zip(self.names, one, other, strict=True):
            known = np.asarray(self.values[name])
            steps.append(abs(int(np.searchsorted(known, a)) - int(np.searchsorted(known, b))))
        return max(steps) <= 1


def read_rho_grid(rho: Any, group_rho: Any, model: Model) -> RhoGrid:
    """Read ``rho=[-.9, …, .9]``, or a mapping by variable, and the same of ``group_rho``.

    Raises
    ------
    ModelError
        If no variable has a selection model, several have and none is named, or values are no correlations.
    """
    own = heckmans_of(model.mechanisms)
    if not own:
        raise ModelError(
            "rho= is of a Heckman model, and no variable has one: say mechanisms={'wage': bmi.Heckman('~ …')}, or delta= here"
        )
    axes: list[RhoAxis] = []
    values: dict[str, tuple[float, ...]] = {}
    for what, given in (("rho", rho), ("group_rho", group_rho)):
        if given is None:
            continue
        for variable, own_values in _by_variable(given, what, own).items():
            axis = RhoAxis(variable, what)
            axes.append(axis)
            values[axis.name] = axis_values(
                f"{what}=", own_values, "numbers between -1 and 1, such as [-0.5, 0, 0.5]", below=1.0
            )
    if len(axes) > 2:
        raise ModelError(
            f"{len(axes)} correlations are varied ({', '.join(axis.name for axis in axes)}): a grid of one or two is evaluated; "
            "hold the others by Heckman(rho=, group_rho=)"
        )
    for axis in axes:
        if axis.what == "group_rho" and not common_groupings(model.factor(axis.variable)):
            raise ModelError(
                f"group_rho= needs group effects of one grouping in both equations of {axis.variable!r}; there are none"
            )
    varied = {axis.variable for axis in axes if axis.what == "group_rho"}
    lines = tuple(
        line for axis in axes if axis.what == "rho" for line in _group_lines(axis.variable, model, varied)
    )
    joined = tuple(
        axis.variable
        for axis in axes
        if axis.what == "rho"
        and common_groupings(model.factor(axis.variable))
        and own[axis.variable].group_rho != 0.0
    )
    return RhoGrid(tuple(axes), values, lines, joined)


def _by_variable(given: Any, what: str, own: Mapping[str, Heckman]) -> dict[str, Any]:
    if isinstance(given, Mapping):
        for name in given:
            if name not in own:
                raise ModelError(
                    f"{what}= names {name!r}, which has no Heckman model: {did_you_mean(str(name), list(own))}"
                )
        if not given:
            raise ModelError(f"{what}= is empty: say {what}=[-0.5, 0, 0.5]")
        return dict(given)
    if len(own) > 1:
        raise ModelError(
            f"{what}= of which variable? {', '.join(own)} have Heckman models: {what}={{{next(iter(own))!r}: [-0.5, 0, 0.5]}}"
        )
    return {next(iter(own)): given}


def _group_lines(variable: str, model: Model, varied: set[str]) -> list[str]:
    """Say what becomes of the correlation of group effects across the equations while rho is held."""
    factor = model.factor(variable)
    lines = []
    for grouping in common_groupings(factor):
        if variable in varied:
            continue
        effect = factor.effect(grouping)
        what = f"group effects of {grouping} in the two equations of {variable}"
        if not effect.elsewhere:
            lines.append(f"{what}: independent at every rho")
        elif effect.known_correlation is not None:
            lines.append(f"{what}: correlation {effect.known_correlation:g} at every rho")
        else:
            eta = factor.priors.correlations[grouping]
            lines.append(
                f"{what}: correlation estimated anew at each rho, prior LKJ({eta:g}), see .across; group_rho= holds it too"
            )
    return lines
