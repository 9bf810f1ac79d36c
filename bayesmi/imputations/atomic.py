"""Files that are whole or not there: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from bayesmi.data.path import as_path
from bayesmi.errors import DataError

__all__ = ["atomic_path", "check_target"]


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str], *, force: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`: renamed when the block ends well, else removed.

    Parameters
    ----------
    path : path-like
        Where the file is to be.
    force : bool
        Replace a file that is there. A folder is never replaced.

    Yields
    ------
    Path
        An empty file in the same folder, to be written by the block.

    Raises
    ------
    DataError
        If the path exists (without `force`), is a folder, or its folder does not exist or cannot be written.
    """
    target = as_path(path)
    _check(target, force)
    temporary = _make_beside(target)
    try:
        yield temporary
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        _check(target, force)  # another process may have written it meanwhile
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def check_target(path: str | os.PathLike[str], *, force: bool = False, how: str = "force=True") -> None:
    """Say before the work, in one line, why a file cannot be written; nothing is left behind.

    Parameters
    ----------
    path : path-like
        Where the file is to be.
    force : bool
        A file that is there may be replaced.
    how : str
        What replaces it, in the words of who asks: ``force=True`` or ``--force``.

    Raises
    ------
    DataError
        As `atomic_path`.
    """
    target = as_path(path)
    _check(target, force, how)
    _make_beside(target).unlink()


def _make_beside(target: Path) -> Path:
    """Make an empty file of a name of its own in the target's folder."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise DataError(f"cannot write '{target}': {error.strerror}") from None
    return temporary


def _check(target: Path, force: bool, how: str = "force=True") -> None:
    """Say in one line why `target` cannot be written."""
    if target.is_dir():
        raise DataError(f"'{target}' is a folder: name a file")
    if not target.parent.is_dir():
        if target.parent.exists():
            raise DataError(
                f"'{target.parent}' is a file, not a folder: choose another place for '{target.name}'"
            )
        raise DataError(f"folder '{target.parent}' does not exist: make it first")
    if target.exists() and not force:
        raise DataError(f"'{target}' exists already: choose another name, or replace it with {how}")
