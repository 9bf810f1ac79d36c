"""Several fits of one table in one zip: the table, facts of their own, and in a folder for each fit what `Fit.save` writes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import bayesmi
from bayesmi.data import IncompleteFrame
from bayesmi.data.path import as_path
from bayesmi.errors import DataError
from bayesmi.files.fit_file import fit_of, members_of, read_members, write_members
from bayesmi.imputations.tablefile import read_frame, write_frame

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = ["read_several", "write_several"]


def write_several(
    path: str | Path,
    kind: str,
    version: int,
    frame: IncompleteFrame,
    fits: Iterable[Fit],
    facts: Mapping[str, Any],
    *,
    force: bool,
) -> None:
    """Write fits, their table, and facts as they go into JSON, as a file of some kind and version.

    Raises
    ------
    DataError
        If the facts cannot be written, or the file is there and not to be replaced.
    """
    table, about = write_frame(frame)
    members = {"data.parquet": table}
    for i, fit in enumerate(fits):  # no zip inside the zip: cut off, it would open as the inner one
        members |= {f"{i}/{name}": content for name, content in members_of(fit).items()}
    manifest = {
        "format": kind,
        "format_version": version,
        "versions": {"bayesmi": bayesmi.__version__},
        **facts,
        "table": about,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in members.items()},
    }
    try:
        text = json.dumps(manifest, indent=1, ensure_ascii=False, default=_number).encode()
    except TypeError as problem:
        raise DataError(f"the labels cannot be written ({problem}): make them text or numbers") from None
    write_members({"manifest.json": text, **members}, path, force=force)


def read_several(
    path: str | Path, kind: str, version: int
) -> tuple[dict[str, Any], tuple[Fit, ...], IncompleteFrame]:
    """Return manifest, fits in their order, and the table.

    Raises
    ------
    DataError
        If the file is damaged, cut off, or of a newer format.
    """
    manifest, members = read_members(as_path(path), kind, version)
    folders: dict[int, dict[str, bytes]] = {}
    for name, content in members.items():
        folder, slash, rest = name.partition("/")
        if slash:
            folders.setdefault(int(folder), {})[rest] = content
    fits = tuple(fit_of(json.loads(own.pop("manifest.json")), own) for _, own in sorted(folders.items()))
    return manifest, fits, read_frame(members["data.parquet"], manifest["table"])


def _number(value: Any) -> Any:
    """Numpy's numbers as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is {type(value).__name__}")
