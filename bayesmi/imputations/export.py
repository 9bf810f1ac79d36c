"""The long form as CSV or Parquet, written table by table."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesmi.errors import DataError
from bayesmi.imputations import layouts
from bayesmi.imputations.atomic import atomic_path

if TYPE_CHECKING:
    from bayesmi.imputations.imputations import Imputations
    from bayesmi.imputations.layouts import Order

__all__ = ["write_csv", "write_parquet"]


def write_csv(
    imputed: Imputations, path: str | os.PathLike[str], *, force: bool, include: bool, order: Order, na: str
) -> None:
    """Write the long form as CSV; see `Imputations.to_csv`."""
    _refuse_ambiguous_text(imputed, na)
    with (
        atomic_path(path, force=force) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as handle,
    ):
        for k, part in enumerate(_parts(imputed, include, order)):
            if layouts.is_polars(part):
                handle.write(part.write_csv(include_header=k == 0, null_value=na))
            else:
                part.to_csv(handle, index=False, header=k == 0, na_rep=na, lineterminator="\n")


def write_parquet(
    imputed: Imputations, path: str | os.PathLike[str], *, force: bool, include: bool, order: Order
) -> None:
    """Write the long form as Parquet; see `Imputations.to_parquet`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

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


def _refuse_ambiguous_text(imputed: Imputations, na: str) -> None:
    """Refuse values spelled like the missing code: they would read back as missing."""
    table = imputed.frame.original()
    for name in table.columns:
        if layouts.is_polars(table):
            if table.schema[name].is_numeric() or table.schema[name].is_temporal():
                continue
            values = set(table[name].unique().to_list())
        else:
            if pd.api.types.is_numeric_dtype(table[name].dtype):
                continue
            values = set(pd.unique(np.asarray(table[name].dropna(), dtype=object)))
        if any(isinstance(value, str) and value == na for value in values):
            other = "na=''" if na else "na='NA'"
            raise DataError(
                f"column '{name}' has the text value {na!r}, which would read back as missing: pass "
                f"{other}, or use "
                "to_parquet"
            )
