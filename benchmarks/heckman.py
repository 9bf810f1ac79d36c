"""Values not missing at random in clusters: complete cases, missing at random and Heckman's model on the same data.

    uv run python -m benchmarks.heckman                          # every scenario, goes on where it was stopped
    uv run python -m benchmarks.heckman --scenario "small rho .6" --replicates 20
    uv run python -m benchmarks.heckman --report

The story: y = 1 + .5 x + u_j + e in clusters j, seen where a_0 + .4 x + .9 w + v_j + d > 0; (u, v) and (e, d) are correlated; in
one cluster in five y was not measured at all; 60 % of y are missing. w is in the selection equation only.

small rho …      10 clusters of 50, 100 replicates; rho 0, .3, .6, .9
large rho …      10 clusters of 1 000, 25 replicates
skewed           e exponential (its normal scores have correlation .6 with d), 10 clusters of 50 and of 1 000
masked           whether y is seen depends on y itself, logistically, and not on w: no exclusion restriction
extremes         y far from its centre, on either side, is seen less often: no selection equation has that shape

Three answers to the same analysis model y ~ x + (1 | cluster): the rows where y is seen; missing at random given x and w (w is
auxiliary); Heckman. The report has bias, coverage of 95 % intervals, their width and the estimate of the sd of the clusters, and
for each scenario whether Heckman is worse than complete cases, by root mean squared error of the slope.

Writes results/heckman/SCENARIO.csv (a row a replicate) and results/heckman.csv.
"""

from __future__ import annotations

import argparse
import functools
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

import bayesmi as bmi
from benchmarks.resumable import read_runs, run_missing

RESULTS = Path(__file__).parent / "results"
SEED = 2023
FORMULA = "y ~ x + (1 | cluster)"
TRUTH = {"Intercept": 1.0, "x": 0.5, "sigma": 0.8, "1|cluster_sigma": 0.5}
SELECTION_X, SELECTION_W, SELECTION_SD, GROUP_RHO = 0.4, 0.9, 0.4, 0.5
METHODS = ("complete cases", "at random", "heckman")
SAMPLING = {"draws": 1000, "tune": 700}


@dataclass(frozen=True)
class Scenario:
    """One design; `shape` says how y goes missing."""

    name: str
    clusters: int
    rows: int
    replicates: int
    rho: float = 0.6
    shape: str = "heckman"

    @property
    def file(self) -> str:
        return self.name.replace(" ", "_").replace(".", "")

    @property
    def design(self) -> str:
        return ",".join(str(value) for key, value in asdict(self).items() if key != "replicates") + ",1"


SCENARIOS = (
    *(Scenario(f"small rho {rho:g}", 10, 50, 100, rho) for rho in (0.0, 0.3, 0.6, 0.9)),
    *(Scenario(f"large rho {rho:g}", 10, 1000, 25, rho) for rho in (0.0, 0.3, 0.6, 0.9)),
    *(
        Scenario(f"{size} {shape}", 10, rows, replicates, shape=shape)
        for shape in ("skewed", "masked", "extremes")
        for size, rows, replicates in (("small", 50, 100), ("large", 1000, 25))
    ),
)


def simulate(scenario: Scenario, replicate: int) -> pd.DataFrame:
    """Draw a data set: columns cluster, x, w, y (NaN where missing)."""
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(scenario.rows, replicate)))
    code = np.repeat(np.arange(scenario.clusters), scenario.rows)
    n = code.size
    x, w = rng.normal(size=(2, n))
    sds = np.array([TRUTH["1|cluster_sigma"], SELECTION_SD])
    corr = np.array([[1.0, GROUP_RHO], [GROUP_RHO, 1.0]])
    u, v = rng.multivariate_normal([0, 0], sds[:, None] * corr * sds, size=scenario.clusters).T
    e, d = rng.multivariate_normal([0, 0], [[1, scenario.rho], [scenario.rho, 1]], size=n).T
    if scenario.shape == "skewed":
        e = stats.expon.ppf(stats.norm.cdf(e)) - 1.0
    centred = TRUTH["x"] * x + u[code] + TRUTH["sigma"] * e
    y = TRUTH["Intercept"] + centred
    if scenario.shape == "masked":
        seen = rng.random(n) < 1.0 / (1.0 + np.exp(-1.5 * centred))
    elif scenario.shape == "extremes":
        seen = rng.random(n) < 1.0 / (1.0 + np.exp(-2.0 * (0.75 - np.abs(centred))))
    else:
        seen = SELECTION_X * x + SELECTION_W * w + v[code] + d > 0
    absent = code >= scenario.clusters - scenario.clusters // 5
    return pd.DataFrame({"cluster": code + 1, "x": x, "w": w, "y": np.where(seen & ~absent, y, np.nan)})


