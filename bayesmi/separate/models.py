"""SeparateModels: the same formula in each level of a column, nothing shared between them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bayesmi.data import IncompleteFrame
from bayesmi.errors import BayesmiError, BayesmiNotice, ModelError
from bayesmi.formula import check_variables, parse
from bayesmi.model import Model
from bayesmi.model.derived import read_derived, with_derived_columns
from bayesmi.model.scale import formula_texts, merged, read_scale
from bayesmi.observation import (
    is_limit,
    kinds_of_limited,
    read_observations,
    split_observations,
    with_latent_columns,
    with_recorded,
)
from bayesmi.separate.options import complete_in_group, options_of_group
from bayesmi.separate.split import Stratum, check_by, split_frame

if TYPE_CHECKING:
    from bayesmi.plan import Plan
    from bayesmi.separate.fits import SeparateFits

__all__ = ["SeparateModels", "SeparatePlans"]

_OF_TABLE = ("kinds", "where", "not_applicable")


class SeparateModels(Mapping[Any, Model]):
    """One model for each level of a column, such as the arms of a trial; a mapping from level to `Model`.

    Parameters
    ----------
    formula : str or sequence of str
        The analysis model of every group; it does not name `by`, which is constant in each.
    data : pandas.DataFrame, polars.DataFrame or IncompleteFrame
        The whole incomplete table.
    by : str
        A complete column with a few levels.
    **options
        As in `Model`; they hold for every group. What they say of the model of an incomplete covariate does not concern a
        group that has it complete.

    Raises
    ------
    BayesmiError
        One line; where it concerns one group, the group is named.

    Notes
    -----
    All parameters, and the priors that are scaled from the data, differ between groups: this is the imputation model that
    is compatible with an analysis in which `by` interacts with everything (White, Royston & Wood 2011, section 2.7). Kinds
    and levels of columns are those of the whole table.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> table = bmi.datasets.simulate_pupils(20, 20, seed=1, missing={"popular": 0.3}).data
    >>> models = bmi.SeparateModels("popular ~ texp", table, by="sex")
    >>> models.by, list(models)
    ('sex', [0, 1])
    >>> models[0].response
    'popular'
    """

    def __init__(self, formula: str | Sequence[str], data: Any, *, by: str, **options: Any) -> None:
        self._by = by
        if options.get("ignore") is not None:
            raise ModelError(
                "ignore= beside by= is not supported: fit one Model for each level, each with its ignore="
            )
        texts = formula_texts(formula)
        parsed = parse(texts[0])
        if parsed.response is None:
            raise ModelError(f"formula {texts[0]!r} has no response: write 'y ~ …'")
        levels, kinds = options.get("levels"), options.get("kinds")
        if isinstance(data, IncompleteFrame):
            for key in _OF_TABLE:
                if options.get(key) is not None:
                    raise ModelError(
                        f"{key}= comes too late for an IncompleteFrame: give it to IncompleteFrame.from_table()"
                    )
            frame = data
            parsed = merged(parsed, _scale(texts, parsed, frame))
        else:
            known = [str(name) for name in getattr(data, "columns", ())]
            made = read_derived(options.get("derived"), known) if options.get("derived") else ()
            if made:
                data = with_derived_columns(data, made)
            limits, others = split_observations(options.get("observations"), known)
            if limits:
                data = with_recorded(data, limits, kinds)
                kinds = {**kinds_of_limited(data, limits), **(kinds or {})} or None
            measured = read_observations(others, known)
            if measured:
                data = with_latent_columns(data, measured)
                kinds = {**dict.fromkeys(measured, "continuous"), **(kinds or {})}
            parsed = merged(parsed, _scale(texts, parsed, data))
            if known and hasattr(data, "shape"):
                check_variables(parsed, [str(name) for name in data.columns])
            frame = IncompleteFrame.from_table(
                data,
                kinds=kinds,
                groups=tuple(dict.fromkeys(term.grouping for term in parsed.groups)),
                levels=dict(levels) if isinstance(levels, Mapping) else None,
                where=options.get("where"),
                not_applicable=options.get("not_applicable"),
            )
        check_variables(parsed, tuple(frame.columns))
        named = _named(parsed, options, tuple(frame.columns))
        check_by(by, frame, named)
        groupings = {part for term in parsed.groups for part in term.grouping.split(":")}
        # not observed anywhere: their measurements are
        latent = {name for name, own in (options.get("observations") or {}).items() if not is_limit(own)}
        used = [name for name in frame.columns if name in named and name not in {*groupings, *latent}]
        self._frame = frame
        self._strata = split_frame(frame, by, used)
        rest = {key: value for key, value in options.items() if key not in _OF_TABLE}
        if isinstance(levels, Mapping):
            rest.pop("levels")

        def model(stratum: Stratum) -> Model:
            complete = complete_in_group(frame, stratum.frame, parsed, options)
            return Model(formula, stratum.frame, **options_of_group(rest, complete))

        self._models = _each(by, self._strata, model, stacklevel=3)

    @classmethod
    def restored(
        cls, by: str, frame: IncompleteFrame, strata: tuple[Stratum, ...], models: Mapping[Any, Model]
    ) -> SeparateModels:
        """Return models that were read from a file.

        Parameters
        ----------
        by : str
            The column.
        frame : IncompleteFrame
            The whole table.
        strata : tuple of Stratum
            The rows of each level.
        models : mapping
            Level -> Model.

        Returns
        -------
        SeparateModels

        Examples
        --------
        >>> import bayesmi as bmi
        >>> table = bmi.datasets.simulate_pupils(20, 20, seed=1, missing={"popular": 0.3}).data
        >>> models = bmi.SeparateModels("popular ~ texp", table, by="sex")
        >>> again = bmi.SeparateModels.restored(models.by, models.frame, models.strata, models.models)
        >>> list(again) == list(models)
        True
        """
        out = cls.__new__(cls)
        out._by, out._frame, out._strata, out._models = by, frame, strata, dict(models)
        return out

    @property
    def by(self) -> str:
        """The column."""
        return self._by

    @property
    def frame(self) -> IncompleteFrame:
        """The whole incomplete table."""
        return self._frame

    @property
    def strata(self) -> tuple[Stratum, ...]:
        """The rows of each level."""
        return self._strata

    @property
    def models(self) -> Mapping[Any, Model]:
        """The models by level."""
        return MappingProxyType(self._models)

    @property
    def first(self) -> Model:
        """The first of them, for what all have in common."""
        return next(iter(self._models.values()))

    def __getitem__(self, label: Any) -> Model:
        if label not in self._models:
            raise KeyError(f"{self._by} is one of {', '.join(map(repr, self._models))}, not {label!r}")
        return self._models[label]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def plan(self) -> SeparatePlans:
        """Return the plan of each group.

        Returns
        -------
        SeparatePlans
            A dict from level to `Plan`.

        Raises
        ------
        BayesmiError
            As `Model.plan`.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> table = bmi.datasets.simulate_pupils(20, 20, seed=1, missing={"popular": 0.3}).data
        >>> models = bmi.SeparateModels("popular ~ texp", table, by="sex")
        >>> {level: len(plan.units("popular", "predict")) for level, plan in models.plan().items()}
        {0: 32, 1: 85}
        """
        return SeparatePlans(self._by, {label: model.plan() for label, model in self._models.items()})

    def fit(self, *, seed: int | None = None, progress: bool = True, **options: Any) -> SeparateFits:
        """Sample every model.

        Parameters
        ----------
        seed : int, optional
            Each group has its own seed made from this one; without one a seed is drawn and kept.
        progress : bool
            Show progress.
        **options
            draws, tune, chains, cores, target_accept, sampler: as in `Model.fit`.

        Returns
        -------
        SeparateFits
            A mapping from level to `Fit`.

        Raises
        ------
        FitError
            As `Model.fit`; the group is named.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> table = bmi.datasets.simulate_pupils(20, 20, seed=1, missing={"popular": 0.3}).data
        >>> models = bmi.SeparateModels("popular ~ texp", table, by="sex")
        >>> fits = models.fit(seed=1, progress=False)
        >>> list(fits), fits.gate.passed
        ([0, 1], True)
        """
        from bayesmi.seeds import check_seed
        from bayesmi.separate.fits import SeparateFits, seed_of

        own = check_seed(seed)
        seeds = {label: seed_of(own, i) for i, label in enumerate(self._models)}
        fits = _each(
            self._by,
            self._strata,
            lambda stratum: self._models[stratum.label].fit(
                seed=seeds[stratum.label], progress=progress, **options
            ),
            stacklevel=3,
        )
        return SeparateFits(self, fits, own)

    def __repr__(self) -> str:
        return _sections(self._by, self._strata, self._models)


class SeparatePlans(dict[Any, "Plan"]):
    """The plans by level."""

    def __init__(self, by: str, plans: Mapping[Any, Plan]) -> None:
        super().__init__(plans)
        self._by = by

    def __repr__(self) -> str:
        return "\n\n".join(f"{self._by} = {label}\n{plan!r}" for label, plan in self.items())


def _scale(texts: tuple[str, ...], parsed: Any, data: Any) -> Any:
    """Return the formula of the scale, if there is one."""
    if len(texts) == 1:
        return None
    return read_scale(texts[1], parsed.response.name, [str(name) for name in data.columns])


def _named(parsed: Any, options: Mapping[str, Any], columns: Sequence[str]) -> dict[str, str]:
    """Columns that the models use, and where they are named."""
    out: dict[str, str] = {}
    for name in options.get("auxiliary") or ():
        out.setdefault(str(name), "auxiliary=")
    for variable, texts in (options.get("formulas") or {}).items():
        for text in formula_texts(texts, f"formulas[{variable!r}]"):
            own = parse(text if "~" in text else f"~ {text}")
            for name in [*own.variables, *(part for term in own.groups for part in term.grouping.split(":"))]:
                if not name.startswith("between("):
                    out[str(name)] = f"formulas[{variable!r}]"
    for variable, given in (options.get("observations") or {}).items():
        several = given if isinstance(given, list | tuple) else [given]
        for name in [column for one in several for column in getattr(one, "columns", ())]:
            out[name] = f"observations[{variable!r}]"
    made = read_derived(options.get("derived"), columns) if options.get("derived") else ()
    for one in made:
        for name in one.parts:
            out[name] = f"derived[{one.name!r}]"
    names = [parsed.response.name, *parsed.variables]
    names += [part for term in parsed.groups for part in term.grouping.split(":")]
    trials = getattr(parsed.response, "trials", None)
    if isinstance(trials, str):
        names.append(trials)
    derived = {one.name for one in made}
    for name in names:
        if name not in derived:
            out[name] = "the formula"
    return out


def _each(
    by: str, strata: tuple[Stratum, ...], make: Callable[[Stratum], Any], *, stacklevel: int
) -> dict[Any, Any]:
    """Make something for each group; errors and remarks say of which group they are."""
    out: dict[Any, Any] = {}
    remarks: dict[str, list[Any]] = {}
    for stratum in strata:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", BayesmiNotice)
            try:
                out[stratum.label] = make(stratum)
            except BayesmiError as problem:
                raise type(problem)(f"where {by} is {stratum.label!r}: {problem}") from problem
        for one in caught:
            if issubclass(one.category, BayesmiNotice):
                remarks.setdefault(str(one.message), []).append(stratum.label)
            else:
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    for line, labels in remarks.items():
        where = "" if len(labels) == len(strata) else f"where {by} is {', '.join(map(repr, labels))}: "
        warnings.warn(where + line, BayesmiNotice, stacklevel=stacklevel)
    return out


def _sections(by: str, strata: tuple[Stratum, ...], things: Mapping[Any, Any]) -> str:
    parts = [f"{len(strata)} separate models by {by}"]
    for stratum in strata:
        parts.append(f"{by} = {stratum.label} ({len(stratum.rows):,} rows)\n{things[stratum.label]!r}")
    return "\n\n".join(parts)
