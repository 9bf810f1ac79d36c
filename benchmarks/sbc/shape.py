"""A shape of model: how its data come about, and how a user would write it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bayesmi import Prior
from benchmarks.sbc.parameters import draw_correlation, draw_prior
from benchmarks.sbc.variables import PARAMETERS, draw_variable

Values = dict[str, np.ndarray]
Column = Callable[[Values], np.ndarray]
ONE = "1"
DEFAULTS: Mapping[str, Prior] = {
    "Intercept": Prior("Normal", 0.2, 0.5),
    "slope": Prior("Normal", 0.0, 0.6),
    "sigma": Prior("Gamma", 6.0, 7.0),
    "nu": Prior("Gamma", 8.0, 1.0),
    "alpha": Prior("Gamma", 8.0, 4.0),
    "kappa": Prior("Gamma", 8.0, 1.0),
    "threshold": Prior("Normal", 0.0, 1.2),
    "zi": Prior("Beta", 3.0, 5.0),
    "hu": Prior("Beta", 3.0, 5.0),
    "sd": Prior("HalfNormal", 0.8),
    "corr": Prior("LKJ", 2.0),
}


@dataclass(frozen=True)
class Effects:
    """Effects of a grouping in a variable's model: column by name, "1" for the intercept."""

    columns: Mapping[str, Column] = field(default_factory=lambda: {ONE: lambda v: np.ones(len(v["row"]))})


@dataclass(frozen=True)
class Variable:
    """One conditional of the joint model, in words that have nothing to do with the package's formulas.

    `terms`: coefficient -> its column, (n,), or (n, k) of a coefficient with k entries. `priors`: those that differ from
    `DEFAULTS`, by parameter or coefficient. `missing`: rows (of a variable of groups: groups) whose value is hidden.
    """

    name: str
    family: str
    terms: Mapping[str, Column] = field(default_factory=dict)
    missing: tuple[int, ...] = ()
    effects: Mapping[str, Effects] = field(default_factory=dict)
    priors: Mapping[str, Prior] = field(default_factory=dict)
    level: str = "row"
    levels: tuple[Any, ...] = ()
    trials: Column | None = None
    bounds: tuple[float, float] = (-np.inf, np.inf)
    is_response: bool = False

    @property
    def prefix(self) -> str:
        return "" if self.is_response else f"{self.name}__"

    @property
    def is_ordinal(self) -> bool:
        return self.family in ("ordinal", "ordinalprobit")

    def prior(self, name: str, kind: str) -> Prior:
        return self.priors.get(name, DEFAULTS[kind])

    def all_priors(self) -> dict[str, Prior]:
        """Priors of everything in this conditional by the names of the posterior."""
        out = {} if self.is_ordinal else {"Intercept": self.prior("Intercept", "Intercept")}
        out |= {name: self.prior(name, "slope") for name in self.terms}
        out |= {name: self.prior(name, name) for name in PARAMETERS[self.family]}
        for grouping, effects in self.effects.items():
            for name in effects.columns:
                out[f"{name}|{grouping}_sigma"] = self.prior(f"{name}|{grouping}_sigma", "sd")
            if len(effects.columns) > 1:
                out[f"{grouping}__corr"] = self.prior(f"{grouping}__corr", "corr")
        return {f"{self.prefix}{name}": prior for name, prior in out.items()}


