"""One conditional of the joint model: a variable, its family, its predictors, its group effects, its priors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bayesmi.families import Family, FamilyParameter
from bayesmi.formula import Design, Formula
from bayesmi.model.manifest import Manifest
from bayesmi.priors import Prior

__all__ = ["Contextual", "EffectLink", "Factor", "FactorPriors", "GroupEffect", "SharedEffect", "level_codes"]


def level_codes(values: NDArray[np.float64], levels: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the position of each value among the levels, NaN where unknown."""
    known = np.isfinite(values)
    out = np.full(np.shape(values), np.nan)
    out[known] = np.searchsorted(np.asarray(levels), values[known])
    return out


@dataclass(frozen=True)
class GroupEffect:
    """The group effects of one grouping in one factor: (1 + x | school) or several independent terms of it.

    `blocks` cuts the effects into sets that are correlated inside and independent of each other.
    """

    grouping: str
    names: tuple[str, ...]  # "1", "sex", "ses[high]": q of them
    designs: tuple[Design, ...]  # one a group term; its columns in order give `names`
    blocks: tuple[tuple[int, int], ...]  # (start, stop) in names, of correlated sets
    elsewhere: int = 0  # the last of them, whose columns of Z are in the selection equation
    known_correlation: float | None = None  # of two effects, where it is not estimated

    @property
    def n_effects(self) -> int:
        """Number of effects per group, q."""
        return len(self.names)

    @property
    def is_correlated(self) -> bool:
        """Whether any block has a correlation."""
        return any(stop - start > 1 for start, stop in self.blocks)

    @property
    def correlated_pairs(self) -> tuple[tuple[int, int], ...]:
        """Positions (i, j), i > j, of effects that are correlated."""
        return tuple(
            (i, j) for start, stop in self.blocks for i in range(start, stop) for j in range(start, i)
        )

    @property
    def pair_labels(self) -> tuple[str, ...]:
        """Labels of their correlations, in the order of `correlated_pairs`: "Intercept~~sex"."""
        names = ["Intercept" if name == "1" else name for name in self.names]
        return tuple(f"{names[j]}~~{names[i]}" for i, j in self.correlated_pairs)

    @property
    def variables(self) -> frozenset[str]:
        """Columns that the slopes are on."""
        return frozenset().union(*(design.variables for design in self.designs))

    def matrix(self, values: Mapping[str, NDArray[np.float64]], n_rows: int) -> NDArray[np.float64]:
        """Return Z, (n_rows, q)."""
        parts: list[NDArray[np.float64]] = []
        for design in self.designs:
            if design.intercept:
                parts.append(np.ones((n_rows, 1)))
            if design.n_columns:
                parts.append(np.asarray(design.matrix(values), dtype=float).reshape(n_rows, design.n_columns))
        if self.elsewhere:
            parts.append(np.zeros((n_rows, self.elsewhere)))
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class SharedEffect:
    """Group effects that belong to the outcome's equation, with the selection equation's own columns of Z."""

    grouping: str
    designs: tuple[Design, ...]
    first: int  # its first effect among the outcome's

    @property
    def variables(self) -> frozenset[str]:
        """Columns that the slopes are on."""
        return frozenset().union(*(design.variables for design in self.designs))

    def matrix(self, values: Mapping[str, NDArray[np.float64]], n_rows: int) -> NDArray[np.float64]:
        """Return Z, (n_rows, q), zero for the outcome's effects."""
        own = GroupEffect(self.grouping, (), self.designs, ())
        return np.concatenate([np.zeros((n_rows, self.first)), own.matrix(values, n_rows)], axis=1)


@dataclass(frozen=True)
class EffectLink:
    """The group effect of an earlier variable as a predictor: its between-group part, so that levels stay apart."""

    variable: str
    grouping: str
    position: int = 0  # of the intercept among the effects of that variable's own model
    label: str = ""  # of the level, for a variable with an equation for each level but the first
    slope: str = ""  # column of a varying slope, where it is not the intercept
    called: str = ""  # in a formula of the user: between(x)

    @property
    def key(self) -> str:
        """The equation whose effects they are."""
        return f"{self.variable}[{self.label}]" if self.label else self.variable

    @property
    def name(self) -> str:
        """Name of the coefficient."""
        return (
            self.called or f"between({self.slope + ' of ' if self.slope else ''}{self.key}|{self.grouping})"
        )


