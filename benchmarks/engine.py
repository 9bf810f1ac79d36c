"""The engine on five kinds of models: seconds to m = 20, effective draws, memory, gradients; peers in the same run.

    uv run python -m benchmarks.engine                     # all cases, caches warm
    uv run python -m benchmarks.engine --case a2000 --case b --runs 3
    uv run python -m benchmarks.engine --cold              # also with an empty kernel cache: what compiling takes
    uv run python -m benchmarks.engine --peers             # also mice, jomo and brms, where R has them

Every run is a process of its own. Writes results/engine.csv (one row a run: seconds by stage; smallest bulk ESS of the
analysis model's coefficients, in all and per second of sampling, warm-up counted, and the same of a run with ten times
the draws where the first took less than five seconds; leapfrog steps a draw; peak memory; milliseconds per gradient
beside a kernel written by hand for the case, benchmarks/kernels) and results/engine_peers.csv (one row a program). Rows
of cases that were not run are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.engine_cases import CASES, Case
from benchmarks.engine_steps.peers import quoted_figures, run_peers
from benchmarks.engine_steps.process import run_alone
from benchmarks.engine_steps.tables import update_table

RESULTS = Path(__file__).parent / "results"


def one(case: Case, *, draws: int, tune: int, m: int, gradient: bool, cache: Path | None) -> dict[str, Any]:
    """Measure a case in a fresh process; `cache` is where the kernel is kept, by default where it always is."""
    environment = {} if cache is None else {"NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "benchmarks.engine_steps.measure", case.name, "--started", repr(time.time()),
               "--draws", str(draws), "--tune", str(tune), "--m", str(m)]  # fmt: skip
    done = run_alone(command + ["--gradient"] * gradient, environment=environment)
    if done.code != 0:
        raise RuntimeError(f"{case.name} failed:\n{done.errors[-3000:]}")
    return json.loads(done.output.splitlines()[-1])


def measure_cases(cases: list[Case], arguments: argparse.Namespace) -> pd.DataFrame:
    """Return one row a run."""
    records = []
    for case in cases:
        why = case.missing_reason()
        if why:
            print(f"{case.name} left out: {why}", file=sys.stderr)
            records.append({"case": case.name, "title": case.title, "note": why})
            continue
        runs = [("warm", run) for run in range(arguments.runs)] + [("cold", 0)] * arguments.cold
        for cache, run in runs:
            print(f"{case.name} {cache} …", file=sys.stderr, flush=True)
            settings = {"draws": arguments.draws, "tune": arguments.tune}
            with tempfile.TemporaryDirectory() as name:
                if cache == "cold":
                    settings = {"draws": 50, "tune": 50}
                record = one(case, **settings, m=arguments.m, gradient=cache == "warm" and run == 0,
                             cache=Path(name) if cache == "cold" else None)  # fmt: skip
            load = os.getloadavg()[0]
            records.append(
                {"case": case.name, "title": case.title, "cache": cache, "run": run, **settings, "load": load}
                | record
            )
    return pd.DataFrame(records)


def measure_peers(cases: list[Case], arguments: argparse.Namespace) -> pd.DataFrame:
    """Return one row a program and case, and the quoted figures of programs that are not here."""
    records = [
        {"case": case.name, **record}
        for case in cases
        if not case.missing_reason()
        for record in run_peers(case, arguments.m, arguments.limit)
    ]
    quoted = quoted_figures()
    return pd.concat(
        [pd.DataFrame(records), quoted[quoted["case"].isin([case.name for case in cases])]],
        ignore_index=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=list(CASES), action="append")
    parser.add_argument("--draws", type=int, default=1000, help="kept draws of each of four chains")
    parser.add_argument("--tune", type=int, default=1000)
    parser.add_argument("--m", type=int, default=20)
    parser.add_argument("--runs", type=int, default=1, help="warm runs of each case")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--only-peers", action="store_true")
    parser.add_argument(
        "--limit", type=float, default=900.0, help="seconds that a peer may take for one case"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the tables")
    arguments = parser.parse_args()
    cases = [CASES[name] for name in arguments.case or CASES]
    if not arguments.only_peers:
        for case in cases:  # case by case, so that what is done is kept
            update_table(
                arguments.output / "engine.csv", measure_cases([case], arguments), "case", list(CASES)
            )
        print(_shown(pd.read_csv(arguments.output / "engine.csv")).to_string())
    if arguments.peers or arguments.only_peers:
        for case in cases:
            update_table(
                arguments.output / "engine_peers.csv", measure_peers([case], arguments), "case", list(CASES)
            )
        print(pd.read_csv(arguments.output / "engine_peers.csv").to_string(index=False))


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Medians by case, cases side by side."""
    numbers = table.groupby(["case", "cache"], sort=False).median(numeric_only=True)
    return numbers.T.round(3)


if __name__ == "__main__":
    main()
