"""In which order incomplete variables stand in the product of conditionals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from bayesmi.errors import ModelError
from bayesmi.families import Family
from bayesmi.model.table import ModelTable

__all__ = ["means_first", "order_variables", "product_order"]


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


def product_order(
    names: Sequence[str], families: Mapping[str, Family], table: ModelTable, wanted: Sequence[str] | None
) -> list[str]:
    """Return variables in the order of the product: the user's, or that of the rule."""
    sizes = sorted(table.groupings, key=lambda name: len(table.groupings[name].labels))
    ranks = {**{name: i for i, name in enumerate(sizes)}, "row": len(sizes)}
    return list(
        order_variables(
            list(names),
            level_rank={name: ranks[table.level(name)] for name in names},
            is_discrete={name: families[name].is_discrete for name in names},
            n_missing={name: int(table.unknown[name].sum()) for name in names},
            wanted=wanted,
        )
    )


def means_first(
    order: Sequence[str], means: Sequence[str], table: ModelTable, *, wanted: Sequence[str] | None
) -> list[str]:
    """Return the order with variables of rows that have a latent mean before others of rows."""
    above = [name for name in order if table.level(name) != "row"]
    first = [name for name in order if name in means]
    rest = [name for name in order if name not in {*above, *first}]
    moved = [*above, *first, *rest]
    if wanted and moved != list(order):
        raise ModelError(
            f"order=: {', '.join(first)} with a latent mean comes before other variables of rows: {', '.join(moved)}"
        )
    return moved
