"""The printed form of an incomplete table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmi.data.levels import ROW
from bayesmi.data.patterns import count_patterns
from bayesmi.data.wording import counted

if TYPE_CHECKING:
    from bayesmi.data.frame import IncompleteFrame


def describe_frame(frame: IncompleteFrame) -> str:
    """Return a short table: column, kind, level, counts; then patterns and groups."""
    rows = [("column", "kind", "level", "observed", "missing", "absent")]
    for c in frame.columns.values():
        level = "" if c.level == ROW else c.level
        rows.append((c.name, c.kind.value, level, str(c.n_observed), str(c.n_missing), str(c.n_absent)))
    keep = [j for j in range(6) if j < 2 or any(r[j] not in ("", "0") for r in rows[1:])]
    widths = [max(len(r[j]) for r in rows) for j in range(6)]
    lines = []
    for r in rows:
        cells = [r[j].ljust(widths[j]) if j < 3 else r[j].rjust(widths[j]) for j in keep]
        lines.append("  ".join(cells).rstrip())
    n_patterns = count_patterns(frame)
    head = f"IncompleteFrame: {frame.n_rows} rows, {len(frame.columns)} columns, "
    head += counted(n_patterns, "missing-data pattern")
    groups = [f"{g.name} ({g.n_groups})" for g in frame.groups.values()]
    tail = ["groups: " + ", ".join(groups)] if groups else []
    return "\n".join([head, *lines, *tail])
