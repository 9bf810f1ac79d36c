"""A million rows: two incomplete Gaussian covariates and an incomplete binary one among six columns.

    uv run python -m benchmarks.million                       # 1 000 000 rows, m = 5
    uv run python -m benchmarks.million --rows 50000

Completed tables are used one by one (a least-squares fit each) and dropped. Writes results/million.csv (seconds and peak
memory by stage) and results/million_estimates.csv (truth, fit to the data before deletion, posterior, pooled). Fails where
memory goes beyond the limit.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

import bayesmi as bmi
from benchmarks.engine_steps.memory import peak_mb

RESULTS = Path(__file__).parent / "results"
FORMULA = "y ~ x1 + x2 + b + z1 + z2"
TRUTH = {"Intercept": 1.0, "x1": 0.5, "x2": -0.4, "b": 0.6, "z1": 0.3, "z2": 0.0}


def simulate(n: int, seed: int = 1) -> pd.DataFrame:
    """y on x1, x2 (Gaussian), b (binary), z1 and z2; nothing missing."""
    rng = np.random.default_rng(seed)
    z1, z2 = rng.normal(size=(2, n))
    b = (rng.random(n) < 1.0 / (1.0 + np.exp(-0.5 * z1))).astype(float)
    x1 = 0.5 * z1 + 0.3 * b + rng.normal(size=n)
    x2 = 0.4 * x1 + 0.3 * z2 - 0.2 * b + rng.normal(size=n)
    y = 1.0 + 0.5 * x1 - 0.4 * x2 + 0.6 * b + 0.3 * z1 + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x1": x1, "x2": x2, "b": b, "z1": z1, "z2": z2})


def delete(data: pd.DataFrame, seed: int = 2) -> pd.DataFrame:
    """A fifth of x1, x2 and b, at random given y and z1."""
    rng = np.random.default_rng(seed)
    chance = 1.0 / (1.0 + np.exp(1.5 - 0.3 * data["y"] - 0.4 * data["z1"]))
    holes = {name: data[name].mask(rng.random(len(data)) < chance) for name in ("x1", "x2", "b")}
    return data.assign(**holes)


class Stages:
    """Seconds and peak memory by stage."""

    def __init__(self) -> None:
        self.records: list[dict[str, object]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        self.records.append({"stage": name, "seconds": round(seconds, 2), "peak_mb": round(peak_mb())})
        print(f"{name:<20} {seconds:8.1f} s {peak_mb():8,.0f} MB", flush=True)


def least_squares(data: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates and covariance of the analysis model on a complete table."""
    names = list(TRUTH)[1:]
    gram, cross, total = np.zeros((6, 6)), np.zeros(6), 0.0
    for start in range(0, len(data), 100_000):
        part = data.iloc[start : start + 100_000]
        design = np.column_stack([np.ones(len(part)), part[names].to_numpy(float)])
        y = part["y"].to_numpy(float)
        gram += design.T @ design
        cross += design.T @ y
        total += float(y @ y)
    beta = np.linalg.solve(gram, cross)
    variance = (total - beta @ cross) / (len(data) - len(beta))
    return beta, variance * np.linalg.inv(gram)


def run(rows: int, draws: int, tune: int, m: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return stages and estimates."""
    stages = Stages()
    with stages.stage("simulate"):
        whole = simulate(rows)
        before, covariance = least_squares(whole)
        data = delete(whole)
        del whole
    with stages.stage("model"):
        model = bmi.Model(FORMULA, data)
    with stages.stage("plan"):
        model.plan()
    fit = model.fit(seed=1, draws=draws, tune=tune, progress=False)
    for name, seconds in fit.seconds.items():
        stages.add(name, seconds)
    print(fit.gate)
    estimates = []
    imputed = fit.impute(m, despite_gate=True)
    for i in range(1, m + 1):
        with stages.stage(f"completed table {i}"):
            estimates.append(least_squares(imputed.complete(i)))
    pooled = bmi.pool(estimates, dfcom=rows - 6).table
    summary = fit.summary().loc[list(TRUTH)]
    table = pd.DataFrame(
        {
            "truth": list(TRUTH.values()),
            "before_deletion": before,
            "before_deletion_se": np.sqrt(np.diag(covariance)),
            "posterior_mean": summary["mean"].to_numpy(),
            "posterior_sd": summary["sd"].to_numpy(),
            "ess_bulk": summary["ess_bulk"].to_numpy(),
            "pooled": pooled["estimate"].to_numpy(),
            "pooled_se": pooled["std.error"].to_numpy(),
            "fmi": pooled["fmi"].to_numpy(),
        },
        index=pd.Index(list(TRUTH), name="term"),
    )
    times = pd.DataFrame(stages.records)
    times.insert(0, "rows", rows)
    return times.assign(draws=draws, tune=tune, gate=str(fit.gate)), table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--draws", type=int, default=200, help="kept draws of each of four chains")
    parser.add_argument("--tune", type=int, default=300)
    parser.add_argument("--m", type=int, default=5)
    parser.add_argument("--limit-mb", type=float, default=8_192.0)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the tables")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", bmi.BayesmiNotice)
    times, estimates = run(arguments.rows, arguments.draws, arguments.tune, arguments.m)
    print(f"{times['seconds'].sum():.0f} s in all")
    print(estimates.round(5).to_string())
    arguments.output.mkdir(exist_ok=True)
    times.to_csv(arguments.output / "million.csv", index=False)
    estimates.round(7).to_csv(arguments.output / "million_estimates.csv")
    assert peak_mb() < arguments.limit_mb, f"{peak_mb():,.0f} MB, more than {arguments.limit_mb:,.0f}"


if __name__ == "__main__":
    main()
