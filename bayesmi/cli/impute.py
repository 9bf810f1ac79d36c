"""`bayesmi impute`: from a file to m completed data sets on disk."""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayesmi.errors import BayesmiError, BayesmiNotice, DataError, GateError, ModelError

if TYPE_CHECKING:
    from bayesmi.fit import Fit
    from bayesmi.imputations import Imputations
    from bayesmi.separate import SeparateFits

__all__ = ["ImputeOptions", "run_impute"]

_SUFFIXES = (".csv", ".parquet", ".bmi")
_CHAINS = 4  # always, so that the same seed means the same draws


@dataclass(frozen=True)
class ImputeOptions:
    """What was typed."""

    file: Path
    formula: str | None
    output: Path
    m: int
    cluster: str | None
    kinds: tuple[str, ...]
    scales: tuple[str, ...]
    seed: int | None
    draws: int
    tune: int
    cores: int | None
    force: bool
    despite_gate: bool
    quiet: bool
    by: str | None = None
    ignore: str | None = None


def run_impute(options: ImputeOptions) -> None:
    """Impute and write; everything that can be refused is refused before sampling."""
    started = time.perf_counter()
    _check(options)
    say = (lambda text: None) if options.quiet else (lambda text: print(text, file=sys.stderr))

    from bayesmi.data import read_table
    from bayesmi.imputations.export import refuse_long_form
    from bayesmi.impute import everything_formula, separate_or_one, without_column

    imported = time.perf_counter() - started
    if options.quiet:
        warnings.simplefilter("ignore", BayesmiNotice)
    data = read_table(options.file)
    kinds = _kinds(options.kinds)
    formula = options.formula
    if formula is None:
        formula = everything_formula(
            without_column(data, options.ignore), cluster=options.cluster, by=options.by, kinds=kinds
        )
        say(f"note: no formula given: every incomplete variable is modelled given all others ({formula})")
    own, of_covariates = _scales(options.scales)
    whole = (formula, own) if own else formula
    marked = {} if options.ignore is None else {"ignore": options.ignore}
    model = separate_or_one(whole, data, by=options.by, kinds=kinds, formulas=of_covariates, **marked)
    suffix = options.output.suffix.lower()
    if suffix != ".bmi":  # refused after sampling otherwise
        refuse_long_form(model.frame, na="NA" if suffix == ".csv" else None)
    plan = model.plan()
    say(str(plan))
    lap = time.perf_counter()
    import bayesmi.fit  # noqa: F401  numba and what samples: not before the table and the formula are in order

    imported += time.perf_counter() - lap
    fit = model.fit(
        seed=options.seed,
        draws=options.draws,
        tune=options.tune,
        cores=options.cores,
        progress=not options.quiet,
    )
    say(str(fit.gate))
    if not fit.gate.passed and not options.despite_gate:
        raise GateError(
            f"{fit.gate}. Sample longer (--draws, --tune) or simplify; --despite-gate uses it all the same"
        )
    lap = time.perf_counter()
    imputed = fit.impute(options.m, despite_gate=options.despite_gate)
    for i in range(1, options.m + 1):
        imputed.complete(i)
    impute_seconds = time.perf_counter() - lap
    lap = time.perf_counter()
    _write(imputed, options)
    write_seconds = time.perf_counter() - lap
    say(_timing(fit, imported, impute_seconds, write_seconds, time.perf_counter() - started))
    say(f"{options.m} completed data sets of {len(data):,} rows in {options.output} (seed {fit.seed})")


def _check(options: ImputeOptions) -> None:
    from bayesmi.imputations.atomic import check_target

    for name, value in (
        ("-m", options.m),
        ("--draws", options.draws),
        ("--tune", options.tune),
        ("--cores", 1 if options.cores is None else options.cores),
    ):
        if value < 1:
            raise ModelError(f"{name} must be 1 or more, not {value}")
    if options.m > _CHAINS * options.draws:
        raise ModelError(
            f"-m {options.m} needs as many different posterior draws and there will be {_CHAINS * options.draws} "
            f"({_CHAINS} chains of {options.draws}): ask for fewer, or raise --draws"
        )
    if options.seed is not None and options.seed < 0:
        raise ModelError(f"--seed must be zero or positive, not {options.seed}")
    if options.output.suffix.lower() not in _SUFFIXES and not options.output.is_dir():
        raise DataError(f"'{options.output}': the output is a file whose name ends in {', '.join(_SUFFIXES)}")
    check_target(options.output, force=options.force, how="--force")
    if options.output.exists() and options.file.exists() and options.output.samefile(options.file):
        raise DataError(f"'{options.output}' is the table itself: choose another name for the output")
    if options.formula is not None and options.cluster is not None:
        raise ModelError(f"--cluster goes without a formula; in a formula write (1 | {options.cluster})")


def _kinds(given: tuple[str, ...]) -> dict[str, Any]:
    kinds: dict[str, Any] = {}
    for entry in given:
        name, sign, kind = entry.rpartition("=")
        if not sign or not name:
            raise BayesmiError(f"--kind {entry!r}: write COLUMN=KIND, e.g. --kind age=continuous")
        word, sign, levels = kind.partition(":")
        kinds[name] = (word, _named_levels(levels)) if sign else word
    return kinds


def _named_levels(text: str) -> list[Any]:
    """Read ``-8..8``, or levels between commas: numbers where all of them are."""
    first, dots, last = text.partition("..")
    try:
        if dots:
            return list(range(int(first), int(last) + 1))
        numbers = [float(level) for level in text.split(",")]
        return [int(number) if number.is_integer() else number for number in numbers]
    except ValueError:
        return text.split(",")


def _scales(given: tuple[str, ...]) -> tuple[str | None, dict[str, tuple[str, ...]]]:
    """Return the formula of the analysis model's scale and those of incomplete covariates by column."""
    own: str | None = None
    others: dict[str, tuple[str, ...]] = {}
    for entry in given:
        before, _, right = entry.partition("~")
        column, sign, parameter = before.rpartition(":")
        if not right.strip() or not parameter.strip():
            raise ModelError(
                f"--scale {entry!r}: write FORMULA, e.g. --scale 'sigma ~ x', or --scale 'x: sigma ~ z' for a covariate x"
            )
        name = column.strip().strip("`")
        if (name in others) if sign else (own is not None):
            raise ModelError(
                f"--scale {entry!r}: the scale of {name or 'the analysis model'} has a model already"
            )
        if sign:
            others[name] = (f"{parameter.strip()} ~ {right.strip()}",)
        else:
            own = entry
    return own, others


def _write(imputed: Imputations, options: ImputeOptions) -> None:
    match options.output.suffix.lower():
        case ".csv":
            imputed.to_csv(options.output, force=options.force)
        case ".parquet":
            imputed.to_parquet(options.output, force=options.force)
        case _:
            imputed.save(options.output, force=options.force)


def _timing(fit: Fit | SeparateFits, imported: float, impute: float, write: float, total: float) -> str:
    seconds = {"import": imported + fit.seconds.get("load", 0.0)}
    seconds |= {name: value for name, value in fit.seconds.items() if name != "load"}
    seconds |= {"impute": impute, "write": write}
    return f"{total:.1f} s: " + ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())
