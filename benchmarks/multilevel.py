"""Incomplete data in clusters at fixed truths: posterior with and without holes, and multilevel imputation in R.

    uv run python -m benchmarks.multilevel                              # every design, goes on where it was stopped
    uv run python -m benchmarks.multilevel --design slope --replicates 20
    uv run python -m benchmarks.multilevel --design slope --peers 50    # the first 50 data sets in R too
    uv run python -m benchmarks.multilevel --report

slope       100 clusters of 20: slopes of an incomplete covariate, correlated with intercepts (multilevel_steps/designs.py)
systematic  20 studies, 4 of them without the covariate, some of its values missing in the others
contextual  the latent cluster mean of an incomplete covariate, which is missing depending on the outcome; also after single-level
            imputation (x given y, no clusters, five data sets), analysed by the same model; R's rows have the means of completed
            values in place of latent means, which eight rows a cluster attenuate
nested      pupils in rooms in schools; crossed: schools and areas; a fifth of outcome and covariate missing

For each quantity: bias of the posterior mean and coverage of the 95 % interval over replicates; the bias beside the same model on
the same data before deletion (`shift`, in units of the truth for standard deviations, of the posterior's standard deviation for
others). Programs of R make ten data sets (multilevel_steps/peers.R: mice's 2l.pan, 2l.norm and norm, jomo, jomo.lmer), lme4 fits
them; coefficients are pooled by Rubin's rules with mitml, standard deviations and correlations averaged, without intervals.

Writes results/multilevel/DESIGN.csv and DESIGN_peers.csv (a row a replicate) and results/multilevel.csv.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayesmi as bmi
from benchmarks.multilevel_steps.designs import DESIGNS, Design
from benchmarks.resumable import read_runs, run_missing

RESULTS = Path(__file__).parent / "results"
SAMPLING: dict[str, Any] = {"draws": 500, "tune": 500, "chains": 4}
METHODS = ("before deletion", "bayesmi")
PEERS = Path(__file__).parent / "multilevel_steps" / "peers.R"


def one(design: Design, replicate: int) -> dict[str, Any]:
    """Run one replicate: a row with estimates, intervals, seconds and verdict of both fits."""
    row: dict[str, Any] = {"replicate": replicate}
    for method, data in zip(METHODS, design.data(replicate), strict=True):
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bmi.BayesmiNotice)
            fit = bmi.Model(design.formula, data).fit(seed=replicate, progress=False, **SAMPLING)
            table = fit.summary()
        row[f"{method}|seconds"] = time.perf_counter() - started
        row[f"{method}|passed"] = fit.gate.passed
        table = table.rename(index=dict.fromkeys(table.index[table["kind"] == "correlation"], "corr"))
        for term in design.truth:
            for column, short in (("mean", "mean"), ("sd", "sd"), ("2.5%", "low"), ("97.5%", "high")):
                row[f"{method}|{term}|{short}"] = float(table.loc[term, column])
    if design.single_level:
        started = time.perf_counter()
        row |= {f"single level|{key}": value for key, value in _single_level(design, replicate).items()}
        row["single level|seconds"] = time.perf_counter() - started
    return row


def _single_level(design: Design, replicate: int, m: int = 5) -> dict[str, float]:
    """Impute x given y without clusters; fit the model to each completed table and pool its posteriors."""
    data = design.data(replicate)[1]
    fits = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bmi.BayesmiNotice)
        imputed = bmi.Model("y ~ x", data[["y", "x"]]).fit(seed=replicate, progress=False).impute(m)
        for i in range(1, m + 1):
            completed = data.assign(x=imputed.complete(i)["x"])
            fit = bmi.Model(design.formula, completed).fit(seed=replicate, progress=False, **SAMPLING)
            own = fit.summary().loc[list(design.truth)]
            fits.append((own["mean"], np.diag(own["sd"] ** 2)))
    pooled = bmi.pool(fits).table
    names = {"mean": "estimate", "low": "conf.low", "high": "conf.high"}
    return {
        f"{term}|{short}": float(pooled.loc[term, column])
        for term in design.truth
        for short, column in names.items()
    }


def run_peers(design: Design, replicates: int) -> None:
    """Let R answer the first replicates: one process, which goes on where it was stopped."""
    path = RESULTS / "multilevel" / f"{design.name}_peers.csv"
    if shutil.which("Rscript") is None or not design.methods:
        return
    runs = read_runs(path, design.design)
    done = set(runs["replicate"]) if len(runs) else set()
    todo = [replicate for replicate in range(replicates) if replicate not in done]
    with tempfile.TemporaryDirectory() as folder:
        for replicate in todo:
            design.data(replicate)[1].to_csv(Path(folder) / f"{replicate}.csv", index=False)
        made = Path(folder) / "out.csv"
        arguments = [design.name, folder, str(made), " ".join(map(str, todo)), " ".join(design.methods)]
        if todo:
            subprocess.run(["Rscript", "--vanilla", str(PEERS), *arguments], check=True)
            new = pd.read_csv(made)
            new.insert(0, "design", design.design)
            path.parent.mkdir(parents=True, exist_ok=True)
            pd.concat([runs, new]).sort_values("replicate").to_csv(path, index=False)


def summarize(design: Design, runs: pd.DataFrame, peers: pd.DataFrame) -> pd.DataFrame:
    """Return bias, coverage and shift by method and quantity."""
    both = runs.merge(peers.drop(columns="design"), on="replicate", how="left") if len(peers) else runs
    records = []
    others = (*(("single level",) if design.single_level else ()), *(design.methods if len(peers) else ()))
    for method in (*METHODS, *others):
        for term, true in design.truth.items():
            if f"{method}|{term}|mean" not in both or both[f"{method}|{term}|mean"].isna().all():
                continue
            used = both[both[f"{method}|{term}|mean"].notna()]
            error = used[f"{method}|{term}|mean"] - true
            before = used[f"{METHODS[0]}|{term}|mean"]
            shift = (error + true - before).mean()
            unit = true if term.endswith("sigma") else used[f"{METHODS[0]}|{term}|sd"].mean()
            low, high = used.get(f"{method}|{term}|low"), used.get(f"{method}|{term}|high")
            records.append(
                {
                    "design": design.name,
                    "method": method,
                    "quantity": term,
                    "truth": true,
                    "mean": error.mean() + true,
                    "bias": error.mean(),
                    "bias_se": error.std(ddof=1) / np.sqrt(len(error)),
                    "shift": shift / unit,
                    "coverage": np.nan
                    if low is None or low.isna().any()
                    else float(((low <= true) & (true <= high)).mean()),
                    "width": np.nan if low is None else (high - low).mean(),
                    "passed": used[f"{method}|passed"].mean() if f"{method}|passed" in used else np.nan,
                    "seconds": used[f"{method}|seconds"].median(),
                    "replicates": len(used),
                }
            )
    return pd.DataFrame(records)


def report() -> pd.DataFrame:
    """Read what is done and write the table."""
    parts = []
    for design in DESIGNS.values():
        runs = read_runs(RESULTS / "multilevel" / f"{design.name}.csv", design.design)
        if len(runs) > 1:
            peers = read_runs(RESULTS / "multilevel" / f"{design.name}_peers.csv", design.design)
            parts.append(summarize(design, runs, peers))
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    table.round(5).to_csv(RESULTS / "multilevel.csv", index=False)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--design", choices=list(DESIGNS), action="append")
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--peers", type=int, default=0, help="replicates that R answers too")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="only the table of what is done")
    arguments = parser.parse_args()
    for name in () if arguments.report else arguments.design or DESIGNS:
        design = DESIGNS[name]
        path = RESULTS / "multilevel" / f"{name}.csv"
        run_missing(path, design.design, arguments.replicates, functools.partial(one, design), arguments.jobs)
        run_peers(design, min(arguments.peers, arguments.replicates))
    table = report()
    if len(table):
        print(table.drop(columns=["truth", "mean"]).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
