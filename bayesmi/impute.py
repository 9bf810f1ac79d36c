"""The whole road in one line: table and formula in, m completed data sets out."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from bayesmi.errors import BayesmiNotice, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bayesmi.imputations import Imputations
    from bayesmi.model import Model

__all__ = ["everything_formula", "impute"]


def impute(
    data: Any,
    formula: str | None = None,
    *,
    m: int = 20,
    seed: int | None = None,
    cluster: str | None = None,
    by: str | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int | None = None,
    target_accept: float | None = None,
    progress: bool = True,
    despite_gate: bool = False,
    **model_options: Any,
) -> Imputations:
    """Impute an incomplete table.

    Parameters
    ----------
    data : pandas.DataFrame or polars.DataFrame
        The incomplete table.
    formula : str, optional
        The analysis model. Without one every incomplete variable is modelled given all others, with a notice that
        says so.
    m : int
        Number of completed data sets.
    seed : int, optional
        Repeats everything exactly.
    cluster : str, optional
        Only without a formula: grouping column that gets random intercepts.
    by : str, optional
        Separate models for each level of this column, as `SeparateModels` has them.
    draws, tune, chains, cores, target_accept, progress
        As in `Model.fit`.
    despite_gate : bool
        Use a posterior whose checks failed.
    **model_options
        As in `Model`: family, families, formulas, priors, auxiliary, derived, observations, mechanisms, kinds, levels,
        order, treatments, where, not_applicable, ignore.

    Returns
    -------
    Imputations
        m completed data sets.

    Raises
    ------
    BayesmiError
        One line that names the column, row or token at fault.
    GateError
        If the checks failed and `despite_gate` is not set.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> nhanes = bmi.datasets.load("nhanes")
    >>> imputed = bmi.impute(nhanes, "chl ~ age + bmi", m=5, seed=1, progress=False)
    >>> imputed.m, imputed.names
    (5, ('bmi', 'chl'))
    >>> int(imputed.complete(1)["chl"].isna().sum())
    0
    """
    import numpy as np

    for name, value in (("m", m), ("draws", draws), ("tune", tune), ("chains", chains)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ModelError(f"{name} must be a whole number, 1 or more, not {value!r}")
    if m > draws * chains:
        raise ModelError(
            f"m={m} needs as many different posterior draws and there will be {draws * chains} ({chains} chains of "
            f"{draws}): ask for fewer, or raise draws="
        )
    if formula is None:
        formula = everything_formula(
            without_column(data, model_options.get("ignore")),
            cluster=cluster,
            by=by,
            kinds=model_options.get("kinds"),
        )
        warnings.warn(
            f"no formula given: every incomplete variable is modelled given all others ({formula})",
            BayesmiNotice,
            stacklevel=2,
        )
    elif cluster is not None:
        raise ModelError(f"cluster={cluster!r} goes without a formula; in a formula write (1 | {cluster})")
    model: Any = separate_or_one(formula, data, by=by, **model_options)
    fit = model.fit(
        seed=seed,
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        target_accept=target_accept,
        progress=progress,
    )
    return fit.impute(m, despite_gate=despite_gate)


def separate_or_one(formula: str | tuple[str, ...], data: Any, *, by: str | None, **options: Any) -> Any:
    """Return the model, or separate models; refuse them where nothing is missing."""
    from bayesmi.model import Model

    if by is None:
        model = Model(formula, data, **options)
        refuse_complete(model)
        return model
    from bayesmi.separate import SeparateModels

    models = SeparateModels(formula, data, by=by, **options)
    complete = [model for model in models.values() if not _is_incomplete(model)]
    if len(complete) == len(models):
        refuse_complete(complete[0])
    return models


def _is_incomplete(model: Model) -> bool:
    used = {model.response} | model.analysis.parents
    if model.ignored is not None:
        return True
    return any(model.frame.columns[name].n_missing for name in used)


def refuse_complete(model: Model) -> None:
    """Refuse to impute where no variable of the model has a missing cell, and name the columns that have some."""
    if _is_incomplete(model):
        return
    used = {model.response} | model.analysis.parents
    others = [name for name, column in model.frame.columns.items() if column.n_missing]
    hint = f"; the formula does not name the incomplete {', '.join(others)}" if others else ""
    raise ModelError(f"nothing is missing in {', '.join(sorted(used))}: there is nothing to impute{hint}")


def without_column(data: Any, name: Any) -> Any:
    """Return the table without a column that only marks rows; whatever else it is given stays as it is."""
    names = list(getattr(data, "columns", ()))
    return data[[one for one in names if one != name]] if isinstance(name, str) and name in names else data


def everything_formula(
    data: Any, *, cluster: str | None = None, by: str | None = None, kinds: Any = None
) -> str:
    """Return the formula under which every incomplete variable is modelled given all others.

    The response is the incomplete variable that the order rule puts last: continuous before discrete, most missing.
    Identifiers, row numbers (0, 1, 2, … or 1, 2, 3, … from the first row to the last), dates, constant and empty
    columns are left out, with a notice.
    """
    from bayesmi.data import IncompleteFrame
    from bayesmi.model.automatic import quoted

    if cluster is not None and not isinstance(cluster, str):
        raise ModelError(f"cluster= names one grouping column, such as cluster='school', not {cluster!r}")
    frame = IncompleteFrame.from_table(data, kinds=kinds, groups=() if cluster is None else (cluster,))
    for name in frame.columns:
        if not name or "`" in name:
            raise ModelError(f"column name {name!r} cannot stand in a formula: rename the column")
    usable, left_out = [], []
    for name, column in frame.columns.items():
        if name in (cluster, by):
            continue
        if column.kind == "identifier" or column.is_constant or _counts_rows(column.values):
            left_out.append(name)
        else:
            usable.append(name)
    if left_out:
        warnings.warn(
            f"left out of the model (identifiers, row numbers, dates, constant or empty): {', '.join(left_out)}",
            BayesmiNotice,
            stacklevel=3,
        )
    incomplete = [name for name in usable if frame.columns[name].n_missing]
    if not incomplete:
        raise ModelError("nothing is missing in the usable columns: there is nothing to impute")
    rows = [name for name in incomplete if frame.columns[name].level == "row"] or incomplete
    response = max(
        rows, key=lambda name: (frame.columns[name].kind == "continuous", frame.columns[name].n_missing)
    )
    others = [quoted(name) for name in usable if name != response]
    right = " + ".join([*others, *([f"(1 | {quoted(cluster)})"] if cluster is not None else [])]) or "1"
    return f"{quoted(response)} ~ {right}"


def _counts_rows(values: NDArray[np.float64]) -> bool:
    """Whether a column numbers the rows, as R's write.csv puts it first."""
    import numpy as np

    return len(values) > 2 and values[0] in (0.0, 1.0) and bool((np.diff(values) == 1.0).all())
