"""Observed against replicated data: whether the model makes tables that look like this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.build.tables import Tables
from bayesmi.data.wording import did_you_mean
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.errors import FitError
from bayesmi.model import Factor, Model
from bayesmi.model.limited import has_interval
from bayesmi.plan import Plan
from bayesmi.predictive.replicated import observed_units, replicate_observed, values_at

__all__ = ["Check", "check_fit"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Check:
    """Posterior predictive check of the observed values of each modelled variable.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a variable and statistic: the observed value, mean and 95 % range of the replicated ones, and the
        share of replications at or above the observed (Gelman & Hill: far from 0 and 1 is well).
    observed : mapping
        Variable -> (n,) observed values on the family's scale.
    replicated : mapping
        Variable -> (replications, n) values drawn for the same cells.
    left_out : tuple of str
        Censored and rounded variables, which the table leaves out: values that were seen because they lie inside of their limits
        are not like values drawn without these.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> check = fit.check(replications=50)
    >>> list(check.table.index.names), check.replicated["chl"].shape
    (['variable', 'statistic'], (50, 15))
    """

    table: pd.DataFrame
    observed: Mapping[str, Floats]
    replicated: Mapping[str, Floats]
    left_out: tuple[str, ...] = ()

    def plot(self, variable: str | None = None, *, ax: Any = None) -> Any:
        """Draw the distribution of the observed values over those of the replications; return the Axes.

        Parameters
        ----------
        variable : str, optional
            By default the first of `observed`.
        ax : Axes, optional
            Where to draw.

        Returns
        -------
        Axes

        Raises
        ------
        FitError
            If the model has no such variable.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> ax = fit.check(replications=50).plot("chl")
        >>> ax.get_xlabel()
        'chl'
        """
        from bayesmi.plots import replicated

        name = variable or next(iter(self.observed))
        if name not in self.observed:
            raise FitError(f"there is no check of {name!r}: {did_you_mean(name, list(self.observed))}")
        return replicated(self.observed[name], self.replicated[name], name=name, ax=ax)

    def __repr__(self) -> str:
        off = self.table[(self.table["p"] < 0.01) | (self.table["p"] > 0.99)]
        head = "observed against replicated data"
        verdict = (
            "no statistic stands out"
            if off.empty
            else f"stand out: {', '.join(f'{statistic} of {variable}' for variable, statistic in off.index)}"
        )
        out = (
            f"\nleft out, as seen values are chosen by their limits: {', '.join(self.left_out)}"
            if self.left_out
            else ""
        )
        return f"{head}: {verdict}\n{self.table.round(3).to_string()}{out}"

    def _repr_html_(self) -> str:
        return str(self.table.round(3).to_html())


def check_fit(
    model: Model, plan: Plan, tables: Tables, draws: PosteriorDraws, *, seed: int, replications: int
) -> Check:
    """Replicate the observed values of every modelled variable, given group effects and one completion of the rest."""
    chosen = np.linspace(0, draws.n - 1, min(replications, draws.n)).astype(np.intp)
    stacked = replicate_observed(model, plan, tables, draws, chosen, seed)
    units = {factor.variable: observed_units(model, factor) for factor in reversed(model.factors)}
    observed = {name: values_at(model, model.factor(name), own) for name, own in units.items() if own.size}
    records = []
    for factor in reversed(model.factors):
        name = factor.variable
        if name not in stacked or has_interval(name, model.table):
            continue
        for statistic, function in _statistics(factor, model, units[name]).items():
            value = float(function(observed[name]))
            others = np.array([float(function(row)) for row in stacked[name]])
            records.append(
                {
                    "variable": name,
                    "statistic": statistic,
                    "observed": value,
                    "replicated": others.mean(),
                    "2.5%": np.quantile(others, 0.025),
                    "97.5%": np.quantile(others, 0.975),
                    "p": float((others >= value).mean()),
                }
            )
    columns = ["variable", "statistic", "observed", "replicated", "2.5%", "97.5%", "p"]
    table = pd.DataFrame(records, columns=columns).set_index(["variable", "statistic"])
    left_out = tuple(name for name in stacked if has_interval(name, model.table))
    return Check(table, observed, stacked, left_out)


def _statistics(factor: Factor, model: Model, units: NDArray[np.intp]) -> dict[str, Any]:
    statistics: dict[str, Any]
    if factor.family.has_levels and len(factor.levels) == 2:
        statistics = {"share of 1": np.mean}
    elif factor.family.has_levels:
        labels = model.table.level_labels(factor.variable)
        statistics = {f"share of {label}": _share(code) for code, label in enumerate(labels)}
    elif factor.family.is_discrete:
        statistics = {
            "mean": np.mean,
            "sd": lambda y: np.std(y, ddof=1),
            "share of 0": _share(0),
            "max": np.max,
        }
    else:
        statistics = {
            "mean": np.mean,
            "sd": lambda y: np.std(y, ddof=1),
            "min": np.min,
            "max": np.max,
            "skewness": _skew,
        }
    for effect in factor.effects:
        codes = model.table.codes_at(effect.grouping, factor.level)[units]

        def spread(y: Floats, codes: NDArray[np.intp] = codes) -> float:
            count = np.bincount(codes)
            total = np.bincount(codes, weights=y)
            means = total[count > 0] / count[count > 0]
            return float(means.std(ddof=1)) if len(means) > 1 else 0.0

        statistics[f"sd of {effect.grouping} means"] = spread
    return statistics


def _share(code: int) -> Any:
    return lambda y: float(np.mean(y == code))


def _skew(y: Floats) -> float:
    centred = y - y.mean()
    sd = centred.std()
    return float((centred**3).mean() / sd**3) if sd > 0 else 0.0
