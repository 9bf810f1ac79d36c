"""One point of a grid: the answer there, and what is needed to say how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.pool import Pooled
from bayesmi.pool.inference import infer, pool_moments

__all__ = ["Answer", "ImputedAnswer", "Point", "PosteriorAnswer", "weighted_quantile"]

Floats = NDArray[np.float64]
BLOCKS = 20  # of a posterior, for its Monte Carlo error


class Answer(Protocol):
    """Estimates with intervals, and the same of replicates that hold Monte Carlo error."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the estimands."""
        ...

    def table(self) -> pd.DataFrame:
        """Indexed by term: estimate, std.error, conf.low, conf.high, p.value, mcse."""
        ...

    def margin(self, term: str, target: float | None, alpha: float) -> float:
        """Return how far the answer is from turning: positive on one side, negative on the other."""
        ...

    def replicated_margins(self, term: str, target: float | None, alpha: float, seed: int) -> Floats:
        """Return the same for replicates, (B,), in the same order whatever the point."""
        ...

    def spread(self, margins: Floats) -> float:
        """Return the Monte Carlo standard error that a statistic's replicates say."""
        ...


@dataclass(frozen=True, eq=False)
class ImputedAnswer:
    """An analysis of m completed data sets, pooled by Rubin's rules; replicates are bootstrap samples of imputations."""

    pooled: Pooled

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the estimands."""
        return self.pooled.terms

    def table(self) -> pd.DataFrame:
        """See `Answer`."""
        table = self.pooled.table
        out = table[["estimate", "std.error", "conf.low", "conf.high", "p.value"]].copy()
        out["mcse"] = np.sqrt(table["b"] / self.pooled.m)
        return out

    def margin(self, term: str, target: float | None, alpha: float) -> float:
        """See `Answer`."""
        everyone = np.arange(self.pooled.m)[None, :]
        return float(self._margins(everyone, term, target, alpha)[0])

    def replicated_margins(self, term: str, target: float | None, alpha: float, seed: int) -> Floats:
        """See `Answer`."""
        chosen = np.random.default_rng(seed).integers(self.pooled.m, size=(400, self.pooled.m))
        return self._margins(chosen, term, target, alpha)

    def spread(self, margins: Floats) -> float:
        """See `Answer`."""
        return float(np.nanstd(margins, ddof=1))

    def _margins(self, chosen: NDArray[np.intp], term: str, target: float | None, alpha: float) -> Floats:
        at = self.pooled.terms.index(term)
        q = self.pooled.estimates.values[:, at][chosen]
        u = self.pooled.estimates.variances[:, at][chosen]
        if target is not None:
            return np.asarray(q.mean(axis=1) - target)
        b = q.var(axis=1, ddof=1)
        pooled = pool_moments(
            self.pooled.rule, self.pooled.m, q.mean(axis=1), u.mean(axis=1), b, self.pooled.dfcom[at]
        )
        from scipy.stats import t

        # |t| less the quantile at which p is alpha; p is not used, it would be flat far away
        return np.asarray(np.abs(infer(pooled).statistic) - t.ppf(1.0 - alpha / 2.0, pooled.df))


@dataclass(frozen=True, eq=False)
class PosteriorAnswer:
    """The one-step posterior, of draws with weights; replicates leave out one of 20 blocks of draws."""

    names: tuple[str, ...]
    values: Floats  # (S, terms), chain by chain
    weights: Floats  # (S,)

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the estimands."""
        return self.names

    def table(self) -> pd.DataFrame:
        """See `Answer`."""
        w = self.weights
        mean = w @ self.values
        sd = np.sqrt(w @ (self.values - mean) ** 2)
        below = w @ (self.values < 0) + 0.5 * (w @ (self.values == 0))
        means = np.stack([own @ self.values for own in self._replicates()])
        blocks = len(means)
        return pd.DataFrame(
            {
                "estimate": mean,
                "std.error": sd,
                "conf.low": [weighted_quantile(column, w, 0.025) for column in self.values.T],
                "conf.high": [weighted_quantile(column, w, 0.975) for column in self.values.T],
                "p.value": 2.0 * np.minimum(below, 1.0 - below),
                "mcse": np.sqrt((blocks - 1) / blocks * ((means - means.mean(axis=0)) ** 2).sum(axis=0)),
            },
            index=pd.Index(self.names, name="term"),
        )

    def margin(self, term: str, target: float | None, alpha: float) -> float:
        """See `Answer`."""
        return self._margin(self.weights, term, target, alpha)

    def replicated_margins(self, term: str, target: float | None, alpha: float, seed: int) -> Floats:
        """See `Answer`."""
        return np.array([self._margin(w, term, target, alpha) for w in self._replicates()])

    def spread(self, margins: Floats) -> float:
        """See `Answer`."""
        known = margins[np.isfinite(margins)]
        blocks = len(known)
        if blocks < 2:
            return float("nan")
        return float(np.sqrt((blocks - 1) / blocks * ((known - known.mean()) ** 2).sum()))

    def _replicates(self) -> list[Floats]:
        block = np.arange(len(self.weights)) * BLOCKS // len(self.weights)
        out = []
        for number in range(BLOCKS):
            own = np.where(block == number, 0.0, self.weights)
            out.append(own / own.sum())
        return out

    def _margin(self, weights: Floats, term: str, target: float | None, alpha: float) -> float:
        values = self.values[:, self.names.index(term)]
        mean = float(weights @ values)
        if target is not None:
            return mean - target
        sd = float(np.sqrt(weights @ (values - mean) ** 2))
        low, high = (
            weighted_quantile(values, weights, alpha / 2),
            weighted_quantile(values, weights, 1.0 - alpha / 2),
        )
        return max(low, -high) / sd


def weighted_quantile(values: Floats, weights: Floats, p: float) -> float:
    """Return a weighted quantile, linear between the midpoints of the draws' shares."""
    order = np.argsort(values)
    own = weights[order]
    middle = np.cumsum(own) - 0.5 * own
    return float(np.interp(p, middle, values[order]))


@dataclass(frozen=True, eq=False)
class Point:
    """What was found at one combination of a grid."""

    values: tuple[float, ...]
    answer: Answer
    realised: pd.DataFrame  # by variable and group
    how: str  # "imputations", "draws", "reweighted", "refitted"
    pareto_k: float = float("nan")
    log_likelihood: float = float("nan")  # change of the log marginal likelihood against zero
    across: pd.DataFrame = field(
        default_factory=pd.DataFrame
    )  # correlations of group effects across equations
