"""The cases of the engine's benchmark: each a table, a formula and the options of its Model."""

from benchmarks.engine_cases.case import Case
from benchmarks.engine_cases.impact import IMPACT
from benchmarks.engine_cases.linear import LINEAR
from benchmarks.engine_cases.logistic import LOGISTIC
from benchmarks.engine_cases.popmis import POPMIS
from benchmarks.engine_cases.quadratic import QUADRATIC

__all__ = ["CASES", "Case"]

CASES = {case.name: case for case in (*LINEAR, POPMIS, IMPACT, QUADRATIC, LOGISTIC)}
