"""Reading tables from files without swallowing categories, and with every odd file refused in one line."""

from __future__ import annotations

import csv
import gzip
import io
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmi.data.codes import looks_missing
from bayesmi.data.path import as_path
from bayesmi.data.wording import counted, list_some
from bayesmi.errors import BayesmiNotice, DataError

_SEPARATORS = {".csv": ",", ".txt": ",", ".tsv": "\t", ".tab": "\t"}
_PARQUET = (".parquet", ".pq")
# pandas 3.0 rounds the last bit unless told not to; from 3.1 on it never does and warns when told
_EXACT: dict[str, Any] = {"float_precision": "round_trip"} if pd.__version__.startswith("3.0.") else {}


def read_csv(
    path: str | os.PathLike[str],
    *,
    na_values: Sequence[str] = ("", "NA"),
    sep: str = ",",
    decimal: str = ".",
    encoding: str = "utf-8",
    dtype: Any = None,
    notify: bool = True,
) -> pd.DataFrame:
    r"""Read a CSV file; only the fields named in `na_values` are missing.

    ``pandas.read_csv`` takes sixteen further words, among them "None" and "null", for missing values; here
    they stay what they are. Numbers are read to the last bit, ragged rows and repeated column names are
    refused.

    Parameters
    ----------
    path
        The file; ``.gz`` is unpacked.
    na_values
        Fields that mean missing, exactly as written.
    sep, decimal, encoding
        As in pandas.
    dtype
        A dtype, or one by column, where the one found is not meant: ``{"centre": "str"}`` keeps ``"006"``.
    notify
        Whether to emit notices.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        For files that are missing, empty, binary or ragged, in one line.

    Warns
    -----
    BayesmiNotice
        Names the columns in which a word that looks like a missing code was kept, and columns without a name.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from bayesmi.data import read_csv
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "eyes.csv"
    >>> _ = file.write_text("id,pupils\n1,Both\n2,None\n3,NA\n")
    >>> read_csv(file, notify=False)["pupils"].isna().tolist()
    [False, False, True]
    """
    name = as_path(path).name
    if not isinstance(sep, str) or len(sep) != 1:
        raise DataError(f"sep={sep!r}: one character between fields, such as ',' or ';'")
    text = _text(path, encoding)
    _check_shape(text, name, sep)
    try:
        data = pd.read_csv(
            io.StringIO(text),
            sep=sep,
            decimal=decimal,
            dtype=dtype,
            na_values=list(na_values),
            keep_default_na=False,
            index_col=False,
            **_EXACT,
            low_memory=False,
        )
    except (ValueError, TypeError, pd.errors.ParserError) as error:
        raise DataError(f"{name} cannot be read as a table: {_first_line(error)}") from None
    if notify:
        for line in _kept(data):
            warnings.warn(line, BayesmiNotice, stacklevel=2)
    return data


def read_table(path: str | os.PathLike[str], *, notify: bool = True, **options: Any) -> pd.DataFrame:
    r"""Read a CSV, TSV or Parquet file, told apart by its suffix.

    Parameters
    ----------
    path
        ``.csv``, ``.txt`` (comma), ``.tsv``, ``.tab`` (tab), each also with ``.gz``; ``.parquet`` or ``.pq``.
    notify
        Whether to emit notices.
    **options
        Passed to :func:`read_csv` for text files.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        For other suffixes, and files that cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from bayesmi.data import read_table
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "small.tsv"
    >>> _ = file.write_text("a\tb\n1\t2\n")
    >>> read_table(file).to_dict("list")
    {'a': [1], 'b': [2]}
    """
    file = as_path(path)
    if file.is_dir():
        raise DataError(f"{file} is a folder, not a file")
    suffix = _suffix(file)
    if suffix in _PARQUET:
        if options:
            raise DataError(f"{file.name} is Parquet, which takes no option {list_some(options)}")
        return _read_parquet(file)
    if suffix not in _SEPARATORS:
        known = ", ".join([*_SEPARATORS, *_PARQUET])
        raise DataError(f"{file.name} has no suffix that says what it is: expected {known}")
    options.setdefault("sep", _SEPARATORS[suffix])
    data = read_csv(file, notify=False, **options)
    if notify:
        for line in _kept(data):
            warnings.warn(line, BayesmiNotice, stacklevel=2)
    return data


