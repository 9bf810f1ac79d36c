"""Imputations in one file: a zip of manifest, missing cells and incomplete table, each with its checksum."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import bayesmi
from bayesmi.data import IncompleteFrame
from bayesmi.data.path import as_path
from bayesmi.errors import DataError
from bayesmi.imputations.atomic import atomic_path
from bayesmi.imputations.delta_after import moved_cells
from bayesmi.imputations.draws import StoredDraws
from bayesmi.imputations.mids import Mids
from bayesmi.imputations.tablefile import read_frame, write_frame
from bayesmi.mechanism import Delta

if TYPE_CHECKING:
    from bayesmi.imputations.imputations import Imputations

__all__ = ["FORMAT", "FORMAT_VERSION", "load", "save"]

FORMAT = "bayesmi-imputations"
FORMAT_VERSION = 1
_PACKAGES = ("numpy", "pandas", "pyarrow")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed time, so that equal content gives equal files


def save(imputed: Imputations, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write one zip; see `Imputations.save`."""
    table, facts = write_frame(imputed.frame)
    members = {
        "data.parquet": table,
        "cells.parquet": _cells_to_bytes(imputed, {name: imputed.draws_of(name) for name in imputed.names}),
    }
    draws, deltas = imputed._draws, getattr(imputed._draws, "deltas", {})
    if deltas:
        before = [draws.before(i) for i in range(imputed.m)]  # type: ignore[attr-defined]
        without = {name: np.column_stack([one[name] for one in before]) for name in imputed.names}
        members["before.parquet"] = _cells_to_bytes(imputed, without)
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "versions": {"bayesmi": bayesmi.__version__, **{name: metadata.version(name) for name in _PACKAGES}},
        "m": imputed.m,
        "seed": imputed.seed,
        "formula": imputed.formula,
        "families": imputed.families,
        "integer_valued": sorted(imputed.integer_valued),
        "gate": imputed.gate,
        "mids": imputed.mids.to_dict(),
        "origin": [[int(chain), int(draw)] for chain, draw in imputed.origin.to_numpy()],
        "names": list(imputed.names),
        **(
            {"deltas": {name: _delta_facts(imputed, name, delta) for name, delta in deltas.items()}}
            if deltas
            else {}
        ),
        "table": facts,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in members.items()},
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
    with (
        atomic_path(path, force=force) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, content in {"manifest.json": text, **members}.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)


def load(path: str | os.PathLike[str]) -> tuple[IncompleteFrame, StoredDraws, dict[str, Any]]:
    """Read what `save` wrote: the table, the draws, and the facts that go with them."""
    manifest, members = _read(as_path(path))
    table = manifest["table"]
    frame = read_frame(members["data.parquet"], table)
    values = _cells_from_bytes(members["cells.parquet"], manifest)
    deltas, without, moved = {}, {}, {}
    if "deltas" in manifest:
        without = _cells_from_bytes(members["before.parquet"], manifest)
        for name, own in manifest["deltas"].items():
            deltas[name] = Delta.from_dict(own["delta"])
            moved[name] = np.ones(values[name].shape[1], dtype=bool)
            moved[name][own["others"]] = False
    origins = tuple((chain, draw) for chain, draw in manifest["origin"])
    draws = StoredDraws(values, origins, deltas, without, moved)
    about = {key: manifest[key] for key in ("formula", "families", "seed", "integer_valued", "gate")}
    about["mids"] = Mids.from_dict(manifest["mids"]) if "mids" in manifest else None
    return frame, draws, about


def _delta_facts(imputed: Imputations, name: str, delta: Delta) -> dict[str, Any]:
    """A delta, and which missing cells of its variable it is not about."""
    inside = moved_cells(imputed._draws, imputed.frame, name)
    return {"delta": delta.to_dict(), "others": np.flatnonzero(~inside).tolist()}


def _cells_from_bytes(content: bytes, manifest: dict[str, Any]) -> dict[str, NDArray[np.float64]]:
    """Arrays (m, n_missing) of a table that `_cells_to_bytes` wrote."""
    cells = pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    numbers = [str(i) for i in range(1, manifest["m"] + 1)]
    return {
        name: np.ascontiguousarray(
            cells.loc[(cells["variable"] == name).to_numpy(), numbers].to_numpy(dtype=float).T
        )
        for name in manifest["names"]
    }


def _cells_to_bytes(imputed: Imputations, values: Mapping[str, NDArray[np.float64]]) -> bytes:
    """Missing cells as a table: variable, row (from 0), and one column an imputation."""
    blocks = []
    numbers = [str(i) for i in range(1, imputed.m + 1)]
    for name in imputed.names:
        block = pd.DataFrame(values[name], columns=numbers)
        block.insert(0, "row", np.flatnonzero(imputed.frame.columns[name].missing))
        block.insert(0, "variable", name)
        blocks.append(block)
    empty = pd.DataFrame(columns=["variable", "row", *numbers])
    buffer = io.BytesIO()
    (pd.concat(blocks, ignore_index=True) if blocks else empty).to_parquet(buffer, engine="pyarrow")
    return buffer.getvalue()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Manifest and members of a whole file of this format, or one line that says what is wrong."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
                raise DataError(f"'{path}' does not hold imputations: it was not written by Imputations.save")
            if manifest["format_version"] > FORMAT_VERSION:
                written = manifest.get("versions", {}).get("bayesmi", "?")
                raise DataError(
                    f"'{path}' has format {manifest['format_version']}, written by bayesmi {written}; this "
                    f"is bayesmi "
                    f"{bayesmi.__version__}, which reads formats up to {FORMAT_VERSION}: update bayesmi"
                )
            members = {name: archive.read(name) for name in manifest["sha256"]}
    except FileNotFoundError as error:
        raise DataError(f"'{path}' does not exist") from error
    except OSError as error:
        raise DataError(f"cannot read '{path}': {error.strerror}") from error
    except (
        zipfile.BadZipFile,
        KeyError,
        EOFError,
        zlib.error,
        json.JSONDecodeError,
        UnicodeDecodeError,
    ) as error:
        raise DataError(f"'{path}' is damaged, cut off, or no file that Imputations.save wrote") from error
    for name, digest in manifest["sha256"].items():
        if hashlib.sha256(members[name]).hexdigest() != digest:
            raise DataError(f"'{path}' is damaged: checksum of {name} does not match")
    return manifest, members
