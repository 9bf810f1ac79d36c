"""One case in a fresh process, from its start to m completed data sets; the last line printed is a JSON record.

python -m benchmarks.engine_steps.measure a2000 --started SECONDS --draws 1000 --tune 1000 --m 20 --gradient
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from typing import Any

import numpy as np

__all__ = ["measure"]

_LONG = 10  # the longer run has so many times the draws, where the first took less than
_SHORT_SECONDS = 5.0


def measure(name: str, started: float, draws: int, tune: int, m: int, *, gradient: bool) -> dict[str, Any]:
    """Return seconds by stage, effective draws, memory and, if wanted, gradients beside the hand-written kernel."""
    import bayesmi as bmi  # what a user's process imports is what is timed
    from bayesmi.fit.sampler import load_sampler

    load_sampler("nutpie")
    record: dict[str, Any] = {"import": time.time() - started}

    from benchmarks.engine_cases import CASES
    from benchmarks.engine_steps.memory import peak_mb

    warnings.simplefilter("ignore", bmi.BayesmiNotice)
    case = CASES[name]
    data = case.data()
    record["import_mb"] = peak_mb()
    began = time.perf_counter()
    model = case.model(data)
    built = time.perf_counter() - began
    fit = model.fit(seed=1, draws=draws, tune=tune, progress=False)
    record |= {
        "build": built + fit.seconds["build"],
        "compile": fit.seconds["compile"],
        "sample": fit.seconds["sample"],
        "draw_back": fit.seconds["draw back"],
        "check": fit.seconds["check"],
    }
    began = time.perf_counter()
    imputed = fit.impute(m, despite_gate=True)
    for _ in imputed:
        pass
    record["impute"] = time.perf_counter() - began
    record["total"] = time.time() - started
    record["peak_mb"] = peak_mb()
    record |= _mixing(fit, "")
    record["gate"] = fit.gate.passed
    statistics = fit.tree["sample_stats"]
    record["leapfrog_per_draw"] = float(statistics["n_steps"].mean())
    record["divergences"] = int(statistics["diverging"].sum())
    record["rows"] = len(data)
    record["dimensions"] = built_dimensions(fit)
    if fit.seconds["sample"] < _SHORT_SECONDS and draws >= 1000:
        long = model.fit(seed=2, draws=_LONG * draws, tune=tune, progress=False)
        record |= _mixing(long, "_long")
    if gradient:
        from benchmarks.engine_steps.gradient import compare_gradients

        record |= {key: float(value) for key, value in compare_gradients(case).items()}
    return record


def built_dimensions(fit: Any) -> int:
    """Return how many numbers NUTS moves."""
    from bayesmi.build import build_sampled

    return build_sampled(fit.model, fit.plan).program.dimensions


def _mixing(fit: Any, end: str) -> dict[str, float]:
    """Smallest bulk ESS of the analysis model's coefficients, in all and per second of sampling, warm-up included."""
    table = fit.summary()
    smallest = float(np.min(table.loc[table["kind"] == "effect", "ess_bulk"]))
    return {
        f"ess{end}": smallest,
        f"ess_per_second{end}": smallest / fit.seconds["sample"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("case")
    parser.add_argument("--started", type=float, default=time.time(), help="when the process was started")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--tune", type=int, default=1000)
    parser.add_argument("--m", type=int, default=20)
    parser.add_argument("--gradient", action="store_true")
    given = parser.parse_args()
    record = measure(given.case, given.started, given.draws, given.tune, given.m, gradient=given.gradient)
    print(json.dumps(record))


if __name__ == "__main__":
    main()
