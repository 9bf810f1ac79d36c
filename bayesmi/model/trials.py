"""The trials of a binomial variable, `y | trials(n) ~ ...`: there, complete, whole, and at least the successes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import name_rows
from bayesmi.errors import ModelError
from bayesmi.families import Family
from bayesmi.formula import Formula
from bayesmi.model.limited import interval_at
from bayesmi.model.table import ModelTable

__all__ = ["check_trials"]


def check_trials(
    variable: str, formula: Formula, family: Family, table: ModelTable, rows: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    """Return the trials of each of the rows, None where the family has none.

    Raises
    ------
    ModelError
        If they are absent, incomplete, not whole numbers, or fewer than the successes; or given to another family.
    """
    given = formula.response.trials if formula.response is not None else None
    if not family.needs_trials:
        if given is not None:
            raise ModelError(
                f"'{variable} | trials(...)' belongs to family 'binomial'; the model of {variable!r} is {family.name}"
            )
        return None
    if given is None:
        raise ModelError(
            f"family 'binomial' needs the number of trials: write '{variable} | trials(n) ~ ...' (of a covariate in formulas=)"
        )
    if isinstance(given, int):
        trials = np.full(len(rows), float(given))
    else:
        if given not in table.values or table.column(given).categories is not None:
            raise ModelError(f"trials({given}): column {given!r} holds no numbers")
        trials = table.values[given][rows]
        for wrong, what in (
            (~np.isfinite(trials), "is missing"),
            (~((trials >= 1) & (trials == np.floor(trials))), "is not a whole number of at least 1"),
        ):
            if wrong.any():
                raise ModelError(
                    f"trials({given}): {given!r} {what} in {name_rows(table.frame.index[rows], wrong)}: the number of trials "
                    "has to be known in every row"
                )
    more = table.values[variable][rows] > trials
    if more.any():
        raise ModelError(
            f"{variable!r} is larger than its number of trials in {name_rows(table.frame.index[rows], more)}"
        )
    lower, _, known = interval_at(variable, table.level(variable), table)
    beyond = known & (lower > trials)
    if beyond.any():
        raise ModelError(
            f"observations[{variable!r}]: the lower limit of {name_rows(table.frame.index[rows], beyond)} is larger than the "
            "number of trials: correct one of them"
        )
    return trials
