"""Data sets by name: from the package, or from the folder that BAYESMI_DATA names, checked by checksum."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pandas as pd

from bayesmi.data import read_csv
from bayesmi.data.wording import did_you_mean
from bayesmi.datasets.catalogue import ALIASES, CATALOGUE, Entry
from bayesmi.errors import DataError

FOLDER_VARIABLE = "BAYESMI_DATA"
_SHIPPED = Path(__file__).parent / "data"


def names() -> list[str]:
    """Name the data sets that :func:`load` knows; those that ship come first.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from bayesmi import datasets
    >>> datasets.names()[:4]
    ['popmis', 'nhanes', 'nhanes2', 'sleepstudy']
    """
    return list(CATALOGUE)


def describe(name: str) -> str:
    """Say in one line what a data set is, where it comes from and under which licence.

    Parameters
    ----------
    name
        One of :func:`names`.

    Returns
    -------
    str

    Raises
    ------
    DataError
        For an unknown name.

    Examples
    --------
    >>> from bayesmi import datasets
    >>> print(datasets.describe("nhanes").split(";")[0])
    nhanes: the small example of Schafer (1997), all numbers
    """
    entry = _entry(name)
    where = "ships with bayesmi" if entry.ships else f"read from the folder in {FOLDER_VARIABLE}"
    return (
        f"{entry.name}: {entry.title}; {entry.rows} rows, {entry.columns} columns; from {entry.origin};"
        f" licence: {entry.licence}; {where}"
    )


def load(name: str) -> pd.DataFrame:
    """Load a data set by name.

    Parameters
    ----------
    name
        One of :func:`names`; also ``"impact"`` and ``"randhie"``. Data that do not ship are read from the
        folder named by the environment variable ``BAYESMI_DATA``.

    Returns
    -------
    pandas.DataFrame
        With categories as categoricals.

    Raises
    ------
    DataError
        For an unknown name, for data that are not in the folder (says where they come from), and for a file
        whose checksum is not the expected one.

    Examples
    --------
    >>> from bayesmi import datasets
    >>> datasets.load("popmis").shape
    (2000, 7)
    """
    entry = _entry(name)
    file = _SHIPPED / entry.file if entry.ships else _in_folder(entry)
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != entry.sha256:
        raise DataError(
            f"{file} is not the {entry.name!r} that is expected (sha256 {found[:12]}…, expected"
            f" {entry.sha256[:12]}…): get it from {entry.origin}"
        )
    text = dict.fromkeys([*entry.text, *entry.levels, *entry.booleans], "str")
    data = read_csv(file, na_values=("",), dtype=text, notify=False)
    for column, levels in entry.levels.items():
        categories = sorted(data[column].dropna().unique()) if levels is None else list(levels)
        dtype = pd.CategoricalDtype(categories, ordered=column in entry.ordered)
        data[column] = data[column].astype(dtype)
    for column in sorted(entry.booleans):
        data[column] = data[column].str.strip() == "TRUE"
    return data


def _entry(name: str) -> Entry:
    """Look a name up, aliases too."""
    if not isinstance(name, str):
        raise DataError(f"a data set has a name, such as 'popmis', not {name!r}")
    key = ALIASES.get(name, name)
    if key not in CATALOGUE:
        raise DataError(f"no data set is called {name!r}: {did_you_mean(name, [*CATALOGUE, *ALIASES])}")
    return CATALOGUE[key]


def _in_folder(entry: Entry) -> Path:
    """Find the file of a data set that does not ship."""
    folder = os.environ.get(FOLDER_VARIABLE)
    advice = f"it comes from {entry.origin} (licence: {entry.licence})"
    if not folder:
        raise DataError(
            f"data set {entry.name!r} does not ship with bayesmi: {advice}; save it as {entry.file} and name"
            f" its folder in the environment variable {FOLDER_VARIABLE}"
        )
    file = Path(folder) / entry.file
    if not file.is_file():
        raise DataError(f"{entry.file} is not in {folder} ({FOLDER_VARIABLE}): {advice}")
    return file
