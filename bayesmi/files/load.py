"""`bayesmi.load`: one door for everything bayesmi wrote."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from bayesmi.data.path import as_path
from bayesmi.errors import DataError

__all__ = ["load"]


def load(path: str | Path) -> Any:
    """Read a file that `Fit.save`, `SeparateFits.save`, `TrialFit.save` or `Imputations.save` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Fit, SeparateFits, TrialFit or Imputations
        What was saved.

    Raises
    ------
    DataError
        If the file is missing, damaged, cut off, or of a newer format.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "fit.bmi"
    ...     fit.save(path)
    ...     again = bmi.load(path)
    >>> again.model.formula == fit.model.formula, again.seed
    (True, 1)
    """
    path = as_path(path)
    kind = None
    try:
        with zipfile.ZipFile(path) as archive:
            kind = json.loads(archive.read("manifest.json")).get("format")
    except FileNotFoundError:
        raise DataError(f"'{path}' does not exist") from None
    except OSError as problem:
        raise DataError(f"cannot read '{path}': {problem.strerror}") from None
    except Exception:
        raise DataError(f"'{path}' is damaged, cut off, or no file that bayesmi wrote") from None
    if kind == "bayesmi-fit":
        from bayesmi.files.fit_file import load_fit

        return load_fit(path)
    if kind == "bayesmi-separate-fits":
        from bayesmi.files.separate_file import load_separate

        return load_separate(path)
    if kind == "bayesmi-trial-fit":
        from bayesmi.files.trial_file import load_trial

        return load_trial(path)
    if kind == "bayesmi-imputations":
        from bayesmi.imputations import Imputations

        return Imputations.load(path)
    raise DataError(f"'{path}' holds {kind!r}, which this version does not know")
