"""Tables of results that are made part by part."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["update_table"]


def update_table(path: Path, new: pd.DataFrame, key: str, order: list[Any] | None = None) -> pd.DataFrame:
    """Put rows into a CSV in place of those with the same key; written beside it and renamed."""
    table = new
    if path.exists():
        old = pd.read_csv(path)
        old = old[~old[key].isin(new[key])]
        table = pd.concat([old, new], ignore_index=True) if len(old) else new
    if order is not None:
        table = table.sort_values(key, key=lambda names: names.map(order.index), kind="stable")
    path.parent.mkdir(exist_ok=True)
    beside = path.with_suffix(".tmp")
    table.round(6).to_csv(beside, index=False)
    os.replace(beside, path)
    return table
