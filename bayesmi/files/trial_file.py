"""A TrialFit in one file: the fits of its arms, the trial's specification and its long table."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from bayesmi.errors import BayesmiNotice
from bayesmi.files.several import read_several, write_several

if TYPE_CHECKING:
    from bayesmi.trial import TrialFit

__all__ = ["FORMAT", "FORMAT_VERSION", "load_trial", "save_trial"]

FORMAT = "bayesmi-trial-fit"
FORMAT_VERSION = 1


def save_trial(fit: TrialFit, path: str | Path, *, force: bool = False) -> None:
    """Write the fit of a trial; see `TrialFit.save`."""
    facts = {"seed": fit.seed, "fits": len(fit.fits), "trial": fit.model.to_dict()}
    write_several(path, FORMAT, FORMAT_VERSION, fit.model.data.frame, fit.fits, facts, force=force)


def load_trial(path: str | Path) -> TrialFit:
    """Read what `TrialFit.save` wrote.

    Raises
    ------
    DataError
        If the file is damaged, cut off, or of a newer format.
    """
    from bayesmi.trial.fit import TrialFit
    from bayesmi.trial.model import TrialModel

    manifest, fits, frame = read_several(path, FORMAT, FORMAT_VERSION)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = TrialModel.from_dict(manifest["trial"], frame.original())
    return TrialFit(model, fits, manifest["seed"])
