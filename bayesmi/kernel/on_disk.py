"""Compiled functions kept on disk by numba, under a stamp that covers every file of the function's folder.

numba notices a changed file only where the cached function itself stands. What is on disk saves time and is never needed: where
nothing can be kept, or what was kept is damaged, the function is compiled.
"""

from __future__ import annotations

import hashlib
import inspect
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock

__all__ = ["OnDisk", "compiled", "on_disk"]


class OnDisk(FunctionCache):
    """What numba keeps of one function."""

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._cache_file = IndexDataCacheFile(
            cache_path=self.cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=_stamp(Path(inspect.getfile(function)).parent),
        )

    def holds(self, signature: Any) -> bool:
        """Whether the compiled code of these very sources, for this kind of processor, is there."""
        from numba.core.registry import cpu_target

        context = cpu_target.target_context
        with global_compiler_lock:
            context.refresh()
        try:
            name = self._cache_file._load_index().get(self._index_key(signature, context.codegen()))
            return name is not None and Path(self._cache_file._data_path(name)).exists()
        except Exception:  # damaged in whatever way
            return False

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what is there, or None."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # damaged in whatever way
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code, if there is room for it."""
        with suppress(OSError):
            super().save_overload(sig, data)


def on_disk(function: Any) -> OnDisk | None:
    """Return what is kept of a function, or None where no folder can be written to."""
    try:
        return OnDisk(function)
    except (OSError, RuntimeError):
        return None


def compiled(signature: Any, function: Any) -> Any:
    """Return a C function, from disk if it is there; numba does one at a time, whatever the threads."""
    made: Any = CFunc(function, (signature.args, signature.return_type), {}, {})
    kept = on_disk(function)
    if kept is not None:
        made._cache = kept
    made.compile()
    return made


def _stamp(folder: Path) -> str:
    """Digest of every source file of a folder."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
