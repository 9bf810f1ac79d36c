"""Model: the joint model of everything incomplete, said by one formula; every part can be overridden."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.data import IncompleteFrame
from bayesmi.errors import BayesmiNotice, ModelError, NotSupportedError
from bayesmi.families import Family, family_for_kind, get_family
from bayesmi.formula import Formula, check_variables, parse
from bayesmi.formula.substitute import substituted
from bayesmi.mechanism import deltas_of, read_mechanisms
from bayesmi.model.assemble import assemble_factor
from bayesmi.model.automatic import AutomaticFormula, Earlier, write_formula
from bayesmi.model.checks import (
    check_arguments,
    check_auxiliary,
    check_groupings,
    check_names,
    check_roles,
    factor_prior_names,
)
from bayesmi.model.derived import Derived, check_parts, read_derived, solve_parts, with_derived_columns
from bayesmi.model.factor import Factor
from bayesmi.model.order import order_variables
from bayesmi.model.shifted import NO_SHIFT, check_mechanisms, check_shifts, model_shift
from bayesmi.model.table import ModelTable
from bayesmi.priors import Prior

if TYPE_CHECKING:
    import pymc as pm

    from bayesmi.fit import Fit
    from bayesmi.plan import Plan

__all__ = ["Model"]


class Model:
    """A joint model of an incomplete table: f(y | x1, x2, z) · f(x2 | x1, z) · f(x1 | z).

    Parameters
    ----------
    formula : str
        The analysis model, e.g. ``"popular ~ texp + sex + (1 + sex | school)"``. Names are columns of `data`.
    data : pandas.DataFrame, polars.DataFrame or IncompleteFrame
        The incomplete table, one row a unit. It is not changed.
    family : str, optional
        The response's family; by default that of its kind: Gaussian for continuous, Bernoulli for binary, softmax for
        nominal, cumulative logit for ordinal, Poisson for count. `bayesmi.families.REGISTRY` has them all.
    families : mapping, optional
        Families of incomplete covariates and auxiliary variables by column, e.g. ``{"income": "lognormal"}``.
    formulas : mapping, optional
        Right-hand sides of incomplete covariates by column, e.g. ``{"age": "~ sex + (1 | school)"}``.
    priors : mapping, optional
        `Prior` by the name of the posterior variable, e.g. ``{"sex": Prior("Normal", 0, 1)}``.
    auxiliary : sequence of str
        Columns that inform missing values and stay out of the analysis model: each is modelled given the analysis
        variables, f(auxiliary | response, predictors), whether it is itself complete or not.
    derived : mapping, optional
        Columns that are functions of others, e.g. ``{"BMI": "Weight / Height**2"}``: the parts are modelled, the column
        is computed in every completed data set (and added where the table has none). In the formula it stands for its
        expression; an observed value determines the one part that is missing.
    observations : optional
        Not supported yet; anything but the empty default is refused by name.
    mechanisms : mapping, optional
        Why values are missing, by column, where it is because of what they are: `Delta`.
    kinds : mapping, optional
        Kind of columns: continuous, count, binary, nominal, ordinal or identifier.
    levels : "pooled" or mapping, optional
        A mapping gives the level of columns ("row" or a grouping). "pooled" leaves group means and group effects out
        of the models written for incomplete covariates, with a notice.
    order : sequence of str, optional
        Order of the incomplete covariates in the product, first conditional first.
    treatments : mapping, optional
        Treatment of missing cells by column ("predict", "enumerate", "integrate", "grid", "sample") and of group effects
        by "1|school"-like names ("collapse", "centred", "noncentred"); by default the plan chooses.
    where : table or mapping of masks, optional
        Missing cells where False are left missing.
    not_applicable : mapping, optional
        Condition under which a column does not apply, e.g. ``{"regret": "debut == 0"}``.

    Raises
    ------
    BayesmiError
        One line that names the column, row or token at fault.

    Notes
    -----
    The factorisation is that of Ibrahim, Chen & Lipsitz (1999) and Lüdtke, Robitzsch & West (2020); the analysis
    model stays as it is written, the models of covariates keep their levels separate.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> model = bmi.Model("popular ~ texp + sex + (1 | school)", bmi.datasets.load("popmis"))
    >>> model.response
    'popular'
    """

    def __init__(
        self,
        formula: str,
        data: Any,
        *,
        family: str | None = None,
        families: Mapping[str, str] | None = None,
        formulas: Mapping[str, str] | None = None,
        priors: Mapping[str, Prior] | None = None,
        auxiliary: Sequence[str] = (),
        derived: Mapping[str, str] | None = None,
        observations: Mapping[str, Any] | None = None,
        mechanisms: Mapping[str, Any] | None = None,
        kinds: Mapping[str, str] | None = None,
        levels: str | Mapping[str, str] | None = None,
        order: Sequence[str] | None = None,
        treatments: Mapping[str, str] | None = None,
        where: Any = None,
        not_applicable: Mapping[str, str] | None = None,
    ) -> None:
        _refuse_unsupported(observations=observations)
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
        parsed = parse(formula)
        if parsed.response is None:
            raise ModelError(f"formula {formula!r} has no response: write 'y ~ …'")
        if parsed.response.is_transformed:
            raise NotSupportedError(
                f"a transformed response ({parsed.response.expression}) is not supported yet; "
                "make it a column of the table first"
            )
        if isinstance(levels, str) and levels not in ("pooled", "separated"):
            raise ModelError(f"levels= is 'pooled', 'separated' or a mapping, not {levels!r}")
        known = [str(name) for name in getattr(data, "columns", ())] if derived else []
        made = read_derived(derived, known)
        if any(parsed.response.name == one.name for one in made):
            raise NotSupportedError(
                f"the response {parsed.response.name!r} is derived: a density of it beside those of its parts would count them "
                "twice; the nearest that is supported: a model of its parts, and its analysis on the completed data"
            )
        if made and not isinstance(data, IncompleteFrame):
            data = with_derived_columns(data, made)
        overrides = dict(levels) if isinstance(levels, Mapping) else None
        groupings = tuple(dict.fromkeys(term.grouping for term in parsed.groups))
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
            check_variables(parsed, tuple(frame.columns))
        else:
            if hasattr(data, "shape") and len(getattr(data, "columns", ())):  # else from_table refuses it
                check_variables(parsed, [str(name) for name in data.columns])
            frame = IncompleteFrame.from_table(
                data,
                kinds=kinds,
                groups=groupings,
                levels=overrides,
                where=where,
                not_applicable=not_applicable,
            )
        self._spec: dict[str, Any] = {
            "formula": formula,
            "family": family,
            "auxiliary": list(auxiliary),
            "derived": dict(derived or {}),
            "families": dict(families or {}),
            "formulas": dict(formulas or {}),
            "priors": dict(priors or {}),
            "kinds": dict(kinds or {}),
            "levels": levels if isinstance(levels, str) else (dict(levels) if levels else None),
            "order": list(order) if order is not None else None,
            "treatments": dict(treatments or {}),
            "not_applicable": dict(not_applicable or {}),
        }
        self._mechanisms = read_mechanisms(mechanisms, list(frame.columns))
        self._spec["mechanisms"] = {name: own.to_dict() for name, own in self._mechanisms.items()}
        self._formula = parsed
        self._frame = frame
        self._derived = made
        separate = levels != "pooled"
        for one in made:
            if one.name not in frame.columns:
                raise ModelError(
                    f"derived[{one.name!r}]: an IncompleteFrame needs that column, empty if it is new"
                )
        contradictions = check_parts(made, frame)
        table = ModelTable.from_frame(frame, groupings)
        table = table.with_solved(solve_parts(made, table.values, table.unknown))
        modelled, names = substituted(parsed, {one.name: one.expression for one in made})
        self._table, self._factors, notices = _joint(
            modelled, names, table, self._spec, self._mechanisms, separate_levels=separate
        )
        notices = (*contradictions, *notices)
        whole = [factor.variable for factor in self._factors if factor.family.integer_valued]
        imputed = [factor.variable for factor in reversed(self._factors)]
        self._notices = (*frame.notices, *notices, *frame.dtype_notices(imputed, whole))
        for line in self._notices:
            warnings.warn(line, BayesmiNotice, stacklevel=2)

    @property
    def formula(self) -> Formula:
        """The analysis model's formula."""
        return self._formula

    @property
    def derived(self) -> tuple[Derived, ...]:
        """Columns that are computed from others in every completed data set."""
        return self._derived

    @property
    def mechanisms(self) -> Mapping[str, Any]:
        """Why values are missing, by column, where it is because of what they are."""
        return dict(self._mechanisms)

    @property
    def response(self) -> str:
        """Name of the response."""
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
    def treatments(self) -> Mapping[str, str]:
        """The treatments the user asked for."""
        return dict(self._spec["treatments"])

    @property
    def order(self) -> tuple[str, ...]:
        """Incomplete covariates in the order of the product."""
        return tuple(factor.variable for factor in self._factors if factor.role == "covariate")

    def factor(self, variable: str) -> Factor:
        """Return the conditional of one variable."""
        for factor in self._factors:
            if factor.variable == variable:
                return factor
        raise ModelError(
            f"{variable!r} has no model of its own: modelled are {', '.join(f.variable for f in self._factors)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the specification as plain data (the keys of a model file)."""
        return {
            "schema": 1,
            **{key: value for key, value in self._spec.items() if key != "priors"},
            "priors": {name: prior.to_dict() for name, prior in self._spec["priors"].items()},
        }

    def plan(self) -> Plan:
        """Return what happens to each missing cell, in words and counts."""
        from bayesmi.plan import make_plan

        return make_plan(self)

    def to_pymc(self) -> pm.Model:
        """Return the model with every cell and group effect as a latent: an ordinary pm.Model to read and extend.

        What `fit` samples may be smaller (cells summed out, group effects integrated out) and has the same posterior.
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
            If sampling cannot start.
        """
        from bayesmi.fit import fit_model

        return fit_model(
            self,
            seed=seed,
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            sampler=sampler,
            progress=progress,
        )

    def __repr__(self) -> str:
        from bayesmi.model.text import model_text

        return model_text(self)


def _refuse_unsupported(**arguments: Any) -> None:
    nearest = {
        "observations": "exact and missing values are",
    }
    for name, value in arguments.items():
        if value:
            raise NotSupportedError(f"{name}= is not supported yet; the nearest that is: {nearest[name]}")


def _joint(
    parsed: Formula,
    names: Mapping[str, str],
    table: ModelTable,
    spec: dict[str, Any],
    mechanisms: Mapping[str, Any],
    *,
    separate_levels: bool,
) -> tuple[ModelTable, tuple[Factor, ...], tuple[str, ...]]:
    """Return the table with made columns, the factors in the order of the product, and notices."""
    assert parsed.response is not None
    response = parsed.response.name
    frame = table.frame
    check_roles(parsed, response, table)
    check_groupings(parsed, table)
    used = [name for name in frame.columns if name in parsed.variables]
    incomplete = [name for name in used if table.is_incomplete(name)]
    auxiliary = check_auxiliary(spec["auxiliary"], parsed, response, table)
    for key in ("families", "formulas"):
        for name in spec[key]:
            if name not in incomplete and name not in auxiliary:
                why = "is complete or not in the formula" if name in frame.columns else "is not in the table"
                raise ModelError(
                    f"{key}[{name!r}]: {name!r} {why}; only incomplete covariates and auxiliary variables have their own model"
                )
    families: dict[str, Family] = {}
    for name in [*incomplete, *auxiliary]:
        chosen = spec["families"].get(name)
        families[name] = get_family(chosen) if chosen else family_for_kind(name, frame.columns[name].kind)
        _check_family(name, families[name], table)
    ranks = _level_ranks(table)
    order = order_variables(
        incomplete,
        level_rank={name: ranks[table.level(name)] for name in incomplete},
        is_discrete={name: families[name].is_discrete for name in incomplete},
        n_missing={name: int(table.unknown[name].sum()) for name in incomplete},
        wanted=spec["order"],
    )
    complete = [name for name in used if name not in incomplete and np.ptp(table.values[name]) > 0]
    factors: list[Factor] = []
    notices: list[str] = []
    check_mechanisms(mechanisms, {response, *incomplete, *auxiliary}, table)
    shifted = deltas_of(mechanisms, "model")
    earlier: dict[str, Earlier] = {}

    def add(name: str, before: Sequence[str], role: str) -> None:
        """Write, or read, the model of a variable given what stands before it, and put it into the product."""
        nonlocal table
        own = spec["formulas"].get(name)
        if own is None:
            written = write_formula(
                name,
                table,
                complete=[other for other in complete if other != name],
                earlier=before,
                facts=earlier,
                separate_levels=separate_levels,
            )
            for made in written.made:
                if made in frame.columns:
                    raise ModelError(f"column {made!r} has the name of a group mean of the model: rename it")
            table = table.with_made(written.made)
        else:
            right = own if "~" in own else f"~ {own}"
            written = AutomaticFormula(right, {}, (), (), ())
        formula = parse(written.text)
        if own is not None:
            _check_covariate_formula(name, formula, table, before, response, role)
        shift = NO_SHIFT
        if name in shifted:
            shift = model_shift(name, shifted[name], families[name], table, before, f"{name}__")
            table = table.with_made({column: (own, table.level(name)) for column, own in shift.made.items()})
        factor, remarks = assemble_factor(
            name,
            shift.formula(formula),
            families[name],
            table,
            role=role,
            level=table.level(name),
            links=written.links,
            link_sds=written.link_sds,
            given={**spec["priors"], **shift.priors},
            reasons=written.reasons,
            names=shift.names,
            uncentred=shift.columns,
        )
        factor = shift.factor(factor)
        earlier[name] = Earlier.of(factor)
        factors.append(factor)
        notices.extend(remarks)

    for i, name in enumerate(order):
        add(name, order[:i], "covariate")
    if not separate_levels and table.groupings and order:
        notices.append(
            "levels='pooled': models of incomplete covariates force equal within- and between-group association"
        )
    family = (
        get_family(spec["family"] or "binomial")
        if spec["family"] or parsed.response.trials is not None
        else family_for_kind(response, frame.columns[response].kind, "response")
    )
    _check_family(response, family, table)
    if table.level(response) != "row":
        notices.append(
            f"response {response!r} is constant within {table.level(response)}: its rows are not independent"
        )
    shift = NO_SHIFT
    if response in shifted:
        shift = model_shift(response, shifted[response], family, table, None, "")
        table = table.with_made({column: (own, table.level(response)) for column, own in shift.made.items()})
    analysis, remarks = assemble_factor(
        response,
        shift.formula(parsed),
        family,
        table,
        role="analysis",
        given={**spec["priors"], **shift.priors},
        names={**names, **shift.names},
        uncentred=shift.columns,
    )
    analysis = shift.factor(analysis)
    factors.append(analysis)
    notices += remarks
    earlier[response] = Earlier.of(analysis)
    last = order_variables(
        auxiliary,
        level_rank={name: ranks[table.level(name)] for name in auxiliary},
        is_discrete={name: families[name].is_discrete for name in auxiliary},
        n_missing={name: int(table.unknown[name].sum()) for name in auxiliary},
    )
    for i, name in enumerate(last):
        add(name, [*order, response, *last[:i]], "auxiliary")
    if auxiliary and not any(table.is_incomplete(name) for name in [*incomplete, response]):
        notices.append("nothing is missing in the analysis model: auxiliary variables inform nothing")
    _check_priors(spec["priors"], factors)
    check_names(factors, table)
    check_shifts(mechanisms, factors, table)
    return table, tuple(factors), tuple(notices)


def _check_family(name: str, family: Family, table: ModelTable) -> None:
    column = table.column(name)
    if family.has_levels and family.kinds == ("binary",) and len(table.levels_of(name)) != 2:
        raise ModelError(f"family {family.name!r} needs two values; column {name!r} is {column.kind}")
    if not family.has_levels and column.categories is not None:
        raise ModelError(
            f"family {family.name!r} needs numbers; column {name!r} holds categories ({column.kind})"
        )
    if family.has_levels and len(table.levels_of(name)) < 2:
        raise ModelError(
            f"family {family.name!r} needs levels; column {name!r} is {column.kind}: say "
            f"kinds={{{name!r}: {family.kinds[0]!r}}}"
        )


def _level_ranks(table: ModelTable) -> dict[str, int]:
    sizes = sorted(table.groupings, key=lambda name: len(table.groupings[name].labels))
    return {**{name: i for i, name in enumerate(sizes)}, "row": len(sizes)}


def _check_covariate_formula(
    name: str, formula: Formula, table: ModelTable, earlier: Sequence[str], response: str, role: str
) -> None:
    if formula.response is not None and formula.response.name != name:
        raise ModelError(f"formulas[{name!r}] has the response {formula.response.name!r}; write '~ …'")
    check_variables(formula, (*table.frame.columns, *table.made))
    if role == "covariate" and response in formula.variables:
        raise ModelError(
            f"formulas[{name!r}] conditions on the response {response!r}: the covariate's information on it comes "
            "through the analysis model; leave it out"
        )
    for other in sorted(formula.variables):
        if other == name:
            raise ModelError(f"formulas[{name!r}] has {name!r} on its own right-hand side")
        if other not in table.made and table.is_incomplete(other) and other not in earlier:
            raise ModelError(
                f"formulas[{name!r}] conditions on {other!r}, which is incomplete and comes later in the product or "
                f"has no model; the order is {', '.join([*earlier, name])} …: give order= or leave it out"
            )
        level = table.level(name)
        if level != "row" and not (
            table.level(other) == level
            or (table.level(other) != "row" and table.contains(table.level(other), level))
        ):
            raise ModelError(
                f"formulas[{name!r}]: {name!r} is a {level} variable and cannot depend on {other!r} of level "
                f"{table.level(other)}"
            )
    for term in formula.groups:
        if term.grouping not in table.groupings:
            raise ModelError(
                f"formulas[{name!r}] has the grouping {term.grouping!r}, which the analysis model does not have"
            )


def _check_priors(given: Mapping[str, Prior], factors: Sequence[Factor]) -> None:
    known = [name for factor in factors for name in factor_prior_names(factor)]
    for name in given:
        if name not in known:
            raise ModelError(f"priors[{name!r}]: the model has no such parameter; it has {', '.join(known)}")
