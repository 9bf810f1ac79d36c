"""The hand-written models beside what the package builds: the same posterior over 20 data sets, one case a treatment?

    uv run python -m benchmarks.references                        # every pair, goes on where it was stopped
    uv run python -m benchmarks.references --pair linear --seeds 5
    uv run python -m benchmarks.references --report

Each row of results/references/PAIR.csv is one data set: whether the hand-written model (plain latents, nutpie) and the package's
fit pass the same gate, and how far apart means and standard deviations of all parameters, and means of cells, are in Monte Carlo
standard errors. A reference that fails the gate proves nothing and is not compared. Writes results/references.csv: data sets
compared, quantities, the share beyond two and beyond four standard errors (.046 and .00006 by chance), the largest.
"""

from __future__ import annotations

import argparse
import functools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.resumable import read_runs, run_missing
from models.agreement import PAIRS, SEEDS, Pair, allowed, both, gaps, passes_gate

RESULTS = Path(__file__).parent / "results"


def one(pair: Pair, seed: int) -> dict[str, Any]:
    """Compare on one data set."""
    started = time.perf_counter()
    reference, fit = both(pair, seed)
    row: dict[str, Any] = {
        "replicate": seed,
        "fit_passed": fit.gate.passed,
        "reference_passed": passes_gate(reference),
    }
    compared = row["fit_passed"] and row["reference_passed"]
    found = gaps(reference, fit) if compared else {}
    sizes = {name: np.abs(gap).max() for name, gap in found.items()}
    every = np.abs(np.concatenate([np.ravel(gap) for gap in found.values()])) if found else np.zeros(0)
    row |= {
        "quantities": every.size,
        "beyond_2": int((every > 2.0).sum()),
        "beyond_4": int((every > 4.0).sum()),
        "largest": float(every.max()) if every.size else np.nan,
        "largest_of": max(sizes, key=lambda name: sizes[name]) if sizes else "",
        "agrees": all(np.abs(gap).max() < allowed(gap) for gap in found.values()) if compared else np.nan,
        "seconds": time.perf_counter() - started,
    }
    return row


def _design(pair: Pair) -> str:
    # 2: shares of levels are compared with the standard errors of their probabilities
    return f"{pair.module},{pair.draws},{2 if 'enumerate' in pair.treatments else 1}"


def report() -> pd.DataFrame:
    """Read what is done and write the table."""
    rows = []
    for pair in PAIRS:
        runs = read_runs(RESULTS / "references" / f"{pair.name}.csv", _design(pair))
        if not len(runs):
            continue
        used = runs[runs["quantities"] > 0]
        total = max(1, int(used["quantities"].sum()))
        rows.append(
            {
                "pair": pair.name,
                "treatments": " ".join(pair.treatments),
                "data_sets": len(runs),
                "fit_passed": int(runs["fit_passed"].sum()),
                "reference_passed": int(runs["reference_passed"].sum()),
                "compared": len(used),
                "agree": int(used["agrees"].astype(bool).sum()),
                "quantities": int(used["quantities"].sum()),
                "share_beyond_2": used["beyond_2"].sum() / total,
                "share_beyond_4": used["beyond_4"].sum() / total,
                "largest": used["largest"].max(),
            }
        )
    table = pd.DataFrame(rows)
    if len(table):
        table.round(5).to_csv(RESULTS / "references.csv", index=False)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pair", choices=[pair.name for pair in PAIRS], action="append")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--report", action="store_true", help="only the table of what is done")
    arguments = parser.parse_args()
    for pair in () if arguments.report else PAIRS:
        if not arguments.pair or pair.name in arguments.pair:
            path = RESULTS / "references" / f"{pair.name}.csv"
            run_missing(path, _design(pair), arguments.seeds, functools.partial(one, pair))
    table = report()
    if len(table):
        print(table.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
