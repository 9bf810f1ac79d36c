"""The hand-written models, with plain latents, have the posterior of what the package builds: one case a treatment.

One seed of some cases runs with the other tests. All of them, with 20 seeds, take hours:
`uv run pytest tests/models/test_reference_posteriors.py -m calibration -n 0 --timeout 0`;
`uv run python -m benchmarks.references` does the same step by step and keeps the table.
"""

from __future__ import annotations

import numpy as np
import pytest

from models.agreement import PAIRS, SEEDS, Pair, allowed, both, gaps, passes_gate

BY_NAME = {pair.name: pair for pair in PAIRS}
QUICK = ("auxiliary",)


def compare(pair: Pair, seed: int) -> bool:
    """Assert that the two posteriors are one; False where the reference itself fails the gate."""
    reference, fit = both(pair, seed)
    if not fit.gate.passed or not passes_gate(reference):
        return False
    for name, gap in gaps(reference, fit).items():
        assert np.abs(gap).max() < allowed(gap), (pair.name, seed, name, np.round(gap, 1))
    return True


@pytest.mark.xdist_group("reference_posteriors")
@pytest.mark.parametrize("name", QUICK)
def test_one_seed(name: str) -> None:
    assert compare(BY_NAME[name], 1), "reference or fit failed its gate"


@pytest.mark.calibration
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_twenty_seeds(pair: Pair) -> None:
    passed = sum(compare(pair, seed) for seed in range(SEEDS))
    assert passed >= pair.passes, f"{passed} of {SEEDS} references passed the gate"
