"""Names of variables and dims as a DataTree, and PyMC, can hold them."""

from __future__ import annotations

import xarray as xr

__all__ = ["in_tree", "tree_name"]


def tree_name(name: str) -> str:
    """Return a name as a DataTree can hold it: a slash, which is a path there, becomes the division sign ``∕`` (U+2215)."""
    return name.replace("/", "\u2215")


def in_tree(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset with the names of its variables and dimensions as a DataTree can hold them."""
    names = {*map(str, dataset.variables), *map(str, dataset.dims)}
    return dataset.rename({name: tree_name(name) for name in names if "/" in name})
