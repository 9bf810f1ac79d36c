"""Coverage at a fixed truth; about an hour: `uv run pytest -m calibration -n 0 --timeout 0`.

`uv run python -m benchmarks.coverage` runs the same study and writes its table to benchmarks/results/coverage.csv.
"""

from __future__ import annotations

import pytest

from benchmarks.coverage import SCENARIOS, run

pytestmark = pytest.mark.calibration


@pytest.mark.parametrize("scenario", [scenario.name for scenario in SCENARIOS])
def test_intervals_cover_and_estimates_are_unbiased(scenario: str) -> None:
    table = run((scenario,), replicates=200, draws=1000)
    judged = table.dropna(subset=["coverage"])
    assert judged["coverage"].between(0.90, 0.99).all(), judged.to_string()
    parameters = table[~table["quantity"].str.contains("cells")]
    assert (parameters["bias"].abs() < 0.05 * parameters["truth"].abs() + 3 * parameters["bias_se"]).all()
