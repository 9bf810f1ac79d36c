"""Names in messages: which comes twice, which there are."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["first_twice", "listing"]


def first_twice(names: Sequence[str]) -> str:
    """First name that occurs before."""
    return next(name for j, name in enumerate(names) if name in names[:j])


def listing(names: Sequence[str]) -> str:
    """Names for a message, not more than ten."""
    return ", ".join(names[:10]) + (f", … ({len(names)} in all)" if len(names) > 10 else "")
