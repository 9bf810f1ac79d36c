"""The functions a formula may use: their arguments, and which of them need constants from the observed values.

The columns of the table and these functions are all there is; nothing is looked up in Python.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from bayesmi.errors import FormulaError
from bayesmi.formula.expression import Call, Column, Expression, Flag, Items, Number, Text, Unary

__all__ = [
    "BASES",
    "CONTEXTUAL",
    "EFFECT",
    "ELEMENTWISE",
    "STATEFUL",
    "canonical_call",
    "function_name",
    "number_of",
]

ELEMENTWISE = ("log", "log2", "log10", "log1p", "exp", "expm1", "sqrt", "abs")
STATEFUL = ("center", "scale", "poly", "bs")  # constants come from the observed values and are frozen
BASES = ("poly", "bs")  # several columns
CONTEXTUAL = (
    "between",
    "within",
)  # a group mean and the deviation from it: read by the model, not by a design
EFFECT = "group_effect"  # of an earlier variable's own model: likewise

_ALIASES = {"standardize": "scale"}
_MODULES = ("np.", "numpy.", "math.")


@dataclass(frozen=True)
class _Signature:
    """Parameters in order; `plain` of them are printed without their name; defaults are not printed at all."""

    parameters: tuple[str, ...]
    required: int
    plain: int
    check: Callable[[str, str, Expression], Expression] | None = None
    defaults: tuple[tuple[str, Expression], ...] = ()


def function_name(written: str) -> str:
    """Canonical name of a function (`np.log` is `log`, `standardize` is `scale`), or an error that lists all."""
    name = written
    for module in _MODULES:
        name = name.removeprefix(module)
    name = _ALIASES.get(name, name)
    if name in _SIGNATURES:
        return name
    close = difflib.get_close_matches(name, _SIGNATURES, n=1)
    hint = f"did you mean `{close[0]}`?" if close else "is a `+` missing before the bracket?"
    raise FormulaError(
        f"unknown function `{written}` ({hint}); the columns of the table and these functions are all there is: "
        + ", ".join(_SIGNATURES)
    )


def canonical_call(
    written: str, args: tuple[Expression, ...], kwargs: tuple[tuple[str, Expression], ...]
) -> Call:
    """Call with its arguments bound, checked and in canonical order."""
    name = function_name(written)
    signature = _SIGNATURES[name]
    bound = _bound(name, signature, args, kwargs)
    defaults = dict(signature.defaults)
    plain: list[Expression] = []
    named: list[tuple[str, Expression]] = []
    for position, parameter in enumerate(signature.parameters):
        if parameter not in bound:
            continue
        value = bound[parameter]
        if position > 0 and signature.check is not None:
            value = signature.check(name, parameter, value)
        if value == defaults.get(parameter):
            continue
        if position < signature.plain and len(plain) == position:
            plain.append(value)
        else:
            named.append((parameter, value))
    call = Call(name, tuple(plain), tuple(named))
    if name == "bs" and not {"df", "knots"} & bound.keys():
        raise FormulaError(f"`{call}` needs df= (number of columns) or knots=[...]")
    if name != "C" and not plain[0].variables:
        raise FormulaError(f"`{call}` uses no column of the table")
    if name in (*CONTEXTUAL, EFFECT) and not isinstance(plain[0], Column):
        raise FormulaError(f"`{call}`: {name}() takes one column of the table, not `{plain[0]}`")
    if name == "C" and not isinstance(plain[0], Column):
        raise FormulaError(f"`{call}`: C() takes one column of the table, not `{plain[0]}`")
    return call


def number_of(value: Expression) -> float | None:
    """Read an argument as a number, a sign included; None if it is something else."""
    if isinstance(value, Unary) and isinstance(value.operand, Number):
        return -value.operand.value if value.op == "-" else value.operand.value
    return value.value if isinstance(value, Number) else None


def _bound(
    name: str,
    signature: _Signature,
    args: tuple[Expression, ...],
    kwargs: tuple[tuple[str, Expression], ...],
) -> dict[str, Expression]:
    parameters = signature.parameters
    usage = f"{name}({', '.join(parameters)})"
    if len(args) > len(parameters):
        raise FormulaError(f"`{name}` takes at most {len(parameters)} argument(s), got {len(args)}: {usage}")
    bound = dict(zip(parameters, args, strict=False))
    for key, value in kwargs:
        if key not in parameters or key == parameters[0]:
            raise FormulaError(f"`{name}` has no argument `{key}=`: {usage}")
        if key in bound:
            raise FormulaError(f"`{name}` is given `{key}` twice")
        bound[key] = value
    for parameter in parameters[: signature.required]:
        if parameter not in bound:
            raise FormulaError(f"`{name}()` lacks its argument `{parameter}`: {usage}")
    return bound


def _check_basis(name: str, parameter: str, value: Expression) -> Expression:
    """Arguments of poly() and bs() after the first."""
    if parameter == "raw":
        if not isinstance(value, Flag):
            raise FormulaError(f"`{name}`: raw= is True or False, not `{value}`")
        return value
    if parameter == "knots":
        items = value.values if isinstance(value, Items) else (value,)
        knots = [number_of(item) for item in items]
        numbers = [knot for knot in knots if knot is not None]
        if not knots or len(numbers) != len(knots) or any(b <= a for a, b in pairwise(numbers)):
            raise FormulaError(
                f"`{name}`: knots= is a list of increasing numbers such as [1, 2.5], not `{value}`"
            )
        return Items(tuple(items))
    number = number_of(value)
    if number is None or number != int(number) or number < 1:
        raise FormulaError(f"`{name}`: {parameter} is a whole number of at least 1, not `{value}`")
    return value


def _check_context(name: str, parameter: str, value: Expression) -> Expression:
    """Arguments of between() and within() after the first: a grouping, and which mean."""
    if isinstance(value, Text) and value.value in ("latent", "manifest"):
        return value
    if parameter == "group" and isinstance(value, Column):
        return value
    raise FormulaError(
        f'`{name}`: after the column come a grouping and "latent" or "manifest", as in {name}(x, school, "manifest"), not '
        f"`{value}`"
    )


def _check_group(name: str, parameter: str, value: Expression) -> Expression:
    """The second argument of group_effect(): a grouping."""
    if isinstance(value, Column):
        return value
    raise FormulaError(f"`{name}`: after the column comes a grouping, as in {name}(x, school), not `{value}`")


def _check_category(name: str, parameter: str, value: Expression) -> Expression:
    """Arguments of C() after the first: a contrast, and the levels in order."""
    if parameter == "levels":
        literals = isinstance(value, Items) and all(_is_label(item) for item in value.values)
        if not literals or len(set(value.values)) < len(value.values) or len(value.values) < 2:  # type: ignore[union-attr]
            raise FormulaError(
                f'`{name}`: levels= is a list of different labels such as ["a", "b"], not `{value}`'
            )
        return value
    if _is_label(value):
        return Call("Treatment", (value,))
    if isinstance(value, Column):
        value = Call(value.name)
    if isinstance(value, Call) and value.function in ("Treatment", "Sum"):
        key = {"Treatment": "reference", "Sum": "omit"}[value.function]
        given = [*value.args, *(item for word, item in value.kwargs if word == key)]
        if (
            len(given) <= 1
            and len(given) == len(value.args) + len(value.kwargs)
            and all(map(_is_label, given))
        ):
            return Call(value.function, tuple(given))
    raise FormulaError(
        f'`{name}`: the contrast is Treatment, Treatment("level"), Sum, Sum("level") or a reference level in quotes,'
        f" not `{value}`"
    )


def _is_label(value: Expression) -> bool:
    return isinstance(value, Text | Flag) or number_of(value) is not None


_SIGNATURES: dict[str, _Signature] = {
    "I": _Signature(("x",), 1, 1),
    **{name: _Signature(("x",), 1, 1) for name in ELEMENTWISE},
    "center": _Signature(("x",), 1, 1),
    "scale": _Signature(("x",), 1, 1),
    "poly": _Signature(("x", "degree", "raw"), 2, 2, _check_basis, (("raw", Flag(False)),)),
    "bs": _Signature(("x", "df", "knots", "degree"), 1, 1, _check_basis, (("degree", Number(3.0)),)),
    "C": _Signature(("x", "contrast", "levels"), 1, 2, _check_category, (("contrast", Call("Treatment")),)),
    "offset": _Signature(("x",), 1, 1),
    **{name: _Signature(("x", "group", "mean"), 1, 3, _check_context) for name in CONTEXTUAL},
    EFFECT: _Signature(("x", "group"), 1, 2, _check_group),
}
