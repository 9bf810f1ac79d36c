"""The same coefficients under several assumptions about the missing values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.errors import DataError
from bayesmi.plots.coefficient_plot import coefficients

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["estimates"]


def estimates(terms: Sequence[str] | None = None, ax: Axes | None = None, **assumptions: Any) -> NDArray[Any]:
    """Compare coefficients across assumptions: ``estimates(complete_case=…, MAR=…, MNAR=…)``.

    Parameters
    ----------
    terms : sequence of str, optional
        Terms to show; by default those that every answer has.
    ax : Axes, optional
        Draw all terms on one scale here; by default every term has a panel of its own.
    **assumptions
        By name (underscores read as spaces): a `Pooled`, `Analyses`, a `Fit` (its one-step effects), a DataFrame indexed by
        term, or a fitted model of statsmodels.

    Returns
    -------
    array of Axes

    Raises
    ------
    DataError
        If nothing is given, or the answers have no term in common.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmi import plots
    >>> one = pd.DataFrame({"estimate": [3.6], "std.error": [0.2]}, index=["x"])
    >>> axes = plots.estimates(complete_case=one, MAR=one)
    >>> [label.get_text() for label in axes[0].get_yticklabels()]
    ['complete case', 'MAR']
    """
    if not assumptions:
        raise DataError("estimates() got nothing to compare: say estimates(complete_case=…, MAR=…, MNAR=…)")
    tables = {label.replace("_", " "): _table(own) for label, own in assumptions.items()}
    if terms is None:
        first, *others = tables.values()
        names = [str(term) for term in first.index]
        terms = [term for term in names if all(term in map(str, other.index) for other in others)]
        if not terms:
            raise DataError("these answers have no term in common: give terms=, or rename their rows")
    return coefficients(tables, list(terms), ax)


def _table(answer: Any) -> pd.DataFrame:
    """Estimates and intervals of an answer, indexed by term."""
    if isinstance(answer, pd.DataFrame):
        return answer
    if hasattr(answer, "posterior") and hasattr(answer, "summary"):  # a Fit
        table = answer.summary()
        return table[table["kind"] == "effect"]
    if hasattr(answer, "pool") and hasattr(answer, "extracts"):
        answer = answer.pool()
    if hasattr(answer, "table") and isinstance(answer.table, pd.DataFrame):
        return answer.table
    from bayesmi.adapters.registry import adapter_for

    extract = adapter_for(answer).extract(answer)
    errors = np.sqrt(np.diag(extract.covariance.loc[extract.estimates.index, extract.estimates.index]))
    return pd.DataFrame({"estimate": extract.estimates, "std.error": errors})
