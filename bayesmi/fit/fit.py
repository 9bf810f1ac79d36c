"""Fit: the posterior, the gate that judges it, and everything that is computed from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmi.build.tables import Tables
from bayesmi.draw import FitDraws, PosteriorDraws
from bayesmi.errors import FitError, GateError
from bayesmi.fit.check import Check, check_fit
from bayesmi.fit.gate import Gate
from bayesmi.fit.names import tree_name
from bayesmi.fit.summary import summarize
from bayesmi.model import Model
from bayesmi.plan import Plan
from bayesmi.seeds import SPACING, check_seed

if TYPE_CHECKING:
    from bayesmi.imputations import Imputations

__all__ = ["Fit"]


@dataclass(frozen=True, repr=False)
class Fit:
    """A sampled model.

    Attributes
    ----------
    model : Model
        The joint model.
    plan : Plan
        What happened to each missing cell.
    tree : xarray.DataTree
        Groups posterior, sample_stats and observed_data; goes into ArviZ functions as it is.
    gate : Gate
        Verdict of the convergence checks.
    seed : int
        The seed that repeats this fit.
    seconds : mapping
        Wall time by stage: build, compile, sample, draw back, check.
    how : str
        Sampler and compilation path.
    """

    model: Model
    plan: Plan
    tree: xr.DataTree
    gate: Gate
    seed: int
    seconds: Mapping[str, float]
    how: str
    tables: Tables
    draws: PosteriorDraws

    @property
    def posterior(self) -> xr.DataTree:
        """The posterior node of `tree`: parameters, group effects and sampled cells."""
        return self.tree["posterior"]  # type: ignore[return-value]

    def summary(self, *, all_models: bool = False, prob: float = 0.95) -> pd.DataFrame:
        """Return the one-step answer of the analysis model.

        Parameters
        ----------
        all_models : bool
            Also the models of incomplete covariates.
        prob : float
            Probability of the equal-tailed interval.

        Returns
        -------
        pandas.DataFrame
            Indexed by term: kind (effect, residual sd, group sd, correlation, ICC), mean, sd, interval, r_hat,
            ess_bulk, ess_tail, mcse_mean. ``attrs["gate"]`` holds the verdict.

        Raises
        ------
        FitError
            If `prob` is no probability, or the response is derived and has no model of its own.

        Notes
        -----
        ICC of a logit model is on the latent scale, with residual variance pi²/3. A model whose sigma differs from row to
        row (``sigma ~ x``) has none: its share of the variance would be another one in every row.
        """
        if not 0.0 < prob < 1.0:
            raise FitError(f"prob must be between 0 and 1, such as 0.95, not {prob!r}")
        derived = self.model.derived_response
        if derived is not None and not all_models:
            raise FitError(
                f"the response {derived.name!r} is derived and has no one-step summary: analyse it on the completed data, "
                ".impute(m=20).analyze(…).pool(); the models of its parts are in .summary(all_models=True)"
            )
        table = summarize(
            self.model, self.draws, self.posterior.to_dataset(), analysis_only=not all_models, prob=prob
        )
        table.attrs["gate"] = str(self.gate)
        if not self.gate.passed:
            import warnings

            from bayesmi.errors import BayesmiNotice

            warnings.warn(str(self.gate), BayesmiNotice, stacklevel=2)
        return table

    def check(self, *, replications: int = 200, seed: int | None = None) -> Check:
        """Compare observed with replicated data.

        Parameters
        ----------
        replications : int
            Number of replicated tables.
        seed : int, optional
            By default the fit's.

        Returns
        -------
        Check
            Table of statistics, the replications, and a plot.

        Raises
        ------
        FitError
            If `replications` is no positive whole number.
        """
        if (
            isinstance(replications, bool)
            or not isinstance(replications, int | np.integer)
            or replications < 1
        ):
            raise FitError(f"replications must be a whole number, 1 or more, not {replications!r}")
        own = self.seed if seed is None else check_seed(seed)
        return check_fit(self.model, self.plan, self.tables, self.draws, seed=own, replications=replications)

    def posterior_predictive(
        self, *, draws: int | None = 200, seed: int | None = None, progress: bool = True
    ) -> xr.DataTree:
        """Return values that the model draws for the observed cells: the replications that `check` looks at.

        Parameters
        ----------
        draws : int, optional
            Posterior draws to use, spread evenly over the chains; None for all, as ``az.loo_pit`` needs them.
        seed : int, optional
            By default the fit's.
        progress : bool
            Show progress.

        Returns
        -------
        xarray.DataTree
            A copy of `tree` with a group posterior_predictive, (chain, draw, cells), and observed_data of all modelled
            variables: the response on ``__obs__``, others on ``<variable>__obs``; categories as their codes. Functions of
            ArviZ take all variables of observed_data unless ``var_names=`` says which.

        Raises
        ------
        FitError
            If `draws` is no positive whole number.

        Notes
        -----
        Given the group effects, and for each draw one completion of the missing predictors from the same draw.

        Examples
        --------
        >>> import arviz_plots as azp  # doctest: +SKIP
        >>> azp.plot_ppc_dist(fit.posterior_predictive(), var_names=["popular"])  # doctest: +SKIP
        """
        from bayesmi.predictive import posterior_predictive

        return posterior_predictive(self, draws=draws, seed=seed, progress=progress)

    def log_likelihood(
        self,
        kind: str = "outcome",
        unit: str = "row",
        *,
        marginal: bool = False,
        nodes: int | None = None,
        progress: bool = True,
    ) -> xr.DataArray:
        """Return the log likelihood of the observed values at every posterior draw.

        Parameters
        ----------
        kind : {"outcome", "joint"}
            ``"outcome"`` is log f(y | x_obs), the outcome given the observed predictors: log f(y, x_obs) - log f(x_obs).
            Models with different predictors are comparable by this one only. ``"joint"`` is log f(y, x_obs, auxiliary), of
            everything that is modelled.
        unit : str
            ``"row"``, or a grouping for one number a group.
        marginal : bool
            With a grouping: the effects of the group (and of groupings inside it) are integrated out, for
            leave-one-group-out. Otherwise all group effects are given, for leave-one-row-out.
        nodes : int, optional
            Nodes of a quadrature in each direction, where one is needed; by default 21, 9 or 5 for one, two or three
            unknowns.
        progress : bool
            Show progress.

        Returns
        -------
        xarray.DataArray
            (chain, draw, unit) with row or group labels. Units without an observed outcome (joint: without any observed
            modelled value) are left out, not zero: ``attrs["n_absent"]`` says how many. ``attrs["quadrature_error"]`` is
            the largest change when the nodes are doubled.

        Raises
        ------
        FitError
            If the units depend on each other: rows of a cluster with a missing cluster cell have no likelihood of their own.
        NotSupportedError
            If a quadrature would have more than three dimensions.

        Notes
        -----
        Missing cells are summed or integrated out of their unit, also those that were sampled; nothing depends on how
        the model was sampled. Group effects are integrated out in closed form where the models of all variables that
        have them are Gaussian, else by adaptive Gauss-Hermite quadrature (Rabe-Hesketh, Skrondal & Pickles 2005).
        Given the group effects an outcome likelihood is conditional: leave-one-row-out asks how a row of a known group
        is predicted, leave-one-group-out (``marginal=True``) how a new group is.

        Examples
        --------
        >>> fit.log_likelihood()  # doctest: +SKIP
        >>> fit.log_likelihood(unit="school", marginal=True)  # doctest: +SKIP
        """
        from bayesmi.likelihood import log_likelihood

        return log_likelihood(self, kind=kind, unit=unit, marginal=marginal, nodes=nodes, progress=progress)

    def with_log_likelihood(
        self,
        kind: str = "outcome",
        unit: str = "row",
        *,
        marginal: bool = False,
        nodes: int | None = None,
        progress: bool = True,
    ) -> xr.DataTree:
        """Return a copy of `tree` with a group log_likelihood, for ``az.loo`` and ``az.compare``; `tree` stays as it is.

        Parameters
        ----------
        kind, unit, marginal, nodes, progress
            As in `log_likelihood`. Compare models by ``kind="outcome"``: a joint likelihood is one of other data as soon
            as other variables are modelled.

        Returns
        -------
        xarray.DataTree
            The variable is named like the response (of a joint likelihood: ``joint``).

        Examples
        --------
        >>> az.compare({"small": small.with_log_likelihood(), "large": large.with_log_likelihood()})  # doctest: +SKIP
        """
        from bayesmi.likelihood import with_log_likelihood

        return with_log_likelihood(
            self, kind=kind, unit=unit, marginal=marginal, nodes=nodes, progress=progress
        )

    def impute(self, m: int = 20, *, seed: int | None = None, despite_gate: bool = False) -> Imputations:
        """Return m completed data sets, each from one posterior draw (parameters and cells of the same draw).

        Parameters
        ----------
        m : int
            Number of imputations.
        seed : int, optional
            By default the fit's seed: the same fit gives the same imputations.
        despite_gate : bool
            Use a posterior whose checks failed.

        Returns
        -------
        Imputations
            Built lazily.

        Raises
        ------
        GateError
            If the checks failed and `despite_gate` is not set.
        """
        from bayesmi.imputations import Imputations, choose_draws

        if not self.gate.passed and not despite_gate:
            raise GateError(
                f"{self.gate}. Sample longer (draws=, tune=) or simplify; impute(…, despite_gate=True) uses it all the same"
            )
        own = self.seed if seed is None else check_seed(seed)
        spacing = int(np.random.SeedSequence(own, spawn_key=(SPACING, 0)).generate_state(1)[0])
        origins = choose_draws(self.draws.n_chains, self.draws.n_draws, m, spacing)
        flat = np.array([chain * self.draws.n_draws + draw for chain, draw in origins], dtype=np.intp)
        drawn = FitDraws(self.model, self.plan, self.tables, self.draws.take(flat), tuple(origins), own)
        return Imputations(
            self.model.frame,
            drawn,
            formula=str(self.model.formula),
            families={f.variable: f.family.name for f in self.model.factors if not f.is_observation},
            seed=own,
            integer_valued=frozenset(f.variable for f in self.model.factors if f.family.integer_valued),
            gate=str(self.gate),
        )

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the fit as one file (a zip); `bayesmi.load` restores it.

        Parameters
        ----------
        path : path
            By custom ``*.bmi``.
        force : bool
            Replace an existing file.
        """
        from bayesmi.files import save_fit

        save_fit(self, path, force=force)

    def __repr__(self) -> str:
        posterior = self.posterior
        total = sum(self.seconds.values())
        split = ", ".join(f"{name} {value:.1f} s" for name, value in self.seconds.items())
        return "\n".join(
            [
                f"Fit of {self.model.formula}",
                f"  {posterior.sizes['chain']} chains × {posterior.sizes['draw']} draws, seed {self.seed}; {self.how}; "
                f"{total:.1f} s ({split})",
                f"  {self.gate}",
                *(f"  note: {remark}" for remark in self.plan.remarks),
                f"  next: {'.summary(), ' if self.model.derived_response is None else ''}.check(), .impute(m=20)",
            ]
        )


def observed_tree(model: Model, posterior: xr.Dataset, statistics: Mapping[str, Any]) -> xr.DataTree:
    """Return the DataTree of a fit."""
    from bayesmi.fit.names import row_labels

    response = model.table.values[model.response]
    observed = np.flatnonzero(np.isfinite(response))
    groups = {
        "posterior": posterior,
        "sample_stats": xr.Dataset(
            {name: (("chain", "draw"), values) for name, values in statistics.items()},
            {"chain": posterior["chain"], "draw": posterior["draw"]},
        ),
        "observed_data": xr.Dataset(
            {tree_name(model.response): ("__obs__", response[observed])},
            {"__obs__": row_labels(model)[observed]},
        ),
    }
    return xr.DataTree.from_dict(groups)
