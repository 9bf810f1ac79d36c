"""Coverage at a fixed truth: simulated pupils in schools, fitted many times.

    uv run python -m benchmarks.coverage                      # 200 data sets a scenario, writes results/coverage.csv
    uv run python -m benchmarks.coverage --replicates 20 --scenario slope

For each scenario: the share of data sets whose 95 % posterior interval holds the true parameter, the bias of the
posterior mean, and the share of missing cells inside the 2.5–97.5 % range of the imputations. Every share is to lie
in [.90, .99].
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayesmi as bmi
from bayesmi.data import IncompleteFrame

RESULTS = Path(__file__).parent / "results"
M = 400  # imputations from which the range of a cell is taken


@dataclass(frozen=True)
class Scenario:
    name: str
    formula: str
    simulate: dict[str, Any] = field(default_factory=dict)


SCENARIOS = (
    Scenario("outcome", "popular ~ texp + sex + (1 | school)", {"missing": {"popular": 0.42}}),
    Scenario(
        "covariates",
        "popular ~ texp + sex + (1 | school)",
        {"n_schools": 60, "n_pupils": 12, "missing": {"popular": 0.25, "sex": 0.25, "texp": 0.15}},
    ),
    Scenario(
        "slope",
        "popular ~ texp + sex + (1 + sex | school)",
        {
            "n_schools": 60,
            "n_pupils": 20,
            "missing": {"popular": 0.3},
            "slope_sigma": 0.4,
            "correlation": 0.3,
        },
    ),
)


def one(scenario: Scenario, replicate: int, *, draws: int = 1000, tune: int = 800) -> pd.DataFrame:
    """Return one row a quantity: truth, estimate, interval, whether it covers."""
    pupils = bmi.datasets.simulate_pupils(
        seed=np.random.SeedSequence(20_26, spawn_key=(replicate,)), **scenario.simulate
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bmi.BayesmiNotice)
        model = bmi.Model(scenario.formula, pupils.data)
        fit = model.fit(seed=replicate, draws=draws, tune=tune, progress=False)
        summary = fit.summary()
    truth = dict(pupils.truth)
    truth["ICC|school"] = truth.pop("icc")
    for term in summary.index[summary["kind"] == "correlation"]:
        truth[term] = truth.pop("school__corr")
    rows = []
    for term, true in truth.items():
        row = summary.loc[term]
        rows.append(
            {
                "quantity": term,
                "truth": true,
                "estimate": row["mean"],
                "covered": float(row["2.5%"] <= true <= row["97.5%"]),
            }
        )
    imputed = fit.impute(M, seed=replicate, despite_gate=True)
    complete = IncompleteFrame.from_table(pupils.complete, groups=("school",))
    for name in imputed.names:
        column = imputed.frame.columns[name]
        true_cells = complete.columns[name].values[column.missing]
        drawn = imputed.draws_of(name)
        if column.kind == "binary":
            rows.append(
                {
                    "quantity": f"share of 1 in the cells of {name}",
                    "truth": true_cells.mean(),
                    "estimate": drawn.mean(),
                    "covered": np.nan,
                }
            )
            continue
        low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
        rows.append(
            {
                "quantity": f"cells of {name}",
                "truth": true_cells.mean(),
                "estimate": drawn.mean(),
                "covered": ((low <= true_cells) & (true_cells <= high)).mean(),
            }
        )
    table = pd.DataFrame(rows)
    table.insert(0, "replicate", replicate)
    table["gate"] = fit.gate.passed
    return table


def summarize(runs: pd.DataFrame) -> pd.DataFrame:
    """Return coverage and bias by quantity."""
    records = []
    for quantity, part in runs.groupby("quantity", sort=False):
        bias = part["estimate"] - part["truth"]
        records.append(
            {
                "quantity": quantity,
                "truth": part["truth"].mean(),
                "bias": bias.mean(),
                "bias_se": bias.std(ddof=1) / np.sqrt(len(bias)) if len(bias) > 1 else np.nan,
                "coverage": part["covered"].mean(),
                "replicates": len(part),
                "gate_passed": part["gate"].mean(),
            }
        )
    return pd.DataFrame(records)


def run(names: tuple[str, ...], replicates: int, draws: int) -> pd.DataFrame:
    """Run scenarios and return one table."""
    tables = []
    for scenario in SCENARIOS:
        if scenario.name not in names:
            continue
        started = time.perf_counter()
        runs = []
        for replicate in range(replicates):
            runs.append(one(scenario, replicate, draws=draws, tune=max(500, draws * 4 // 5)))
            elapsed = time.perf_counter() - started
            left = elapsed / (replicate + 1) * (replicates - replicate - 1)
            print(
                f"\r{scenario.name}: {replicate + 1} of {replicates}, {left:.0f} s left   ",
                end="",
                flush=True,
            )
        print()
        table = summarize(pd.concat(runs, ignore_index=True))
        table.insert(0, "scenario", scenario.name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--scenario", choices=[scenario.name for scenario in SCENARIOS], action="append")
    parser.add_argument("--draws", type=int, default=1000, help="kept draws a chain; 80 % as many to warm up")
    parser.add_argument("--output", type=Path, default=RESULTS / "coverage.csv")
    arguments = parser.parse_args()
    names = tuple(arguments.scenario or [scenario.name for scenario in SCENARIOS])
    table = run(names, arguments.replicates, arguments.draws)
    print(table.round(4).to_string(index=False))
    arguments.output.parent.mkdir(exist_ok=True)
    if arguments.output.exists() and len(names) < len(SCENARIOS):
        old = pd.read_csv(arguments.output)
        table = pd.concat([old[~old["scenario"].isin(names)], table], ignore_index=True)
    table.round(6).to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
