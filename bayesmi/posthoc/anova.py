"""Several nested models compared one after the other, as mice's `anova()`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import pandas as pd

from bayesmi.analyses import Analyses
from bayesmi.errors import PoolError
from bayesmi.pool import FTest

__all__ = ["Anova", "anova"]


@dataclass(frozen=True, eq=False)
class Anova:
    """Tests of each model against the next smaller one.

    Attributes
    ----------
    tests : tuple of FTest
        Largest model first.
    comparisons : tuple of str
        Which model against which, "1 ~~ 2".
    models : tuple of str
        The coefficients of each model, largest first.
    method, convention : str
        How they were tested.

    Examples
    --------
    >>> import bayesmi as bmi, numpy as np
    >>> large = bmi.Analyses.from_results([({"a": 1.0 + i / 10, "b": 2.0}, np.eye(2)) for i in range(4)])
    >>> small = bmi.Analyses.from_results([({"b": 2.0}, np.eye(1)) for i in range(4)])
    >>> found = bmi.anova(small, large)
    >>> found.comparisons, found.method, list(found.table.columns)
    (('1 ~~ 2',), 'D1', ['F.value', 'df1', 'df2', 'P(>F)', 'RIV', 'terms'])
    """

    tests: tuple[FTest, ...]
    comparisons: tuple[str, ...]
    models: tuple[str, ...]
    method: str
    convention: str

    @property
    def table(self) -> pd.DataFrame:
        """One row a comparison: F.value, df1, df2, P(>F), RIV, and the terms that are tested."""
        rows = pd.concat([test.table for test in self.tests])
        rows.index = pd.Index(self.comparisons, name="comparison")
        return rows.assign(terms=[", ".join(test.terms) for test in self.tests])

    def __repr__(self) -> str:
        lines = [f"Nested models by {self.method}, as {self.convention} has it, m = {self.tests[0].m}"]
        lines += [f"  {number}: {model}" for number, model in enumerate(self.models, start=1)]
        for name, test in zip(self.comparisons, self.tests, strict=True):
            lines.append(f"{name}  {test}")
        return "\n".join(lines)


def anova(
    *models: Analyses,
    method: Literal["D1", "D2", "D3", "D4"] = "D1",
    use: Literal["wald", "likelihood"] = "wald",
    convention: Literal["mitml", "mice"] = "mice",
) -> Anova:
    """Compare nested models fitted to the same completed data sets.

    Parameters
    ----------
    *models : Analyses
        At least two, each nested in another; their order does not matter.
    method : {"D1", "D2", "D3", "D4"}
        See `bayesmi.Analyses.compare`.
    use : {"wald", "likelihood"}
        Statistics that D2 pools.
    convention : {"mice", "mitml"}
        Where the two differ. "mice", whose function this is: D1 with the residual df, D3 for linear and generalised
        linear models only. "mitml": infinite dfcom, D3 at the means of all parameters.

    Returns
    -------
    Anova
        Each model against the next smaller one.

    Raises
    ------
    PoolError
        If there are fewer than two, or they are not nested.

    Notes
    -----
    As mice's ``anova.mira``, with D1 of Li, Raghunathan and Rubin (1991) unless told otherwise.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import numpy as np
    >>> large = bmi.Analyses.from_results([({"a": 1.0 + i / 10, "b": 2.0}, np.eye(2)) for i in range(4)])
    >>> small = bmi.Analyses.from_results([({"b": 2.0}, np.eye(1)) for i in range(4)])
    >>> bmi.anova(small, large).table[["df1", "terms"]].to_numpy().tolist()
    [[1.0, 'a']]
    """
    if len(models) < 2:
        raise PoolError(f"anova compares at least two models, got {len(models)}")
    for number, model in enumerate(models, start=1):
        if not isinstance(model, Analyses):
            raise PoolError(
                f"model {number} is a {type(model).__name__}: pass what Imputations.analyze() returns"
            )
    ordered = sorted(models, key=_size, reverse=True)
    tests = tuple(
        large.compare(small, method, use=use, convention=convention) for large, small in pairwise(ordered)
    )
    names = tuple(", ".join(str(term) for term in model.extracts[0].estimates.index) for model in ordered)
    pairs = tuple(f"{j} ~~ {j + 1}" for j in range(1, len(ordered)))
    return Anova(tests, pairs, names, method, convention)


def _size(model: Analyses) -> int:
    """Number of parameters, random ones too."""
    components = model.extracts[0].variance_components
    return len(model.extracts[0].estimates) + (0 if components is None else len(components))
