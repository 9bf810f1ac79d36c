"""Peak memory of this process."""

from __future__ import annotations

from pathlib import Path

__all__ = ["peak_mb"]


def peak_mb() -> float:
    """Return the most memory this process has had so far, MB (VmHWM; `getrusage` would count the parent's)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status has no VmHWM")
