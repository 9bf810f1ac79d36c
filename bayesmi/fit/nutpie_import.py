"""nutpie without ArviZ: it imports all of ArviZ, with its plots, to convert draws, which is done here without it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

__all__ = ["import_nutpie"]


class _Later(ModuleType):
    """Stands for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system looks, and is no reason to load
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def _later(name: str) -> Iterator[None]:
    """Put off the import of a module by those imported meanwhile; everybody else finds the module itself."""
    if name in sys.modules:
        yield
        return
    stand_in = _Later(name)
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]


def import_nutpie() -> Any:
    """Import nutpie; about three seconds less than `import nutpie` where ArviZ is not loaded."""
    if "nutpie" not in sys.modules:
        with _later("arviz"):
            importlib.import_module("nutpie")
    return sys.modules["nutpie"]
