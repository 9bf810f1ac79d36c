"""Run a real R; nothing is installed, and without R and its packages the tests are skipped with a reason."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

# numbers leave R with all their digits
PREAMBLE = """
options(digits = 17, warn = 1)
suppressMessages({library(mice); library(mitml)})
out <- function(x, file) {
  x <- as.data.frame(x)
  for (name in names(x)) if (is.numeric(x[[name]])) x[[name]] <- sprintf("%.17g", x[[name]])
  write.csv(x, file, row.names = FALSE, quote = FALSE)
}
"""


@cache
def _why_not(packages: tuple[str, ...]) -> str:
    if shutil.which("Rscript") is None:
        return "Rscript is not installed"
    for package in packages:
        found = subprocess.run(
            ["Rscript", "-e", f"quit(status = !requireNamespace('{package}', quietly = TRUE))"],
            check=False,
            capture_output=True,
            timeout=120,
        )
        if found.returncode:
            return f"R has no package {package}"
    return ""


@pytest.fixture
def run_r(tmp_path: Path) -> Callable[..., dict[str, pd.DataFrame]]:
    """Run a script in a folder of its own; gives the CSV files it wrote, by stem."""

    def run(script: str, *packages: str) -> dict[str, pd.DataFrame]:
        reason = _why_not(("mice", "mitml", *packages))
        if reason:
            pytest.skip(reason)
        (tmp_path / "script.R").write_text(PREAMBLE + script)
        before = set(tmp_path.glob("*.csv"))
        done = subprocess.run(
            ["Rscript", "--vanilla", "script.R"],
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return {path.stem: pd.read_csv(path) for path in set(tmp_path.glob("*.csv")) - before}

    return run