@dataclass(frozen=True)
class Contextual:
    """A latent group mean in the analysis model: what it is called there, and where its deviation stands."""

    variable: str
    grouping: str
    between: str  # as written: "between(x)"
    within: str = ""  # as written, where x itself stands in the formula: none
    balanced: tuple[str, ...] = ()  # columns of the variable's own model with the same mean in every group

    @property
    def link(self) -> str:
        """Name of the coefficient that is sampled: of the group effects of x, beside x or its group-level predictors."""
        return EffectLink(self.variable, self.grouping).name


@dataclass(frozen=True)
class FactorPriors:
    """Priors of one factor; `intercept_at_means` says where the intercept's prior sits."""

    intercept: Prior | None
    intercept_at_means: bool
    coefficients: tuple[Prior, ...]  # one a design column, then one a link
    scales: Mapping[str, Prior]  # of the family's parameters, by name
    scales_at_means: bool  # thresholds: whether their prior sits at the predictors' observed means
    group_sds: Mapping[str, tuple[Prior, ...]]  # by grouping, one an effect
    correlations: Mapping[str, float]  # LKJ eta by grouping


@dataclass(frozen=True)
class Factor:
    """f(variable | predictors, group effects)."""

    variable: str
    role: str  # "analysis", "covariate", "auxiliary" or "observation" (what was recorded of another variable)
    family: Family
    level: str  # "row" or the grouping at which there is one value per group
    formula: Formula
    design: Design
    offsets: Design  # columns to add up, without coefficients
    effects: tuple[GroupEffect, ...]
    links: tuple[EffectLink, ...]
    column_names: tuple[str, ...]  # one a design column, then one a link
    centers: NDArray[np.float64]  # observed means of the design columns (0 for links)
    whitening: NDArray[np.float64]  # (p, p): coefficients = whitening @ raw, for the sampler's geometry only
    location: float  # observed mean and sd of the response (0 and 1 when it is discrete)
    spread: float
    priors: FactorPriors
    levels: tuple[float, ...] = ()  # values that a cell can be summed over, as predictors see them
    labels: tuple[str, ...] = ()  # levels that have a linear predictor of their own
    starts: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)  # of the family's parameters
    reasons: tuple[str, ...] = field(default=())
    parameter: str = ""  # of the family, when this is the model of its logarithm
    scale: Factor | None = None  # model of the logarithm of the family's scale parameter, on the same units
    shifts: Mapping[str, str] = field(default_factory=dict)  # linear predictor -> made column that adds to it
    selection: Factor | None = None  # model of whether a value is seen, on the same units
    matching: bool = False  # values that were not selected are imputed by predictive mean matching
    limits: tuple[
        tuple[str, str], ...
    ] = ()  # of which limits its rows know: of unknown values, of rows that arrive (model/limited.py)
    shared: tuple[
        SharedEffect, ...
    ] = ()  # of a selection equation: effects that the outcome's equation holds
    contextual: tuple[Contextual, ...] = ()  # latent group means of the analysis model
    means: Mapping[str, Manifest] = field(
        default_factory=dict
    )  # columns that are group means of completed variables

    @property
    def prefix(self) -> str:
        """Prefix of posterior names: none for the analysis model; "sigma_" of the model of a scale."""
        own = "" if self.role == "analysis" else f"{self.variable}__"
        return f"{own}{self.parameter}_" if self.parameter else own

    @property
    def name(self) -> str:
        """The variable; of the model of its scale "y[sigma]"."""
        return f"{self.variable}[{self.parameter}]" if self.parameter else self.variable

    @property
    def parts(self) -> tuple[Factor, ...]:
        """The factor, and the models of its scale and of its selection where it has them."""
        return (self, *(part for part in (self.scale, self.selection) if part is not None))

    @property
    def parameters(self) -> tuple[FamilyParameter, ...]:
        """The family's parameters that are one number for all units."""
        modelled = self.scale.parameter if self.scale is not None else ""
        return tuple(p for p in self.family.parameters if p.name != modelled)

    @property
    def is_observation(self) -> bool:
        """Whether it says how a value was recorded: its one coefficient is known to be one, nothing is estimated."""
        return self.role == "observation"

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of its linear predictors: the variable, or one for each level but the first."""
        return tuple(f"{self.variable}[{label}]" for label in self.labels) or (self.name,)

    def codes(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values of the variable on the family's scale: codes 0 … K-1 of levels, numbers as they are."""
        if not self.family.has_levels:
            return values
        return level_codes(values, self.levels)

    def values(self, codes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what `codes` came from."""
        if not self.family.has_levels:
            return codes
        return np.asarray(self.levels)[np.asarray(codes, dtype=np.intp)]

    @property
    def support(self) -> tuple[float, ...]:
        """Where a continuous variable lives; of one with heavy tails with its centre and scale."""
        own = self.family.support
        return (*own, self.location, self.spread) if self.family.has_heavy_tails else own

    @property
    def trials(self) -> str | int | None:
        """Column or number of trials of a binomial variable."""
        response = self.formula.response
        return response.trials if self.family.needs_trials and response is not None else None

    def known(self, at: Callable[[str], NDArray[np.float64]], n_rows: int) -> dict[str, NDArray[np.float64]]:
        """Return what the family needs to know of each row beside its parameters: trials, kind of selection, limits."""
        if self.selection is not None:
            return {"selected": at(f"selected({self.variable})")}
        out = {key: at(f"{key}({self.variable})") for pair in self.limits for key in pair}
        if self.trials is None:
            return out
        trials = at(self.trials) if isinstance(self.trials, str) else np.full(n_rows, float(self.trials))
        return out | {"trials": trials}

    @property
    def designs(self) -> tuple[Design, ...]:
        """Every design in which a latent predictor has to be linear: terms, offsets, varying slopes, of the selection too."""
        effects: tuple[GroupEffect | SharedEffect, ...] = (*self.effects, *self.shared)
        own = (self.design, self.offsets, *(design for effect in effects for design in effect.designs))
        return own if self.selection is None else (*own, *self.selection.designs)

    @property
    def parents(self) -> frozenset[str]:
        """Variables whose values this factor needs."""
        effects: tuple[GroupEffect | SharedEffect, ...] = (*self.effects, *self.shared)
        slopes = frozenset().union(*(effect.variables for effect in effects))
        own = self.design.variables | self.offsets.variables | slopes | self.scale_parents
        own |= {one.variable for one in self.means.values()}
        return own if self.selection is None else own | self.selection.parents

    @property
    def scale_parents(self) -> frozenset[str]:
        """Those that the model of its scale needs."""
        return self.scale.parents if self.scale is not None else frozenset()

    def matrix(self, values: Mapping[str, NDArray[np.float64]], n_rows: int) -> NDArray[np.float64]:
        """Return the design matrix without intercept and links, (n_rows, design columns)."""
        if not self.design.n_columns:
            return np.zeros((n_rows, 0))
        return np.asarray(self.design.matrix(values), dtype=float).reshape(n_rows, self.design.n_columns)

    def offset(self, values: Mapping[str, NDArray[np.float64]], n_rows: int) -> NDArray[np.float64]:
        """Return what the terms without coefficients add to the linear predictor, (n_rows,)."""
        if not self.offsets.n_columns:
            return np.zeros(n_rows)
        return np.asarray(self.offsets.matrix(values).sum(axis=1))

    @property
    def n_coefficients(self) -> int:
        """Number of slopes, links included."""
        return len(self.column_names)

    def effect(self, grouping: str) -> GroupEffect:
        """Return the effects of one grouping."""
        return next(effect for effect in self.effects if effect.grouping == grouping)
