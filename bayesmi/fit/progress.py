"""One progress display: what is going on, how far, and how long until the m data sets are ready."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

from bayesmi.fit.notebook_line import NotebookLine, in_notebook

__all__ = ["FIRST_COMPILATION", "Clock", "Progress"]

FIRST_COMPILATION = "compiling, about 30 s the first time, then about a second"


class Progress:
    """A line with a clock while compiling and a bar with the time left while sampling; silent where nobody looks."""

    def __init__(self, *, show: bool, first_time: bool = False) -> None:
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
            self._task = bar.add_task("building the model", total=None)
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

    def working(self, what: str, finished: int, total: int, note: str = "") -> None:
        """Move the bar of some work on draws."""
        if self._line is not None:
            self._line.working(what, finished, total, note)
        if self._bar is None:
            return
        with self._lock:
            self._bar.update(  # type: ignore[attr-defined]
                self._task,
                description=f"{what} {finished:,} of {total:,}{note}",
                total=total,
                completed=finished,
            )


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, name: str, seconds: float) -> None:
        """Add to the seconds of a stage."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def measure(self, name: str) -> _Lap:
        """Measure one stage as a context."""
        return _Lap(self, name)


class _Lap:
    def __init__(self, clock: Clock, name: str) -> None:
        self._clock, self._name = clock, name

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._clock.add(self._name, time.perf_counter() - self._start)
