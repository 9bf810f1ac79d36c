"""Completed data in files: one long file, or one file an imputation."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bayesmi.data import read_table
from bayesmi.errors import DataError
from bayesmi.imputations import Imputations
from bayesmi.mice.as_mids import as_mids
from bayesmi.mice.layouts import LAYOUTS

__all__ = ["read_mids"]

_ROW_NAMES = ("", "Unnamed: 0", "row.names")


def read_mids(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    data: Any = None,
    *,
    layout: str | None = None,
    imp: str | None = None,
    id: str | None = None,
    like: Imputations | None = None,
    kinds: Mapping[str, str] | None = None,
    **options: Any,
) -> Imputations:
    r"""Read completed data from CSV or Parquet files.

    Parameters
    ----------
    paths : path, pattern such as "outdata*.csv", or list of paths
        One long file (mice, jomo, mitml's ``write.mitmlSPSS``, Amelia with ``separate = FALSE``), or one file an
        imputation (Amelia's ``write.amelia``, a list written table by table), sorted by the number in their names.
    data : DataFrame or path, optional
        The incomplete table; needed where the files do not hold it.
    layout, imp, id, like, kinds
        As in `as_mids`.
    **options
        As in `read_table`, for example ``sep="\\t"`` or ``na_values=["-999"]``.

    Returns
    -------
    Imputations

    Raises
    ------
    DataError
        If a file is not there, or the tables do not belong together.

    Notes
    -----
    A first column without a name holds R's row names, and is left out.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for number, table in imputed.complete("all").items():
    ...         table.to_csv(pathlib.Path(folder) / f"outdata{number}.csv", index=False)
    ...     again = bmi.read_mids(f"{folder}/outdata*.csv", data=bmi.datasets.load("nhanes"))
    >>> again.m, again.names
    (5, ('bmi', 'chl'))
    """
    files = _files(paths)
    if isinstance(data, str | os.PathLike):
        data = _read(data, options)
    tables = [_read(file, options) for file in files]
    if len(tables) > 1 or (layout is None and data is not None and not _is_long(tables[0], imp)):
        return as_mids(tables, data, like=like, kinds=kinds)
    return as_mids(tables[0], data, layout=layout, imp=imp, id=id, like=like, kinds=kinds)


def _files(paths: Any) -> list[str]:
    """Return the files, in the order of the numbers in their names."""
    if isinstance(paths, str | os.PathLike):
        text = os.fspath(paths)
        if not any(mark in text for mark in "*?["):
            return [text]
        found = glob.glob(text)
        if not found:
            raise DataError(f"no file matches '{text}'")
        return sorted(found, key=_by_number)
    listed = [os.fspath(path) for path in paths]
    if not listed:
        raise DataError("the list of files is empty")
    return listed


def _by_number(path: str) -> tuple[list[int], str]:
    """Sort outdata2 before outdata10."""
    return [int(digits) for digits in re.findall(r"\d+", os.path.basename(path))], path


def _read(path: Any, options: Mapping[str, Any]) -> pd.DataFrame:
    """Read one file, without R's row names."""
    table = read_table(path, notify=False, **options)
    first = str(table.columns[0])
    return table.drop(columns=table.columns[0]) if first in _ROW_NAMES else table


def _is_long(table: pd.DataFrame, imp: str | None) -> bool:
    """Whether a column numbers imputations."""
    return imp in table.columns or any(layout.imp in table.columns for layout in LAYOUTS.values())
