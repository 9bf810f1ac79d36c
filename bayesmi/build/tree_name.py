"""Names of variables and dims as a DataTree, and PyMC, can hold them."""

from __future__ import annotations

__all__ = ["tree_name"]


def tree_name(name: str) -> str:
    """Return a name as a DataTree can hold it: a slash, which is a path there, becomes the division sign ``∕`` (U+2215)."""
    return name.replace("/", "\u2215")
