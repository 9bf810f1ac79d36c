"""`bmi.mice`: mice's call, answered by a joint model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.data.wording import unknown_name
from bayesmi.errors import BayesmiNotice, ModelError
from bayesmi.formula import Formula, parse
from bayesmi.imputations import CellDraws, Imputations
from bayesmi.mice.merged import MergedDraws, known_cells, spread, wanted_cells
from bayesmi.mice.modular import impute_modular, translate_modular
from bayesmi.mice.options import model_options_of
from bayesmi.mice.pmm import pmm
from bayesmi.mice.request import read_request
from bayesmi.mice.translation import Component, Translation, translate
from bayesmi.model.ignored import read_ignore
from bayesmi.seeds import check_seed

__all__ = ["mice", "translate_mice"]


def mice(
    data: Any,
    m: int = 20,
    method: Any = None,
    predictorMatrix: Any = None,
    *,
    formulas: Mapping[str, str] | None = None,
    where: Any = None,
    ignore: Any = None,
    visitSequence: str | Sequence[str] | None = None,
    analysis: str | None = None,
    cut: bool = False,
    donors: int = 5,
    matchtype: int = 1,
    seed: int | None = None,
    kinds: Mapping[str, str] | None = None,
    not_applicable: Mapping[str, str] | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int | None = None,
    target_accept: float | None = None,
    progress: bool = True,
    despite_gate: bool = False,
    maxit: int | None = None,
    **model_options: Any,
) -> Imputations:
    """Impute as mice is called: methods and a predictor matrix, answered by one joint model.

    Parameters
    ----------
    data : pandas.DataFrame or polars.DataFrame
        The incomplete table with p columns.
    m : int
        Number of completed data sets (mice's default is 5).
    method : mapping, Series, sequence or str, optional
        Method by column, as `make_method` proposes: norm, pmm, logreg, polyreg, polr, 2l.norm, 2l.pan, 2l.lmer, 2l.bin,
        2l.pmm, 2lonly.norm, 2lonly.pmm, 2l.2stage.heckman, … ; "" leaves a column as it is, ``"~ I(a / b)"`` derives it.
    predictorMatrix : DataFrame of int, shape (p, p), optional
        Rows are predicted by columns, in mice's codes (see `explain`); by default everything predicts everything.
    formulas : mapping of str to str, optional
        Conditionals as formulas; they replace rows of the matrix.
    where : table or mapping of masks, optional
        Missing cells where False stay missing.
    ignore : array of bool, optional
        Rows that are imputed, inform no parameter and give no value to others: one True or False for each row.
    visitSequence : sequence of str, or "roman", "arabic", "monotone", "revmonotone", optional
        Order of the product of conditionals; by default highest level first, discrete before continuous, least missing
        first.
    analysis : str, optional
        The analysis model; said, it is compared with the imputation model (outcome or interactions left out).
    cut : bool
        Impute without feedback: each conditional is fitted on its own, given what was imputed before (for teaching).
    donors, matchtype
        Of predictive mean matching, as in `pmm`.
    seed : int, optional
        Repeats everything exactly.
    kinds, not_applicable, **model_options
        As in `Model`: priors, treatments.
    draws, tune, chains, cores, target_accept, progress, despite_gate
        As in `impute`.
    maxit : int, optional
        Accepted and not used: a posterior has no iterations.

    Returns
    -------
    Imputations
        ``loggedEvents`` lists everything that is not as in chained equations.

    Raises
    ------
    ModelError, NotSupportedError
        One line that names row and column of the matrix, or the method.

    Notes
    -----
    Chained equations state one conditional for each variable, which may contradict each other. A joint model is a
    product of conditionals: an edge where either cell is not 0, directed by the order of the product; slope and mean
    codes act in that direction. What cannot be honoured is listed with what happens instead (``print`` of
    `translate_mice` shows it before anything is fitted). With ``analysis`` in mind, `impute` with the analysis model as
    formula is the better call: then imputation and analysis cannot disagree.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> pupils = bmi.datasets.load("popmis").query("school <= 40")
    >>> pred = bmi.make_predictor_matrix(pupils)
    >>> pred.loc["popular", ["school", "sex", "pupil", "const"]] = [-2, 2, 0, 0]
    >>> imputed = bmi.mice(pupils, 5, {"popular": "2l.pan"}, pred, seed=1, progress=False)
    >>> imputed.method["popular"], int(imputed.complete(1)["popular"].isna().sum())
    ('2l.pan', 0)
    """
    if maxit == 0:
        raise ModelError(
            "maxit=0 would impute nothing: bmi.make_method(data) and bmi.make_predictor_matrix(data) propose what R's "
            "mice(data, maxit=0) does, bmi.translate_mice(data, …) shows the models"
        )
    for name, value in (("m", m), ("draws", draws), ("tune", tune), ("chains", chains)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ModelError(f"{name} must be a whole number, 1 or more, not {value!r}")
    translation = translate_mice(
        data,
        method,
        predictorMatrix,
        formulas=formulas,
        visitSequence=visitSequence,
        analysis=analysis,
        cut=cut,
        kinds=kinds,
        not_applicable=not_applicable,
        ignore=ignore,
        **model_options,
    )
    if maxit is not None:
        text = f"maxit={maxit} is not used: a posterior has no iterations; fit.gate judges it instead"
        translation = replace(translation, events=(*translation.events, ("", "", text)))
    request, own = translation.request, check_seed(seed)
    if not request.names and not request.known:
        raise ModelError("nothing is missing in columns that have a method: there is nothing to impute")
    _say(translation)
    sampling: dict[str, Any] = {
        "draws": draws,
        "tune": tune,
        "chains": chains,
        "cores": cores,
        "target_accept": target_accept,
        "progress": progress,
    }
    known = known_cells(request.frame, request.known)
    gates: list[str] = []
    parts: list[CellDraws] = []
    if cut:
        parts.append(
            impute_modular(translation, m, own, donors, matchtype, despite_gate=despite_gate, **sampling)
        )
        gates.append(
            "checks of the fits of the sequence were not asked for (despite_gate)"
            if despite_gate
            else "each fit of the sequence passed its own checks"
        )
    else:
        for position, part in enumerate(translation.components):
            drawn, gate = _impute(
                part, request.frame, m, own + position, donors, matchtype, sampling, despite_gate
            )
            parts.append(drawn)
            gates.append(gate)
    frame = request.frame
    if where is not None:  # these cells stay empty; to the model they are unknown like all others
        frame = IncompleteFrame.from_table(
            data, kinds=kinds, groups=tuple(frame.groups), where=where, not_applicable=not_applicable
        )
    return Imputations(
        frame,
        MergedDraws(known, parts, int(m), wanted_cells(request.frame, frame)),
        formula="; ".join(part.formula for part in translation.components) or None,
        families={name: request.methods[name].family for name in request.names},
        seed=own,
        integer_valued=_whole(translation),
        gate="; ".join(gates) or None,
        mids=translation.mids(),
    )


def translate_mice(
    data: Any,
    method: Any = None,
    predictorMatrix: Any = None,
    *,
    formulas: Mapping[str, str] | None = None,
    visitSequence: str | Sequence[str] | None = None,
    analysis: str | None = None,
    cut: bool = False,
    kinds: Mapping[str, str] | None = None,
    not_applicable: Mapping[str, str] | None = None,
    ignore: Any = None,
    **model_options: Any,
) -> Translation:
    """Return the joint models that a call of `mice` becomes, without fitting them.

    Parameters
    ----------
    data, method, predictorMatrix, formulas, visitSequence, analysis, cut, kinds, not_applicable, ignore, **model_options
        As in `mice`.

    Returns
    -------
    Translation
        ``print`` shows formulas and events; ``components[0].model()`` is a `Model`.

    Raises
    ------
    ModelError, NotSupportedError
        As `mice`.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> print(bmi.translate_mice(bmi.datasets.load("nhanes"), "norm"))  # doctest: +ELLIPSIS
    joint model in place of chained equations; product: ...
    """
    request = read_request(data, method, predictorMatrix, formulas, kinds, not_applicable)
    read = None if analysis is None else _read_analysis(analysis, list(request.frame.columns))
    options = model_options_of(request.frame, kinds, model_options)
    options["ignore"] = _ignored(data, ignore)
    return (translate_modular if cut else translate)(request, visitSequence, read, options)


def _read_analysis(text: str, names: list[str]) -> Formula:
    """Read the analysis model; a name that is no column would be held against nothing."""
    formula = parse(text)
    if formula.response is None:
        raise ModelError(f"analysis={text!r} has no response: write 'y ~ …'")
    if problem := unknown_name(f"analysis={text!r}", formula.columns, names):
        raise ModelError(problem)
    return formula


def _ignored(data: Any, ignore: Any) -> NDArray[np.bool_] | None:
    """Read the rows that inform nothing; a name is refused, since every column of the table is imputed."""
    if isinstance(ignore, str):
        raise ModelError(f"ignore={ignore!r}: give one True or False for each row, such as data[{ignore!r}]")
    read = read_ignore(data, ignore, None)
    return None if read is None else read.mask


def _impute(
    part: Component,
    frame: Any,
    m: int,
    seed: int,
    donors: int,
    matchtype: int,
    sampling: Mapping[str, Any],
    despite_gate: bool,
) -> tuple[CellDraws, str]:
    """Fit one joint model and draw its cells."""
    model = part.model()
    fit = model.fit(seed=seed, **sampling)
    imputed = (
        pmm(
            fit,
            m,
            variables=part.matched,
            donors=donors,
            matchtype=matchtype,
            despite_gate=despite_gate,
        )
        if part.matched
        else fit.impute(m, despite_gate=despite_gate)
    )
    return spread(imputed, part, frame), str(fit.gate)


def _whole(translation: Translation) -> set[str]:
    """Columns whose imputations are whole numbers: matched to whole ones, or of a family that is."""
    whole = set()
    for part in translation.components:
        for name in part.matched:
            column = translation.request.frame.columns[name]
            seen = column.values[column.observed]
            if (seen == np.floor(seen)).all():
                whole.add(name)
        for name in part.variables:
            if translation.request.methods[name].family in ("bernoulli", "ordinal", "nominal", "poisson"):
                whole.add(name)
    return whole


def _say(translation: Translation) -> None:
    """One notice that points to the list."""
    if translation.events:
        first = translation.events[0][2]
        n = len(translation.events)
        more = f" (and {n - 1} more: loggedEvents)" if n > 1 else ""
        warnings.warn(f"not as in chained equations: {first}{more}", BayesmiNotice, stacklevel=3)
