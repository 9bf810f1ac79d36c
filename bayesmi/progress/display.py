"""One progress display: what is going on, how far, and how long until the m data sets are ready."""

from __future__ import annotations

import sys
import threading
from types import TracebackType

from bayesmi.progress.notebook_line import NotebookLine, in_notebook

__all__ = ["FIRST_COMPILATION", "Progress"]

FIRST_COMPILATION = "compiling, about 30 s the first time, then about a second"


class Progress:
    """A line with a clock while compiling and a bar with the time left while sampling; silent where nobody looks."""

    def __init__(self, *, show: bool, first_time: bool = False, first: str = "building the model") -> None:
        self._first = first
        self._notebook = show and in_notebook()
        self._show = show and not self._notebook and sys.stderr.isatty()
        self._first_time = first_time
        self._wanted = show
        self._lock = threading.Lock()
        self._bar: object | None = None
        self._task: object | None = None
        self._line: NotebookLine | None = None

    def __enter__(self) -> Progress:
        if self._notebook:
            self._line = NotebookLine()
        if self._show:
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                SpinnerColumn,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )
            from rich.progress import Progress as Rich

            bar = Rich(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            bar.start()
            self._bar = bar
            self._task = bar.add_task(self._first, total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()  # type: ignore[attr-defined]
        if self._line is not None:
            self._line.close()

    def stage(self, name: str) -> None:
        """Say what begins now."""
        first = name == "compiling" and self._first_time
        if self._line is not None:
            self._line.stage(FIRST_COMPILATION if first else name)
            return
        if self._bar is None:
            if first and self._wanted:  # half a minute of silence would look like a fault
                print(FIRST_COMPILATION, file=sys.stderr)
            return
        text = FIRST_COMPILATION if first else name
        with self._lock:
            self._bar.update(self._task, description=text, total=None, completed=0)  # type: ignore[attr-defined]

    def sampling(self, finished: int, total: int, divergences: int) -> None:
        """Move the bar."""
        self.working("sampling", finished, total, f", {divergences} divergences" if divergences else "")

    def working(
        self, what: str, finished: int, total: int | None, note: str = "", unit: str = " draws"
    ) -> None:
        """Move the bar of some work; where nobody knows how much there is, only count."""
        if self._line is not None:
            self._line.working(what, finished, total, unit + note)
        if self._bar is None:
            return
        of = "" if total is None else f" of {total:,}"
        with self._lock:
            self._bar.update(  # type: ignore[attr-defined]
                self._task, description=f"{what} {finished:,}{of}{note}", total=total, completed=finished
            )
