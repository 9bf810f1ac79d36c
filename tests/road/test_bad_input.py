"""Bad input, through the public API: refused in one line that names the column, row or token; nothing is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from road_tables import N, table

import bayesmi as bmi
from bayesmi import errors


def cell(column: str, row: int, value: Any) -> pd.DataFrame:
    data = table()
    data[column] = data[column].astype(object) if value is None else data[column]
    data.loc[row, column] = value
    return data


def renamed(**names: str) -> pd.DataFrame:
    return table().rename(columns=names)


def model(formula: Any, data: Any = None, **options: Any) -> bmi.Model:
    """Model and plan: everything that can be refused before sampling is refused here."""
    made = bmi.Model(formula, table() if data is None else data, **options)
    made.plan()
    return made


def columns(names: list[Any]) -> pd.DataFrame:
    return table().set_axis(names, axis=1)


labels = pd.Categorical([*(["p", "q", "r", "s"] * 10)[:-1], None])
names40 = [f"person {i}" for i in range(N)]
crossed = table(h=np.tile(np.arange(5), 8), v=np.repeat([np.nan, 0.0, 1.0, 1.0], 10), u=[None, *"abab"] * 8)
counts = table(
    **{n: np.r_[[np.nan] * 10, np.random.default_rng(i).poisson(20.0, 30)] for i, n in enumerate("pqrst")}
)
normal, half = bmi.Prior("Normal", 0, 1), bmi.Prior("HalfNormal", 1)

Case = tuple[Callable[[], Any], type[Exception], tuple[str, ...]]

FORMULAS: dict[str, Case] = {
    "far from zero for its spread": (
        lambda: model("y ~ x", table(x=np.r_[np.nan, 1e8 + np.arange(N - 1.0)])),
        errors.ModelError,
        ("'x'", "varies by 1e+01 around 1e+08", "subtract a constant"),
    ),
    "unknown column, near miss": (lambda: model("y ~ xx"), errors.FormulaError, ("`xx`", "did you mean `x`")),
    "unknown column, nothing near": (
        lambda: model("y ~ income"),
        errors.FormulaError,
        ("`income`", "it has y, x, z"),
    ),
    "unknown response": (lambda: model("yy ~ x"), errors.FormulaError, ("`yy`", "`y`")),
    "unknown grouping": (lambda: model("y ~ x + (1 | gg)"), errors.FormulaError, ("`gg`", "`g`")),
    "open bracket": (
        lambda: model("y ~ x + (1 | g"),
        errors.FormulaError,
        ("`(` at position 9", "not closed"),
    ),
    "closing bracket too many": (lambda: model("y ~ x) + z"), errors.FormulaError, ("`)` at position 6",)),
    "double operator": (lambda: model("y ~ x + * z"), errors.FormulaError, ("`*` at position 9",)),
    "trailing operator": (lambda: model("y ~ x +"), errors.FormulaError, ("stops short after `+`",)),
    "stray text": (lambda: model("y ~ x z"), errors.FormulaError, ("`z` at position 7", "`+` missing")),
    "stray character": (lambda: model("y ~ x $ z"), errors.FormulaError, ("`$` at position 7",)),
    "bar without brackets": (lambda: model("y ~ x | g"), errors.FormulaError, ("`|`", "(x | g)")),
    "empty formula": (lambda: model("  "), errors.FormulaError, ("empty", "outcome ~ predictors")),
    "no tilde": (lambda: model("y = x"), errors.FormulaError, ("`~`",)),
    "two tildes": (lambda: model("y ~ x ~ z"), errors.FormulaError, ("more than one `~`",)),
    "no response": (lambda: model("~ x"), errors.ModelError, ("'~ x'", "no response")),
    "no text": (lambda: model(None), errors.FormulaError, ("NoneType", "text")),
    "response on both sides": (lambda: model("y ~ y + x"), errors.FormulaError, ("`y` is on both sides",)),
    "response as grouping": (lambda: model("y ~ x + (1 | y)"), errors.FormulaError, ("`y`", "grouping")),
    "transformed response": (
        lambda: model("log(y) ~ x"),
        errors.NotSupportedError,
        ("log(y)", "column of the table"),
    ),
    "binomial response": (
        lambda: model("y | trials(5) ~ x"),
        errors.ModelError,
        ("binomial", "whole numbers", "'y'"),
    ),
    "unknown function": (lambda: model("y ~ s(x)"), errors.FormulaError, ("`s`", "`bs`")),
    "python in the formula": (lambda: model("y ~ __import__('os')"), errors.FormulaError, ("`__import__`",)),
    "log of a non-positive value": (
        lambda: model("y ~ log(z)"),
        errors.FormulaError,
        ("`log(z)`", "'z'", "correct"),
    ),
    "spline with too many columns": (
        lambda: model("y ~ bs(z, 99999)"),
        errors.FormulaError,
        ("99999", "fewer"),
    ),
    "group term twice": (
        lambda: model("y ~ x + (1 | g) + (1 | g)"),
        errors.FormulaError,
        ("`(1 | g)`", "twice"),
    ),
}

TABLES: dict[str, Case] = {
    "all-missing covariate": (lambda: model("y ~ w", table(w=np.nan)), errors.ModelError, ("'w'", "leave it out")),
    "all-missing response": (lambda: model("w ~ x", table(w=np.nan)), errors.ModelError, ("'w'", "no observed value")),
    "missing cluster id": (
        lambda: model("y ~ x + (1 | g)", cell("g", 4, None)), errors.DataError, ("'g'", "row 4", "give every row its group")),
    "cluster column with one level": (
        lambda: model("y ~ x + (1 | g)", table(g="north")), errors.ModelError, ("'g'", "'north'", "leave (1 | g) out")),
    "every cluster one row": (
        lambda: model("y ~ x + (1 | g)", table(g=range(N))), errors.ModelError, ("'g'", "40 groups", "leave (1 | g) out")),
    "duplicate column names": (
        lambda: model("y ~ x", columns(["y", "x", "x", "b", "g"])), errors.DataError, ("'x'", "rename or drop")),
    "non-string column name": (
        lambda: model("y ~ x", columns(["y", "x", 3, "b", "g"])), errors.DataError, ("3", "df.columns.astype(str)")),
    "several column levels": (
        lambda: model("y ~ x", columns([("y", 1), "x", "z", "b", "g"])), errors.FormulaError, ("`y`",)),
    "infinite value": (
        lambda: model("y ~ x", cell("x", 7, np.inf)), errors.DataError, ("'x'", "row 7", "set them to missing")),
    "infinite value, duplicate labels": (
        lambda: model("y ~ x", cell("x", 7, -np.inf).set_axis([0] * N)), errors.DataError, ("'x'", "position 7")),
    "constant predictor": (lambda: model("y ~ w", table(w=2.0)), errors.ModelError, ("'w'", "is 2", "leave it out")),
    "constant text predictor": (lambda: model("y ~ w", table(w="n")), errors.ModelError, ("'w'", "'n'", "leave it out")),
    "constant response": (lambda: model("w ~ x", table(w=2.0)), errors.ModelError, ("'w'", "constant")),
    "one observed response": (
        lambda: model("w ~ x", table(w=[2.0] + [np.nan] * 39)), errors.ModelError, ("'w'", "one observed value")),
    "predictor that cancels": (lambda: model("y ~ I(z - z)"), errors.ModelError, ("I(z - z)", "constant", "leave it out")),
    "response that predictors determine": (
        lambda: model("w ~ x + z", table(w=table().x - 2 * table().z)), errors.ModelError, ("'w'", "linear combination")),
    "too large to square": (lambda: model("y ~ z", table(z=table().z * 1e200)), errors.ModelError, ("'z'", "power of ten")),
    "too small to square": (lambda: model("y ~ z", table(y=table().y * 1e-200)), errors.ModelError, ("'y'", "power of ten")),
    "identifier": (lambda: model("y ~ w", table(w=names40)), errors.ModelError, ("'w'", "identifier", "kinds={'w':")),
    "date": (
        lambda: model("y ~ w", table(w=pd.date_range("2020", periods=N))), errors.ModelError, ("'w'", "dates", "days since")),
    "mixed types": (lambda: model("y ~ w", table(w=[1, "a"] * 20)), errors.ModelError, ("'w'", "'int', 'str'", "leave it out")),
    "no rows": (lambda: model("y ~ x", table().iloc[:0]), errors.DataError, ("0 rows",)),
    "no columns": (lambda: model("y ~ x", pd.DataFrame(index=range(3))), errors.DataError, ("0 columns",)),
    "one row": (lambda: model("y ~ z", table().iloc[:1]), errors.ModelError, ("'z'", "one observed value")),
    "a file name for a table": (lambda: model("y ~ x", "a.csv"), errors.DataError, ("bmi.read_csv('a.csv')",)),
    "a dict for a table": (lambda: model("y ~ x", {"y": [1]}), errors.DataError, ("dict", "DataFrame")),
    "an array for a table": (lambda: model("y ~ x", np.ones((3, 2))), errors.DataError, ("ndarray", "DataFrame")),
    "a lazy polars table": (lambda: model("y ~ x", pl.LazyFrame({"y": [1]})), errors.DataError, (".collect()",)),
    "nothing missing": (
        lambda: bmi.impute(table().iloc[10:], "y ~ z", m=2), errors.ModelError, ("y, z", "nothing to impute")),
    "nothing missing in the formula": (
        lambda: bmi.impute(table(y=1.0 * table().g), "y ~ z", m=2), errors.ModelError, ("does not name the incomplete x, b",)),
    "nothing missing at all, no formula": (
        lambda: bmi.impute(table().iloc[10:], m=2), errors.ModelError, ("nothing to impute",)),
}  # fmt: skip

NAMES: dict[str, Case] = {
    **{
        f"column called {name}": (
            lambda name=name: model(f"y ~ x + `{name}`", renamed(z=name)), errors.ModelError, (repr(name), "rename"))
        for name in ("sigma", "Intercept", "chain", "draw", "__obs__", "cell__x", "x__sigma", "x__cell")
    },
    "response called sigma": (lambda: model("sigma ~ x", renamed(y="sigma")), errors.ModelError, ("'sigma'", "rename")),
    "incomplete covariate called chain": (
        lambda: model("y ~ chain", renamed(x="chain")), errors.ModelError, ("'chain'", "rename")),
    "grouping called draw": (
        lambda: model("y ~ x + (1 | draw)", renamed(g="draw")), errors.ModelError, ("'draw'", "rename")),
    "name with a bar": (lambda: model("y ~ `a|b`", renamed(z="a|b")), errors.ModelError, ("'a|b'", "'|'", "rename")),
    "grouping with a bar": (
        lambda: model("y ~ x + (1 | `a|b`)", renamed(g="a|b")), errors.ModelError, ("'a|b'", "rename")),
    "name of a group effect": (
        lambda: model("y ~ `1|g` + (1 | g)", renamed(z="1|g")), errors.ModelError, ("'1|g'", "rename")),
    "name of a group mean": (
        lambda: model("y ~ x + z + (1 | g)", renamed(b="between(z)")), errors.ModelError, ("'between(z)'", "rename")),
}  # fmt: skip

NOT_YET: dict[str, Case] = {
    "cells of two groupings to be summed": (
        lambda: model("y ~ u + v + (1 | g) + (1 | h)", crossed, kinds={"u": "nominal"}), errors.NotSupportedError,
        ("'u' (one a h)", "'v' (one a g)", "one grouping", "families={'v': 'gaussian'}")),
    "too many weighted rows": (
        lambda: model("y ~ p + q + r + s + t", counts, families=dict.fromkeys("pqrst", "poisson")), errors.NotSupportedError,
        ("p, q, r, s, t", "weighted rows", "take variables out")),
    "derived from an unknown column": (
        lambda: model("y ~ x", derived={"q": "x * nope"}), errors.ModelError, ("derived['q']", "'nope'", "not a column")),
    "derived from itself": (lambda: model("y ~ x", derived={"z": "z * 2"}), errors.ModelError, ("'z'", "itself")),
    "derived that cannot be read": (lambda: model("y ~ x", derived={"q": "x *"}), errors.ModelError, ("derived['q']",)),
    "derived that is no mapping": (lambda: model("y ~ x", derived="x"), errors.ModelError, ("derived=", "mapping")),
    "observations": (
        lambda: model("y ~ x", observations={"y": 1}), errors.ModelError, ("observations['y']", "bmi.measured(")),
    "mechanisms": (lambda: model("y ~ x", mechanisms={"y": 1}), errors.NotSupportedError, ("mechanisms['y']", "Delta")),
    "family not built": (
        lambda: model("y ~ x", family="tweedie"), errors.NotSupportedError, ("'tweedie'", "not known", "gaussian")),
}  # fmt: skip

OPTIONS: dict[str, Case] = {
    "auxiliary is a text": (
        lambda: model("y ~ x", auxiliary="z"), errors.ModelError, ("auxiliary=", "['z']", "not the text")),
    "auxiliary of an unknown column": (
        lambda: model("y ~ x", auxiliary=["zz"]), errors.ModelError, ("'zz'", "not a column", "did you mean 'z'")),
    "auxiliary in the formula": (
        lambda: model("y ~ x", auxiliary=["x"]), errors.ModelError, ("'x'", "in the analysis model", "leave it out")),
    "auxiliary twice": (lambda: model("y ~ x", auxiliary=["z", "z"]), errors.ModelError, ("'z'", "twice")),
    "auxiliary identifier": (
        lambda: model("y ~ x", table(w=names40), auxiliary=["w"]), errors.ModelError, ("'w'", "identifier")),
    "auxiliary that is constant": (
        lambda: model("y ~ x", table(w=2.0), auxiliary=["w"]), errors.ModelError, ("'w'", "constant", "leave it out")),
    "response predicted though an auxiliary depends on it": (
        lambda: model("y ~ x", auxiliary=["z"], treatments={"y": "predict"}), errors.ModelError, ("'y'", "'integrate'")),
    "logarithm of a Gaussian covariate": (
        lambda: model("y ~ log(w)", table(w=np.exp(table().x))), errors.ModelError,
        ("'log(w)' in the model of 'y'", "not finite", "'w'", "families={'w': 'lognormal'}")),
    "logarithm of a Gaussian covariate in an offset": (
        lambda: model("y ~ z + offset(log(w))", table(w=np.exp(table().x))), errors.ModelError,
        ("log(w)", "not finite", "families={'w': 'lognormal'}")),
    "log-normal with negative values": (
        lambda: model("y ~ x", families={"x": "lognormal"}), errors.ModelError, ("'lognormal'", "positive", "'x'")),
    "Poisson with fractions": (
        lambda: model("y ~ x", families={"x": "poisson"}), errors.ModelError, ("'poisson'", "'x'")),
    "levels for a family of numbers": (
        lambda: model("y ~ w", table(w=labels), families={"w": "gaussian"}), errors.ModelError,
        ("'gaussian' needs numbers", "'w'")),
    "numbers for a family of levels": (
        lambda: model("y ~ x", families={"x": "nominal"}), errors.ModelError, ("'nominal'", "'x'", "kinds={'x': 'nominal'}")),
    "grid of levels": (
        lambda: model("y ~ b", treatments={"b": "grid"}), errors.ModelError, ("'b'", "'enumerate'", "'grid'")),
    "latent of what is not linear": (
        lambda: model("y ~ x + I(x ** 2)", treatments={"x": "sample"}), errors.ModelError, ("'x'", "linearly", "'grid'")),
    "grid refused, predicted": (
        lambda: model("y ~ x + I(x ** 2)", treatments={"x": "predict"}), errors.ModelError, ("'x'", "2 of its cells", "'grid'")),
    "kinds of an unknown column": (lambda: model("y ~ x", kinds={"w": "count"}), errors.DataError, ("'w'", "known are 'y'")),
    "unknown kind": (lambda: model("y ~ x", kinds={"x": "cont"}), errors.DataError, ("'cont'", "did you mean 'count'")),
    "impossible kind": (lambda: model("y ~ x", kinds={"x": "count"}), errors.DataError, ("'x'", "whole numbers")),
    "kinds is no mapping": (lambda: model("y ~ x", kinds="count"), errors.ModelError, ("kinds=", "{'age': 'continuous'}")),
    "prior of an unknown parameter": (
        lambda: model("y ~ x", priors={"zz": normal}), errors.ModelError, ("'zz'", "it has", "x__sigma")),
    "prior of the wrong support, scale": (
        lambda: model("y ~ x", priors={"sigma": normal}), errors.ModelError, ("'sigma'", "positive", "HalfNormal")),
    "prior of the wrong support, slope": (
        lambda: model("y ~ x", priors={"x": half}), errors.ModelError, ("'x'", "real line")),
    "prior that is no Prior": (
        lambda: model("y ~ x", priors={"x": ("Normal", 0, 1)}), errors.ModelError, ("'x'", "bayesmi.Prior")),
    "unknown distribution": (lambda: bmi.Prior("Norml", 0, 1), errors.ModelError, ("'Norml'", "Normal")),
    "negative scale": (lambda: bmi.Prior("Normal", 0, -1), errors.ModelError, ("sigma", "-1")),
    "order lacks a column": (lambda: model("y ~ x + b", order=["x"]), errors.ModelError, ("order=", "x, b")),
    "order is a text": (lambda: model("y ~ x + b", order="x"), errors.ModelError, ("order=", "['x']")),
    "family of a complete column": (
        lambda: model("y ~ x + z", families={"z": "gaussian"}), errors.ModelError, ("families['z']", "complete")),
    "family that does not fit": (
        lambda: model("y ~ x", families={"x": "bernoulli"}), errors.ModelError, ("'x'", "two values")),
    "family is no text": (lambda: model("y ~ x", family=3), errors.ModelError, ("family=", "3")),
    "formula of a complete column": (
        lambda: model("y ~ x + z", formulas={"z": "~ x"}), errors.ModelError, ("formulas['z']", "complete")),
    "formula on the response": (
        lambda: model("y ~ x", formulas={"x": "~ y"}), errors.ModelError, ("formulas['x']", "response 'y'", "leave it out")),
    "formula on a later variable": (
        lambda: model("y ~ x + b", formulas={"b": "~ x"}), errors.ModelError, ("formulas['b']", "'x'", "order=")),
    "formula on itself": (lambda: model("y ~ x", formulas={"x": "~ x"}), errors.ModelError, ("formulas['x']", "own")),
    "formula with a typo": (lambda: model("y ~ x", formulas={"x": "~ z +"}), errors.FormulaError, ("stops short",)),
    "unknown treatment": (lambda: model("y ~ x", treatments={"x": "drop"}), errors.ModelError, ("'x'", "'sample'", "'drop'")),
    "treatment of a complete column": (
        lambda: model("y ~ x + z", treatments={"z": "sample"}), errors.ModelError, ("'z'", "there are x, y")),
    "treatment of the other kind": (
        lambda: model("y ~ b", treatments={"b": "sample"}), errors.ModelError, ("'b'", "'enumerate'")),
    "cells with information predicted": (
        lambda: model("y ~ x", treatments={"x": "predict"}), errors.ModelError, ("'x'", "2 of its cells", "information")),
    "cells that are not linear integrated": (
        lambda: model("b ~ x", treatments={"x": "integrate"}),
        errors.ModelError,
        ("'x'", "linearly", "'sample'"),
    ),
    "unknown levels": (lambda: model("y ~ x", levels="flat"), errors.ModelError, ("levels=", "'pooled'", "'flat'")),
    "level that does not hold": (
        lambda: model("y ~ x + (1 | g)", levels={"x": "g"}), errors.DataError, ("'x'", "within g 0")),
    "where of the wrong shape": (
        lambda: model("y ~ x", where=np.ones((3, 3), bool)), errors.DataError, ("(3, 3)", "40 rows x 5 columns")),
    "where with a short mask": (lambda: model("y ~ x", where={"x": [True]}), errors.DataError, ("'x'", "1 entries", "40")),
    "where of an unknown column": (lambda: model("y ~ x", where={"q": [True] * N}), errors.DataError, ("'q'",)),
    "condition with a typo": (
        lambda: model("y ~ x", not_applicable={"y": "b = = 0"}), errors.DataError, ("'b = = 0'", "==")),
    "condition on an unknown column": (
        lambda: model("y ~ x", not_applicable={"y": "q == 0"}), errors.DataError, ("'q'", "known are")),
    "options too late": (
        lambda: model("y ~ x", bmi.IncompleteFrame.from_table(table()), kinds={"x": "continuous"}), errors.ModelError,
        ("kinds=", "from_table")),
    "cluster beside a formula": (lambda: bmi.impute(table(), "y ~ x", cluster="g"), errors.ModelError, ("(1 | g)",)),
    "m = 0": (lambda: bmi.impute(table(), "y ~ x", m=0), errors.ModelError, ("m ", "not 0")),
    "m is a text": (lambda: bmi.impute(table(), "y ~ x", m="five"), errors.ModelError, ("m ", "'five'")),
    "m above the draws": (lambda: bmi.impute(table(), "y ~ x", m=41, draws=10), errors.ModelError, ("m=41", "40", "draws=")),
    "draws = 0": (lambda: bmi.impute(table(), "y ~ x", draws=0), errors.ModelError, ("draws", "not 0")),
    "negative seed": (lambda: model("y ~ x").fit(seed=-1), errors.BayesmiError, ("seed", "-1")),
    "text for a seed": (lambda: model("y ~ x").fit(seed="x"), errors.BayesmiError, ("seed", "'x'")),
    "no draws": (lambda: model("y ~ x").fit(draws=0), errors.FitError, ("draws", "not 0")),
    "no cores": (lambda: model("y ~ x").fit(cores=0), errors.FitError, ("cores", "not 0")),
    "unknown sampler": (lambda: model("y ~ x").fit(sampler="stan"), errors.FitError, ("'stan'", "'nutpie'")),
    "prior that nothing can start from": (
        lambda: model("y ~ z", priors={"z": bmi.Prior("Normal", 1e300, 1)}).fit(progress=False), errors.FitError,
        ("not finite", "priors")),
    "unknown data set": (lambda: bmi.datasets.load("popmiss"), errors.DataError, ("'popmiss'", "'popmis'")),
    "data set without a name": (lambda: bmi.datasets.load(3), errors.DataError, ("3", "'popmis'")),
    "describe by an unknown cluster": (lambda: bmi.describe(table(), cluster="gg"), errors.DataError, ("'gg'", "'g'")),
    "describe an empty table": (lambda: bmi.describe(pd.DataFrame()), errors.DataError, ("0 rows",)),
    "cluster that is no text": (lambda: bmi.impute(table(), cluster=["g"]), errors.ModelError, ("cluster=", "['g']")),
    "name that no formula can hold": (lambda: bmi.impute(renamed(z="a`b"), m=2), errors.ModelError, ("'a`b'", "rename")),
    "column without a name": (lambda: bmi.impute(renamed(z=""), m=2), errors.ModelError, ("''", "rename")),
    "condition that is no text": (
        lambda: model("y ~ x", not_applicable={"y": 3}), errors.DataError, ("a condition is a text", "3")),
    "load what is no path": (lambda: bmi.load(3), errors.DataError, ("path", "3")),
    "cells that are no mapping": (
        lambda: bmi.Imputations.from_posterior(table(), None, "x"), errors.DataError, ("cells=", "'x'")),
    "pool nothing": (lambda: bmi.pool([]), errors.PoolError, ("at least two", "got 0")),
    "pool one": (lambda: bmi.pool([([1.0], [[1.0]])]), errors.PoolError, ("at least two", "got 1")),
    "pool a hole": (lambda: bmi.pool([([np.nan], [[1.0]])] * 2), errors.PoolError, ("data set 1", "nan")),
    "pool a negative variance": (lambda: bmi.pool([([1.0], [[-1.0]])] * 2), errors.PoolError, ("data set 1", "-1")),
    "pool different terms": (
        lambda: bmi.pool([({"a": 1}, np.eye(1)), ({"b": 1}, np.eye(1))]), errors.PoolError, ("data set 2", "'a'")),
    "pool None": (lambda: bmi.pool(None), errors.PoolError, ("NoneType",)),
}  # fmt: skip

REFUSED = {**FORMULAS, **TABLES, **NAMES, **NOT_YET, **OPTIONS}


def refuse(call: Callable[[], Any], kind: type[Exception], words: tuple[str, ...]) -> None:
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert 10 < len(message) < 400
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_one_line(case: str) -> None:
    refuse(*REFUSED[case])


JUNK = [
    "y ~ x ** ** z", "y ~ x]", "y ~ .", "y ~ x ** 2.5", "y ~ x; z", "y ~ `x", 'y ~ "x', "y ~ x[0]", "y ~ 5", "y ~ ((((x",
    "y | z ~ x", "y ~ (x | g | z)", "y ~ (x | )", "y ~ (| g)", "~", "~ ~", "y ~ x # c", "y ~ x\\z", "y ~ x %in% z", "y ~ x^2",
    "y ~ log()", "y ~ log(z, b)", "y ~ bs(z)", "y ~ poly(z, 50)", "y ~ offset()", "cbind(y, z) ~ x", "y ~ x:x", "y ~ I()",
    "y ~ 1e999*x", "y ~ I(z/0)", "y ~ z ** z", "y ~ (z | x)", "y ~ x + (0 | g)", "y ~ " + "(" * 3000 + "x" + ")" * 3000,
    "y ~ \x00", "é ~ x", "y ~ exp(1000 * z)", "y ~ sqrt(z)", "y ~ C(z, levels=[1])",
]  # fmt: skip


@pytest.mark.parametrize("formula", JUNK, ids=[repr(text[:20]) for text in JUNK])
def test_junk_for_a_formula_ends_in_one_line(formula: str) -> None:
    refuse(lambda: model(formula), errors.BayesmiError, ())


FILES: dict[str, tuple[bytes | None, tuple[str, ...]]] = {
    "empty.csv": (b"", ("empty.csv is empty",)),
    "blank.csv": (b"\n \n", ("blank.csv is empty",)),
    "binary.csv": (bytes(range(256)), ("binary.csv is a binary file",)),
    "picture.csv": (b"\x89PNG\r\n\x1a\n\0\0", ("picture.csv is a binary file",)),
    "header.csv": (b"a,b\n", ("header.csv", "'a', 'b'", "no rows")),
    "ragged.csv": (b"a,b\n1,2\n1,2,3\n", ("ragged.csv, line 3", "3 fields", "has 2")),
    "twice.csv": (b"a,a\n1,2\n", ("twice.csv", "'a'")),
    "latin.csv": ("a,b\nä,1\n".encode("latin-1"), ("latin.csv, line 2", "encoding='latin-1'")),
    "wide.csv": ("a,b\n1,2\n".encode("utf-16"), ("UTF-16", "encoding='utf-16'")),
    "semicolons.csv": (b"a;b\n1;2\n", ("one column, 'a;b'", "sep=';'")),
    "not.csv.gz": (b"a,b\n1,2\n", ("not.csv.gz", "gzip")),
    "not.parquet": (b"a,b\n1,2\n", ("not.parquet is not a Parquet file",)),
    "cut.parquet": (b"PAR1 and then PAR1", ("cut.parquet is a damaged Parquet file",)),
    "sheet.xlsx": (b"PK", ("sheet.xlsx", ".csv", ".parquet")),
    "absent.csv": (None, ("absent.csv does not exist",)),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_table_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    content, words = FILES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refuse(lambda: bmi.read_table(tmp_path / name), errors.DataError, words)


def test_a_folder_and_a_number_are_no_file(tmp_path: Path) -> None:
    refuse(lambda: bmi.read_csv(tmp_path), errors.DataError, ("is a folder",))
    refuse(lambda: bmi.read_table(tmp_path), errors.DataError, ("is a folder",))
    refuse(lambda: bmi.read_csv(3), errors.DataError, ("path", "3"))


@pytest.fixture(scope="module")
def fit() -> bmi.Fit:
    """A fit too short for the gate."""
    return model("y ~ x").fit(seed=1, draws=20, tune=50, progress=False)


@pytest.mark.xdist_group("bad_input_fit")
def test_a_fit_that_failed_its_checks_gives_no_imputations_unasked(fit: bmi.Fit) -> None:
    assert not fit.gate.passed
    refuse(lambda: fit.impute(3), errors.GateError, ("checks FAILED", "despite_gate=True"))


@pytest.mark.xdist_group("bad_input_fit")
def test_options_of_a_fit_that_make_no_sense_are_refused(fit: bmi.Fit) -> None:
    for prob in (0, 1, 95):
        refuse(lambda prob=prob: fit.summary(prob=prob), errors.FitError, ("prob", str(prob)))
    for replications in (0, -1, 2.5, "x"):
        refuse(
            lambda n=replications: fit.check(replications=n),
            errors.FitError,
            ("replications", repr(replications)),
        )


@pytest.mark.xdist_group("bad_input_fit")
def test_one_chain_fails_the_gate() -> None:
    single = model("y ~ x").fit(seed=1, draws=50, tune=50, chains=1, progress=False)
    refuse(lambda: single.impute(3), errors.GateError, ("one chain only",))


@pytest.mark.xdist_group("bad_input_fit")
@pytest.mark.parametrize("draws", [1, 2, 3])
def test_too_few_draws_for_any_check_fail_the_gate(draws: int) -> None:
    """r-hat and ESS are NaN there, and NaN is above no threshold."""
    short = model("y ~ z").fit(seed=1, draws=draws, tune=100, progress=False)
    refuse(lambda: short.impute(1), errors.GateError, ("cannot be computed", "Intercept"))


@pytest.mark.xdist_group("bad_input_fit")
@pytest.mark.parametrize(
    ("m", "word"),
    [(0, "m = 0"), (-1, "m = -1"), ("five", "'five'"), (2.5, "2.5"), (True, "True"), (81, "are 80")],
)
def test_a_number_of_imputations_that_makes_no_sense_is_refused(fit: bmi.Fit, m: Any, word: str) -> None:
    refuse(lambda: fit.impute(m, despite_gate=True), errors.BayesmiError, (word,))


@pytest.mark.xdist_group("bad_input_fit")
def test_what_imputations_do_not_have_is_refused(fit: bmi.Fit, tmp_path: Path) -> None:
    imputed = fit.impute(3, despite_gate=True)
    for action in (4, -1, "wide", 1.5, None, [0, 9], [], True):
        refuse(lambda action=action: imputed.complete(action), errors.DataError, ("complete(",))
    refuse(lambda: imputed.analyze(lambda _: 1 / 0), errors.BayesmiError, ("data set 1", "division by zero"))
    there = tmp_path / "there.csv"
    there.write_text("precious")
    for write in (imputed.to_csv, imputed.to_parquet, imputed.save, fit.save):
        refuse(
            lambda write=write: write(there), errors.DataError, ("there.csv", "exists already", "force=True")
        )
        refuse(
            lambda write=write: write(tmp_path / "no" / "x.bmi"),
            errors.DataError,
            ("does not exist", "make it"),
        )
        refuse(lambda write=write: write(tmp_path), errors.DataError, ("is a folder",))
    refuse(lambda: bmi.load(there), errors.DataError, ("there.csv",))
    refuse(lambda: bmi.load(tmp_path / "absent.bmi"), errors.DataError, ("does not exist",))
    assert os.listdir(tmp_path) == ["there.csv"]
    assert there.read_text() == "precious"
