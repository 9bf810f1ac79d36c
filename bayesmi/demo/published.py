"""What others have published on the popularity data, with where it stands."""

from __future__ import annotations

import pandas as pd

__all__ = ["PUBLISHED_SOURCE", "published"]

PUBLISHED_SOURCE = (
    "Oberman, Muñoz, de Jong, Vink & Debray, Imputation of Incomplete Multilevel Data with R, section 4.2: "
    "mice 2l.pmm, m = 5, lmer, mice's pool() and mitml's testEstimates()"
)

# printed there by pool(): estimate, total variance, degrees of freedom
_EFFECTS = {
    "Intercept": (3.59902513, 0.0326295651, 216.1756),
    "texp": (0.09225928, 0.0001413397, 100.6502),
    "sex": (0.85187018, 0.0015565060, 26.9008),
}
# printed there by testEstimates(extra.pars = TRUE), without standard errors
_COMPONENTS = {"Intercept~~Intercept|school": 0.470, "Residual~~Residual": 0.462, "ICC|school": 0.504}


def published() -> pd.DataFrame:
    """Return the tutorial's pooled answer: estimate, std.error and 95 % interval by term.

    Notes
    -----
    Its imputation model is not this one: predictive mean matching with a random slope of sex, five data sets.
    """
    from scipy.special import stdtrit

    rows = {}
    for term, (estimate, total, df) in _EFFECTS.items():
        error = total**0.5
        half = float(stdtrit(df, 0.975)) * error
        rows[term] = (estimate, error, estimate - half, estimate + half)
    nothing = float("nan")
    rows |= {term: (value, nothing, nothing, nothing) for term, value in _COMPONENTS.items()}
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["estimate", "std.error", "conf.low", "conf.high"]
    )
