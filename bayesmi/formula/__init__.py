"""Formulas: text to syntax tree to frozen terms to design columns, in numpy or PyTensor by the same code."""

from __future__ import annotations

from bayesmi.formula.contrasts import Contrast, Sum, Treatment
from bayesmi.formula.design import Block, Design
from bayesmi.formula.design_fit import fit_design, fit_offsets
from bayesmi.formula.expression import Expression
from bayesmi.formula.fitting import Variable
from bayesmi.formula.names import check_variables, closest
from bayesmi.formula.parsing import parse, parse_calculation
from bayesmi.formula.terms import Formula, GroupTerm, Response, Term

__all__ = [
    "Block",
    "Contrast",
    "Design",
    "Expression",
    "Formula",
    "GroupTerm",
    "Response",
    "Sum",
    "Term",
    "Treatment",
    "Variable",
    "check_variables",
    "closest",
    "fit_design",
    "fit_offsets",
    "parse",
    "parse_calculation",
]
