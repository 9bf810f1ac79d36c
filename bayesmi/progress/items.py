"""Progress over items that are made one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bayesmi.progress.display import Progress

__all__ = ["shown"]


def shown[T](running: Iterable[T], total: int | None, progress: bool, what: str = "deltas") -> Iterator[T]:
    """Pass items on and show how many are done: made, and worked on by who asks for the next."""
    with Progress(show=progress, first=what) as bar:
        for finished, item in enumerate(running, start=1):
            yield item
            bar.working(what, finished, total, unit="")
