"""The same cases in R: mice, jomo and brms (for IMPACT also miceadds), where R and the package are there.

Every script of benchmarks/peers takes: case, table (CSV), m, seconds it may take; it prints lines "result: name = value"
as it gets them, so that a run that reaches its limit still says how far it came.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.engine_cases import Case
from benchmarks.engine_steps.process import run_alone

__all__ = ["PROGRAMS", "quoted_figures", "run_peers"]

_SCRIPTS = Path(__file__).parents[1] / "peers"
PROGRAMS = ("mice", "jomo", "brms")
_ALSO = {"c": ("miceadds",)}  # 2l.pmm, which the published analysis of IMPACT used
_LINE = re.compile(r"^result: (\w+) = (.*)$", flags=re.MULTILINE)


def run_peers(case: Case, m: int, limit: float) -> list[dict[str, Any]]:
    """Return one record a program; one that cannot run says why in its note."""
    programs = PROGRAMS + _ALSO.get(case.name, ())
    if shutil.which("Rscript") is None:
        return [{"program": program, "note": "R is not here"} for program in programs]
    with tempfile.TemporaryDirectory() as name:
        table = Path(name) / "data.csv"
        case.data().to_csv(table, index=False)
        return [_one(program, case, table, m, limit) for program in programs]


def _one(program: str, case: Case, table: Path, m: int, limit: float) -> dict[str, Any]:
    print(f"{case.name} {program} …", file=sys.stderr, flush=True)
    script = _SCRIPTS / f"{program}.R"
    done = run_alone(
        ["Rscript", "--vanilla", str(script), str(_SCRIPTS), case.name, str(table), str(m), str(limit)],
        limit=limit + 30,  # scripts look at the clock between data sets; this is for those that cannot
    )
    record: dict[str, Any] = {"program": program, "source": "this run", "wall": done.seconds}
    for key, value in _LINE.findall(done.output):
        record[key] = _number(value)
    notes = [str(record["note"])] if "note" in record else []
    if done.code is None:
        notes.append(f"time limit of {limit:.0f} s reached")
    elif done.code != 0:
        words = [line.strip() for line in done.errors.splitlines() if line.strip()]
        notes.append("failed: " + " ".join(words[-3:])[:200])
    record["note"] = "; ".join(notes)
    return record


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text.strip()


def quoted_figures() -> pd.DataFrame:
    """Return the figures of programs that cannot run here, with where they are from."""
    return pd.read_csv(_SCRIPTS / "quoted.csv", keep_default_na=False, na_values=[""])
