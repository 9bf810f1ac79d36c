"""In which order incomplete variables stand in the product of conditionals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from bayesmi.errors import ModelError

__all__ = ["order_variables"]


def order_variables(
    names: Sequence[str],
    *,
    level_rank: Mapping[str, int],
    is_discrete: Mapping[str, bool],
    n_missing: Mapping[str, int],
    wanted: Sequence[str] | None = None,
) -> tuple[str, ...]:
    """Return the incomplete covariates, first conditional first.

    Highest level first, so that a school variable conditions on school variables only; within a level discrete
    before continuous, so that continuous cells stay Gaussian given the discrete ones; then least missing first;
    ties by table order.

    Parameters
    ----------
    names : sequence of str
        Incomplete covariates in table order.
    level_rank : mapping
        0 for the highest level.
    is_discrete, n_missing : mapping
        By name.
    wanted : sequence of str, optional
        The user's order, of all of them.

    Raises
    ------
    ModelError
        If `wanted` names other variables, or puts a lower level before a higher one.
    """
    if wanted is None:
        place = {name: i for i, name in enumerate(names)}
        return tuple(sorted(names, key=lambda v: (level_rank[v], not is_discrete[v], n_missing[v], place[v])))
    wanted = list(wanted)
    if sorted(wanted) != sorted(names):
        raise ModelError(
            f"order= must name each incomplete covariate once ({', '.join(names) or 'there are none'}), "
            f"not {', '.join(wanted) or 'nothing'}"
        )
    for before, after in pairwise(wanted):
        if level_rank[before] > level_rank[after]:
            raise ModelError(
                f"order= puts {before!r} before {after!r}, which is of a higher level: higher levels come first"
            )
    return tuple(wanted)
