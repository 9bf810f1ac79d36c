"""The codes of a predictor matrix in words, and where packages disagree on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import ModelError
from bayesmi.mice.methods import Method, find_method

__all__ = ["CODES", "explain", "in_words"]

CODES = (0, 1, 2, 3, 4, -2, -3, -4)
_WORDS = {
    0: "not used",
    1: "overall effect",
    2: "overall effect and random slope: the effect differs by cluster",
    3: "overall effect and effect of the cluster mean",
    4: "overall effect, random slope and effect of the cluster mean",
    -2: "names the cluster: random intercept",
    -3: "selection equation only (exclusion restriction)",
    -4: "outcome equation only",
}
_CLUSTER = {
    1: "overall effect; of a variable within clusters its cluster mean",
    -2: "names the cluster that has one value each",
}
_ELSEWHERE = {
    1: "mice's 2l.norm ignores 1 and wants 2; in mitml's type= 1 marks a variable to impute",
    2: "in mitml's type= 2 is an overall effect only; in miceadds' contextual methods the cluster mean besides; in Heckman's "
    "method both equations",
    3: "mice's 2l.norm, 2l.lmer and 2l.bin know no 3; in mitml's type= 3 is overall effect and random slope",
    4: "mice's 2l.norm, 2l.lmer and 2l.bin know no 4",
    -2: "the same everywhere",
    -3: "Heckman's method of micemd only",
    -4: "Heckman's method of micemd only",
}


def in_words(code: int, method: Method | None) -> str:
    """Say what a code means for a method."""
    if method is not None and method.heckman and code == 2:
        return "in both equations, outcome and selection, with random slopes"
    if method is not None and method.heckman and code == 1:
        return "not used: Heckman's method wants 2, -3 or -4"
    if method is not None and method.level == "cluster" and code in (*_CLUSTER, 2, 3, 4):
        return _CLUSTER.get(code, _CLUSTER[1])
    if method is not None and method.level == "single":
        if code == -2:
            return "not used: the method is single-level (mice would take the cluster's number for a measurement)"
        if code in (2, 3, 4):
            return "overall effect: the method is single-level"
    return _WORDS[code]


def explain(predictorMatrix: Any, method: Mapping[str, str] | pd.Series | str | None = None) -> pd.DataFrame:
    """Say every code of a predictor matrix in words.

    Parameters
    ----------
    predictorMatrix : DataFrame
        Rows are predicted by columns.
    method : mapping or Series of str, or str, optional
        Method by column; one for all. Rows whose method is "" are left out: nothing is imputed there.

    Returns
    -------
    DataFrame
        Indexed by (target, predictor), codes other than 0: columns code, meaning, elsewhere (where packages disagree).

    Raises
    ------
    ModelError
        For codes and methods that do not exist.

    Notes
    -----
    Codes as in mice's 2l.pan and miceadds; sources: manuals of mice 3.15, miceadds, micemd 1.10 and mitml 0.4.

    Examples
    --------
    >>> import bayesmi as bmi, pandas as pd
    >>> pred = pd.DataFrame([[0, 0], [-2, 0]], index=["school", "score"], columns=["school", "score"])
    >>> bmi.explain(pred, {"score": "2l.pan"})["meaning"].tolist()
    ['names the cluster: random intercept']
    """
    if not isinstance(predictorMatrix, pd.DataFrame):
        raise ModelError(
            "explain takes a predictor matrix with names: a DataFrame, as make_predictor_matrix gives"
        )
    if list(predictorMatrix.index) != list(predictorMatrix.columns):
        raise ModelError("explain takes a predictor matrix: rows and columns name the same variables")
    names = [str(name) for name in predictorMatrix.index]
    methods = (
        dict.fromkeys(names, method) if isinstance(method, str) else {} if method is None else dict(method)
    )
    for name in methods:
        if name not in names:
            raise ModelError(f"method names {name!r}, no row of the matrix: {did_you_mean(name, names)}")
    rows = []
    for target in predictorMatrix.index:
        name = methods.get(target)
        if method is not None and not name:
            continue
        found = None if name is None or str(name).startswith("~") else find_method(str(target), str(name))
        for predictor in predictorMatrix.columns:
            code = int(predictorMatrix.loc[target, predictor])
            if code == 0:
                continue
            if code not in CODES:
                raise ModelError(
                    f"predictorMatrix[{target!r}, {predictor!r}] is {code}: codes are {_listed()}"
                )
            meaning = in_words(code, found)
            if target == predictor:
                meaning = "not used: a variable does not predict itself"
            rows.append((target, predictor, code, meaning, _ELSEWHERE[code]))
    columns = ["target", "predictor", "code", "meaning", "elsewhere"]
    return pd.DataFrame(rows, columns=columns).set_index(["target", "predictor"])


def _listed() -> str:
    return ", ".join(f"{code} ({_WORDS[code].split(':')[0]})" for code in CODES)
