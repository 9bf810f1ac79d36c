"""One small data set and its model for each reference model, with compiled densities."""

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

SEED = 26  # every kind of censored row occurs
FAST = "FAST_COMPILE"
# module -> size of a small data set
SIZES: dict[str, dict[str, int]] = {
    "linear": {"n": 30},
    "random_intercept": {"schools": 6, "pupils": 6},
    "random_slope": {"schools": 6, "pupils": 6},
    "logistic_binary": {"n": 18},
    "random_intercept_covariate": {"schools": 5, "pupils": 6},
    "quadratic": {"n": 18},
    "censored": {"n": 18},
    "heckman": {"n": 18},
}


@dataclass(frozen=True)
class Case:
    """A reference model built on a small data set."""

    name: str
    module: Any
    data: pd.DataFrame
    truth: dict[str, Any]
    model: Any

    @property
    def latents(self) -> list[Any]:
        """Missing cells and group effects."""
        return [v for v in self.model.free_RVs if v.name.startswith("cell__") or self.is_group_effect(v.name)]

    @property
    def parameters(self) -> list[Any]:
        """All other free variables."""
        latent = {v.name for v in self.latents}
        return [v for v in self.model.free_RVs if v.name not in latent]

    @property
    def continuous(self) -> list[Any]:
        """Free variables that have a gradient."""
        return [v for v in self.model.free_RVs if np.issubdtype(v.dtype, np.floating)]

    @staticmethod
    def is_group_effect(name: str) -> bool:
        return name.endswith("|school")

    def point(self, seed: int) -> dict[str, np.ndarray]:
        """A random point in the values of the sampler (transformed)."""
        rng = np.random.default_rng(seed)
        point = {}
        for name, value in self.model.initial_point().items():
            discrete = np.issubdtype(value.dtype, np.integer)
            size = value.shape
            draw = rng.integers(0, 2, size=size) if discrete else value + rng.normal(0, 0.4, size=size)
            point[name] = np.asarray(draw, dtype=value.dtype)
        return point

    @functools.cached_property
    def value_names(self) -> dict[str, str]:
        """Name of the sampler's value by name of the variable."""
        return {v.name: self.model.rvs_to_values[v].name for v in self.model.free_RVs}

    @functools.cached_property
    def logp(self) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
        return self.model.compile_logp(mode=FAST)

    @functools.cached_property
    def dlogp(self) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
        """Gradient in the continuous values."""
        return self.model.compile_dlogp(vars=self.continuous, mode=FAST)

    def compile_prior_logp(self, model: Any) -> Callable[[dict[str, np.ndarray]], list[np.ndarray]]:
        """Log prior of each parameter, on its own scale, in this or another model of the same form."""
        parameters = [model[v.name] for v in self.parameters]
        return model.compile_logp(parameters, jacobian=False, sum=False, mode=FAST)

    @functools.cached_property
    def prior_logp(self) -> Callable[[dict[str, np.ndarray]], list[np.ndarray]]:
        return self.compile_prior_logp(self.model)

    @functools.cached_property
    def latent_dlogp(self) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
        return self.model.compile_dlogp(vars=self.latents, mode=FAST)

    @functools.cached_property
    def conditional_logp(self) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
        """Log f(data, latents | parameters), of the latents as the sampler holds them."""
        return self.model.compile_logp(vars=[*self.latents, *self.model.observed_RVs], mode=FAST)

    @functools.cached_property
    def _rowwise_logp(self) -> Callable[[dict[str, np.ndarray]], list[np.ndarray]]:
        variables = [*self.latents, *self.model.observed_RVs]
        return self.model.compile_logp(vars=variables, sum=False, mode=FAST)

    def rowwise_logp(self, point: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The terms of `conditional_logp`, by variable and row."""
        names = [v.name for v in (*self.latents, *self.model.observed_RVs)]
        return dict(zip(names, self._rowwise_logp(point), strict=True))

    @functools.cached_property
    def _posterior_values(self) -> Callable[[dict[str, np.ndarray]], list[np.ndarray]]:
        return self.model.compile_fn(
            self.model.unobserved_value_vars, inputs=self.model.value_vars, point_fn=True, mode=FAST
        )

    def posterior(self, point: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Everything that the posterior would hold at this point, by name."""
        names = [v.name for v in self.model.unobserved_value_vars]
        return dict(zip(names, self._posterior_values(point), strict=True))


@functools.cache
def make_case(name: str) -> Case:
    module = importlib.import_module(f"models.{name}")
    data, truth = module.simulate(np.random.default_rng(SEED), **SIZES[name])
    data.index = data.index + 100  # rows have labels, not positions
    return Case(name, module, data, truth, module.build(data))


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in SIZES])
def case(request: pytest.FixtureRequest) -> Case:
    """Every reference model; a test narrows them with ``parametrize("case", [...], indirect=True)``."""
    return make_case(request.param)
