"""`bayesmi demo`: the popularity case study, from an incomplete table to a pooled answer."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bayesmi.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from bayesmi.fit import Fit
    from bayesmi.imputations import Imputations
    from bayesmi.pool import Pooled

__all__ = ["run_demo"]


def run_demo(folder: Path, seed: int | None) -> None:
    """Run the case study and leave its figures and tables in a folder.

    Parameters
    ----------
    folder : Path
        Made where it does not exist; files of an earlier run are replaced, others stay.
    seed : int, optional
        Repeats everything exactly.

    Raises
    ------
    BayesmiError
        If the seed is no seed, or the folder cannot be made.

    Notes
    -----
    With ``BAYESMI_QUICK=1`` in the environment: fewer draws and five data sets.
    """
    started = time.perf_counter()
    quick = os.environ.get("BAYESMI_QUICK") == "1"
    draws, m = (600, 5) if quick else (1000, 20)

    from bayesmi.seeds import check_seed

    check_seed(seed)
    _make(folder)

    from rich.console import Console

    from bayesmi import datasets
    from bayesmi.demo.popularity import FORMULA, analyze, compare
    from bayesmi.demo.printing import answers_table, head, rows_of, say, summary_table
    from bayesmi.demo.published import PUBLISHED_SOURCE
    from bayesmi.model import Model

    console = Console(highlight=False)
    data = datasets.load("popmis")
    missing = data["popular"].isna()
    console.print(
        "[bold]bayesmi demo[/bold]: popularity of pupils, from an incomplete table to a pooled answer"
    )

    head(console, 1, "The table")
    say(
        console,
        f"{len(data):,} pupils in {data['school'].nunique()} schools. Of {missing.sum()} ({missing.mean():.0%}) the "
        "popularity score is missing, in every school;\nsex of the pupil and experience of the teacher (texp, years) "
        "are complete.",
    )

    head(console, 2, "The model")
    model = Model(FORMULA, data)
    say(console, _without_next(repr(model)))

    head(console, 3, "What will happen to each missing cell")
    say(console, str(model.plan()))

    head(console, 4, "Sampling")
    fit = model.fit(seed=seed, draws=draws, tune=draws)
    split = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in fit.seconds.items())
    say(console, f"4 chains of {draws:,} draws, seed {fit.seed}: {split}")
    say(console, str(fit.gate))

    head(console, 5, "The posterior is the answer")
    summary = fit.summary()
    console.print(summary_table(summary))

    head(console, 6, f"{m} completed data sets, for every other tool")
    imputed = fit.impute(m)
    say(console, f"Three pupils without a score, in the first two of {m} data sets:\n{rows_of(imputed)}")

    head(console, 7, "The same model by REML on every data set, pooled by Rubin's rules")
    pooled = analyze(imputed)
    answers = compare(fit, pooled, data)
    console.print(answers_table(answers))
    say(
        console,
        "(standard error; posterior sd in the first column.)\nOnly the outcome is incomplete here, so the complete "
        "cases hold all the information: that all columns agree is the point. Incomplete predictors are where "
        "imputation pays.",
    )
    say(console, f"Published: {PUBLISHED_SOURCE}.")

    head(console, 8, f"Left in {folder}")
    files = _save(folder, data, fit, imputed, pooled, answers, summary)
    width = max(map(len, files))
    for name, what in files.items():
        say(console, f"  {name.ljust(width)}  {what}")
    console.print(
        f"\n{time.perf_counter() - started:.0f} s in all. Next: bayesmi describe FILE, bayesmi impute --help"
    )


def _make(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise DataError(f"'{folder}' is a file: name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise DataError(f"cannot make the folder '{folder}': {problem.strerror}") from None


def _without_next(text: str) -> str:
    """Leave out the hint on what to call next: the demo calls it."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("  next:")).rstrip()


def _save(
    folder: Path,
    data: pd.DataFrame,
    fit: Fit,
    imputed: Imputations,
    pooled: Pooled,
    answers: Mapping[str, pd.DataFrame],
    summary: pd.DataFrame,
) -> dict[str, str]:
    """Write all files; return their names and what is in them."""
    from bayesmi.demo.figures import FIGURES, save_figures
    from bayesmi.imputations.atomic import atomic_path

    save_figures(folder, data, fit, imputed, answers)
    imputed.to_parquet(folder / "imputed.parquet", force=True)
    tables = {"summary.csv": summary, "pooled.csv": pooled.table}
    for name, table in tables.items():
        with atomic_path(folder / name, force=True) as temporary:
            table.to_csv(temporary)
    return {
        **FIGURES,
        "imputed.parquet": f"the {imputed.m} completed data sets in long form (.imp and .id); .imp 0 is the table itself",
        "summary.csv": "the posterior summary",
        "pooled.csv": "the pooled table, with mice's column names",
    }
