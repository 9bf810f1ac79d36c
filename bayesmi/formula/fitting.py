"""Terms meet the observed values: constants are taken and frozen, levels found, and every factor checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bayesmi.errors import FormulaError
from bayesmi.formula.basis import poly_constants, spline_knots
from bayesmi.formula.contrasts import Contrast, Sum, Treatment
from bayesmi.formula.evaluate import evaluate, stateful_calls
from bayesmi.formula.expression import Call, Column, Expression
from bayesmi.formula.factors import CategoricalFactor, Factor, NumericFactor, basis_options
from bayesmi.formula.functions import BASES
from bayesmi.formula.levels import base_level, contrast_of, label_text, levels_of, shown
from bayesmi.formula.names import closest
from bayesmi.formula.scores import calculated_columns

__all__ = ["Fitting", "Variable"]


@dataclass(frozen=True)
class Variable:
    """What a design needs to know of a column.

    Parameters
    ----------
    name : str
        The column.
    categories : tuple or None
        Labels of the codes 0 ... K-1; None for numbers.
    observed : ndarray, shape (n_observed,)
        Observed values (numbers, or codes), for constants, knots and levels. NaN are left out.
    """

    name: str
    categories: tuple[object, ...] | None
    observed: NDArray[np.float64]


@dataclass
class Fitting:
    """Collects the constants while terms are fitted; used by `fit_design` and then thrown away."""

    variables: Mapping[str, Variable]
    contrasts: Mapping[str, Contrast]
    constants: dict[str, tuple[float, ...]]
    words: list[str] = field(default_factory=list)
    codings: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    factors: dict[Expression, Factor] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def factor(self, expression: Expression) -> Factor:
        """Fit the factor of an expression, once."""
        if expression not in self.factors:
            self.factors[expression] = self._fitted(expression)
        return self.factors[expression]

    def _fitted(self, expression: Expression) -> Factor:
        if isinstance(expression, Call) and expression.function == "C":
            return self._categorical(expression, next(iter(expression.variables)))
        if isinstance(expression, Column) and self._variable(expression.name).categories is not None:
            return self._categorical(expression, expression.name)
        return self._numeric(expression)

    def _variable(self, name: str) -> Variable:
        if name not in self.variables:
            similar = closest(name, self.variables)
            hint = f"; did you mean `{similar}`?" if similar else ""
            raise FormulaError(f"the table has no column `{name}`{hint}")
        return self.variables[name]

    # numbers

    def _numeric(self, expression: Expression) -> NumericFactor:
        for name in sorted(calculated_columns(expression)):
            categories = self._variable(name).categories
            if categories is not None:
                raise FormulaError(
                    f"`{expression}` calculates with {name!r}, which holds the levels {shown(categories)};"
                    f" use the column itself as a term, or make numbers of it in the table"
                )
        basis = expression if isinstance(expression, Call) and expression.function in BASES else None
        inner = basis.args[0] if basis is not None else expression
        for call in stateful_calls(inner):
            self._centre(call)
        width = 1 if basis is None else self._basis(basis)
        self._check_finite(inner, expression)
        return NumericFactor(expression, width)

    def _centre(self, call: Call) -> None:
        """Mean and standard deviation for center() and scale()."""
        key = str(call)
        self.used.add(key)
        if key not in self.constants:
            x = self._observed(call.args[0], call)
            constants = [float(np.mean(x))]
            if call.function == "scale":
                sd = float(np.std(x, ddof=1)) if len(x) > 1 else 0.0
                if sd <= 1e-14 * abs(constants[0]):
                    raise FormulaError(f"`{key}`: the observed values are all the same, there is no scale")
                constants.append(sd)
            self.constants[key] = (*constants, float(len(x)))
        *numbers, n = self.constants[key]
        parts = [f"{word} {value:.6g}" for word, value in zip(("mean", "sd"), numbers, strict=False)]
        self._say(f"{key}: {', '.join(parts)} of {n:.0f} observed values")

    def _basis(self, call: Call) -> int:
        """Constants and number of columns of poly() and bs()."""
        key, options = str(call), basis_options(call)
        degree = int(options["degree"])
        if call.function == "poly":
            if not options["raw"]:
                self.used.add(key)
                if key not in self.constants:
                    x = self._observed(call.args[0], call)
                    self.constants[key] = (float(len(x)), *poly_constants(x, degree, key))
                n, centre = self.constants[key][:2]
                self._say(f"{key}: orthogonal over {n:.0f} observed values, mean {centre:.6g}")
            return degree
        self.used.add(key)
        if key not in self.constants:
            x = self._observed(call.args[0], call)
            df = None if options["df"] is None else int(options["df"])
            self.constants[key] = (float(len(x)), *spline_knots(x, df, degree, options["knots"], key))
        n, low, *knots, high = self.constants[key]
        inside = f"knots {', '.join(f'{knot:.6g}' for knot in knots)}" if knots else "no interior knots"
        self._say(
            f"{key}: {inside}, straight lines outside {low:.6g} to {high:.6g}, the range of {n:.0f} observed values"
        )
        return len(knots) + degree

    def _observed(self, inner: Expression, call: Call) -> NDArray[np.float64]:
        """Values of an expression of one column where that column is observed."""
        names = sorted(inner.variables)
        if len(names) > 1:
            raise FormulaError(
                f"`{call}`: {call.function}() takes one column, not {' and '.join(names)};"
                " put the combination into the table as a column"
            )
        x = self._numbers(names[0])
        with np.errstate(all="ignore"):
            out = np.broadcast_to(
                np.asarray(evaluate(inner, {names[0]: x}, self.constants), dtype=float), x.shape
            )
        if not len(out):
            raise FormulaError(f"`{call}`: {names[0]!r} has no observed values")
        self._check_finite(inner, call)
        return np.array(out)

    def _numbers(self, name: str) -> NDArray[np.float64]:
        observed = np.asarray(self._variable(name).observed, dtype=float)
        return observed[~np.isnan(observed)]

    def _check_finite(self, inner: Expression, shown: Expression) -> None:
        """Refuse an expression of one column without a finite value at every observed value of it."""
        if len(inner.variables) != 1 or isinstance(inner, Column):
            return
        name = next(iter(inner.variables))
        x = self._numbers(name)
        with np.errstate(all="ignore"):
            out = np.broadcast_to(
                np.asarray(evaluate(inner, {name: x}, self.constants), dtype=float), x.shape
            )
        bad = ~np.isfinite(out)
        if bad.any():
            raise FormulaError(
                f"`{shown}` has no finite value at {bad.sum()} of {len(x)} observed values of {name!r},"
                f" the first being {x[bad][0]:g}; correct these values, or leave the function out"
            )

    def _say(self, line: str) -> None:
        if line not in self.words:
            self.words.append(line)

    # categories

    def _categorical(self, expression: Expression, name: str) -> CategoricalFactor:
        variable = self._variable(name)
        key = str(expression)
        self.used.add(key)
        observed = [float(value) for value in np.unique(self._numbers(name))]
        if variable.categories is None:
            labels: dict[float, object] = {value: value for value in self.constants.get(key, observed)}
        else:
            observed = [value for value in observed if value >= 0]
            labels = {float(code): label for code, label in enumerate(variable.categories)}
        if key not in self.constants:
            self.constants[key], notices = levels_of(expression, name, labels, observed)
            self.notices += [line for line in notices if line not in self.notices]
        keys = self.constants[key]
        if not set(keys) <= labels.keys():
            raise FormulaError(f"`{key}`: the frozen levels are not those of {name!r}")
        kept = {value: labels[value] for value in keys}
        contrast = contrast_of(expression, self.contrasts.get(name, Treatment()))
        base = base_level(contrast, expression, name, kept)
        texts = tuple(map(label_text, kept.values()))
        against = f"the mean of all, without {texts[base]}" if isinstance(contrast, Sum) else texts[base]
        others = ", ".join(text for level, text in enumerate(texts) if level != base)
        self.codings.append(f"{key}: {others} against {against}")
        return CategoricalFactor(expression, name, keys, texts, contrast, base)
