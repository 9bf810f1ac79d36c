"""Separate fits in one file: the fits of the groups, which rows are whose, and the whole table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bayesmi.files.several import read_several, write_several

if TYPE_CHECKING:
    from bayesmi.separate import SeparateFits

__all__ = ["FORMAT", "FORMAT_VERSION", "load_separate", "save_separate"]

FORMAT = "bayesmi-separate-fits"
FORMAT_VERSION = 1


def save_separate(fits: SeparateFits, path: str | Path, *, force: bool = False) -> None:
    """Write separate fits; see `SeparateFits.save`."""
    strata = fits.models.strata
    facts = {
        "by": fits.by,
        "seed": fits.seed,
        "rows": [stratum.rows.tolist() for stratum in strata],
        "labels": [stratum.label for stratum in strata],
    }
    write_several(path, FORMAT, FORMAT_VERSION, fits.models.frame, fits.values(), facts, force=force)


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

    manifest, fits, frame = read_several(path, FORMAT, FORMAT_VERSION)
    strata = tuple(
        Stratum(label, np.array(rows, dtype=np.intp), fit.model.frame)
        for label, rows, fit in zip(manifest["labels"], manifest["rows"], fits, strict=True)
    )
    by_label = {stratum.label: fit for stratum, fit in zip(strata, fits, strict=True)}
    models = SeparateModels.restored(
        manifest["by"], frame, strata, {label: fit.model for label, fit in by_label.items()}
    )
    return SeparateFits(models, by_label, manifest["seed"])
