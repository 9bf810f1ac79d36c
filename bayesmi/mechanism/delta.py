"""Pattern mixtures: missing values differ from observed ones by a delta that no data tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmi.data.wording import plain
from bayesmi.errors import ModelError
from bayesmi.formula import Expression
from bayesmi.mechanism.expressions import read_expression
from bayesmi.priors import Prior

__all__ = ["KINDS", "SCALES", "Delta", "DeltaEntry"]

KINDS = ("after", "conditional", "model")
SCALES = ("value", "log", "logit")

Amount = float | str | Prior


@dataclass(frozen=True)
class DeltaEntry:
    """One amount: for a group (or all rows) and a category (or the variable as a whole)."""

    group: tuple[Any, ...]  # levels of the columns of `by`; () for all rows
    category: Any  # of a nominal variable; None for the variable as a whole
    amount: Amount

    @property
    def words(self) -> str:
        """How it reads: "-5 (arm active)"."""
        amount = f"{self.amount:g}" if isinstance(self.amount, float) else str(self.amount)
        category = "" if self.category is None else f" for {self.category!r}"
        return amount + category


@dataclass(frozen=True, init=False)
class Delta:
    """Missing values of a variable shifted against what they would be if missing at random.

    Parameters
    ----------
    shift : number, str, Prior or mapping
        How far. Its unit depends on the variable: that of its values for a number (see `on`), log odds for a binary one
        (also cumulative probit: its log odds, except in a "model", where it adds to the linear predictor), cumulative log
        odds of the higher levels for ordered ones, the log rate for counts, and for an unordered variable a mapping of
        categories to log odds, ``{"none": 0.5}``. A text is an expression in columns, such as ``"-4 + 1 * age"``. A `Prior` is
        drawn once for each imputation ("after", "conditional"), or gets a posterior ("model"). With `by` a mapping from
        groups to any of these; groups that it does not name are not shifted.
    scale : number or mapping, default 1
        Numbers become ``scale * value + shift``, on the scale of `on`.
    kind : {"conditional", "after", "model"}
        Which estimand, three different ones:

        ``"after"`` (delta_after)
            the finished imputation is shifted, nothing else changes;
        ``"conditional"`` (delta_conditional)
            the draw from f(variable | all observed) is shifted, and what else is missing in its row is drawn given the
            shifted value; parameters are those under missing at random;
        ``"model"`` (delta_model)
            the shift is part of the likelihood: in rows where the variable is missing its linear predictor has delta added,
            so that parameters change, and observed outcomes of an incomplete predictor speak about delta.
    on : {"value", "log", "logit"}
        Scale on which a number is shifted ("after", "conditional"): ``"log"`` for positive numbers (multiplied by exp(shift)),
        ``"logit"`` between two bounds.
    by : str or sequence of str, optional
        Columns whose levels are the groups: an arm, a visit.
    where : str, optional
        Condition on rows, such as ``"visit >= 3 and arm == 'active'"``; others are not shifted.

    Raises
    ------
    ModelError
        If an argument is not one of these.

    Notes
    -----
    "after" is the marginal delta of reference-based trials (rbmi); "conditional" is ``post`` of mice and NARFCS (Van Buuren,
    Boshuizen & Knook 1999; Tompsett et al. 2018) with the difference that the draw is conditional on what was observed, not on
    other imputed cells: where x and z are missing together, chained equations feed the shift back and x moves by
    delta / (1 - r²) with r the partial correlation, here it moves by delta. "model" is the pattern mixture with the other
    conditionals held (Little 1993). For log odds the shifted draw is also that of a selection model whose log odds of being
    missing have the slope delta on the variable.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.Delta({"active": -5}, by="arm", kind="after")
    Delta({'active': -5}, kind='after', by='arm')
    """

    entries: tuple[DeltaEntry, ...]
    scales: tuple[tuple[tuple[Any, ...], float], ...]  # (group, factor)
    kind: str
    on: str
    by: tuple[str, ...]
    where: str | None

    def __init__(
        self,
        shift: Any = 0.0,
        *,
        scale: Any = 1.0,
        kind: str = "conditional",
        on: str = "value",
        by: str | Sequence[str] | None = None,
        where: str | None = None,
    ) -> None:
        if kind not in KINDS:
            raise ModelError(f"Delta(kind={kind!r}): kind is {', '.join(map(repr, KINDS[:-1]))} or 'model'")
        if on not in SCALES:
            raise ModelError(f"Delta(on={on!r}): on is 'value', 'log' or 'logit'")
        columns = (by,) if isinstance(by, str) else tuple(by or ())
        if not all(isinstance(name, str) for name in columns):
            raise ModelError(f"Delta(by={by!r}): by names columns, such as 'arm' or ['arm', 'visit']")
        if where is not None:
            from bayesmi.data.conditions import parse_condition

            parse_condition(where)
        entries = tuple(_entries(shift, columns))
        scales = tuple(_scales(scale, columns))
        if kind == "model" and any(factor != 1.0 for _, factor in scales):
            raise ModelError(
                "Delta(scale=…, kind='model') is not supported: the residual sd of the missing values would be another; the "
                "nearest that is: kind='conditional'"
            )
        if kind == "model" and on != "value":
            raise ModelError(
                f"Delta(on={on!r}, kind='model'): in a model delta adds to the linear predictor; leave on= out"
            )
        values = {
            "entries": entries, "scales": scales, "kind": kind, "on": on, "by": columns, "where": where
        }  # fmt: skip
        for key, value in values.items():
            object.__setattr__(self, key, value)

    @property
    def name(self) -> str:
        """Name of the estimand: delta_after, delta_conditional or delta_model."""
        return f"delta_{self.kind}"

    @property
    def is_nothing(self) -> bool:
        """Whether it shifts no value at all."""
        return all(entry.amount == 0.0 for entry in self.entries) and not self.scaled

    @property
    def scaled(self) -> bool:
        """Whether values are multiplied too."""
        return any(factor != 1.0 for _, factor in self.scales)

    @property
    def has_categories(self) -> bool:
        """Whether amounts belong to categories of the variable."""
        return any(entry.category is not None for entry in self.entries)

    @property
    def priors(self) -> tuple[Prior, ...]:
        """Priors among the amounts."""
        return tuple(entry.amount for entry in self.entries if isinstance(entry.amount, Prior))

    @property
    def variables(self) -> frozenset[str]:
        """Columns that the amounts are computed from."""
        return frozenset().union(*(one.variables for one in self.expressions.values()))

    @property
    def expressions(self) -> dict[str, Expression]:
        """The expressions among the amounts by their text."""
        return {
            entry.amount: read_expression(entry.amount)
            for entry in self.entries
            if isinstance(entry.amount, str)
        }

    @property
    def shift(self) -> Any:
        """The shift as it was given."""
        nested: dict[Any, Any] = {}
        for entry in self.entries:
            if entry.category is not None:
                nested.setdefault(entry.group, {})[entry.category] = entry.amount
            else:
                nested[entry.group] = entry.amount
        return _ungrouped(nested)

    @property
    def scale(self) -> Any:
        """The scale as it was given."""
        return _ungrouped(dict(self.scales))

    def times(self, factor: float) -> Delta:
        """Return the same with every amount multiplied, as on a grid of deltas.

        Parameters
        ----------
        factor : float
            The number.

        Returns
        -------
        Delta

        Raises
        ------
        ModelError
            If an amount is a prior.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.Delta({"active": -5}, by="arm").times(2)
        Delta({'active': -10}, kind='conditional', by='arm')
        """
        if self.priors:
            raise ModelError(
                f"{self!r} has a prior, which has no multiples: give numbers for a grid of deltas"
            )
        entries = tuple(
            DeltaEntry(
                e.group,
                e.category,
                e.amount * factor if isinstance(e.amount, float) else f"({e.amount}) * ({factor!r})",
            )
            for e in self.entries
        )
        out = object.__new__(Delta)
        for key in ("scales", "kind", "on", "by", "where"):
            object.__setattr__(out, key, getattr(self, key))
        object.__setattr__(out, "entries", entries)
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a model file.

        Returns
        -------
        dict
            Of strings, numbers, lists and dicts.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.Delta({"active": -5}, by="arm", kind="after").to_dict()["mechanism"]
        'delta'
        """

        def amount(value: Amount) -> Any:
            return value.to_dict() if isinstance(value, Prior) else value

        return {
            "mechanism": "delta",
            "entries": [[list(e.group), e.category, amount(e.amount)] for e in self.entries],
            "scales": [[list(group), factor] for group, factor in self.scales],
            "kind": self.kind,
            "on": self.on,
            "by": list(self.by),
            "where": self.where,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Delta:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What `to_dict` returned.

        Returns
        -------
        Delta

        Examples
        --------
        >>> import bayesmi as bmi
        >>> mechanism = bmi.Delta({"active": -5}, by="arm", kind="after")
        >>> bmi.Delta.from_dict(mechanism.to_dict()) == mechanism
        True
        """
        nested: dict[Any, Any] = {}
        for group, category, value in data["entries"]:
            own = Prior.from_dict(dict(value)) if isinstance(value, Mapping) else value
            if category is not None:
                nested.setdefault(tuple(group), {})[category] = own
            else:
                nested[tuple(group)] = own
        return cls(
            _ungrouped(nested),
            scale=_ungrouped({tuple(group): factor for group, factor in data["scales"]}),
            kind=data["kind"],
            on=data["on"],
            by=data["by"] or None,
            where=data["where"],
        )

    @property
    def words(self) -> str:
        """How it reads in a printout: "delta_conditional: shifted by -5"."""
        parts = []
        groups = list(dict.fromkeys(entry.group for entry in self.entries))
        for group in groups:
            own = ", ".join(entry.words for entry in self.entries if entry.group == group)
            label = f" where {' and '.join(f'{c} is {v}' for c, v in zip(self.by, group, strict=True))}"
            parts.append(own + (label if group else ""))
        factors = "; ".join(
            f"multiplied by {factor:g}" + (f" where {', '.join(map(str, group))}" if group else "")
            for group, factor in self.scales
            if factor != 1.0
        )
        on = "" if self.on == "value" else f" on the {self.on} scale"
        rows = f", in rows where {self.where}" if self.where else ""
        return f"{self.name}: {factors + ', ' if factors else ''}shifted by {'; '.join(parts)}{on}{rows}"

    def __repr__(self) -> str:
        shift = _shown(self.shift)
        parts = [shift] + ([f"scale={_shown(self.scale)}"] if self.scaled else [])
        parts.append(f"kind={self.kind!r}")
        parts += [f"on={self.on!r}"] if self.on != "value" else []
        if self.by:
            parts.append(f"by={self.by[0]!r}" if len(self.by) == 1 else f"by={list(self.by)!r}")
        parts += [f"where={self.where!r}"] if self.where else []
        return f"Delta({', '.join(parts)})"


def _shown(value: Any) -> str:
    """Numbers without a needless point."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_shown(own)}" for key, own in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _ungrouped(nested: dict[tuple[Any, ...], Any]) -> Any:
    """Mapping by group as the user writes it: one value without groups, single levels without a tuple."""
    if list(nested) == [()]:
        return nested[()]
    return {(group[0] if len(group) == 1 else group): value for group, value in nested.items()}


def _entries(shift: Any, by: tuple[str, ...]) -> list[DeltaEntry]:
    if not by:
        return _of_group((), shift)
    if not isinstance(shift, Mapping):
        shown = by[0] if len(by) == 1 else list(by)
        example = "{'active': -5}" if len(by) == 1 else "{('active', 2): -5}"
        raise ModelError(
            f"Delta(shift={_shown(shift)}, by={shown!r}): with by= the shift is a mapping of groups, such as {example}"
        )
    out: list[DeltaEntry] = []
    for key, value in shift.items():
        out += _of_group(_group(key, by), value)
    return out


def _group(key: Any, by: tuple[str, ...]) -> tuple[Any, ...]:
    group = key if isinstance(key, tuple) else (key,)
    if len(group) != len(by):
        raise ModelError(
            f"Delta(by={list(by)!r}): the group {key!r} needs one level of each of these columns"
        )
    return tuple(plain(level) for level in group)


def _of_group(group: tuple[Any, ...], shift: Any) -> list[DeltaEntry]:
    if isinstance(shift, Mapping):
        if not shift:
            raise ModelError("Delta(shift={}): say how far, such as {'none': 0.5}")
        return [DeltaEntry(group, plain(category), _amount(value)) for category, value in shift.items()]
    return [DeltaEntry(group, None, _amount(shift))]


def _amount(value: Any) -> Amount:
    if isinstance(value, Prior):
        if value.support == "correlation":
            raise ModelError(f"Delta(shift={value}): a delta needs a prior of a number")
        return value
    if isinstance(value, str):
        read_expression(value)
        return value
    return _number(value, "shift")


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ModelError(
            f"Delta({what}={value!r}): {what} is a number"
            + (
                ", an expression such as '-4 + 1 * age', a Prior, or a mapping of these"
                if what == "shift"
                else ""
            )
        )
    if not math.isfinite(value):
        raise ModelError(f"Delta({what}={value!r}): {what} must be finite")
    return float(value)


def _scales(scale: Any, by: tuple[str, ...]) -> list[tuple[tuple[Any, ...], float]]:
    if not isinstance(scale, Mapping):
        return [((), _factor(scale))]
    if not by:
        raise ModelError(f"Delta(scale={scale!r}): a mapping goes with by=")
    return [(_group(key, by), _factor(value)) for key, value in scale.items()]


def _factor(value: Any) -> float:
    number = _number(value, "scale")
    if number < 0.0:
        raise ModelError(
            f"Delta(scale={number:g}): a negative scale would turn large values into small ones: scale is 0 or more"
        )
    return number
