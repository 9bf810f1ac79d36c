"""Commands and their options; each command's work is in a file of its own."""

from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from bayesmi import __version__
from bayesmi.errors import BayesmiError, BayesmiNotice

__all__ = ["app", "main"]

# typer has its own copy of click or the installed one: the base of all errors about what was typed, in either
_TYPED_WRONG: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")
_INTERRUPTED = 130

app = typer.Typer(
    name="bayesmi",
    help="Bayesian multiple imputation: say the analysis model once, every missing value is an unknown of it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich takes half a second to lay out a help page
    pretty_exceptions_enable=False,
)

File = Annotated[Path, typer.Argument(help="CSV, TSV or Parquet file.", metavar="FILE")]
Seed = Annotated[int | None, typer.Option(help="Repeats everything exactly.", metavar="WHOLE NUMBER")]


def _version(show: bool) -> None:
    if show:
        typer.echo(f"bayesmi {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


@app.command(short_help="What is in a table, and what is missing.")
def describe(
    file: File,
    cluster: Annotated[str | None, typer.Option(help="Grouping column.", metavar="COLUMN")] = None,
) -> None:
    """Say what is in a table and what is missing: kinds, levels, patterns, flux, suspicious codes."""
    from bayesmi.cli.describe import run_describe

    run_describe(file, cluster)


@app.command(short_help="Write m completed data sets.")
def impute(
    file: File,
    formula: Annotated[
        str | None,
        typer.Argument(
            help='Analysis model, e.g. "y ~ x + (1 | g)". Without one every incomplete variable is modelled given all others.',
            metavar="FORMULA",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where to: .csv, .parquet (long form) or .bmi.")
    ] = Path("imputed.parquet"),
    m: Annotated[int, typer.Option("-m", help="Number of completed data sets.")] = 20,
    cluster: Annotated[
        str | None, typer.Option(help="Without a formula: grouping column.", metavar="COLUMN")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Separate models for each level of this column.", metavar="COLUMN")
    ] = None,
    ignore: Annotated[
        str | None,
        typer.Option(
            help="Column of true and false: rows that are imputed and inform no parameter.", metavar="COLUMN"
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="Kind of a column, e.g. --kind age=continuous, or --kind score=ordinal:-8..8; may be repeated.",
            metavar="COLUMN=KIND",
        ),
    ] = None,
    scale: Annotated[
        list[str] | None,
        typer.Option(
            help='Model of the scale, e.g. --scale "sigma ~ x"; of a covariate --scale "x: sigma ~ z"; may be repeated.',
            metavar="FORMULA",
        ),
    ] = None,
    seed: Seed = None,
    draws: Annotated[int, typer.Option(help="Kept draws a chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Warm-up draws a chain.")] = 1000,
    cores: Annotated[int | None, typer.Option(help="Chains sampled at once.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output file.")] = False,
    despite_gate: Annotated[
        bool, typer.Option("--despite-gate", help="Use a posterior whose convergence checks failed.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say only what went wrong.")] = False,
) -> None:
    """Impute a table m times and write the completed data sets in mice's long form (.imp and .id)."""
    from bayesmi.cli.impute import ImputeOptions, run_impute

    run_impute(
        ImputeOptions(
            file,
            formula,
            output,
            m,
            cluster,
            tuple(kind or ()),
            tuple(scale or ()),
            seed,
            draws,
            tune,
            cores,
            force,
            despite_gate,
            quiet,
            by,
            ignore,
        )
    )


@app.command(short_help="A case study, from table to pooled answer.")
def demo(
    folder: Annotated[Path, typer.Argument(help="Where figures and tables go.")] = Path("bayesmi-demo"),
    seed: Seed = 1,
) -> None:
    """Run the popularity case study from the incomplete table to the pooled answer; about half a minute."""
    from bayesmi.cli.demo import run_demo

    run_demo(folder, seed=seed)


def main() -> None:
    """Run a command; every mistake of the user's ends in one line: exit status 1, or 2 for what was typed wrong."""
    warnings.simplefilter("ignore")
    warnings.simplefilter("always", BayesmiNotice)
    warnings.showwarning = _show_notice
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without "≤" shows "?" rather than a traceback
    try:
        status = app(standalone_mode=False)
    except (BayesmiError, OSError) as problem:
        _fail(str(problem), 1)
    except _TYPED_WRONG as problem:
        if type(problem).__name__ == "NoArgsIsHelpError":
            print(
                problem.format_message(), end=""
            )  # typer's own copy has printed the help and has no message
            sys.exit(2)
        _fail(problem.format_message(), 2)
    except KeyboardInterrupt:
        status = _INTERRUPTED
    if status == _INTERRUPTED:
        print("interrupted: nothing was written", file=sys.stderr)
    sys.exit(status or 0)


def _fail(message: str, status: int) -> None:
    """Say what is wrong in one line, and stop."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)


_SAID: set[str] = (
    set()
)  # a table and its completed copies may have the same remark: once is enough in a shell


def _show_notice(message: object, *_: object, **__: object) -> None:
    if str(message) not in _SAID:
        _SAID.add(str(message))
        print(f"note: {message}", file=sys.stderr)
