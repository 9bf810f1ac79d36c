"""Fit: the posterior, the gate that judges it, and everything that is computed from it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmi.build.tables import Tables
from bayesmi.draw import PosteriorDraws
from bayesmi.errors import BayesmiNotice, FitError
from bayesmi.fit.check import Check, check_fit
from bayesmi.fit.explained import explained_variance
from bayesmi.fit.gate import Gate
from bayesmi.fit.summary import summarize
from bayesmi.mechanism import Delta, deltas_of
from bayesmi.model import Model
from bayesmi.plan import Plan
from bayesmi.seeds import check_seed

if TYPE_CHECKING:
    from bayesmi.fit.rho_profile import RhoProfile
    from bayesmi.imputations import Imputations
    from bayesmi.sensitivity import Sensitivity, TippingPoint

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

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> fit.gate.passed
    True
    >>> list(fit.posterior.sizes)[:2], fit.seed
    (['chain', 'draw'], 1)
    >>> sorted(fit.tree.children)
    ['observed_data', 'posterior', 'sample_stats']
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
            Indexed by term: kind (effect, residual sd, group sd, correlation, ICC, R²), mean, sd, interval, r_hat,
            ess_bulk, ess_tail, mcse_mean, prior_sensitivity: above .05 the priors of the parameters have a say, as they have in
            group sds of few groups (see `bayesmi.fit.prior_share`). ``attrs["gate"]`` holds the verdict.

        Raises
        ------
        FitError
            If `prob` is no probability, or the response is derived and has no model of its own.

        Notes
        -----
        ICC and R² of a logit model are on the latent scale, with residual variance pi²/3. R² (marginal) is the share of the
        fixed effects, R² (conditional) that of fixed and group effects together (Nakagawa and Schielzeth 2013; Johnson 2014),
        over all rows, incomplete predictors over imputations. On the log scale Poisson counts have the residual variance
        log(1 + 1/mean), negative binomial ones log(1 + 1/mean + 1/alpha) (Nakagawa, Johnson and Schielzeth 2017). A model whose
        sigma differs from row to row (``sigma ~ x``) has neither: the share of the variance would be another one in every row;
        nor have responses without one residual variance on the scale of the predictor (nominal, binomial out of trials, gamma,
        Weibull, exponential, beta, Student-t, truncated, zero-inflated and hurdle ones).

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> table = fit.summary()
        >>> list(table.index)
        ['Intercept', 'age', 'bmi', 'sigma', 'R2 (marginal)']
        >>> bool(table.loc["age", "mean"] > 0)
        True
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
            self.model,
            self.draws,
            analysis_only=not all_models,
            prob=prob,
            explained=explained_variance(self),
        )
        table.attrs["gate"] = str(self.gate)
        if not self.gate.passed:
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

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> check = fit.check(replications=100)
        >>> list(check.table.index)[:3]
        [('chl', 'mean'), ('chl', 'sd'), ('chl', 'min')]
        >>> check.replicated["chl"].shape  # replications, observed cells
        (100, 15)
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
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> tree = fit.posterior_predictive(draws=200, progress=False)
        >>> tree["posterior_predictive"]["chl"].shape  # 15 of 25 values of chl are observed
        (4, 50, 15)
        >>> import arviz_plots as azp
        >>> pc = azp.plot_ppc_dist(tree, var_names=["chl"])
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
        >>> import bayesmi as bmi
        >>> model = bmi.Model("popular ~ sex + (1 | school)", bmi.datasets.load("popmis"))
        >>> fit = model.fit(seed=1, draws=500, tune=500, progress=False)
        >>> rows = fit.log_likelihood(progress=False)
        >>> rows.shape, rows.attrs["n_absent"]  # popular is missing in 848 of 2,000 rows
        ((4, 500, 1152), 848)
        >>> schools = fit.log_likelihood(unit="school", marginal=True, progress=False)
        >>> schools.shape
        (4, 500, 100)
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
        >>> import arviz as az
        >>> import bayesmi as bmi
        >>> pupils = bmi.datasets.load("popmis")
        >>> trees = {}
        >>> for formula in ("popular ~ (1 | school)", "popular ~ sex + (1 | school)"):
        ...     fit = bmi.Model(formula, pupils).fit(seed=1, draws=500, tune=500, progress=False)
        ...     trees[formula] = fit.with_log_likelihood(progress=False)
        >>> list(az.compare(trees).index)  # the better one first
        ['popular ~ sex + (1 | school)', 'popular ~ (1 | school)']
        """
        from bayesmi.likelihood import with_log_likelihood

        return with_log_likelihood(
            self, kind=kind, unit=unit, marginal=marginal, nodes=nodes, progress=progress
        )

    def profile_rho(self, variable: str | None = None, *, rho: Sequence[float] | None = None) -> RhoProfile:
        """Return the posterior density along rho of a Heckman model, maximised over everything else.

        Parameters
        ----------
        variable : str, optional
            Whose selection; not needed where one variable has one.
        rho : sequence of float, optional
            Where to look, between -1 and 1.

        Returns
        -------
        RhoProfile
            `rho`, `log_density` (the largest is zero) and `modes`.

        Raises
        ------
        FitError
            If no rho is estimated, or several are and none is named.

        Notes
        -----
        `fit` scans it too and says where there is a second maximum. Group sds stay at their posterior medians.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> x, z, e = rng.normal(size=(3, 300))
        >>> y = np.where(0.5 + z + e > 0, x + e + rng.normal(size=300), np.nan)  # the same e: seen if large
        >>> model = bmi.Model(
        ...     "y ~ x", pd.DataFrame({"y": y, "x": x, "z": z}), mechanisms={"y": bmi.Heckman("~ x + z")}
        ... )
        >>> fit = model.fit(seed=1, progress=False)
        >>> profile = fit.profile_rho()
        >>> len(profile.modes), bool(profile.log_density.max() == 0)
        (1, True)
        >>> bool(profile.modes[0] > 0)
        True
        """
        from bayesmi.build import build_sampled
        from bayesmi.fit.rho_profile import RHO_GRID, estimated_rhos, profile_rho

        built = build_sampled(self.model, self.plan)
        known = estimated_rhos(built)
        if variable is None and len(known) != 1:
            found = (
                f"there are {', '.join(known)}: name one"
                if known
                else "no rho of a Heckman model is estimated"
            )
            raise FitError(f"profile_rho(): {found}")
        return profile_rho(built, variable or known[0], self.draws, RHO_GRID if rho is None else rho)

    def impute(
        self, m: int = 20, *, newdata: Any = None, seed: int | None = None, despite_gate: bool = False
    ) -> Imputations:
        """Return m completed data sets, each from one posterior draw (parameters and cells of the same draw).

        Parameters
        ----------
        m : int
            Number of imputations.
        newdata : DataFrame, optional
            New rows to impute instead of the table that was fitted, without refitting. Columns that it lacks are missing in
            every row; columns that the fit does not know are carried along.
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
        DataError
            If `newdata` has a level that the fit does not know, no group, or no value of a predictor that has no model.

        Notes
        -----
        New rows inform no parameter: theirs are the posterior draws of the fit. Rows of a group that the fit has seen have
        that group's effects, and its values of cluster variables, of the same draw. The effects of a new group are drawn
        given everything observed in its rows, missing cells integrated out, and its cells given these. Where all is
        Gaussian both are exact; else effects come from 40 elliptical slices that start at a draw from the Gaussian around
        their mode (Nishihara, Murray & Adams 2014).

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> fit.impute(5).complete(1).isna().sum().to_dict()  # hyp is in no model
        {'age': 0, 'bmi': 0, 'hyp': 8, 'chl': 0}
        >>> import pandas as pd
        >>> new = pd.DataFrame({"age": [1, 3], "bmi": [None, 24.5]}, index=["Ann", "Bob"])
        >>> completed = fit.impute(5, newdata=new, seed=1).complete("long")
        >>> completed.shape, int(completed["bmi"].isna().sum())
        ((10, 5), 0)
        """
        from bayesmi.newrows.impute import impute_fit

        imputed, lines = impute_fit(self, m, newdata=newdata, seed=seed, despite_gate=despite_gate)
        for line in lines:
            warnings.warn(line, BayesmiNotice, stacklevel=2)
        return imputed

    def predict(
        self,
        newdata: Any = None,
        *,
        kind: str = "mean",
        groups: str = "known",
        draws: int | None = 1000,
        seed: int | None = None,
        progress: bool = True,
    ) -> xr.DataArray:
        """Return posterior draws of the expected response, or of new values of it.

        Parameters
        ----------
        newdata : DataFrame, optional
            New rows; by default those of the fit. A response in it is not used: `impute` is for values given others of a
            group.
        kind : {"mean", "response", "link"}
            The expected response (of a response with more than two levels the probability of each), a new value of it, or the
            linear predictor.
        groups : {"known", "population", "zero"}
            Rows of groups that the fit has seen have their effects and others draws from the population; or all have draws from
            the population; or the effects in the model of the response are zero: a typical group. Without the column of
            the group, which "known" needs, each row is a group of its own.
        draws : int, optional
            Posterior draws to use, spread evenly over the chains; None for all.
        seed : int, optional
            By default the fit's.
        progress : bool
            Show progress.

        Returns
        -------
        xarray.DataArray
            (chain, draw, row), with row labels; of probabilities (chain, draw, row, level). Levels are codes as in
            `posterior_predictive`, their labels in ``attrs["levels"]``.

        Raises
        ------
        FitError
            If an option is not known, or the response is derived and has no model of its own.
        DataError
            If `newdata` has a level that the fit does not know, no group, or no value of a predictor that has no model.

        Notes
        -----
        Missing predictors are integrated out by drawing them: each posterior draw has one draw of them, in new rows given the
        predictors that are observed there, in the fit's own rows given everything. Rows of one new group share its effects.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> import pandas as pd
        >>> new = pd.DataFrame({"age": [1, 3], "bmi": [None, 24.5]})
        >>> expected = fit.predict(new, draws=200, progress=False)
        >>> expected.sizes["row"], bool(expected.mean(("chain", "draw"))[0] < expected.mean(("chain", "draw"))[1])
        (2, True)
        """
        from bayesmi.newrows.predict import predict

        return predict(self, newdata, kind=kind, groups=groups, draws=draws, seed=seed, progress=progress)

    def predictions(
        self,
        newdata: Any = None,
        *,
        kind: str = "mean",
        groups: str = "known",
        draws: int | None = 1000,
        prob: float = 0.95,
        seed: int | None = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """Return predictions with intervals as a table.

        Parameters
        ----------
        newdata, kind, groups, draws, seed, progress
            As in `predict`.
        prob : float
            Content of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            The rows with estimate (posterior mean), std.error (posterior sd), conf.low and conf.high added; of a response with
            more than two levels a row for each level, with the probability of it.

        Raises
        ------
        FitError, DataError
            As in `predict`.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> import pandas as pd
        >>> table = fit.predictions(pd.DataFrame({"age": [1, 3], "bmi": [None, 24.5]}), draws=200, progress=False)
        >>> list(table.columns), len(table)
        (['age', 'bmi', 'estimate', 'std.error', 'conf.low', 'conf.high'], 2)
        """
        from bayesmi.newrows.predict import predictions

        return predictions(
            self,
            newdata,
            kind=kind,
            groups=groups,
            draws=draws,
            prob=prob,
            seed=seed,
            progress=progress,
        )

    def group_effects(
        self, grouping: str | None = None, *, variable: str | None = None, prob: float = 0.95
    ) -> xr.Dataset:
        """Return the group effects of one grouping with intervals.

        Parameters
        ----------
        grouping : str, optional
            Not needed where the model has one.
        variable : str, optional
            In whose model; by default the response's.
        prob : float
            Content of the equal-tailed intervals.

        Returns
        -------
        xarray.Dataset
            `draws` (chain, draw, group, term), and `estimate`, `std.error`, `conf.low` and `conf.high` (group, term): the
            dimension "group" is named like the grouping and has its labels. With an equation for each level also (level,).
            ``to_dataframe()`` of the last four is a table.

        Raises
        ------
        FitError
            If there is no such grouping or variable.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> model = bmi.Model("popular ~ sex + (1 | school)", bmi.datasets.load("popmis"))
        >>> fit = model.fit(seed=1, draws=500, tune=500, progress=False)
        >>> effects = fit.group_effects("school")
        >>> effects["estimate"].dims, effects.sizes["school"]
        (('school', 'term'), 100)
        >>> table = effects[["estimate", "conf.low", "conf.high"]].sel(term="Intercept").to_dataframe()
        >>> bool((table["conf.low"] < table["conf.high"]).all())
        True
        """
        from bayesmi.fit.group_effects import group_effects

        return group_effects(self, grouping, variable=variable, prob=prob)

    def latent_means(self, variable: str | None = None, *, prob: float = 0.95) -> xr.Dataset:
        """Return the latent group means that between(x) stands for, with intervals.

        Parameters
        ----------
        variable : str, optional
            Not needed where the formula has one.
        prob : float
            Content of the equal-tailed intervals.

        Returns
        -------
        xarray.Dataset
            `draws` (chain, draw, group), and `estimate`, `std.error`, `conf.low` and `conf.high` (group,): the dimension
            "group" is named like the grouping and has its labels.

        Raises
        ------
        FitError
            If there is none of that variable, or group-level predictors of it are incomplete.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> pupils = bmi.datasets.load("popmis")
        >>> pupils = pupils[pupils["school"] <= 40]
        >>> model = bmi.Model("teachpop ~ within(popular) + between(popular) + (1 | school)", pupils)
        >>> fit = model.fit(seed=1, progress=False)
        >>> means = fit.latent_means("popular")
        >>> means["estimate"].dims, means.sizes["school"]
        (('school',), 40)
        """
        from bayesmi.fit.latent_means import latent_means

        return latent_means(self, variable, prob=prob)

    def sensitivity(
        self,
        delta: Mapping[str, Any] | None = None,
        *,
        rho: Any = None,
        group_rho: Any = None,
        analysis: Callable[[Any], Any] | str | None = None,
        kind: str | None = None,
        like: Mapping[str, Delta] | None = None,
        m: int = 20,
        seed: int | None = None,
        n_jobs: int = 1,
        reweight: bool = True,
        refit: Mapping[str, Any] | None = None,
        progress: bool = True,
        despite_gate: bool = False,
    ) -> Sensitivity:
        """Evaluate the answer over a grid of deltas, or of known correlations of a Heckman model, one or two at once.

        Parameters
        ----------
        delta : mapping of str to sequence of number
            ``{"weight": [-10, -5, 0]}``: missing values of weight shifted by that much; two variables make a grid of both.
            Units as in `Delta`.
        rho : sequence of number, or mapping of these by variable, optional
            Of a Heckman model: the correlation of the errors of both equations, known instead of estimated.
        group_rho : sequence of number, or mapping, optional
            The same of the group effects of both equations, a second axis beside `rho` or one by itself. Without it they stay
            as the model has them, by default estimated anew at each rho: ``.across`` of the result.
        analysis : callable or formula, optional
            Analysis of a completed table. By default the analysis model as statsmodels fits it ("after", "conditional"), or the
            one-step posterior ("model", and correlations).
        kind : {"conditional", "after", "model"}, optional
            Which estimand, see `Delta`; "conditional" by default.
        like : mapping of str to Delta, optional
            Of which the grid takes multiples, where a plain number is not what is meant:
            ``{"weight": bmi.Delta({"active": 1}, by="arm", kind="after")}``.
        m : int
            Imputations at each point: the same posterior draws and random numbers at all.
        seed : int, optional
            By default the fit's.
        n_jobs : int
            Processes over the grid ("after", "conditional"), or over refits (correlations), -1 for all cores; results do not
            depend on it.
        reweight : bool
            Of a "model" and of correlations, reweight draws where Pareto k says that this is accurate, and sample anew only
            elsewhere.
        refit : mapping, optional
            For `Model.fit` there: draws, tune, chains, cores.
        progress : bool
            Show progress where there is a terminal or notebook to show it in.
        despite_gate : bool
            Use a posterior whose checks failed.

        Returns
        -------
        Sensitivity
            ``.table``, ``.plot(term)``, ``.tipping_point(term)``, ``.realised``.

        Raises
        ------
        GateError
            If the checks of this fit, or of a refit, failed and `despite_gate` is not set.
        ModelError
            If a variable or an amount does not fit.

        Notes
        -----
        Delta is not identified by the data (of a "model" almost not): the table says what would follow, not what is the case. Nor
        is rho without an exclusion restriction, other than by the normal shape of the errors; the column log_likelihood says
        how much less (or more) likely the data are at a rho than at zero.

        Draws of a fit that estimates rho are draws of all other parameters with rho integrated out; they are reweighted by the
        likelihood at the known rho over that integral, Pareto-smoothed (Vehtari et al. 2024), and so are refits that are near.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> found = fit.sensitivity({"bmi": [-2, 0, 2]}, m=10, progress=False)
        >>> found.columns, found.terms
        (('delta_bmi',), ('Intercept', 'age', 'bmi'))
        >>> found.table.shape[0]  # three deltas, three terms
        9
        """
        from bayesmi.sensitivity import run_sensitivity

        return run_sensitivity(
            self, delta, rho=rho, group_rho=group_rho, analysis=analysis, kind=kind, like=like, m=m, seed=seed,
            n_jobs=n_jobs, reweight=reweight, refit=refit, progress=progress, despite_gate=despite_gate,
        )  # fmt: skip

    def tipping_point(
        self,
        term: str,
        delta: Mapping[str, Any] | None = None,
        *,
        rho: Any = None,
        criterion: str | float = "interval",
        alpha: float = 0.05,
        tolerance: float = 1e-3,
        **options: Any,
    ) -> TippingPoint:
        """Find the delta, or the rho of a Heckman model, at which the conclusion on a term turns.

        Parameters
        ----------
        term : str
            The estimand, such as ``"treat"``.
        delta : mapping of str to (low, high) or sequence of number
            One variable; two numbers are a range in which nine points are taken first.
        rho : (low, high) or sequence of number, or a mapping of one variable to these, optional
            Instead of `delta`.
        criterion, alpha, tolerance
            As in `Sensitivity.tipping_point`.
        **options
            As in `sensitivity`.

        Returns
        -------
        TippingPoint
            Value, Monte Carlo error, and the sensitivity analysis it was found in.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> options = {"m": 10, "progress": False}
        >>> tipping = fit.tipping_point("bmi", {"chl": (0, 100)}, criterion=7.5, **options)
        >>> tipping.term, tipping.criterion
        ('bmi', 'estimate crosses 7.5')
        >>> 0 < tipping.value < 100
        True
        """
        from bayesmi.sensitivity.grid import nine_points

        found = self.sensitivity(nine_points(delta), rho=nine_points(rho), **options)
        return found.tipping_point(term, criterion=criterion, alpha=alpha, tolerance=tolerance)

    def deltas(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Say what the data told about the deltas of delta_models.

        Parameters
        ----------
        prob : float
            Content of the equal-tailed intervals.

        Returns
        -------
        DataFrame
            Indexed by variable and group: prior (or the number it is fixed at), posterior mean, sd and interval;
            log_likelihood, the log of the marginal likelihood of the observed data with all deltas of the model over that with
            deltas of zero (negative: a drop; one number for the model), by importance sampling from this posterior, with the
            Pareto k that says whether it is accurate: above .7 it is not, and `sensitivity` of the fit without delta, which has
            draws from both posteriors, says it better.

        Raises
        ------
        FitError
            If the model has none.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> prior = bmi.Prior("Normal", -2, 1)
        >>> model = bmi.Model(
        ...     "chl ~ age + bmi", bmi.datasets.load("nhanes"), mechanisms={"bmi": bmi.Delta(prior, kind="model")}
        ... )
        >>> fit = model.fit(seed=1, progress=False)
        >>> table = fit.deltas()
        >>> table["prior"].tolist(), bool(abs(table["mean"].iloc[0] + 2) < 1)  # the data tell next to nothing
        (['Normal(mu=-2, sigma=1)'], True)
        """
        from bayesmi.sensitivity import delta_posterior

        return delta_posterior(self, prob=prob)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the fit as one file (a zip); `bayesmi.load` restores it.

        Parameters
        ----------
        path : path
            By custom ``*.bmi``.
        force : bool
            Replace an existing file.

        Raises
        ------
        DataError
            If the file exists and `force` is not set.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "fit.bmi"
        ...     fit.save(path)
        ...     again = bmi.load(path)
        >>> bool((again.posterior["age"] == fit.posterior["age"]).all())
        True
        """
        from bayesmi.files import save_fit

        save_fit(self, path, force=force)

    @cached_property
    def _delta_lines(self) -> tuple[str, ...]:
        """Prior, posterior and change in log likelihood of delta_models, a line each."""
        if not deltas_of(self.model.mechanisms, "model"):
            return ()
        from bayesmi.sensitivity.deltas import delta_lines

        return delta_lines(self.deltas())

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
                *(f"  note: {remark}" for remark in (*self.plan.remarks, *self.gate.notes)),
                *(f"  {line}" for line in self._delta_lines),
                f"  next: {'.summary(), ' if self.model.derived_response is None else ''}.check(), .impute(m=20)",
            ]
        )
