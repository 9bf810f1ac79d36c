"""Bayesian analyses of m completed data sets: their draws stacked, their chains judged one data set at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.errors import PoolError
from bayesmi.imputations.posterior import posterior_dataset

__all__ = ["StackedPosteriors", "scalar_draws", "stack_posteriors"]

Floats = NDArray[np.float64]
_R_HAT, _ESS = 1.01, 400.0


@dataclass(frozen=True, eq=False)
class StackedPosteriors:
    """The posterior under missing data: a mixture of the posteriors of the completed data sets.

    Attributes
    ----------
    draws : Dataset
        All draws under each other, dims ``sample`` and those of the parameters; coordinates ``imputation`` (1 … m), ``chain``
        and ``draw`` say where each is from.
    table : DataFrame
        By parameter: mean, sd, median, 2.5 % and 97.5 % quantiles of the mixture; ``within`` and ``between`` variance; ``fmi``,
        the share of the variance between data sets; ``r_hat`` (worst data set), ``r_hat_in`` (which), ``ess_bulk`` and
        ``ess_tail`` (summed over the data sets), ``mcse`` of the mean.
    r_hat : DataFrame
        One row a data set, one column a parameter.
    m : int
        Number of completed data sets.
    notices : tuple of str
        Variables left out because a data set lacks them; what did not converge, and in which data set.

    Examples
    --------
    >>> import bayesmi as bmi, numpy as np, xarray as xr
    >>> rng = np.random.default_rng(1)
    >>> sets = [xr.Dataset({"b": (("chain", "draw"), rng.normal(i, 1, (4, 200)))}) for i in range(5)]
    >>> stacked = bmi.stack_posteriors(sets)
    >>> stacked.m, stacked.draws["b"].shape, stacked.r_hat.shape
    (5, (4000,), (5, 1))
    """

    draws: Any
    table: pd.DataFrame
    r_hat: pd.DataFrame
    m: int
    notices: tuple[str, ...]

    def __repr__(self) -> str:
        shown = self.table[["mean", "sd", "conf.low", "conf.high", "fmi", "r_hat", "ess_bulk"]]
        lines = [f"Posteriors of m = {self.m} completed data sets, stacked", shown.round(3).to_string()]
        lines.append("r_hat is that of the worst data set, never of the mixture")
        return "\n".join([*lines, *self.notices])


def stack_posteriors(posteriors: Iterable[Any], names: Sequence[str] | None = None) -> StackedPosteriors:
    """Stack the posteriors of a Bayesian analysis of each completed data set.

    Parameters
    ----------
    posteriors : iterable
        One per data set: what ``pm.sample`` returns (DataTree), a Bambi result, or a posterior Dataset. `Analyses` too, when its
        function returned these.
    names : sequence of str, optional
        Posterior variables; all that every data set has by default.

    Returns
    -------
    StackedPosteriors

    Raises
    ------
    PoolError
        If there are fewer than two, shapes differ, or a variable is missing.

    Notes
    -----
    Gelman, Carlin, Stern, Dunson, Vehtari and Rubin (2013), section 18.2; Zhou and Reiter (2010): the draws are mixed with equal
    weights, so every data set counts the same however many draws it has. Chains of different data sets have different targets,
    and r-hat over all of them is large by design when much is missing (brms warns of it). Here r-hat is computed within each
    data set, and the worst is reported; effective sizes add up. With few data sets the tails of the mixture are rough: m = 100
    is not too many (Zhou and Reiter 2010).

    Examples
    --------
    >>> import bayesmi as bmi
    >>> import numpy as np, xarray as xr
    >>> rng = np.random.default_rng(1)
    >>> sets = [xr.Dataset({"b": (("chain", "draw"), rng.normal(i, 1, (4, 200)))}) for i in range(5)]
    >>> stacked = bmi.stack_posteriors(sets)
    >>> bool(stacked.table.loc["b", "r_hat"] < 1.02), stacked.draws.sizes["sample"]
    (True, 4000)
    """
    import xarray as xr

    from bayesmi.fit.diagnostics import r_hat

    read = []
    for i, one in enumerate(posteriors, start=1):
        try:
            read.append(posterior_dataset(one))
        except ValueError as error:
            raise PoolError(f"data set {i}: {error}") from None
    if len(read) < 2:
        raise PoolError(f"stacking needs the posteriors of at least two data sets, got {len(read)}")
    chosen = _names(read, names)
    shape = {name: tuple(read[0][name].sizes[d] for d in _own(read[0][name])) for name in chosen}
    for i, one in enumerate(read, start=1):
        for name in chosen:
            if tuple(one[name].sizes[d] for d in _own(one[name])) != shape[name]:
                raise PoolError(f"data set {i}: {name!r} has another shape than in data set 1")
    read_draws = [scalar_draws(one, chosen) for one in read]
    labels, blocks = read_draws[0][0], [draws for _, draws in read_draws]
    for i, (theirs, _) in enumerate(read_draws, start=1):
        for mine, other in zip(labels, theirs, strict=True):
            if mine != other:
                raise PoolError(
                    f"data set {i} has {other!r} where data set 1 has {mine!r}: bring their coordinates into one order"
                )
    worst = np.array([r_hat(block) for block in blocks])  # (m, k)
    table = _table(labels, blocks, worst)
    hats = pd.DataFrame(worst, columns=labels, index=pd.RangeIndex(1, len(read) + 1, name="imputation"))
    parts = []
    for i, one in enumerate(read, start=1):
        flat = one[chosen].stack(sample=("chain", "draw"), create_index=False)
        parts.append(flat.assign_coords(imputation=("sample", np.full(flat.sizes["sample"], i))))
    draws = xr.concat(
        parts, dim="sample", join="override", data_vars="all", coords="different", compat="equals"
    )
    dropped = (
        sorted({str(name) for one in read for name in one.data_vars} - set(chosen)) if names is None else []
    )
    left_out = (f"left out, not in every data set: {', '.join(dropped)}",) if dropped else ()
    return StackedPosteriors(draws, table, hats, len(read), (*left_out, *_notices(hats, blocks)))


def _names(read: Sequence[Any], names: Sequence[str] | None) -> list[str]:
    """Variables to stack, or a line that says which data set lacks one."""
    if names is None:
        chosen = [str(name) for name in read[0].data_vars if all(name in one.data_vars for one in read)]
        if not chosen:
            raise PoolError("the posteriors have no variable in common")
        return chosen
    if not names:
        raise PoolError("names= is empty: name a posterior variable, or leave it out for all")
    for i, one in enumerate(read, start=1):
        for name in names:
            if name not in one.data_vars:
                raise PoolError(
                    f"data set {i}: the posterior has no {name!r}: it has {', '.join(map(str, one.data_vars))}"
                )
    return list(names)


def _own(array: Any) -> list[str]:
    """Dims of the parameter itself."""
    return [str(dim) for dim in array.dims if dim not in ("chain", "draw")]


def scalar_draws(posterior: Any, names: Sequence[str] | None = None) -> tuple[list[str], Floats]:
    """Every scalar in a posterior with a label, "b" or "b[low, 2]".

    Parameters
    ----------
    posterior : Dataset
        With dims chain and draw.
    names : sequence of str, optional
        Variables; all by default.

    Returns
    -------
    labels : list of str, length k
    draws : ndarray, shape (k, chains, draws)
    """
    labels: list[str] = []
    rows = []
    for name in [str(n) for n in posterior.data_vars] if names is None else names:
        array, dims = posterior[name], _own(posterior[name])
        keys = [
            [str(v) for v in (array[d].values if d in array.coords else range(array.sizes[d]))] for d in dims
        ]
        labels += [f"{name}[{', '.join(key)}]" for key in product(*keys)] if dims else [name]
        values = array.transpose(*dims, "chain", "draw").to_numpy().astype(float)
        rows.append(values.reshape(-1, *values.shape[-2:]))
    return labels, np.concatenate(rows)


def _table(labels: list[str], blocks: list[Floats], worst: Floats) -> pd.DataFrame:
    """Moments and quantiles of the mixture with equal weights for the data sets."""
    from bayesmi.fit.diagnostics import ess_bulk, ess_tail

    m = len(blocks)
    flat = [block.reshape(len(block), -1) for block in blocks]
    means = np.array([one.mean(axis=1) for one in flat])
    within = np.array([one.var(axis=1, ddof=1) for one in flat]).mean(axis=0)
    between = means.var(axis=0, ddof=1)
    mean = means.mean(axis=0)
    total = within + means.var(axis=0)  # variance of the mixture
    quantiles = np.array([_quantiles([one[j] for one in flat]) for j in range(len(labels))])
    bulk = np.array([ess_bulk(block) for block in blocks])
    tail = np.array([ess_tail(block) for block in blocks])
    known = np.where(np.isnan(worst), -np.inf, worst)
    with np.errstate(divide="ignore", invalid="ignore"):
        fmi = (1.0 + 1.0 / m) * between / (within + (1.0 + 1.0 / m) * between)
        # error of the mean: finitely many draws of each, finitely many data sets
        mcse = np.sqrt(
            between / m + (np.array([one.var(axis=1, ddof=1) for one in flat]) / bulk).mean(axis=0) / m
        )
    return pd.DataFrame(
        {
            "mean": mean,
            "sd": np.sqrt(total),
            "median": quantiles[:, 1],
            "conf.low": quantiles[:, 0],
            "conf.high": quantiles[:, 2],
            "within": within,
            "between": between,
            "fmi": fmi,
            "r_hat": np.where(np.isinf(known.max(axis=0)), np.nan, known.max(axis=0)),
            "r_hat_in": known.argmax(axis=0) + 1,
            "ess_bulk": bulk.sum(axis=0),
            "ess_tail": tail.sum(axis=0),
            "mcse": mcse,
        },
        index=pd.Index(labels, name="parameter"),
    )


def _quantiles(draws: list[Floats]) -> Floats:
    """2.5, 50 and 97.5 % quantiles, each data set with the same weight."""
    if len({len(one) for one in draws}) == 1:
        return np.asarray(np.quantile(np.concatenate(draws), [0.025, 0.5, 0.975]))
    values = np.concatenate(draws)
    weights = np.concatenate([np.full(len(one), 1.0 / len(one)) for one in draws])
    order = np.argsort(values)
    place = (np.cumsum(weights[order]) - 0.5 * weights[order]) / len(draws)
    return np.asarray(np.interp([0.025, 0.5, 0.975], place, values[order]))


def _notices(hats: pd.DataFrame, blocks: list[Floats]) -> tuple[str, ...]:
    """Say what did not converge, data set by data set; or that it cannot be known."""
    from bayesmi.fit.diagnostics import ess_bulk

    lines = []
    if hats.isna().all(axis=None):
        return (
            "One chain a data set (or too few draws): r-hat cannot be computed; sample at least two chains.",
        )
    for number, row in hats.iterrows():
        bad = row[row > _R_HAT]
        if len(bad):
            lines.append(
                f"data set {number}: r-hat of {bad.idxmax()} is {bad.max():.3f}, above {_R_HAT} in {len(bad)} of {len(row)} "
                "parameters: sample longer"
            )
    size = np.array([np.nanmin(ess_bulk(block)) for block in blocks])
    if np.nansum(size) < _ESS:
        lines.append(f"effective sample size over all data sets is only {np.nansum(size):.0f}: sample longer")
    return tuple(lines)
