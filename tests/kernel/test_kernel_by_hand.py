"""The kernels that benchmarks are measured beside are the same densities, in the coordinates that are sampled today."""

import importlib

import numpy as np
import pytest

from bayesmi.build import build_sampled
from benchmarks.engine_cases import CASES
from benchmarks.engine_steps.gradient import same_density

NAMES = [pytest.param(name, marks=pytest.mark.xdist_group(f"by_hand_{name}")) for name in ("a500", "b", "e")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::bayesmi.BayesmiNotice")
def test_hand_written_kernels_are_the_same_densities(name):
    case = CASES[name]
    data = case.data()
    built = build_sampled(case.model(data))
    hand = importlib.import_module(f"benchmarks.kernels.{case.kernel}")
    start = built.program.initial()
    points = start + np.random.default_rng(1).normal(0.0, 0.2, (3, len(start)))
    assert same_density(built, hand.density, hand.prepare(built.model, built, data), points) < 1e-8
