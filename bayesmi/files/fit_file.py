"""A Fit in one zip: manifest, model specification, data, posterior; whole or not there, never half."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
import zlib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import bayesmi
from bayesmi.data import IncompleteFrame
from bayesmi.data.path import as_path
from bayesmi.errors import DataError
from bayesmi.imputations.atomic import atomic_path
from bayesmi.imputations.tablefile import read_frame, write_frame

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "fit_of",
    "load_fit",
    "members_of",
    "read_members",
    "save_fit",
    "write_members",
]

FORMAT = "bayesmi-fit"
FORMAT_VERSION = 1
_PACKAGES = ("arviz", "numpy", "nutpie", "pandas", "pymc", "pytensor", "xarray", "zarr")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_STORE = "posterior.zarr/"


def save_fit(fit: Fit, path: str | Path, *, force: bool = False) -> None:
    """Write a fit; see `Fit.save`."""
    write_members(members_of(fit), path, force=force)


def write_members(members: dict[str, bytes], path: str | Path, *, force: bool) -> None:
    """Write a zip that is whole or not there; equal content gives equal files."""
    with (
        atomic_path(path, force=force) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED, compresslevel=1)


def members_of(fit: Fit) -> dict[str, bytes]:
    """Return the contents of a fit's file by name, the manifest with their checksums first."""
    from dataclasses import asdict

    table, facts = write_frame(fit.model.frame)
    members: dict[str, bytes] = {
        "model.json": json.dumps(fit.model.to_dict(), indent=1, ensure_ascii=False).encode(),
        "data.parquet": table,
    }
    whole: dict[str, Any] | None = None
    if fit.model.ignored is not None:
        ignored = fit.model.ignored
        members["whole.parquet"], facts_of_whole = write_frame(IncompleteFrame.from_table(ignored.whole))
        whole = {"table": facts_of_whole, "ignored": np.flatnonzero(ignored.mask).tolist()}
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "posterior.zarr"
        _storable(fit.tree).to_zarr(store, consolidated=False)
        for file in sorted(store.rglob("*")):
            if file.is_file():
                members[_STORE + file.relative_to(store).as_posix()] = file.read_bytes()
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "versions": {"bayesmi": bayesmi.__version__, **{name: metadata.version(name) for name in _PACKAGES}},
        "seed": fit.seed,
        "seconds": dict(fit.seconds),
        "how": fit.how,
        "gate": asdict(fit.gate),
        "grids": {"finer": dict(fit.plan.finer), "wider": dict(fit.plan.wider)},
        "table": facts,
        **({} if whole is None else {"whole": whole}),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in members.items()},
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
    return {"manifest.json": text, **members}


def load_fit(path: str | Path) -> Fit:
    """Read a fit that `Fit.save` wrote: model, posterior, gate and seed; imputations come out the same.

    Raises
    ------
    DataError
        If the file is missing, damaged, cut off, of another kind, or of a newer format.
    """
    return fit_of(*read_members(as_path(path), FORMAT, FORMAT_VERSION))


def fit_of(manifest: dict[str, Any], members: dict[str, bytes]) -> Fit:
    """Return the fit of a manifest and the members that it lists."""
    import warnings

    import xarray as xr

    from bayesmi.errors import BayesmiNotice
    from bayesmi.fit import Fit, Gate
    from bayesmi.fit.names import from_dataset
    from bayesmi.gibbs.tables import tables_of_draw
    from bayesmi.model import Model
    from bayesmi.model.ignored import Ignored
    from bayesmi.plan import make_plan
    from bayesmi.priors import Prior

    spec = json.loads(members["model.json"])
    spec.pop("schema")
    spec["priors"] = {name: Prior.from_dict(prior) for name, prior in spec["priors"].items()}
    frame = read_frame(members["data.parquet"], manifest["table"])
    # the frame was read with these; they stand in the specification only
    read = {key: spec.pop(key) for key in ("kinds", "not_applicable")}
    if isinstance(spec["levels"], dict):
        read["levels"] = spec.pop("levels")
    ignored = None
    if "whole" in manifest:
        table = read_frame(members["whole.parquet"], manifest["whole"]["table"]).original()
        ignored = Ignored(table, np.isin(np.arange(len(table)), manifest["whole"]["ignored"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model(spec.pop("formula"), frame, ignore=ignored, **spec)
    model._spec.update(read)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in members.items():
            if name.startswith(_STORE):
                target = Path(folder) / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        tree = xr.open_datatree(Path(folder) / "posterior.zarr", engine="zarr", consolidated=False).load()
        tree.close()
    plan = make_plan(model, **manifest.get("grids", {}))
    draws = from_dataset(tree["posterior"].to_dataset(), model)
    tables = tables_of_draw(model.factors, model.table, plan, draws)[1]
    lines = {key: tuple(manifest["gate"].get(key, ())) for key in ("failures", "grids", "notes")}
    gate = Gate(**{**manifest["gate"], **lines})
    return Fit(model, plan, tree, gate, manifest["seed"], manifest["seconds"], manifest["how"], tables, draws)


def _storable(tree: Any) -> Any:
    """The tree with text coordinates as fixed-width text, which every zarr reads."""
    import xarray as xr

    groups = {}
    for name, node in tree.children.items():
        dataset = node.to_dataset()
        for coord in dataset.coords:
            values = dataset[coord].values
            if values.dtype.kind == "O":
                dataset = dataset.assign_coords({coord: np.array([str(v) for v in values], dtype=str)})
        groups[name] = dataset
    return xr.DataTree.from_dict(groups)


def read_members(path: Path, kind: str, version: int) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return manifest and members of a file, checked.

    Raises
    ------
    DataError
        If it is missing, damaged, cut off, of another kind, or of a newer format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            if manifest.get("format") != kind:
                raise DataError(f"'{path}' does not hold a fit of this kind")
            if manifest["format_version"] > version:
                raise DataError(
                    f"'{path}' has format {manifest['format_version']}; this is bayesmi {bayesmi.__version__}, which "
                    f"reads formats up to {version}: update bayesmi"
                )
            members = {name: archive.read(name) for name in manifest["sha256"]}
    except FileNotFoundError:
        raise DataError(f"'{path}' does not exist") from None
    except IsADirectoryError:
        raise DataError(f"'{path}' is a folder") from None
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error, json.JSONDecodeError, UnicodeDecodeError):
        raise DataError(f"'{path}' is damaged, cut off, or no file that bayesmi wrote") from None
    for name, digest in manifest["sha256"].items():
        if hashlib.sha256(members[name]).hexdigest() != digest:
            raise DataError(f"'{path}' is damaged: checksum of {name} does not match")
    return manifest, members
