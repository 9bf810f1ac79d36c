"""Data of the multilevel study: truths are fixed, a seed a replicate, holes depend on what is complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["DESIGNS", "Design"]

SEED = 2026
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """One simulation: what is analysed, the truth under bayesmi's names, and who else answers."""

    name: str
    words: str
    formula: str
    truth: dict[str, float]
    simulate: Callable[[np.random.Generator], tuple[pd.DataFrame, pd.DataFrame]]  # complete, with holes
    methods: tuple[str, ...]  # of R, beside bayesmi with and without holes
    version: int = 1
    single_level: bool = (
        False  # also impute as if there were no clusters, and analyse what comes out with the same model
    )

    @property
    def design(self) -> str:
        """What tells results of another design apart."""
        return f"{self.name},{self.version}"

    def data(self, replicate: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the complete table and the one with holes."""
        own = [ord(letter) for letter in self.name]
        return self.simulate(np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(replicate, *own))))


def _holes(rng: np.random.Generator, z: Floats, share: float = 0.25) -> NDArray[np.bool_]:
    """Missing at random given z: a quarter, more where z is high."""
    start = np.log(share / (1.0 - share)) - 0.1
    return np.asarray(rng.random(len(z)) < 1.0 / (1.0 + np.exp(-(start + 0.7 * z))))


def _blank(table: pd.DataFrame, holes: dict[str, NDArray[np.bool_]]) -> pd.DataFrame:
    return table.assign(**{name: table[name].mask(mask) for name, mask in holes.items()})


SLOPE = {"Intercept": 1.0, "x": 0.5, "z": 0.3, "1|g_sigma": 0.5, "x|g_sigma": 0.35, "sigma": 1.0}
SLOPE_CORR = 0.4


def _slope(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """100 clusters of 20, intraclass correlation .2, correlated slopes of x; x and y missing in a quarter."""
    g = np.repeat(np.arange(100), 20)
    z = rng.normal(size=2000)
    x = 0.4 * z + rng.normal(0, 0.5, 100)[g] + rng.normal(0, 0.85, 2000)
    sds = np.array([SLOPE["1|g_sigma"], SLOPE["x|g_sigma"]])
    corr = np.array([[1.0, SLOPE_CORR], [SLOPE_CORR, 1.0]])
    u, s = rng.multivariate_normal([0, 0], sds[:, None] * corr * sds, size=100).T
    y = 1.0 + (0.5 + s[g]) * x + 0.3 * z + u[g] + rng.normal(size=2000)
    complete = pd.DataFrame({"g": g + 1, "y": y, "x": x, "z": z})
    return complete, _blank(complete, {"x": _holes(rng, z), "y": _holes(rng, z)})


SYSTEMATIC = {"Intercept": 1.0, "x": 0.5, "z": 0.3, "1|study_sigma": 0.5, "x|study_sigma": 0.25, "sigma": 1.0}


def _systematic(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """20 studies of 50 to 150, x never measured in 4 of them and missing in a tenth of the rows of the others."""
    study = np.repeat(np.arange(20), rng.integers(50, 151, 20))
    n = len(study)
    z = rng.normal(size=n)
    x = 0.4 * z + rng.normal(0, 0.5, 20)[study] + rng.normal(0, 0.85, n)
    u, s = rng.normal(0, 0.5, 20), rng.normal(0, 0.25, 20)
    y = 1.0 + (0.5 + s[study]) * x + 0.3 * z + u[study] + rng.normal(size=n)
    complete = pd.DataFrame({"study": study + 1, "y": y, "x": x, "z": z})
    return complete, _blank(complete, {"x": (study >= 16) | _holes(rng, z, 0.1)})


CONTEXTUAL = {"Intercept": 1.0, "between(x)": 0.8, "within(x)": 0.3, "1|g_sigma": 0.4, "sigma": 1.0}


def _contextual(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """100 clusters of 8: the mean of x matters more than the deviation from it; x missing in 30 %, more where y is high."""
    g = np.repeat(np.arange(100), 8)
    mean, within = rng.normal(0, 0.7, 100), rng.normal(size=800)
    y = 1.0 + 0.8 * mean[g] + 0.3 * within + rng.normal(0, 0.4, 100)[g] + rng.normal(size=800)
    complete = pd.DataFrame({"g": g + 1, "y": y, "x": mean[g] + within})
    return complete, _blank(complete, {"x": _holes(rng, (y - 1.0) / 1.3, 0.3)})


NESTED = {"Intercept": 1.0, "x": 0.5, "z": 0.3, "1|school_sigma": 0.5, "1|room_sigma": 0.4, "sigma": 1.0}


def _nested(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pupils in 150 rooms of 40 schools; x and y missing in a fifth."""
    school_of = np.arange(150) % 40
    room = np.repeat(np.arange(150), 8)
    z = rng.normal(size=1200)
    x = (
        0.4 * z
        + rng.normal(0, 0.4, 40)[school_of[room]]
        + rng.normal(0, 0.3, 150)[room]
        + rng.normal(0, 0.85, 1200)
    )
    y = (
        1.0
        + 0.5 * x
        + 0.3 * z
        + rng.normal(0, 0.5, 40)[school_of[room]]
        + rng.normal(0, 0.4, 150)[room]
        + rng.normal(size=1200)
    )
    complete = pd.DataFrame({"school": school_of[room] + 1, "room": room + 1, "y": y, "x": x, "z": z})
    return complete, _blank(complete, {"x": _holes(rng, z, 0.2), "y": _holes(rng, z, 0.2)})


CROSSED = {"Intercept": 1.0, "x": 0.5, "z": 0.3, "1|school_sigma": 0.5, "1|area_sigma": 0.4, "sigma": 1.0}


def _crossed(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pupils who live in 30 areas and go to 40 schools; x and y missing in a fifth."""
    school, area = rng.integers(0, 40, 1200), rng.integers(0, 30, 1200)
    z = rng.normal(size=1200)
    x = 0.4 * z + rng.normal(0, 0.4, 40)[school] + rng.normal(0, 0.3, 30)[area] + rng.normal(0, 0.85, 1200)
    y = (
        1.0
        + 0.5 * x
        + 0.3 * z
        + rng.normal(0, 0.5, 40)[school]
        + rng.normal(0, 0.4, 30)[area]
        + rng.normal(size=1200)
    )
    complete = pd.DataFrame({"school": school + 1, "area": area + 1, "y": y, "x": x, "z": z})
    return complete, _blank(complete, {"x": _holes(rng, z, 0.2), "y": _holes(rng, z, 0.2)})


DESIGNS = {
    design.name: design
    for design in (
        Design(
            "slope",
            "100 clusters of 20, slopes of an incomplete covariate",
            "y ~ x + z + (1 + x | g)",
            {**SLOPE, "corr": SLOPE_CORR},
            _slope,
            ("2l.pan", "jomo", "jomo.lmer"),
        ),
        Design(
            "systematic",
            "20 studies, 4 of them without x",
            "y ~ x + z + (1 + x | study)",
            SYSTEMATIC,
            _systematic,
            ("2l.norm", "jomo"),
        ),
        Design(
            "contextual",
            "100 clusters of 8, the latent mean of an incomplete covariate",
            "y ~ between(x) + within(x) + (1 | g)",
            CONTEXTUAL,
            _contextual,
            ("norm", "2l.pan"),
            single_level=True,
        ),
        Design(
            "nested",
            "three levels, 20 % missing",
            "y ~ x + z + (1 | school) + (1 | room)",
            NESTED,
            _nested,
            (),
        ),
        Design(
            "crossed",
            "crossed effects, 20 % missing",
            "y ~ x + z + (1 | school) + (1 | area)",
            CROSSED,
            _crossed,
            (),
        ),
    )
}
