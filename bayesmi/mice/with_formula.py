"""``with(imp, …)``: an analysis of every completed table, said by a function or by a formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.data.wording import did_you_mean, unknown_name
from bayesmi.errors import FormulaError
from bayesmi.formula import Formula, parse

if TYPE_CHECKING:
    from bayesmi.analyses import Analyses

__all__ = ["FormulaAnalysis", "run_with"]

_FAMILIES = {"binomial": "Binomial", "poisson": "Poisson"}
# functions of formulas, as statsmodels finds them; I, C, center, bs are its own
_FUNCTIONS = {
    name: getattr(np, name) for name in ("log", "log2", "log10", "log1p", "exp", "expm1", "sqrt", "abs")
}
_UNREAD = ("poly", "between", "within", "group_effect")
_DOTTED = re.compile(r"(?<![\w.])[^\W\d]\w*(?:\.\w+)+")


def run_with(imputed: Any, analysis: Any, *, family: str | None = None, n_jobs: int = 1) -> Analyses:
    """Run the analysis; see `Imputations.with_`."""
    if isinstance(analysis, str):
        analysis = FormulaAnalysis.from_text(analysis, family, list(imputed.frame.columns))
    elif family is not None:
        raise FormulaError("family= goes with a formula; a function chooses its own")
    if not callable(analysis):
        raise FormulaError(f"with_ takes a function of a completed table or a formula, not {analysis!r}")
    result: Analyses = imputed.analyze(analysis, n_jobs)
    return result


class FormulaAnalysis:
    """A statsmodels analysis said by a formula; it can be sent to other processes."""

    def __init__(self, fixed: str, groups: str | None, slopes: str | None, family: str | None) -> None:
        self.fixed, self.groups, self.slopes, self.family = fixed, groups, slopes, family

    @classmethod
    def from_text(cls, text: str, family: str | None, columns: Sequence[str]) -> Callable[[Any], Any]:
        """Read ``"y ~ x"`` (lm, glm) or ``"y ~ x + (1 + x | g)"`` (lmer)."""
        formula = parse(text)
        if problem := unknown_name(f"formula {text!r}", formula.columns, columns):
            raise FormulaError(problem)
        if formula.response is None:
            raise FormulaError(f"formula {text!r} has no response: write 'y ~ …'")
        if formula.offsets:
            raise FormulaError("offsets are not read here: pass a function to with_")
        if family not in (None, "gaussian", *_FAMILIES):
            known = ["gaussian", *_FAMILIES]
            raise FormulaError(f"family={family!r}: {did_you_mean(family, known)}")
        fixed = _fixed(formula)
        if not formula.groups:
            return cls(fixed, None, None, None if family == "gaussian" else family)
        if family not in (None, "gaussian"):
            raise FormulaError(
                "a generalised mixed model is not fitted here: pass a function to with_, or use Model"
            )
        if len(formula.groups) > 1 or not formula.groups[0].intercept:
            raise FormulaError(
                "one group term with an intercept is read here, (1 + x | g): pass a function to with_ for others"
            )
        group = formula.groups[0]
        slopes = _quoted(" + ".join(str(term) for term in group.terms))
        return cls(fixed, group.grouping, f"1 + {slopes}" if slopes else None, None)

    def __call__(self, table: Any) -> Any:
        """Fit one completed table."""
        import statsmodels.api as sm
        import statsmodels.formula.api as smf

        data = table.to_pandas() if hasattr(table, "to_pandas") else table
        known = {"eval_env": _FUNCTIONS}
        if self.groups is not None:
            model = smf.mixedlm(self.fixed, data, groups=self.groups, re_formula=self.slopes, **known)
            return _unquoted(model).fit(reml=True)
        if self.family is None:
            return _unquoted(smf.ols(self.fixed, data, **known)).fit()
        family = getattr(sm.families, _FAMILIES[self.family])()
        if self.family == "binomial":
            fixed, data = _second_level(self.fixed, data)
            return _unquoted(smf.glm(fixed, data, family=family, **known)).fit()
        return _unquoted(smf.glm(self.fixed, data, family=family, **known)).fit()


def _unquoted(model: Any) -> Any:
    """Give a statsmodels model the columns' own names for its terms: chl.bin where patsy has Q("chl.bin")."""
    for kind in ("xnames", "param_names", "exog_re_names", "exog_re_names_full"):
        names = getattr(model.data, kind, None)
        if names is not None:
            setattr(model.data, kind, [re.sub(r"""Q\((["'])(.*?)\1\)""", r"\2", name) for name in names])
    return model


def _second_level(fixed: str, data: Any) -> tuple[str, Any]:
    """Return formula and table with a 0/1 response: 1 is the second of two categories, as R's glm has it.

    statsmodels takes the first one, and of True and False the latter, which turns every sign.
    """
    import patsy

    left, right = fixed.split("~", 1)
    data = data.reset_index(drop=True)
    known = patsy.EvalEnvironment([_FUNCTIONS])
    values = patsy.dmatrix(f"0 + {left}", data, known, return_type="dataframe")
    if values.shape[1] > 2:
        raise ValueError(f"{left.strip()} has {values.shape[1]} levels: a binomial outcome has two")
    seen = values.iloc[:, -1]
    if not seen.between(0, 1).all():
        raise ValueError(
            f"values of {left.strip()} lie outside 0 to 1, so that it is no binomial outcome: recode it, "
            f"'I({left.strip()} == {seen.max():g}) ~ …'"
        )
    if values.shape[1] == 1:
        return fixed, data
    return f"Q({str(seen.name)!r}) ~{right}", data.assign(**{str(seen.name): seen})


def _fixed(formula: Formula) -> str:
    """Return the formula without group terms, as statsmodels reads it; odd names by Q()."""
    assert formula.response is not None
    terms = [str(term) for term in formula.terms]
    right = " + ".join(["1" if formula.intercept else "0", *terms])
    for name in _UNREAD:
        if f"{name}(" in right:
            raise FormulaError(f"{name}() is for models, and statsmodels has none: pass a function to with_")
    return _quoted(f"{formula.response.expression} ~ {right}")


def _quoted(text: str) -> str:
    """Return the text with names in backticks, and those with dots, in Q()."""
    parts = text.split("`")
    return "".join(
        f'Q("{part}")' if i % 2 else _DOTTED.sub(lambda name: f'Q("{name[0]}")', part)
        for i, part in enumerate(parts)
    )