def models(data: pd.DataFrame) -> dict[str, bmi.Model]:
    """Return the three models."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bmi.BayesmiNotice)
        return {
            "complete cases": bmi.Model(FORMULA, data.dropna().reset_index(drop=True)),
            "at random": bmi.Model(FORMULA, data, auxiliary=["w"]),
            "heckman": bmi.Model(FORMULA, data, mechanisms={"y": bmi.Heckman("~ x + w + (1 | cluster)")}),
        }


def one(scenario: Scenario, replicate: int) -> dict[str, Any]:
    """Run one replicate: a row with every method's estimates, intervals, seconds and verdict."""
    data = simulate(scenario, replicate)
    row: dict[str, Any] = {"replicate": replicate, "missing": float(data["y"].isna().mean())}
    for method, model in models(data).items():
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bmi.BayesmiNotice)
            fit = model.fit(seed=replicate, progress=False, **SAMPLING)
            table = fit.summary()
        row[f"{method}|seconds"] = time.perf_counter() - started
        row[f"{method}|passed"] = fit.gate.passed
        row[f"{method}|modes"] = sum("maxima" in line for line in fit.gate.notes)
        for term in (*TRUTH, *(("rho",) if method == "heckman" else ())):
            for column, short in (("mean", "mean"), ("2.5%", "low"), ("97.5%", "high")):
                row[f"{method}|{term}|{short}"] = float(table.loc[term, column])
    return row


def summarize(scenario: Scenario, runs: pd.DataFrame) -> pd.DataFrame:
    """Return bias, coverage and width by method and quantity."""
    records = []
    for method in METHODS:
        truth = dict(TRUTH) | (
            {"rho": scenario.rho} if method == "heckman" and scenario.shape == "heckman" else {}
        )
        for term, true in truth.items():
            mean, low, high = (runs[f"{method}|{term}|{what}"] for what in ("mean", "low", "high"))
            error = mean - true
            records.append(
                {
                    "scenario": scenario.name,
                    "method": method,
                    "quantity": term,
                    "truth": true,
                    "mean": mean.mean(),
                    "bias": error.mean(),
                    "bias_se": error.std(ddof=1) / np.sqrt(len(error)) if len(error) > 1 else np.nan,
                    "rmse": float(np.sqrt((error**2).mean())),
                    "coverage": float(((low <= true) & (true <= high)).mean()),
                    "width": (high - low).mean(),
                    "missing": runs["missing"].mean(),
                    "passed": runs[f"{method}|passed"].mean(),
                    "two_modes": (runs[f"{method}|modes"] > 0).mean(),
                    "seconds": runs[f"{method}|seconds"].median(),
                    "replicates": len(runs),
                }
            )
    table = pd.DataFrame(records)
    base = table[table["method"] == "complete cases"].set_index("quantity")["rmse"]
    ratio = table["rmse"] / table["quantity"].map(base)
    table["rmse / complete cases"] = ratio
    table["worse"] = (table["method"] == "heckman") & (ratio > 1.0)
    return table


def report() -> pd.DataFrame:
    """Read what is done and write the table."""
    parts = []
    for scenario in SCENARIOS:
        runs = read_runs(RESULTS / "heckman" / f"{scenario.file}.csv", scenario.design)
        if len(runs):
            parts.append(summarize(scenario, runs))
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    table.round(5).to_csv(RESULTS / "heckman.csv", index=False)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenario", choices=[scenario.name for scenario in SCENARIOS], action="append")
    parser.add_argument("--replicates", type=int, help="in place of each scenario's own number")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="only the table of what is done")
    arguments = parser.parse_args()
    for scenario in () if arguments.report else SCENARIOS:
        if arguments.scenario and scenario.name not in arguments.scenario:
            continue
        run_missing(
            RESULTS / "heckman" / f"{scenario.file}.csv",
            scenario.design,
            arguments.replicates or scenario.replicates,
            functools.partial(one, scenario),
            arguments.jobs,
        )
    table = report()
    if len(table):
        shown = [
            "scenario",
            "method",
            "quantity",
            "bias",
            "coverage",
            "width",
            "rmse / complete cases",
            "worse",
            "seconds",
            "replicates",
        ]
        print(table[shown].round(3).to_string(index=False))


if __name__ == "__main__":
    main()
