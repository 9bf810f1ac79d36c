"""A TrialFit in one zip: the trial's specification and long table, and in a folder for each fit what `Fit.save` writes."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import bayesmi
from bayesmi.data.path import as_path
from bayesmi.errors import BayesmiNotice, DataError
from bayesmi.files.fit_file import fit_of, members_of, read_members, write_members
from bayesmi.imputations.tablefile import read_frame, write_frame

if TYPE_CHECKING:
    from bayesmi.trial import TrialFit

__all__ = ["FORMAT", "FORMAT_VERSION", "load_trial", "save_trial"]

FORMAT = "bayesmi-trial-fit"
FORMAT_VERSION = 1


def save_trial(fit: TrialFit, path: str | Path, *, force: bool = False) -> None:
    """Write the fit of a trial; see `TrialFit.save`."""
    table, facts = write_frame(fit.model.data.frame)
    members = {"data.parquet": table}
    for i, one in enumerate(fit.fits):
        members |= {f"{i}/{name}": content for name, content in members_of(one).items()}
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "versions": {"bayesmi": bayesmi.__version__},
        "seed": fit.seed,
        "fits": len(fit.fits),
        "trial": fit.model.to_dict(),
        "table": facts,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in members.items()},
    }
    try:
        text = json.dumps(manifest, indent=1, ensure_ascii=False, default=_number).encode()
    except TypeError as problem:
        raise DataError(
            f"the labels of the trial cannot be written ({problem}): make them text or numbers"
        ) from None
    write_members({"manifest.json": text, **members}, path, force=force)


def load_trial(path: str | Path) -> TrialFit:
    """Read what `TrialFit.save` wrote.

    Raises
    ------
    DataError
        If the file is damaged, cut off, or of a newer format.
    """
    from bayesmi.trial.fit import TrialFit
    from bayesmi.trial.model import TrialModel

    manifest, members = read_members(as_path(path), FORMAT, FORMAT_VERSION)
    fits = []
    for i in range(manifest["fits"]):
        own = {name.split("/", 1)[1]: c for name, c in members.items() if name.startswith(f"{i}/")}
        fits.append(fit_of(json.loads(own.pop("manifest.json")), own))
    frame = read_frame(members["data.parquet"], manifest["table"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = TrialModel.from_dict(manifest["trial"], frame.original())
    return TrialFit(model, tuple(fits), manifest["seed"])


def _number(value: Any) -> Any:
    """Numpy's numbers as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is {type(value).__name__}")
