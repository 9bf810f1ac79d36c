"""Prior and posterior predictive distributions as DataTrees, for ArviZ."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayesmi.build.tree_name import in_tree
from bayesmi.errors import BayesmiNotice, FitError, ModelError
from bayesmi.predictive.prior_draws import draw_prior
from bayesmi.predictive.replicated import (
    applicable_units,
    observed_units,
    replicate_all,
    replicate_observed,
    to_group,
    values_at,
)
from bayesmi.progress import Progress
from bayesmi.seeds import PRIOR, check_seed, stream

if TYPE_CHECKING:
    from bayesmi.fit import Fit
    from bayesmi.model import Model

__all__ = ["posterior_predictive", "prior_predictive"]

Floats = NDArray[np.float64]


def prior_predictive(
    model: Model, *, draws: int = 500, seed: int | None = None, progress: bool = True
) -> xr.DataTree:
    """Return draws from the prior and tables made from them; see `Model.prior_predictive`.

    Parameters
    ----------
    model : Model
        The model.
    draws, seed, progress
        As in `Model.prior_predictive`.

    Returns
    -------
    xarray.DataTree

    Raises
    ------
    ModelError
        If a prior is improper (Flat), or `draws` is no positive whole number.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> from bayesmi.predictive import prior_predictive
    >>> model = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes"))
    >>> sorted(prior_predictive(model, draws=50, seed=1, progress=False).children)
    ['observed_data', 'prior', 'prior_predictive']
    """
    from bayesmi.fit.names import to_dataset
    from bayesmi.plan import make_plan

    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1:
        raise ModelError(f"draws must be a whole number, 1 or more, not {draws!r}")
    own = check_seed(seed)
    rng = stream(own, PRIOR)
    drawn = draw_prior(model, int(draws), rng)
    with Progress(show=progress) as bar:
        values, derived = replicate_all(
            model, drawn, rng, lambda done: bar.working("prior predictive", done, int(draws))
        )
    for name, each in values.items():
        beyond = int((~np.isfinite(each)).any(axis=1).sum())
        if beyond:
            warnings.warn(
                f"in {beyond} of {draws} draws {name!r} is beyond what a number can hold: its priors, or those of its "
                "predictors, are wider than anything it can be",
                BayesmiNotice,
                stacklevel=3,
            )
    tables = to_group(model, values, applicable_units, {"chain": [0], "draw": np.arange(int(draws))})
    tree = xr.DataTree.from_dict(
        {
            "prior": to_dataset(drawn, model, make_plan(model)),
            "prior_predictive": tables.merge(_of_rows(model, derived)),
            "observed_data": _observed(model),
        }
    )
    tree.attrs["seed"] = own
    return tree


def posterior_predictive(
    fit: Fit, *, draws: int | None = 200, seed: int | None = None, progress: bool = True
) -> xr.DataTree:
    """Return replications of the observed values; see `Fit.posterior_predictive`.

    Parameters
    ----------
    fit : Fit
        The fit.
    draws, seed, progress
        As in `Fit.posterior_predictive`.

    Returns
    -------
    xarray.DataTree

    Raises
    ------
    FitError
        If `draws` is no positive whole number.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> from bayesmi.predictive import posterior_predictive
    >>> tree = posterior_predictive(fit, draws=40, progress=False)
    >>> tree["posterior_predictive"]["chl"].shape
    (4, 10, 15)
    """
    own = fit.seed if seed is None else check_seed(seed)
    n_chains, n_draws = fit.draws.n_chains, fit.draws.n_draws
    if draws is not None and (
        isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1
    ):
        raise FitError(f"draws must be a whole number, 1 or more, or None for all, not {draws!r}")
    each = n_draws if draws is None else min(n_draws, -(-int(draws) // n_chains))
    places = np.linspace(0, n_draws - 1, each).astype(np.intp)
    chosen = (np.arange(n_chains)[:, None] * n_draws + places).ravel()
    with Progress(show=progress) as bar:
        values = replicate_observed(
            fit.model, fit.plan, fit.tables, fit.draws, chosen, own,
            lambda done: bar.working("posterior predictive", done, len(chosen)),
        )  # fmt: skip
    groups = {name: node.to_dataset() for name, node in fit.tree.children.items()}
    groups["posterior_predictive"] = to_group(
        fit.model, values, observed_units, {"chain": np.arange(n_chains), "draw": places}
    )
    groups["observed_data"] = _observed(fit.model)
    return xr.DataTree.from_dict(groups)


def _of_rows(model: Model, derived: Mapping[str, Floats]) -> xr.Dataset:
    """Return derived columns of drawn tables, one chain."""
    from bayesmi.fit.names import row_labels

    variables = {name: (("chain", "draw", f"{name}__obs"), values[None]) for name, values in derived.items()}
    return in_tree(xr.Dataset(variables, {f"{name}__obs": row_labels(model) for name in derived}))


def _observed(model: Model) -> xr.Dataset:
    observed = {
        factor.variable: values_at(model, factor, observed_units(model, factor))
        for factor in reversed(model.factors)
    }
    return to_group(model, {name: own for name, own in observed.items() if own.size}, observed_units, None)
