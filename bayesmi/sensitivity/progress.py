"""Progress over the points of a grid, where there is a terminal or a notebook to show it in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec

__all__ = ["shown"]


def shown[T](running: Iterable[T], total: int, progress: bool, what: str = "Deltas") -> Iterator[T]:
    """Pass items on and show how many came."""
    from rich.console import Console

    console = Console(stderr=True)
    widgets = console.is_jupyter and find_spec("ipywidgets") is not None  # rich warns without
    if progress and (widgets or (console.is_terminal and not console.is_jupyter)):
        from rich.progress import track

        running = track(running, what, total=total, console=console, transient=True)
    yield from running
