"""Hot deck: holes take the values of a randomly chosen donor row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayesmi.errors import DataError
from bayesmi.explore.source import as_frame
from bayesmi.seeds import check_seed, stream
from bayesmi.simple.domains import domains_of
from bayesmi.simple.result import SimpleImputation, columns_to_impute, skipped
from bayesmi.simple.streams import DECK, check_m

__all__ = ["hot_deck"]

_STATEMENT = (
    "Hot deck: each row with holes takes the values of a donor row, drawn at random{where}. Distributions are kept within "
    "groups, associations with anything that does not make the groups are weakened. One table understates the uncertainty; "
    "several show part of it, since the donors are taken as all there is."
)


def hot_deck(
    data: Any,
    columns: str | Sequence[str] | None = None,
    domain_var: str | Sequence[str] | None = None,
    m: int = 1,
    seed: int | None = None,
) -> SimpleImputation:
    """Impute the values of random donors.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame, Model or Imputations
        The incomplete table.
    columns : str or sequence of str, optional
        Columns to impute; all incomplete ones that are not in ``domain_var`` by default.
    domain_var : str or sequence of str, optional
        Columns in which donor and recipient must agree.
    m : int
        Number of completed tables.
    seed : int, optional
        Repeats the tables exactly. Without it one is drawn, and kept in the result.

    Returns
    -------
    SimpleImputation
        ``data`` is the first completed table; iterate for all.

    Raises
    ------
    DataError
        If a domain has rows with holes and no donor.

    Notes
    -----
    Random hot deck with replacement (Little and Rubin 2019, section 4.3.2; Andridge and Little 2010). A donor is
    observed in all ``columns``, and gives a row all the values it lacks, so that they belong together. VIM's
    ``hotdeck`` with ``domain_var`` sorts the rows at random and takes the last value seen: the same distribution, but
    for donors being used at more equal rates.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import pandas as pd
    >>> table = pd.DataFrame({"sex": ["f", "f", "m", "m"], "age": [31.5, None, 40.5, None]})
    >>> bmi.simple.hot_deck(table, "age", domain_var="sex", seed=1).data["age"].tolist()
    [31.5, 31.5, 40.5, 40.5]
    """
    frame = as_frame(data)
    check_m(m)
    seed = check_seed(seed)
    domains = domains_of(frame, domain_var)
    chosen = [
        c for c in columns_to_impute(frame, columns) if columns is not None or c.name not in domains.names
    ]
    if not chosen:
        raise DataError("no column has a missing cell, but for those in domain_var=")
    complete, hole = np.ones(frame.n_rows, dtype=bool), np.zeros(frame.n_rows, dtype=bool)
    for column in chosen:
        complete &= column.observed
        hole |= column.missing
        domains.of_holes(column)
    pools = {}
    for code in np.unique(domains.codes[hole]):
        pools[int(code)] = np.flatnonzero(complete & (domains.codes == code))
        if not len(pools[int(code)]):
            names = " and ".join(column.name for column in chosen)
            raise DataError(
                f"no row has {names} observed {domains.words(code)}: use fewer columns in domain_var="
            )
    imputed = {column.name: np.empty((m, column.n_missing)) for column in chosen}
    for i in range(m):
        rng = stream(seed, DECK, i)
        donors = np.full(frame.n_rows, -1, dtype=np.intp)
        for code, pool in pools.items():
            rows = np.flatnonzero(hole & (domains.codes == code))
            donors[rows] = rng.choice(pool, size=len(rows))
        for column in chosen:
            imputed[column.name][i] = column.values[donors[column.missing]]
    where = f" among those with the same {' and '.join(domains.names)}" if domains.names else ""
    smallest = min(len(pool) for pool in pools.values())
    notes = (f"smallest number of donors: {smallest}", *skipped(frame, chosen))
    return SimpleImputation("hot deck", _STATEMENT.format(where=where), frame, imputed, seed, notes)
