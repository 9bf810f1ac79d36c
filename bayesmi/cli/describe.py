"""`bayesmi describe`."""

from __future__ import annotations

from pathlib import Path

__all__ = ["run_describe"]


def run_describe(file: Path, cluster: str | None) -> None:
    """Read a table and print its description."""
    from bayesmi.data import read_table
    from bayesmi.describe import describe

    print(describe(read_table(file), cluster=cluster))
