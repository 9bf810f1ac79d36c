"""Where the mean differences of IMPACT's masks come from: the data, the masks or the engine?

    uv run python -m benchmarks.impact_likelihood                 # 500 masks of each kind, about six minutes

The same kind of masks as in benchmarks/impact.py, and an estimator that shares nothing with the package (maximum likelihood by
EM, impact_steps/likelihood.py; a fifth of a second a mask, so that the mean difference is known to .03 standard errors). Three
kinds: real (the complete rows, holes at random given mortality, type and age), permuted (the same rows, the same patterns of
holes at random), simulated (levels and mortality drawn from the fitted model, holes at random given these). Writes
results/impact_likelihood.csv: mean difference from the fit without holes, in its standard errors.

A difference that is there in the real rows only, where holes depend on mortality, belongs to these rows: they do not
follow the model, and which of its approximations is estimated depends on which rows are seen.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.engine_cases.impact import load_impact, why_not
from benchmarks.impact_steps.likelihood import codes_of, draw, maximize, predictors
from benchmarks.impact_steps.masks import complete_rows, mask_rows

RESULTS = Path(__file__).parent / "results"
KINDS = ("real", "permuted", "simulated")
TERMS = ("pupil2", "pupil3", "ct2", "ct3")
PURPOSE = 11  # of the random stream


def differences(data: pd.DataFrame, kind: str, masks: int) -> pd.DataFrame:
    """Return one row a term."""
    rows = complete_rows(data)
    x, codes = predictors(rows), codes_of(rows)
    nothing = {name: np.zeros(len(rows), dtype=bool) for name in ("pupil", "ct")}
    fitted = maximize(x, codes, nothing)
    found = []
    for seed in range(1, masks + 1):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(PURPOSE,)))
        own, full = codes, fitted
        if kind == "simulated":
            own = draw(x, fitted, rng)
            full = maximize(x, own, nothing, fitted)
        masked = mask_rows(data, seed, mort=own["mort"])
        missing = {name: masked[name].isna().to_numpy() for name in nothing}
        if kind == "permuted":
            order = rng.permutation(len(rows))
            missing = {name: holes[order] for name, holes in missing.items()}
        estimate = maximize(x, own, missing, full)
        found.append((estimate.of_categories - full.of_categories) / fitted.errors[-4:])
    every = np.array(found)
    return pd.DataFrame(
        {
            "kind": kind,
            "term": TERMS,
            "mean_difference_in_se": every.mean(axis=0),
            "monte_carlo_error": every.std(axis=0, ddof=1) / np.sqrt(masks),
            "masks": masks,
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--masks", type=int, default=500)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the table")
    arguments = parser.parse_args()
    if why_not():
        sys.exit(f"left out: {why_not()}")
    data = load_impact()
    table = pd.concat([differences(data, kind, arguments.masks) for kind in KINDS], ignore_index=True)
    arguments.output.mkdir(exist_ok=True)
    table.round(5).to_csv(arguments.output / "impact_likelihood.csv", index=False)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
