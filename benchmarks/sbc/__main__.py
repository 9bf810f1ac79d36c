"""Simulation-based calibration: are truths drawn from the prior uniformly ranked among the posterior's draws?

    uv run python -m benchmarks.sbc                              # every shape, goes on where it was stopped
    uv run python -m benchmarks.sbc --shape quadratic --replicates 500 --jobs 2
    uv run python -m benchmarks.sbc --report                     # tables and plots of what there is

Parameters come from fixed proper priors, data from them by numpy alone (`variables.py`, `shape.py`), the mask is fixed.
Each replicate ranks every parameter, some group effects and cells, means of cells, and means of cells times response
among 99 posterior draws (Talts et al. 2018; the last are the data-dependent quantities of Modrák et al. 2023).

Writes results/sbc/SHAPE.csv (a row a replicate, appended as it is done), SHAPE.png (ECDF minus the diagonal over the
99 % simultaneous band of Säilynoja et al. 2022) and summary.csv (a row a quantity). One quantity in a hundred lies
outside by chance: `p` says how far out, and `p_holm` allows for the number of quantities of all shapes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.sbc.replicate import one_replicate
from benchmarks.sbc.report import judge, plot_shape
from benchmarks.sbc.shapes import SHAPES

RESULTS = Path(__file__).parents[1] / "results" / "sbc"


def read_runs(name: str) -> pd.DataFrame:
    """Return the replicates done of a shape, without those of another design."""
    path = RESULTS / f"{name}.csv"
    if not path.exists():
        return pd.DataFrame()
    runs = pd.read_csv(path, dtype={"design": str})
    same = runs["design"] == SHAPES[name].design
    if not same.all():
        print(f"{name}: {int((~same).sum())} replicates of another design are left out", file=sys.stderr)
    return runs[same].reset_index(drop=True)


def write_runs(name: str, runs: pd.DataFrame) -> None:
    """Replace the table of a shape at once."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    part = RESULTS / f".{name}.part"
    runs.sort_values("replicate").to_csv(part, index=False)
    os.replace(part, RESULTS / f"{name}.csv")


def _one(task: tuple[str, int]) -> dict[str, object]:
    name, replicate = task
    return {"design": SHAPES[name].design, **one_replicate(SHAPES[name], replicate)}


def run_shape(name: str, replicates: int | None, jobs: int) -> None:
    """Run what is not done yet."""
    runs = read_runs(name)
    wanted = replicates or SHAPES[name].target_replicates
    done = set(runs["replicate"]) if len(runs) else set()
    todo = [(name, r) for r in range(wanted) if r not in done]
    started = written = time.perf_counter()
    rows = runs.to_dict("records")
    pool = ProcessPoolExecutor(jobs) if jobs > 1 else None
    try:
        for i, row in enumerate(pool.map(_one, todo) if pool else map(_one, todo)):
            rows.append(row)
            now = time.perf_counter()
            if now - written > 20 or i + 1 == len(todo):
                written = now
                write_runs(name, pd.DataFrame(rows))
                each = (now - started) / (i + 1)
                print(
                    f"{name}: {len(rows)} of {wanted}, {each:.2f} s each, {each * (len(todo) - i - 1):.0f} s left",
                    flush=True,
                )
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)


def report(plots: bool = True) -> pd.DataFrame:
    """Write the summary of all shapes with results, and their plots."""
    tables = []
    for name, shape in SHAPES.items():
        runs = read_runs(name)
        if len(runs) < 20:
            continue
        table = judge(runs)
        table.insert(0, "shape", name)
        tables.append(table)
        if plots:
            title = f"{name}: {shape.words}; {len(runs)} replicates, 99 % simultaneous band"
            plot_shape(runs.drop(columns="design"), title, RESULTS / f"{name}.png")
    if not tables:
        return pd.DataFrame()
    summary = pd.concat(tables, ignore_index=True)
    order = np.argsort(summary["p"].to_numpy())
    steps = summary["p"].to_numpy()[order] * (len(summary) - np.arange(len(summary)))
    holm = np.empty(len(summary))
    holm[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    summary["p_holm"] = holm
    summary.round(4).to_csv(RESULTS / "summary.csv", index=False)
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=list(SHAPES), action="append")
    parser.add_argument("--replicates", type=int, help="by default what each shape says")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="only tables and plots of what there is")
    arguments = parser.parse_args()
    if not arguments.report:
        for name in arguments.shape or SHAPES:
            run_shape(name, arguments.replicates, arguments.jobs)
    summary = report()
    if not len(summary):
        return
    outside = summary[~summary["inside"]]
    print(summary.groupby("shape", sort=False).agg(replicates=("replicates", "first"), quantities=("p", "size"),
          outside=("inside", lambda inside: int((~inside).sum())), smallest_p=("p", "min")).to_string())  # fmt: skip
    if len(outside):
        print("outside of the band:")
        print(outside.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