def raw_text(path: str | os.PathLike[str]) -> pd.DataFrame | None:
    """Every field of a text file as it is written; None for Parquet."""
    file = Path(path)
    suffix = _suffix(file)
    if suffix in _PARQUET:
        return None
    separator = _SEPARATORS.get(suffix, ",")
    text = _text(path, "utf-8")
    return pd.read_csv(
        io.StringIO(text), sep=separator, dtype=str, na_filter=False, index_col=False, low_memory=False
    )


def _text(path: str | os.PathLike[str], encoding: str) -> str:
    """Decode a file, or say in one line what is wrong with it."""
    file = Path(path)
    content = _bytes(file)
    if file.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise DataError(f"{file.name} is no intact gzip file: {_first_line(error)}") from None
    if not content.strip():
        raise DataError(f"{file.name} is empty")
    wide = encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32"))
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") and not wide:
        raise DataError(f"{file.name} is UTF-16: pass encoding='utf-16'")
    if b"\0" in content and not wide:
        raise DataError(f"{file.name} is a binary file, not text")
    try:
        text = content.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"{file.name}, line {row}: not {encoding}; pass the encoding it has, such as encoding='latin-1'"
        ) from None
    except LookupError:
        raise DataError(f"encoding {encoding!r} is not known") from None
    return text


def _bytes(file: Path) -> bytes:
    """Read a file's content, or raise one line."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{file} does not exist") from None
    except IsADirectoryError:
        raise DataError(f"{file} is a folder, not a file") from None
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}") from None


def _check_shape(text: str, name: str, sep: str) -> None:
    """Check header and row lengths, since pandas renames, pads and cuts in silence."""
    rows = csv.reader(io.StringIO(text), delimiter=sep)
    try:
        header = next(rows)
        while not header:
            header = next(rows)
        width = len(header)
        other = next((mark for mark in ";\t|" if width == 1 and mark != sep and mark in header[0]), None)
        if other:
            raise DataError(
                f"{name} has one column, {header[0]!r}: its fields seem to be separated by {other!r}; read it with"
                f" bmi.read_csv({name!r}, sep={other!r}), or save it with {sep!r} between fields"
            )
        twice = sorted({h for h in header if header.count(h) > 1})
        if twice:
            raise DataError(f"{name}: column names occur more than once: {list_some(twice)}")
        n_rows = 0
        for row in rows:
            if len(row) != width and row:
                fields = counted(len(row), "field")
                raise DataError(f"{name}, line {rows.line_num}: {fields} where the header has {width}")
            n_rows += bool(row)
    except csv.Error as error:
        raise DataError(f"{name}, line {rows.line_num}: {_first_line(error)}") from None
    except StopIteration:
        raise DataError(f"{name} is empty") from None
    if not n_rows:
        raise DataError(f"{name} has a header ({list_some(header)}) but no rows")


def _read_parquet(file: Path) -> pd.DataFrame:
    """Read a Parquet file, or raise one line."""
    content = _bytes(file)
    if not content:
        raise DataError(f"{file.name} is empty")
    if content[:4] != b"PAR1":
        raise DataError(f"{file.name} is not a Parquet file")
    try:
        return pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    except (OSError, ValueError, NotImplementedError) as error:
        raise DataError(f"{file.name} is a damaged Parquet file: {_first_line(error)}") from None


def _kept(data: pd.DataFrame) -> list[str]:
    """Return the lines about columns without a name, and words that look like missing codes and were kept."""
    lines = [
        f"column {k + 1} has no name in the file and is called {name!r}"
        for k, name in enumerate(data.columns)
        if name == f"Unnamed: {k}"
    ]
    for name in data.columns:
        if not isinstance(data[name].dtype, pd.StringDtype):
            continue
        counts = data[name].value_counts()
        words = [word for word in counts.index if looks_missing(word)]
        if words:
            cells = counted(int(counts[words].sum()), "cell")
            lines.append(
                f"column {name!r}: {list_some(words)} kept as a value in {cells}; if it means missing:"
                f" na_values=['', 'NA', {', '.join(map(repr, words))}]"
            )
    return lines


def _suffix(file: Path) -> str:
    """Return the suffix that tells the format."""
    return Path(file.stem).suffix.lower() if file.suffix == ".gz" else file.suffix.lower()


def _first_line(error: Exception) -> str:
    """Return the first line of a foreign message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


__all__ = ["raw_text", "read_csv", "read_table"]
