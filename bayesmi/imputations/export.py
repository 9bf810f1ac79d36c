"""The long form as CSV or Parquet, written table by table."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesmi.errors import DataError
from bayesmi.imputations import layouts
from bayesmi.imputations.atomic import atomic_path

if TYPE_CHECKING:
    from bayesmi.data import IncompleteFrame
    from bayesmi.imputations.imputations import Imputations
    from bayesmi.imputations.layouts import Order

__all__ = ["refuse_long_form", "write_csv", "write_parquet"]


def write_csv(
    imputed: Imputations, path: str | os.PathLike[str], *, force: bool, include: bool, order: Order, na: str
) -> None:
    """Write the long form as CSV; see `Imputations.to_csv`."""
    refuse_long_form(imputed.frame, na=na)
    with (
        atomic_path(path, force=force) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as handle,
    ):
        for k, part in enumerate(_parts(imputed, include, order)):
            if layouts.is_polars(part):
                handle.write(_polars_csv(part, header=k == 0, na=na))
            else:
                part.to_csv(handle, index=False, header=k == 0, na_rep=na, lineterminator="\n")


def _polars_csv(part: Any, *, header: bool, na: str) -> str:
    """CSV text of a polars part; a column of lists or structs is named."""
    nested = [name for name, dtype in part.schema.items() if dtype.is_nested()]
    if nested:
        raise DataError(
            f"column '{nested[0]}' ({part.schema[nested[0]]}) cannot stand in a CSV file: write Parquet, or make it text"
        )
    return str(part.write_csv(include_header=header, null_value=na))


def write_parquet(
    imputed: Imputations, path: str | os.PathLike[str], *, force: bool, include: bool, order: Order
) -> None:
    """Write the long form as Parquet; see `Imputations.to_parquet`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    refuse_long_form(imputed.frame)
    # the schema is that of a completed table: the incomplete one may have lost a dtype to its holes
    schema = _to_arrow(_part(imputed, 1, order), None).schema
    with atomic_path(path, force=force) as temporary:
        try:
            with pq.ParquetWriter(temporary, schema) as writer:
                for part in _parts(imputed, include, order):
                    writer.write_table(_to_arrow(part, schema))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise DataError(f"cannot write this table as Parquet: {str(error).splitlines()[0]}") from error


def _parts(imputed: Imputations, include: bool, order: Order) -> Iterator[Any]:
    """Long form of one table after the other."""
    return (_part(imputed, number, order) for number in range(0 if include else 1, imputed.m + 1))


def _part(imputed: Imputations, number: int, order: Order) -> Any:
    """Long form of one table."""
    table = imputed[number - 1] if number else layouts.harmonize(imputed.frame.original(), imputed[0])
    return layouts.long({number: table}, imputed.frame.index, order)


def _to_arrow(part: Any, schema: Any) -> Any:
    """Arrow table of a pandas or polars part."""
    import pyarrow as pa

    if layouts.is_polars(part):
        table = part.to_arrow()
        return table if schema is None else table.cast(schema)
    bad = [str(name) for name in part.columns if not isinstance(name, str)]
    if bad:
        part = part.set_axis([str(name) for name in part.columns], axis=1)
    try:
        return pa.Table.from_pandas(part, schema=schema, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        found = re.search("for column (.*) with type", " ".join(map(str, error.args)))
        where = f"column '{found.group(1)}'" if found else "a column"
        raise DataError(
            f"{where} has no Parquet type ({str(error.args[0]).splitlines()[0]}): make it text"
        ) from error


def refuse_long_form(frame: IncompleteFrame, *, na: str | None = None) -> None:
    """Refuse, also before there is a draw, a table whose long form would not read back as it is.

    Parameters
    ----------
    frame : IncompleteFrame
        The incomplete table.
    na : str, optional
        What stands for a missing value in a CSV file. None where missing values have no spelling (Parquet).

    Raises
    ------
    DataError
        If a column is called ``.imp`` or ``.id``, or a text value or row label is spelled like `na`.
    """
    table = frame.original()
    layouts.refuse_reserved(table)
    if na is None:
        return
    places = {f"column '{name}'": _texts(table[name]) for name in table.columns}
    for where, values in {
        **places,
        "the row labels": _texts(layouts.row_names(frame.index).to_series()),
    }.items():
        if any(isinstance(value, str) and value == na for value in values):
            other = "na=''" if na else "na='NA'"
            raise DataError(
                f"{where} {'have' if where.endswith('s') else 'has'} the text value {na!r}, which would read back as "
                f"missing in a CSV file: write Parquet, or pass {other} to to_csv"
            )


def _texts(values: Any) -> set[str]:
    """Distinct texts in a pandas or polars column; its other values may be anything, also lists."""
    polars = layouts.is_polars(values)
    if values.dtype.is_numeric() if polars else pd.api.types.is_numeric_dtype(values.dtype):
        return set()
    return {value for value in (values.unique() if polars else values) if isinstance(value, str)}
