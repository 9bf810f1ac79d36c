"""Seconds by stage of a fit."""

from __future__ import annotations

import time

__all__ = ["Clock"]


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
