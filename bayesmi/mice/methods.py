"""mice's imputation methods by name: which family, at which level, matched or not."""

from __future__ import annotations

from dataclasses import dataclass

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import ModelError, NotSupportedError

__all__ = ["METHODS", "Method", "find_method"]


@dataclass(frozen=True)
class Method:
    """What a method asks for.

    `level` is "single", "two" (random intercepts) or "cluster" (one value a cluster); `codes` are the codes of the
    predictor matrix that R's method knows, so that others can be remarked on.
    """

    name: str
    family: str
    level: str = "single"
    matched: bool = False
    codes: tuple[int, ...] = (0, 1)
    heckman: bool = False
    known_only: bool = False


_TWO = (0, 1, 2, -2)
_PAN = (0, 1, 2, 3, 4, -2)
_LONE = (0, 1, -2)
_ALL = (
    Method("norm", "gaussian"),
    Method("norm.boot", "gaussian"),
    Method("pmm", "gaussian", matched=True),
    Method("logreg", "bernoulli"),
    Method("logreg.boot", "bernoulli"),
    Method("polyreg", "nominal"),
    Method("polr", "ordinal"),
    Method("poisson", "poisson"),
    Method("lognormal", "lognormal"),
    Method("2l.norm", "gaussian", "two", codes=(0, 2, -2)),
    Method("2l.pan", "gaussian", "two", codes=_PAN),
    Method("2l.lmer", "gaussian", "two", codes=_TWO),
    Method("2l.bin", "bernoulli", "two", codes=_TWO),
    Method("2l.pmm", "gaussian", "two", matched=True, codes=_PAN),
    Method("2l.continuous", "gaussian", "two", codes=_PAN),
    Method("2l.binary", "bernoulli", "two", codes=_PAN),
    Method("2l.glm.norm", "gaussian", "two", codes=_TWO),
    Method("2l.glm.bin", "bernoulli", "two", codes=_TWO),
    Method("2l.glm.pois", "poisson", "two", codes=_TWO),
    Method("2l.2stage.norm", "gaussian", "two", codes=_TWO),
    Method("2l.2stage.pmm", "gaussian", "two", matched=True, codes=_TWO),
    Method("2l.2stage.bin", "bernoulli", "two", codes=_TWO),
    Method("2l.2stage.pois", "poisson", "two", codes=_TWO),
    Method("2l.jomo", "gaussian", "two", codes=_TWO),
    Method("2l.polr", "ordinal", "two", codes=_PAN),  # these four have no counterpart in R
    Method("2l.polyreg", "nominal", "two", codes=_PAN),
    Method("2l.poisson", "poisson", "two", codes=_PAN),
    Method("2l.lognormal", "lognormal", "two", codes=_PAN),
    Method("2l.2stage.heckman", "gaussian", "two", codes=(0, 2, -2, -3, -4), heckman=True),
    Method("2lonly.norm", "gaussian", "cluster", codes=_LONE),
    Method("2lonly.pmm", "gaussian", "cluster", matched=True, codes=_LONE),
    Method("2lonly.logreg", "bernoulli", "cluster", codes=_LONE),  # no counterpart in R
    Method("2lonly.mean", "gaussian", "cluster", codes=_LONE, known_only=True),
)
METHODS: dict[str, Method] = {method.name: method for method in _ALL}

# methods of R that are no model, or no model of this kind, with what comes nearest
_REFUSED = {
    "mean": "bmi.simple has it, to compare with; for imputation use 'norm' or 'pmm'",
    "sample": "bmi.simple has hot decks, to compare with; for imputation use 'pmm'",
    "norm.predict": "it ignores uncertainty; bmi.simple has regression imputation, to compare with",
    "norm.nob": "it ignores uncertainty in the parameters; use 'norm'",
    "cart": "no trees here; 'pmm', with interactions in formulas=",
    "rf": "no forests here; 'pmm', with interactions in formulas=",
    "midastouch": "use 'pmm'",
    "quadratic": "write the square into formulas= of the variable it predicts",
    "ri": "use 'norm', and bmi.Model for a selection model",
    "lda": "use 'polyreg'",
    "2lonly.function": "use '2lonly.norm', '2lonly.pmm' or '2lonly.mean'",
    "mnar.norm": "use bmi.impute(…, mechanisms={'x': bmi.Delta(…)})",
    "mnar.logreg": "use bmi.impute(…, mechanisms={'x': bmi.Delta(…)})",
    "mpmm": "use 'pmm' for each variable",
    "panImpute": "use '2l.pan'",
    "jomoImpute": "use '2l.jomo'",
}


def find_method(column: str, name: str) -> Method:
    """Return the method of that name.

    Raises
    ------
    ModelError, NotSupportedError
        If there is none, or it is none that a joint model has; the line names what comes nearest.
    """
    if name in METHODS:
        return METHODS[name]
    if name.startswith("3l."):
        raise ModelError(
            f"method {name!r} of {column!r} does not exist, in R neither: methods for clusters begin with '2l.', "
            f"{did_you_mean('2l.' + name[3:], list(METHODS))}"
        )
    if name in _REFUSED or name.startswith("lasso"):
        hint = _REFUSED.get(name, "use 'norm' or 'pmm' with fewer predictors")
        raise NotSupportedError(f"method {name!r} of {column!r} is not a model here; {hint}")
    wanted = name.lower() if name.lower() in METHODS else name
    raise ModelError(f"method {name!r} of {column!r} is not known: {did_you_mean(wanted, list(METHODS))}")
