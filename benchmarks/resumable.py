"""Long studies that may be stopped: a row a replicate, kept in a CSV file, of which only the missing ones are run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["read_runs", "run_missing"]

_EVERY = 20.0  # seconds between writes


def read_runs(path: Path, design: str) -> pd.DataFrame:
    """Return the replicates done, without those of another design (column ``design``)."""
    if not path.exists():
        return pd.DataFrame()
    runs = pd.read_csv(path, dtype={"design": str})
    same = runs["design"] == design
    if not same.all():
        print(f"{path.name}: {int((~same).sum())} replicates of another design are left out", file=sys.stderr)
    return runs[same].reset_index(drop=True)


def _write(path: Path, rows: list[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    pd.DataFrame(rows).sort_values("replicate").to_csv(part, index=False)
    os.replace(part, path)


def run_missing(
    path: Path, design: str, replicates: int, one: Callable[[int], Mapping[str, Any]], jobs: int = 1
) -> pd.DataFrame:
    """Run `one(replicate)` for those of 0 … replicates - 1 that the file lacks; return all.

    `one` has to be picklable where `jobs` is more than one: a `functools.partial` of a module's function.
    """
    runs = read_runs(path, design)
    done = set(runs["replicate"]) if len(runs) else set()
    todo = [r for r in range(replicates) if r not in done]
    rows: list[Mapping[str, Any]] = [dict(row) for row in runs.to_dict("records")]
    started = written = time.perf_counter()
    pool = ProcessPoolExecutor(jobs) if jobs > 1 else None
    try:
        for i, row in enumerate(pool.map(one, todo) if pool else map(one, todo)):
            rows.append({"design": design, **row})
            now = time.perf_counter()
            if now - written > _EVERY or i + 1 == len(todo):
                written = now
                _write(path, rows)
                each = (now - started) / (i + 1)
                left = each * (len(todo) - i - 1)
                print(
                    f"{path.stem}: {len(rows)} of {replicates}, {each:.2f} s each, {left:.0f} s left",
                    flush=True,
                )
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)
    return read_runs(path, design) if rows else pd.DataFrame()
