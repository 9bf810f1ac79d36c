"""Model: the joint model of everything incomplete, said by one formula; every part can be overridden."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayesmi.data import IncompleteFrame
from bayesmi.data.kinds import parse_kind
from bayesmi.errors import BayesmiNotice, ModelError, NotSupportedError
from bayesmi.formula import Formula, check_variables, parse
from bayesmi.formula.substitute import substituted
from bayesmi.mechanism import (
    indicator_masks,
    indicator_name,
    indicators_of,
    mechanism_objects,
    read_mechanisms,
    with_indicator_columns,
)
from bayesmi.model.checks import check_arguments
from bayesmi.model.constraints import count_columns, find_constraints, levels_of_parts
from bayesmi.model.contextual import read_contextual, refuse_contextual
from bayesmi.model.derived import Derived, check_parts, read_derived, with_derived_columns, with_scores
from bayesmi.model.derived_response import parts_formula, response_notice, spec_of_part
from bayesmi.model.effect_terms import refuse_effects, take_effects
from bayesmi.model.factor import Factor
from bayesmi.model.ignored import Ignored, read_ignore
from bayesmi.model.indicators import with_indicators
from bayesmi.model.joint import product
from bayesmi.model.joint_spec import JointSpec
from bayesmi.model.limited import with_limits
from bayesmi.model.manifest import Manifest
from bayesmi.model.observed import levels_of_observed, with_observations
from bayesmi.model.scale import formula_texts, merged, read_scale
from bayesmi.model.table import ModelTable
from bayesmi.model.whole import whole_derived
from bayesmi.observation import (
    Limited,
    Observation,
    kinds_of_limited,
    read_observations,
    split_observations,
    with_latent_columns,
    with_recorded,
)
from bayesmi.priors import Prior

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayesmi.fit import Fit
    from bayesmi.plan import Plan

__all__ = ["Model"]


class Model:
    """A joint model of an incomplete table: f(y | x1, x2, z) · f(x2 | x1, z) · f(x1 | z).

    Parameters
    ----------
    formula : str or sequence of str
        The analysis model, e.g. ``"popular ~ texp + sex + (1 + sex | school)"``. Names are columns of `data`.
        ``between(x)`` is the latent mean of x in each group, the group-level part of x's own model, ``within(x)`` the
        deviation from it; ``between(x, school)`` names the grouping, ``between(x, "manifest")`` is the mean of the
        completed data. ``group_effect(x)``, here or in `formulas`, is the group effect of an incomplete x in its own model.
        With a second text, ``("popular ~ texp + (1 | school)", "sigma ~ texp + (1 | school)")``, the logarithm of
        the family's scale has a model too; its name is the parameter's (sigma, alpha of gamma, Weibull and negative binomial
        models, kappa of beta models).
    data : pandas.DataFrame, polars.DataFrame or IncompleteFrame
        The incomplete table, one row a unit. It is not changed.
    family : str, optional
        The response's family; by default that of its kind: Gaussian for continuous, Bernoulli for binary, softmax for
        nominal, cumulative logit for ordinal, Poisson for count. `bayesmi.families.REGISTRY` has them all.
    families : mapping, optional
        Families of incomplete covariates and auxiliary variables by column, e.g. ``{"income": "lognormal"}``.
    formulas : mapping, optional
        Right-hand sides of incomplete covariates by column, e.g. ``{"age": "~ sex + (1 | school)"}``, or
        ``{"age": ("~ sex", "sigma ~ sex")}`` with a model of the scale; ``("sigma ~ sex",)`` alone keeps the mean's
        automatic model.
    priors : mapping, optional
        `Prior` by the name of the posterior variable, e.g. ``{"sex": Prior("Normal", 0, 1)}``.
    auxiliary : sequence of str
        Columns that inform missing values and stay out of the analysis model: each is modelled given the analysis
        variables, f(auxiliary | response, predictors), whether it is itself complete or not.
    derived : mapping, optional
        Columns that are functions of others, e.g. ``{"BMI": "Weight / Height**2"}``: the parts are modelled, the column
        is computed in every completed data set (and added where the table has none). In the formula it stands for its
        expression. An observed value informs its parts, and completed data agree with it: one missing part follows; of
        several, sums of items keep the combinations that give the total, linear expressions of Gaussian parts condition
        these, others run over the values that give it. A derived response is analysed on the completed data.
    observations : mapping, optional
        How values reached the table. Of a column: `censored`, `rounded`, `truncated`, such as ``{"conc":
        bmi.censored("conc", below="lod")}``, or a pair of two of them. Of a new variable: ``{"x_true": bmi.measured("x",
        sd="x_se")}``, measured with error of known size: formulas use the key in place of the column, and it is imputed in
        every row.
    mechanisms : mapping, optional
        Why values are missing, by column, where it is because of what they are: `Delta`, `Heckman`, `SelfMasking`,
        `SharedEffects`.
    kinds : mapping, optional
        Kind of columns: continuous, count, binary, nominal, ordinal or identifier. Levels that never occur are not
        imputed, unless they are named: ``{"score": ("ordinal", range(-8, 9))}``.
    levels : "pooled" or mapping, optional
        A mapping gives the level of columns ("row" or a grouping). "pooled" leaves group means and group effects out
        of the models written for incomplete covariates, with a notice.
    order : sequence of str, optional
        Order of the incomplete covariates in the product, first conditional first. Auxiliary variables may be named
        too, all of them: that is their order, whatever stands between.
    treatments : mapping, optional
        Treatment of missing cells by column ("predict", "enumerate", "gibbs", "integrate", "grid", "sample") and of group effects
        by "1|school"-like names ("collapse", "adaptive", "centred", "partly centred": the first effect is, "noncentred"); by
        default the plan chooses. A mapping moves one group of cells, as the plan shows them: ``{"x": {"integrate": "sample"}}``.
    where : table or mapping of masks, optional
        Missing cells where False are left missing.
    not_applicable : mapping, optional
        Condition under which a column does not apply, e.g. ``{"regret": "debut == 0"}``.
    ignore : array of bool or str, optional
        Rows, or the column of True and False that marks them, that inform no parameter and are imputed all the same (mice's
        ignore): `Fit.impute` treats them as new rows and completes the whole table. Everything else is of the other rows.

    Raises
    ------
    BayesmiError
        One line that names the column, row or token at fault.

    Notes
    -----
    The factorisation is that of Ibrahim, Chen & Lipsitz (1999) and Lüdtke, Robitzsch & West (2020); the analysis
    model stays as it is written, the models of covariates keep their levels separate.

    Latent group means are those of Lüdtke et al. (2008): x has a model of its own even if it is complete, given
    group-level variables only, so that its mean is not adjusted for others; these are modelled given x. The prior of the
    contextual effect is on what between(x) adds to the effect of within(x), or of x; it is named between(x|school).

    Examples
    --------
    >>> import bayesmi as bmi
    >>> model = bmi.Model("popular ~ texp + sex + (1 | school)", bmi.datasets.load("popmis"))
    >>> model.response
    'popular'
    """

    def __init__(
        self,
        formula: str | Sequence[str],
        data: Any,
        *,
        family: str | None = None,
        families: Mapping[str, str] | None = None,
        formulas: Mapping[str, str | Sequence[str]] | None = None,
        priors: Mapping[str, Prior] | None = None,
        auxiliary: Sequence[str] = (),
        derived: Mapping[str, str] | None = None,
        observations: Mapping[str, Any] | None = None,
        mechanisms: Mapping[str, Any] | None = None,
        kinds: Mapping[str, Any] | None = None,
        levels: str | Mapping[str, str] | None = None,
        order: Sequence[str] | None = None,
        treatments: Mapping[str, str | Mapping[str, str]] | None = None,
        where: Any = None,
        not_applicable: Mapping[str, str] | None = None,
        ignore: Any = None,
    ) -> None:
        check_arguments(
            family=family,
            order=order,
            auxiliary=auxiliary,
            families=families,
            formulas=formulas,
            priors=priors,
            kinds=kinds,
            treatments=treatments,
            not_applicable=not_applicable,
        )
        kinds = {name: parse_kind(name, kind).plain for name, kind in kinds.items()} if kinds else None
        ignored = read_ignore(data, ignore, where)
        if ignored is not None and not isinstance(data, IncompleteFrame):
            data = ignored.informing
        texts = formula_texts(formula)
        parsed = parse(texts[0])
        if parsed.response is None:
            raise ModelError(f"formula {texts[0]!r} has no response: write 'y ~ …'")
        if parsed.response.is_transformed:
            raise NotSupportedError(
                f"a transformed response ({parsed.response.expression}) is not supported yet; "
                "make it a column of the table first"
            )
        if isinstance(levels, str) and levels not in ("pooled", "separated"):
            raise ModelError(f"levels= is 'pooled', 'separated' or a mapping, not {levels!r}")
        known = [str(name) for name in getattr(data, "columns", ())] if derived else []
        made = read_derived(derived, known)
        if made and not isinstance(data, IncompleteFrame):
            data = with_derived_columns(data, made)
        limits, others = split_observations(observations, _column_names(data))
        if limits and not isinstance(data, IncompleteFrame):
            data = with_recorded(data, limits, kinds)
            kinds = {**kinds_of_limited(data, limits), **(kinds or {})} or None
        measured = _read_observations(others, data)
        if measured and not isinstance(data, IncompleteFrame):
            data = with_latent_columns(data, measured)
            kinds = {**dict.fromkeys(measured, "continuous"), **(kinds or {})}
        overrides = dict(levels) if isinstance(levels, Mapping) else None
        columns = _column_names(data)
        scale = read_scale(texts[1], parsed.response.name, columns) if len(texts) > 1 else None
        both = merged(parsed, scale)
        asked = mechanism_objects(mechanisms)
        indicators = indicators_of(asked)
        if indicators and not isinstance(data, IncompleteFrame):
            masks = indicator_masks(data, asked)
            if masks and where is not None and not isinstance(where, Mapping):
                raise ModelError("where= beside drop-out must be a mapping of masks by column")
            data = with_indicator_columns(data, asked)
            where = {**masks, **(where or {})} if masks else where
            kinds = {**{indicator_name(name): "binary" for name in indicators}, **(kinds or {})}
        selections = [
            one.selection for one in asked.values() if hasattr(one, "selection") and not isinstance(one, type)
        ]
        groupings = tuple(dict.fromkeys(term.grouping for one in (both, *selections) for term in one.groups))
        if isinstance(data, IncompleteFrame):
            frame = data
            read_before = {
                "kinds": kinds,
                "levels": overrides,
                "where": where,
                "not_applicable": not_applicable,
            }
            for key, value in read_before.items():
                if value is not None:
                    raise ModelError(
                        f"{key}= comes too late for an IncompleteFrame: give it to IncompleteFrame.from_table()"
                    )
            check_variables(both, tuple(frame.columns))
        else:
            if hasattr(data, "shape") and len(getattr(data, "columns", ())):  # else from_table refuses it
                check_variables(both, [str(name) for name in data.columns])
            read = {"kinds": kinds, "groups": groupings, "where": where, "not_applicable": not_applicable}
            frame = IncompleteFrame.from_table(data, levels=overrides, **read)
            more = levels_of_observed(measured, frame, overrides)
            if more:
                frame = IncompleteFrame.from_table(data, levels={**(overrides or {}), **more}, **read)
        self._spec: dict[str, Any] = {
            "formula": formula if isinstance(formula, str) else list(texts),
            "family": family,
            "auxiliary": list(auxiliary),
            "derived": dict(derived or {}),
            "observations": {name: dict(own.to_dict()) for name, own in measured.items()}
            | {name: own.to_plain() for name, own in limits.items()},
            "families": dict(families or {}),
            "formulas": {
                name: own if isinstance(own, str) else list(own) for name, own in (formulas or {}).items()
            },
            "priors": dict(priors or {}),
            "kinds": dict(kinds or {}),
            "levels": levels if isinstance(levels, str) else (dict(levels) if levels else None),
            "order": list(order) if order is not None else None,
            "treatments": dict(treatments or {}),
            "not_applicable": dict(not_applicable or {}),
        }
        self._mechanisms = read_mechanisms(mechanisms, list(frame.columns))
        self._spec["mechanisms"] = {name: own.to_dict() for name, own in self._mechanisms.items()}
        self._limits = limits
        self._formula = parsed
        self._frame = frame
        self._derived = made
        separate = levels != "pooled"
        for one in made:
            if one.name not in frame.columns:
                raise ModelError(
                    f"derived[{one.name!r}]: an IncompleteFrame needs that column, empty if it is new"
                )
        made = self._derived = with_scores(made, frame)
        contradictions = check_parts(made, frame)
        table = ModelTable.from_frame(frame, groupings)
        table, constraints = find_constraints(
            made, table, levels_of_parts(made, table, count_columns(frame, self._spec["families"]))
        )
        table = replace(table, constraints=constraints)
        expressions = {one.name: one.expression for one in made}
        table = with_limits(with_observations(table, measured), limits)
        modelled, names = substituted(parsed, expressions)
        of_scale = substituted(scale, expressions)[0] if scale is not None else None
        context = read_contextual(modelled, table)
        modelled, table = context.formula, context.table
        self._manifest = context.manifest
        modelled, effects = take_effects(modelled, table)
        if effects and context.latent:
            raise NotSupportedError(
                f"`{effects[0].text}` beside {context.latent[0].between} is not supported; the nearest that is: between() of both"
            )
        if of_scale is not None:
            refuse_contextual(of_scale, "the model of the scale")
            refuse_effects(of_scale, "the model of the scale")
        spec = with_indicators(self._spec, self._mechanisms)
        self._derived_response = next((one for one in made if one.name == parsed.response.name), None)
        if self._derived_response is not None:
            modelled = parts_formula(modelled, self._derived_response)
            spec = spec_of_part(spec, self._derived_response, modelled)
            contradictions = (*contradictions, response_notice(self._derived_response, modelled))
        joint = product(
            JointSpec(
                modelled,
                of_scale,
                names,
                spec,
                measured,
                self._mechanisms,
                separate,
                context.latent,
                tuple(one.variable for one in context.manifest.values()),
                () if ignored is None else ignored.incomplete,
                limits,
                effects,
                expressions,
            ),
            table,
        )
        self._table, self._factors = joint.table, joint.factors
        notices = (*contradictions, *joint.notices)
        imputed = [f.variable for f in reversed(self._factors) if not f.is_observation]
        filled = [*imputed, *(one.name for one in made)]
        used = frozenset(imputed).union(*(factor.parents for factor in self._factors))
        words = (
            *frame.missing_word_notices(used),
            *frame.missing_number_notices(used),
            *frame.number_word_notices(used - set(self._spec["kinds"])),
        )
        self._notices = (*frame.notices, *words, *notices, *frame.dtype_notices(filled, self.integer_valued))
        self._ignored = ignored
        if ignored is not None:
            from bayesmi.newrows.ignored import check_ignored

            check_ignored(self, ignored)
        for line in self._notices:
            warnings.warn(line, BayesmiNotice, stacklevel=2)

    @property
    def ignored(self) -> Ignored | None:
        """The whole table and which of its rows inform no parameter; None where all do."""
        return self._ignored

    @property
    def manifest(self) -> Mapping[str, Manifest]:
        """Columns made of manifest group means that the analysis formula asks for, by their text in it."""
        return dict(self._manifest)

    @property
    def formula(self) -> Formula:
        """The analysis model's formula."""
        return self._formula

    @property
    def derived(self) -> tuple[Derived, ...]:
        """Columns that are computed from others in every completed data set."""
        return self._derived

    @property
    def integer_valued(self) -> frozenset[str]:
        """Columns whose imputations are whole numbers: by their family, or computed from whole numbers."""
        whole = frozenset(factor.variable for factor in self._factors if factor.family.integer_valued)
        return whole | whole_derived(self._derived, self.frame, whole)

    @property
    def mechanisms(self) -> Mapping[str, Any]:
        """Why values are missing, by column, where it is because of what they are."""
        return dict(self._mechanisms)

    @property
    def limits(self) -> Mapping[str, Limited]:
        """What is known of values beside the values: limits of censored and rounded ones, truncation, by column."""
        return dict(self._limits)

    @property
    def derived_response(self) -> Derived | None:
        """The analysis model's response if it is derived: analysed on the completed data, its parts being modelled."""
        return self._derived_response

    @property
    def response(self) -> str:
        """Name of the response; of a derived one, of the part that is modelled last."""
        return self.analysis.variable

    @property
    def frame(self) -> IncompleteFrame:
        """The incomplete table."""
        return self._frame

    @property
    def table(self) -> ModelTable:
        """The table as arrays, with the columns made for the model."""
        return self._table

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The conditionals in the order of the product, the analysis model last."""
        return self._factors

    @property
    def analysis(self) -> Factor:
        """The analysis model's factor."""
        return next(factor for factor in self._factors if factor.role == "analysis")

    @property
    def groupings(self) -> tuple[str, ...]:
        """Names of the groupings."""
        return tuple(self._table.groupings)

    @property
    def notices(self) -> tuple[str, ...]:
        """Remarks on the table and the model, one line each."""
        return self._notices

    @property
    def treatments(self) -> Mapping[str, str | Mapping[str, str]]:
        """The treatments the user asked for."""
        return dict(self._spec["treatments"])

    @property
    def order(self) -> tuple[str, ...]:
        """Incomplete covariates in the order of the product."""
        return tuple(factor.variable for factor in self._factors if factor.role == "covariate")

    def factor(self, variable: str) -> Factor:
        """Return the conditional of one variable.

        Parameters
        ----------
        variable : str
            A modelled variable.

        Returns
        -------
        Factor
            With its formula, family, priors and role.

        Raises
        ------
        ModelError
            If the variable has no model.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> model = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes"))
        >>> model.factor("bmi").role, sorted(model.factor("bmi").parents)
        ('covariate', ['age'])
        """
        for factor in self._factors:
            if factor.variable == variable:
                return factor
        raise ModelError(
            f"{variable!r} has no model of its own: modelled are {', '.join(f.variable for f in self._factors)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the specification as plain data (the keys of a model file).

        Returns
        -------
        dict
            Of strings, numbers, lists and dicts; the table is not in it.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> spec = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).to_dict()
        >>> spec["schema"], spec["formula"], spec["families"]
        (1, 'chl ~ age + bmi', {})
        """
        return {
            "schema": 1,
            **{key: value for key, value in self._spec.items() if key != "priors"},
            "priors": {name: prior.to_dict() for name, prior in self._spec["priors"].items()},
        }

    def plan(self) -> Plan:
        """Return what happens to each missing cell, in words and counts.

        Returns
        -------
        Plan
            Prints as text.

        Raises
        ------
        BayesmiError
            If the cells cannot be treated as asked for, or cost more than the budget and there is no other way.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> print(bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).plan())
        Plan
          bmi  7 cells   predicted afterwards        (the outcome is missing too: nothing observed depends on it)
          bmi  2 cells   integrated out, drawn back  (linear in the means of Gaussian variables: integrated out in closed form)
          chl  10 cells  predicted afterwards        (missing outcome: nothing depends on it)
        """
        from bayesmi.plan import make_plan

        return make_plan(self)

    def prior_predictive(
        self, *, draws: int = 500, seed: int | None = None, progress: bool = True
    ) -> xr.DataTree:
        """Return draws from the priors, and the tables that the model makes from them.

        Parameters
        ----------
        draws : int
            Draws from the prior.
        seed : int, optional
            Repeats them exactly. Without one a seed is drawn and kept in ``attrs["seed"]``.
        progress : bool
            Show progress.

        Returns
        -------
        xarray.DataTree
            Groups prior (the names of the posterior), prior_predictive (response and modelled covariates in all rows: the
            response on ``__obs__``, others on ``<variable>__obs``; categories as their codes; derived columns likewise)
            and observed_data.

        Raises
        ------
        ModelError
            If a prior is improper (Flat), or `draws` is no positive whole number.

        Notes
        -----
        From the priors that ``print(model)`` shows. Variables are drawn one after the other in the order of the product;
        nothing observed of a modelled variable is used, complete predictors stay as they are.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> model = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes"))
        >>> tree = model.prior_predictive(draws=50, seed=1)
        >>> tree["prior_predictive"]["chl"].shape
        (1, 50, 25)
        """
        from bayesmi.predictive import prior_predictive

        return prior_predictive(self, draws=draws, seed=seed, progress=progress)

    def to_pymc(self) -> pm.Model:
        """Return the model with every cell and group effect as a latent: an ordinary pm.Model to read and extend.

        What `fit` samples may be smaller (cells summed out, group effects integrated out) and has the same posterior. Beside
        latent group means the analysis model's coefficients are those of x and of its group effects; `fit` reports them as
        the formula has them. PyMC allows no slash in a name: it is written as the division sign ``∕`` (U+2215), as in
        the posterior.

        Returns
        -------
        pymc.Model
            Its variables have the names that the posterior of `fit` has.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> latent = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).to_pymc()
        >>> [variable.name for variable in latent.free_RVs]
        ['bmi__age', 'bmi__Intercept_centered', 'bmi__sigma', 'cell__bmi', 'age', 'bmi', 'Intercept_centered', 'sigma']
        """
        from bayesmi.build import build_plain

        return build_plain(self)

    def fit(
        self,
        *,
        seed: int | None = None,
        draws: int = 1000,
        tune: int = 1000,
        chains: int = 4,
        cores: int | None = None,
        target_accept: float | None = None,
        sampler: str = "nutpie",
        progress: bool = True,
    ) -> Fit:
        """Sample the posterior.

        Parameters
        ----------
        seed : int, optional
            Same seed, same draws, whatever the number of cores. Without one a seed is drawn and kept in the Fit.
        draws, tune, chains : int
            Kept and warm-up draws of each chain; chains.
        cores : int, optional
            Chains sampled at once; all available by default.
        target_accept : float, optional
            Acceptance rate that the steps are adapted to; by default .9 where group effects are sampled and .8 elsewhere.
            Nearer to 1 steps are smaller: what helps against divergent transitions, for more time.
        sampler : {"nutpie", "pymc"}
            Which NUTS.
        progress : bool
            Show progress and the time left.

        Returns
        -------
        Fit
            The posterior with the verdict of its checks.

        Raises
        ------
        FitError
            If sampling cannot start, or an option is out of range.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> model = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes"))
        >>> fit = model.fit(seed=1, progress=False)
        >>> fit.posterior["age"].shape, fit.gate.passed
        ((4, 1000), True)
        """
        from bayesmi.fit import fit_model

        return fit_model(
            self,
            seed=seed,
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            target_accept=target_accept,
            sampler=sampler,
            progress=progress,
        )

    def __repr__(self) -> str:
        from bayesmi.model.text import model_text

        return model_text(self)


def _column_names(data: Any) -> list[str]:
    """Return the columns of a table; nothing of what is refused later, such as a lazy one."""
    readable = isinstance(data, IncompleteFrame) or hasattr(data, "shape")
    return [str(name) for name in getattr(data, "columns", ())] if readable else []


def _read_observations(given: Mapping[str, Any] | None, data: Any) -> dict[str, Observation]:
    """Read observations=; a variable's own column may be there only if it is empty, as in a table that was saved."""
    if not isinstance(data, IncompleteFrame):
        return read_observations(given, _column_names(data))
    empty = [name for name, column in data.columns.items() if not column.observed.any()]
    measured = read_observations(given, list(data.columns), empty)
    for name in measured:
        if name not in data.columns:
            raise ModelError(f"observations[{name!r}]: an IncompleteFrame needs that column, empty")
    return measured
