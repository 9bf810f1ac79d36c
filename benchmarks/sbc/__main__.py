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
import functools
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.resumable import read_runs, run_missing
from benchmarks.sbc.replicate import one_replicate
from benchmarks.sbc.report import judge, plot_shape
from benchmarks.sbc.shapes import SHAPES

RESULTS = Path(__file__).parents[1] / "results" / "sbc"


def _one(name: str, replicate: int) -> dict[str, object]:
    return one_replicate(SHAPES[name], replicate)


def _done(name: str) -> pd.DataFrame:
    return read_runs(RESULTS / f"{name}.csv", SHAPES[name].design)


def report(plots: bool = True) -> pd.DataFrame:
    """Write the summary of all shapes with results, and their plots."""
    tables = []
    for name, shape in SHAPES.items():
        runs = _done(name)
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
            run_missing(
                RESULTS / f"{name}.csv",
                SHAPES[name].design,
                arguments.replicates or SHAPES[name].target_replicates,
                functools.partial(_one, name),
                arguments.jobs,
            )
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
