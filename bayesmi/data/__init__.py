"""The table: read once, checked, never changed, and written back as it came."""

from bayesmi.data.audit import Audit, audit
from bayesmi.data.column import Column
from bayesmi.data.frame import IncompleteFrame
from bayesmi.data.grouping import Grouping
from bayesmi.data.kinds import Kind
from bayesmi.data.patterns import patterns
from bayesmi.data.read import read_csv, read_table
from bayesmi.data.recode import recode_missing
from bayesmi.data.wide import WideTable, to_wide

__all__ = [
    "Audit",
    "Column",
    "Grouping",
    "IncompleteFrame",
    "Kind",
    "WideTable",
    "audit",
    "patterns",
    "read_csv",
    "read_table",
    "recode_missing",
    "to_wide",
]
