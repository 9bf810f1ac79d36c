"""A file is named by its path: anything else is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bayesmi.errors import DataError

__all__ = ["as_path"]


def as_path(path: Any) -> Path:
    """Return a path, or say that it is none."""
    try:
        return Path(path)
    except TypeError:
        raise DataError(f"a file is named by its path, not by {path!r}") from None
