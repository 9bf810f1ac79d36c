"""formulae's scanner and parser alone: importing the package runs all of formulae, with SciPy's statistics, for a second."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

__all__ = ["ParseError", "Parser", "ScanError", "Scanner", "Token", "expr"]

_PRIVATE = f"{__package__}._formulae"  # its modules get names of their own: formulae itself stays as it is for others


def _part(name: str) -> Any:
    """Import one module of formulae without the package's own first module."""
    if _PRIVATE not in sys.modules:
        found = importlib.util.find_spec("formulae")
        if found is None or found.submodule_search_locations is None:
            raise ModuleNotFoundError("No module named 'formulae'", name="formulae")
        package = ModuleType(_PRIVATE, "formulae's folder, without what its __init__ imports.")
        package.__path__ = list(found.submodule_search_locations)
        sys.modules[_PRIVATE] = package
    return importlib.import_module(f"{_PRIVATE}.{name}")


expr: Any = _part("expr")
ParseError: Any = _part("parser").ParseError
Parser: Any = _part("parser").Parser
ScanError: Any = _part("scanner").ScanError
Scanner: Any = _part("scanner").Scanner
Token: Any = _part("token").Token
