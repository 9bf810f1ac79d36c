"""Whole-process time of `bayesmi impute` on popmis, from start to 20 completed data sets on disk, split by stage.

    uv run python -m benchmarks.process            # 5 runs, caches warm
    uv run python -m benchmarks.process --cold     # one run with an empty kernel cache first

Writes results/process.csv: one row a run.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from bayesmi import datasets

RESULTS = Path(__file__).parent / "results"
FORMULA = "popular ~ texp + sex + (1 | school)"


def one(folder: Path, *, cache: Path | None) -> dict[str, float]:
    """Run the command once; return seconds by stage."""
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's Python keeps its bytecode
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = str(cache)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bayesmi", "impute", str(folder / "popmis.csv"), FORMULA, "-m", "20", "--seed", "1",
         "-o", str(folder / "out.parquet"), "--force"],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    total = time.perf_counter() - started
    split = re.search(r"^[\d.]+ s: (.*)$", done.stderr, flags=re.MULTILINE)
    parts = dict(re.findall(r"([a-z ]+?) ([\d.]+)(?:, |$)", split.group(1))) if split else {}
    return {"total": total, **{name.strip(): float(value) for name, value in parts.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cold", action="store_true")
    arguments = parser.parse_args()
    records = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        datasets.load("popmis").to_csv(folder / "popmis.csv", index=False)
        if arguments.cold:
            records.append({"cache": "cold", **one(folder, cache=folder / "cache")})
        one(folder, cache=None)  # warm up
        for _ in range(arguments.runs):
            records.append({"cache": "warm", **one(folder, cache=None)})
    table = pd.DataFrame(records).round(2)
    print(table.to_string(index=False))
    print(table.groupby("cache").median(numeric_only=True).to_string())
    RESULTS.mkdir(exist_ok=True)
    table.to_csv(RESULTS / "process.csv", index=False)


if __name__ == "__main__":
    main()
