"""A line of progress in a notebook: text that is replaced in place, with nothing to install for it."""

from __future__ import annotations

import sys
import time
from typing import Any

__all__ = ["NotebookLine", "in_notebook"]

_EVERY = 0.2  # seconds between two changes


def in_notebook() -> bool:
    """Whether an IPython kernel runs this code."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in getattr(shell, "config", {})


class NotebookLine:
    """Shows one line; empty when it is closed, and not there at all where the work was done at once."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = time.monotonic()
        self._started = time.monotonic()

    def stage(self, text: str) -> None:
        """Say what begins now."""
        self._started = time.monotonic()
        self._show(f"{text} …")

    def working(self, what: str, finished: int, total: int | None, note: str) -> None:
        """Say how far, and how long it will take."""
        now = time.monotonic()
        if now - self._shown < _EVERY and (finished != total or self._handle is None):
            return
        spent = now - self._started
        if total is None:
            self._show(f"{what} {finished:,}{note}: {spent:.0f} s")
            return
        left = f", {spent * (total - finished) / finished:.0f} s left" if finished else ""
        self._show(f"{what} {finished:,} of {total:,}{note}: {spent:.0f} s{left}")

    def close(self) -> None:
        """Leave nothing."""
        if self._handle is not None:
            self._show("")

    def _show(self, text: str) -> None:
        from IPython.display import display

        self._shown = time.monotonic()
        if self._handle is None:
            self._handle = display({"text/plain": ""}, raw=True, display_id=True)
        self._handle.update({"text/plain": text}, raw=True)