@dataclass(frozen=True)
class Shape:
    """Variables in the order in which they come about, complete columns, and the model as a user writes it."""

    name: str
    words: str
    complete: Callable[[], Values]  # fixed in all replicates; "row" counts the rows
    variables: tuple[Variable, ...]
    formula: str
    options: Mapping[str, Any] = field(default_factory=dict)
    treatments: tuple[str, ...] = ()  # that its plan must show
    draws: int = 250
    tune: int = 300
    target_replicates: int = 300

    @property
    def design(self) -> str:
        """Short name of everything declared: results of another design are not continued."""
        text = repr(
            (self.formula, sorted(self.options.items(), key=str), self.priors(), self.draws, self.tune)
        )
        text += repr(
            [(v.name, v.family, v.missing, v.levels, v.bounds, list(v.terms)) for v in self.variables]
        )
        text += "".join(f"{name}{np.round(values, 12).tolist()}" for name, values in self.complete().items())
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def priors(self) -> dict[str, Prior]:
        out: dict[str, Prior] = {}
        for variable in self.variables:
            out |= variable.all_priors()
        return out

    @property
    def families(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(variable.family for variable in self.variables))

    def simulate(self, rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, np.ndarray], Values]:
        """Return the incomplete table, the true parameters by posterior name, and the complete values."""
        values = {name: np.array(column) for name, column in self.complete().items()}
        truth: dict[str, np.ndarray] = {}
        for variable in self.variables:
            _simulate_one(variable, values, truth, rng)
        data: dict[str, Any] = {}
        for name, column in values.items():
            if name == "row" or "|" in name:
                continue
            own = next((variable for variable in self.variables if variable.name == name), None)
            data[name] = column.copy()
            if own is None:
                continue
            hidden = np.isin(np.arange(len(column)), own.missing)
            if own.level != "row":
                hidden = np.isin(values[own.level], own.missing)
            if own.levels:
                codes = np.where(hidden, -1, column).astype(int)
                data[name] = pd.Categorical.from_codes(codes, list(own.levels), ordered=own.is_ordinal)
            else:
                data[name][hidden] = np.nan
        return pd.DataFrame(data), truth, values


def _simulate_one(
    variable: Variable, values: Values, truth: dict[str, np.ndarray], rng: np.random.Generator
) -> None:
    """Draw the parameters, the group effects and the values of one variable."""
    n = len(values["row"])
    equations = len(variable.levels) - 1 if variable.family == "nominal" else 1
    eta = np.zeros((n, equations))
    priors = variable.all_priors()
    prefix = variable.prefix

    def put(name: str, drawn: np.ndarray) -> None:
        truth[prefix + name] = drawn if variable.family == "nominal" else drawn[0]

    if not variable.is_ordinal:
        drawn = draw_prior(priors[f"{prefix}Intercept"], rng, equations)
        put("Intercept", drawn)
        eta += drawn
    for name, column in variable.terms.items():
        own = np.asarray(column(values), dtype=float)
        size = 1 if own.ndim == 1 else own.shape[1]
        drawn = draw_prior(priors[prefix + name], rng, equations * size).reshape(equations, size)
        put(name, drawn[:, 0] if own.ndim == 1 else drawn)
        eta += own.reshape(n, size) @ drawn.T
    for grouping, effects in variable.effects.items():
        names = list(effects.columns)
        sds = np.array([draw_prior(priors[f"{prefix}{name}|{grouping}_sigma"], rng) for name in names])
        for name, sd in zip(names, sds, strict=True):
            truth[f"{prefix}{name}|{grouping}_sigma"] = sd
        correlation = np.eye(len(names))
        if len(names) > 1:
            correlation = draw_correlation(
                priors[f"{prefix}{grouping}__corr"].parameters["eta"], len(names), rng
            )
            pairs = [(i, j) for i in range(len(names)) for j in range(i)]
            truth[f"{prefix}{grouping}__corr"] = np.array([correlation[i, j] for i, j in pairs])
        codes = values[grouping].astype(int)
        u = rng.normal(size=(codes.max() + 1, len(names))) @ np.linalg.cholesky(correlation).T * sds
        for j, (name, column) in enumerate(effects.columns.items()):
            truth[f"{prefix}{name}|{grouping}"] = u[:, j]
            values[f"{prefix}{name}|{grouping}"] = u[codes, j]
            eta[:, 0] += u[codes, j] * column(values)
    parameters: dict[str, Any] = {}
    for name in PARAMETERS[variable.family]:
        prior = priors[prefix + name]
        if name == "threshold":
            parameters[name] = np.sort(draw_prior(prior, rng, len(variable.levels) - 1))
        else:
            parameters[name] = draw_prior(prior, rng)
        truth[prefix + name] = parameters[name]
    if variable.level == "row":
        chosen, back = np.arange(n), np.arange(n)
    else:
        _, chosen, back = np.unique(values[variable.level], return_index=True, return_inverse=True)
    own_eta = eta[chosen] if variable.family == "nominal" else eta[chosen, 0]
    trials = None if variable.trials is None else variable.trials(values)[chosen]
    drawn = draw_variable(variable.family, rng, own_eta, parameters, trials=trials, bounds=variable.bounds)
    values[variable.name] = drawn[back]
