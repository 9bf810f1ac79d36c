"""Completed data of any program as Imputations: the counterpart of mice's ``as.mids``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.data.wording import counted, did_you_mean
from bayesmi.errors import BayesmiNotice, DataError
from bayesmi.imputations import Imputations
from bayesmi.imputations.layouts import is_polars
from bayesmi.mice.assemble import assemble
from bayesmi.mice.foreign import from_kernel, is_kernel
from bayesmi.mice.layouts import LAYOUTS, Layout, Split, find_layout, split_list, split_long
from bayesmi.mice.tables import column, is_table

__all__ = ["as_mids"]


def as_mids(
    source: Any,
    data: Any = None,
    *,
    layout: str | None = None,
    imp: str | None = None,
    id: str | None = None,
    like: Imputations | None = None,
    where: Any = None,
    kinds: Mapping[str, str] | None = None,
) -> Imputations:
    """Read completed data that were made elsewhere, or that were changed in their long form.

    Parameters
    ----------
    source : DataFrame, list or dict of DataFrame, miceforest kernel, statsmodels MICEData
        A long table (pandas or polars) in which a column numbers the imputations, anywhere among the columns; or the
        completed tables themselves, a dict by number (0 is the incomplete one).
    data : DataFrame, optional
        The incomplete table; needed where `source` does not hold it as imputation 0.
    layout : {"mice", "jomo", "mitml", "Amelia", "miceforest", "statsmodels"}, optional
        Program that wrote it. By default found from the columns.
    imp, id : str, optional
        Columns with the number of the imputation and the name of the row, where they are not the program's usual ones.
    like : Imputations, optional
        The imputations that the long table came from: method, predictor matrix, formulas, seed, ``where`` and the
        origin of the draws are taken over. New columns have method "".
    where : DataFrame or mapping of boolean arrays, optional
        Observed cells that were imputed over (mice's overimputation). They become missing in the incomplete table,
        with a notice.
    kinds : mapping, optional
        Kind of columns, as in `Model`.

    Returns
    -------
    Imputations
        A cell is imputed where the incomplete table lacks it and every completed one has it; a cell that all lack
        stays empty (``where`` False).

    Raises
    ------
    DataError
        If the tables do not belong together; one line that names column, row and imputation.

    Notes
    -----
    As mice's ``as.mids``, without its limits: the number of the imputation may stand in any column, cells may stay
    empty, types may have been changed in the long form, and with `like` nothing of the record is lost.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import numpy as np, pandas as pd
    >>> long = pd.DataFrame({".imp": [0, 0, 1, 1, 2, 2], ".id": [1, 2] * 3, "x": [1.0, np.nan, 1.0, 2.0, 1.0, 2.5]})
    >>> bmi.as_mids(long).cells("x")
         1    2
    2  2.0  2.5
    """
    split = _split(source, layout, imp, id)
    original = split.original
    if data is not None:
        given = getattr(data, "frame", data)
        original = given.original() if hasattr(given, "original") else given
        split = Split(original, tuple(_aligned(original, part) for part in split.completed), split.program)
    if original is None and like is not None:
        original = like.frame.original()
    if original is None:
        raise DataError(
            "the incomplete table is not among these (imputation 0): pass it as data=; in mice "
            "complete(imp, 'long', include = TRUE) writes it too"
        )
    if where is not None:
        original = _blank(original, where)
    return assemble(original, split.completed, like=like, kinds=kinds, version=split.program)


def _split(source: Any, layout: str | None, imp: str | None, id: str | None) -> Split:
    """Tables out of whatever was given."""
    if is_kernel(source):
        return from_kernel(source)
    if is_table(source):
        names = [str(name) for name in source.columns]
        chosen = (
            Layout("unknown", imp, id) if imp is not None and layout is None else find_layout(names, layout)
        )
        return split_long(source, chosen, imp, id)
    if isinstance(source, (Mapping, list | tuple)):
        program = LAYOUTS[find_layout((), layout).program].program if layout else "a list of tables"
        return split_list(source, program)
    raise DataError(
        f"as_mids takes a long table or a list of completed tables, not a {type(source).__name__}"
    )


def _aligned(original: Any, part: Any) -> Any:
    """Put the rows of a completed table in the order of `data`, where labels say how; else rows go by position."""
    names = [str(name) for name in original.columns]
    theirs = [str(name) for name in part.columns]
    lost = [name for name in names if name not in theirs]
    if lost:
        raise DataError(
            f"the completed tables lack column '{lost[0]}' of data: {did_you_mean(lost[0], theirs)}"
        )
    added = [name for name in theirs if name not in names]
    if added:
        raise DataError(
            f"the completed tables have a column '{added[0]}' that data lacks: drop it there, or add it to data"
        )
    if is_polars(part) or is_polars(original) or part.index.equals(original.index):
        return part
    if (
        len(part) == len(original)
        and part.index.is_unique
        and original.index.is_unique
        and set(part.index) == set(original.index)
    ):
        return part.loc[original.index]
    return part.set_axis(original.index, axis=0) if len(part) == len(original) else part


def _blank(original: Any, where: Any) -> Any:
    """Return the incomplete table with the cells that were imputed over set to missing."""
    names = list(where) if isinstance(where, Mapping) else [str(name) for name in where.columns]
    changed = {}
    for name in names:
        if name not in original.columns:
            raise DataError(f"where= names '{name}': {did_you_mean(name, list(original.columns))}")
        mask = np.asarray(where[name], dtype=bool)
        if mask.shape != (len(original),):
            raise DataError(f"where['{name}'] has {mask.size} entries, the table has {len(original)} rows")
        over = mask & column(original, name).notna().to_numpy()
        if over.any():
            changed[name] = over
    if not changed:
        return original
    said = ", ".join(f"{counted(int(over.sum()), 'cell')} of '{name}'" for name, over in changed.items())
    warnings.warn(
        f"imputed over observed values: {said}; they are missing in the incomplete table from here on",
        BayesmiNotice,
        stacklevel=3,
    )
    if is_polars(original):
        import polars as pl

        return original.with_columns(
            pl.when(pl.Series(over)).then(None).otherwise(pl.col(name)).alias(name)
            for name, over in changed.items()
        )
    table = original.copy()
    for name, over in changed.items():
        table[name] = table[name].mask(pd.Series(over, index=table.index))
    return table
