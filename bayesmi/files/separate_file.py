"""Separate fits in one zip: the whole table, and in a folder for each group what `Fit.save` writes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import bayesmi
from bayesmi.data.path import as_path
from bayesmi.files.fit_file import fit_of, members_of, read_members, write_members
from bayesmi.imputations.tablefile import read_frame, write_frame

if TYPE_CHECKING:
    from bayesmi.separate import SeparateFits

__all__ = ["FORMAT", "FORMAT_VERSION", "load_separate", "save_separate"]

FORMAT = "bayesmi-separate-fits"
FORMAT_VERSION = 1


def save_separate(fits: SeparateFits, path: str | Path, *, force: bool = False) -> None:
    """Write separate fits; see `SeparateFits.save`."""
    table, facts = write_frame(fits.models.frame)
    members = {"data.parquet": table}
    for i, fit in enumerate(fits.values()):  # no zip inside the zip: cut off, it would open as the inner one
        members |= {f"{i}/{name}": content for name, content in members_of(fit).items()}
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "versions": {"bayesmi": bayesmi.__version__},
        "by": fits.by,
        "seed": fits.seed,
        "rows": [stratum.rows.tolist() for stratum in fits.models.strata],
        "labels": [stratum.label for stratum in fits.models.strata],
        "table": facts,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in members.items()},
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
    write_members({"manifest.json": text, **members}, path, force=force)


def load_separate(path: str | Path) -> SeparateFits:
    """Read what `SeparateFits.save` wrote.

    Raises
    ------
    DataError
        If the file is damaged, cut off, or of a newer format.
    """
    import numpy as np

    from bayesmi.separate.fits import SeparateFits
    from bayesmi.separate.models import SeparateModels
    from bayesmi.separate.split import Stratum

    manifest, members = read_members(as_path(path), FORMAT, FORMAT_VERSION)
    fits = []
    for i in range(len(manifest["labels"])):
        own = {name.split("/", 1)[1]: c for name, c in members.items() if name.startswith(f"{i}/")}
        fits.append(fit_of(json.loads(own.pop("manifest.json")), own))
    strata = tuple(
        Stratum(label, np.array(rows, dtype=np.intp), fit.model.frame)
        for label, rows, fit in zip(manifest["labels"], manifest["rows"], fits, strict=True)
    )
    by_label = {stratum.label: fit for stratum, fit in zip(strata, fits, strict=True)}
    frame = read_frame(members["data.parquet"], manifest["table"])
    models = SeparateModels.restored(
        manifest["by"], frame, strata, {label: fit.model for label, fit in by_label.items()}
    )
    return SeparateFits(models, by_label, manifest["seed"])
