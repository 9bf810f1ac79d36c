"""Levels of a category: which there are, in which order, and which one a label means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bayesmi.errors import FormulaError
from bayesmi.formula.contrasts import Contrast, Sum, Treatment
from bayesmi.formula.expression import Call, Expression, Flag, Items, Text, number_text
from bayesmi.formula.functions import number_of
from bayesmi.formula.names import closest

__all__ = ["base_level", "contrast_of", "label_text", "levels_of", "shown"]

type Labels = Mapping[float, object]  # value of the column at a level -> its label


def levels_of(
    expression: Expression, name: str, labels: Labels, observed: Sequence[float]
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Levels in order, as values of the column, and notices about those left out.

    Parameters
    ----------
    expression : Expression
        The column, or `C(...)` with `levels=`.
    name : str
        The column.
    labels : mapping of float to object
        Label of every level that the column may take.
    observed : sequence of float
        Levels that occur among the observed values.

    Returns
    -------
    levels : tuple of float
        Those that occur: a level that never does has no column.
    notices : tuple of str
        One line for each that does not.

    Raises
    ------
    FormulaError
        If `levels=` names no level or leaves one out, or fewer than two levels occur.
    """
    order = _ordered(expression, name, labels, observed)
    kept = tuple(level for level in order if level in set(observed))
    notices = tuple(
        f"level {label_text(labels[level])!r} of {name!r} is never observed and has no coefficient"
        for level in order
        if level not in kept
    )
    if len(kept) < 2:
        what = f"only the level {label_text(labels[kept[0]])!r}" if kept else "no values"
        raise FormulaError(f"`{expression}`: {name!r} has {what} among its observed values; leave it out")
    return kept, notices


def contrast_of(expression: Expression, otherwise: Contrast) -> Contrast:
    """Contrast said in `C(...)`, else the other one."""
    said = expression.args[1] if isinstance(expression, Call) and len(expression.args) > 1 else None
    if not isinstance(said, Call):
        return otherwise
    base = _literal(said.args[0]) if said.args else None
    return Sum(base) if said.function == "Sum" else Treatment(base)


def base_level(contrast: Contrast, expression: Expression, name: str, labels: Labels) -> int:
    """Position of the level without a column among those that have a label here."""
    keys = list(labels)
    if contrast.base is None:
        return len(keys) - 1 if isinstance(contrast, Sum) else 0
    return keys.index(_find(contrast.base, expression, name, labels))


def label_text(label: object) -> str:
    """Write a label as text, whole numbers without their point."""
    return number_text(float(label)) if isinstance(label, float | np.floating) else str(label)


def shown(labels: Sequence[object]) -> str:
    """List the first eight labels."""
    texts = [label_text(label) for label in labels]
    return ", ".join(texts[:8]) + (f" and {len(texts) - 8} more" if len(texts) > 8 else "")


def _ordered(expression: Expression, name: str, labels: Labels, observed: Sequence[float]) -> list[float]:
    options = dict(expression.kwargs) if isinstance(expression, Call) else {}
    wanted = options.get("levels")
    if not isinstance(wanted, Items):
        return list(labels)
    order = [_find(_literal(item), expression, name, labels) for item in wanted.values]
    left_out = [label_text(labels[level]) for level in observed if level not in order]
    if left_out:
        raise FormulaError(f"`{expression}` leaves out observed levels of {name!r}: {', '.join(left_out)}")
    return order


def _find(wanted: object, expression: Expression, name: str, labels: Labels) -> float:
    """Level with this label: the same text, or an equal number or truth value (True is not 1)."""
    for level, label in labels.items():
        if isinstance(wanted, str):
            same = label_text(label) == wanted
        else:
            same = isinstance(wanted, bool) == isinstance(label, bool | np.bool_) and label == wanted
        if same:
            return level
    texts = [label_text(label) for label in labels.values()]
    similar = closest(label_text(wanted), texts)
    hint = f"did you mean {similar!r}?" if similar else f"it has {shown(texts)}"
    raise FormulaError(f"`{expression}`: {name!r} has no level {label_text(wanted)!r}; {hint}")


def _literal(node: Expression) -> object:
    return node.value if isinstance(node, Text | Flag) else number_of(node)
