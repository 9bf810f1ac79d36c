"""The four figures of the case study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.demo.popularity import COMPONENTS, LABELS, TERMS
from bayesmi.imputations.atomic import atomic_path

if TYPE_CHECKING:
    import pandas as pd

    from bayesmi.fit import Fit
    from bayesmi.imputations import Imputations

__all__ = ["FIGURES", "save_figures"]

FIGURES = {
    "pattern.png": "which cells are missing",
    "observed_imputed.png": "observed against imputed scores",
    "trace.png": "the chains",
    "coefficients.png": "the answer from four sources",
}


def save_figures(
    folder: Path, data: pd.DataFrame, fit: Fit, imputed: Imputations, answers: Mapping[str, pd.DataFrame]
) -> None:
    """Draw and save all figures, over those of an earlier run."""
    from bayesmi import plots

    named = {label: table.rename(index=LABELS) for label, table in answers.items()}
    terms = [*TERMS, *(LABELS[term] for term in COMPONENTS)]
    axes: dict[str, Any] = {
        "pattern.png": plots.pattern(data, columns=["school", "sex", "texp", "popular"]),
        "observed_imputed.png": plots.density(imputed, "popular"),
        "trace.png": plots.trace(fit, ["Intercept", "texp", "sex", "1|school_sigma", "sigma", "1|school"]),
        "coefficients.png": plots.coefficients(named, terms),
    }
    for name, drawn in axes.items():
        figure = np.ravel(np.asarray(drawn, dtype=object))[0].figure
        with atomic_path(folder / name, force=True) as temporary:
            figure.savefig(temporary, format="png", dpi=130)
