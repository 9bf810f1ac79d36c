"""Run a command in a process of its own with a time limit; its children end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Finished", "run_alone"]


@dataclass(frozen=True)
class Finished:
    """How a command ended: `code` is None where it reached the limit."""

    output: str
    errors: str
    seconds: float
    code: int | None


def run_alone(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, limit: float | None = None
) -> Finished:
    """Run a command to its end or to the limit in seconds."""
    started = time.perf_counter()
    process = subprocess.Popen(
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        return Finished(output, errors, time.perf_counter() - started, None)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return Finished(output, errors, time.perf_counter() - started, process.returncode)
