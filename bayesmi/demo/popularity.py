"""The analyses of the case study: one-step posterior, pooled data sets, complete cases, published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesmi.demo.published import published

if TYPE_CHECKING:
    from bayesmi.fit import Fit
    from bayesmi.imputations import Imputations
    from bayesmi.pool import Pooled

__all__ = [
    "COMPONENTS",
    "FORMULA",
    "LABELS",
    "TERMS",
    "analyze",
    "compare",
    "complete_cases",
    "one_step",
    "pooled_table",
]

FORMULA = "popular ~ texp + sex + (1 | school)"
TERMS = ("Intercept", "texp", "sex")
COMPONENTS = ("Intercept~~Intercept|school", "Residual~~Residual", "ICC|school")
LABELS = {
    "Intercept~~Intercept|school": "school variance",
    "Residual~~Residual": "residual variance",
    "ICC|school": "ICC",
}
_COLUMNS = ["estimate", "std.error", "conf.low", "conf.high"]


def mixed_model(data: pd.DataFrame) -> Any:
    """Fit the analysis model by REML, as lme4's lmer does."""
    import statsmodels.formula.api as smf

    return smf.mixedlm("popular ~ texp + sex", data, groups="school").fit(reml=True)


def analyze(imputed: Imputations) -> Pooled:
    """Pool the analyses of the completed data sets."""
    return imputed.analyze(mixed_model).pool()


def pooled_table(pooled: Pooled) -> pd.DataFrame:
    """Estimates, standard errors and intervals, variance components last."""
    components = pooled.variance_components.reindex(columns=_COLUMNS)
    return pd.concat([pooled.table[_COLUMNS], components.loc[list(COMPONENTS)]])


def complete_cases(data: pd.DataFrame) -> pd.DataFrame:
    """Analyse the rows without a missing cell."""
    fit = mixed_model(data.dropna().reset_index(drop=True))
    interval = fit.conf_int()
    table = pd.DataFrame(
        {
            "estimate": fit.fe_params,
            "std.error": fit.bse_fe,
            "conf.low": interval.iloc[: len(TERMS), 0],
            "conf.high": interval.iloc[: len(TERMS), 1],
        }
    )
    between, within = float(fit.cov_re.iloc[0, 0]), float(fit.scale)
    values = (between, within, between / (between + within))
    components = pd.DataFrame({"estimate": values}, index=pd.Index(COMPONENTS)).reindex(columns=_COLUMNS)
    return pd.concat([table, components])


def one_step(fit: Fit) -> pd.DataFrame:
    """Posterior mean, standard deviation and 95 % interval of the same quantities."""
    posterior = fit.posterior.to_dataset()
    between, within = posterior["1|school_sigma"] ** 2, posterior["sigma"] ** 2
    draws = {term: posterior[term] for term in TERMS}
    draws |= dict(zip(COMPONENTS, (between, within, between / (between + within)), strict=True))
    rows = {}
    for term, values in draws.items():
        flat = values.to_numpy().ravel()
        rows[term] = (flat.mean(), flat.std(ddof=1), *np.quantile(flat, (0.025, 0.975)))
    return pd.DataFrame.from_dict(rows, orient="index", columns=_COLUMNS)


def compare(fit: Fit, pooled: Pooled, data: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """Return the same quantities from four sources, by label."""
    return {
        "posterior": one_step(fit),
        f"pooled, m = {pooled.m}": pooled_table(pooled),
        "complete cases": complete_cases(data),
        "published, mice": published(),
    }
