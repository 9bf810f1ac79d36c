"""The result of a pooled test of several parameters: an F statistic with its degrees of freedom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
from scipy import special

__all__ = ["FTest"]


@dataclass(frozen=True)
class FTest:
    """Pooled F test.

    Attributes
    ----------
    method : str
        "D1", "D2", "D3", "D4".
    statistic : float
        F; may be negative under D2 to D4, with p-value 1.
    df1, df2 : float
        Numerator and denominator degrees of freedom.
    riv : float
        Average relative increase in variance.
    m : int
        Number of completed data sets.
    terms : tuple of str
        What is tested, where known.
    notes : tuple of str
        What the user should know of this test.
    mcse : mapping of str to float
        Monte Carlo error of F.value, df2, P(>F) and RIV, by the jackknife over data sets (m > 2); empty where a D4 was not
        given each data set's share of the stacked likelihood.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> test = bmi.pool.FTest("D1", 3.2, 2.0, 45.0, 0.3, 20, ("a", "b"))
    >>> test
    D1: F(2, 45.0) = 3.200, p = 0.0502, RIV = 0.300, m = 20 (a, b)
    """

    method: str
    statistic: float
    df1: float
    df2: float
    riv: float
    m: int
    terms: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    mcse: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def p_value(self) -> float:
        """P(F > statistic)."""
        if self.df2 == float("inf"):
            return float(special.chdtrc(self.df1, max(0.0, self.statistic * self.df1)))
        return float(special.fdtrc(self.df1, self.df2, max(0.0, self.statistic)))

    @property
    def table(self) -> pd.DataFrame:
        """One row with mitml's column names: F.value, df1, df2, P(>F), RIV."""
        row = {
            "F.value": self.statistic,
            "df1": self.df1,
            "df2": self.df2,
            "P(>F)": self.p_value,
            "RIV": self.riv,
        }
        return pd.DataFrame(row, index=pd.Index([self.method], name="method"))

    def __repr__(self) -> str:
        of = f" ({', '.join(self.terms)})" if self.terms else ""
        line = (
            f"{self.method}: F({self.df1:g}, {self.df2:.1f}) = {self.statistic:.3f}, p = {self.p_value:.3g}, "
            f"RIV = {self.riv:.3f}, m = {self.m}{of}"
        )
        return "\n".join([line, *self.notes])
