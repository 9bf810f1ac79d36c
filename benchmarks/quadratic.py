"""The quadratic covariate with 30 % missing: does the sampler mix over its two-peaked cells?

    uv run python -m benchmarks.quadratic                 # 10 data sets of 200 rows
    uv run python -m benchmarks.quadratic --plain 3       # and the plain-latent pm.Model of the first three

4 chains of 1 000 draws after 1 000. Largest r-hat (Vehtari et al. 2021) of the coefficients and residual sds, and of the cells:
of their conditional expectations E(cell | parameters, data), and of the cells as they are drawn back. Writes
results/quadratic.csv; every r-hat is to be at most 1.01.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models import quadratic

RESULTS = Path(__file__).parent / "results"
CHAINS, DRAWS = 4, 1000
FORMULA = "y ~ x + I(x ** 2) + z"


def make_data(seed: int) -> pd.DataFrame:
    """200 rows of which the first 60, in random order, have no x."""
    data, truth = quadratic.simulate(np.random.default_rng(seed))
    data.loc[data["x"].isna(), "x"] = truth["cell__x"]
    data.loc[np.random.default_rng(seed + 1000).choice(len(data), 60, replace=False), "x"] = np.nan
    return data


def on_a_grid(seed: int) -> dict[str, Any]:
    """One data set by the package."""
    import bayesmi as bmi
    from bayesmi.fit import diagnostics

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bmi.BayesmiNotice)
        model = bmi.Model(FORMULA, make_data(seed))
        started = time.perf_counter()
        fit = model.fit(seed=seed, draws=DRAWS, progress=False)
        seconds = time.perf_counter() - started
        summary = fit.summary(all_models=True)
        imputed = fit.impute(CHAINS * DRAWS, despite_gate=True)
    origin = imputed.origin
    order = np.lexsort([origin["draw"], origin["chain"]])
    drawn = imputed.draws_of("x")[:, order].reshape(-1, CHAINS, DRAWS)
    return {
        "seed": seed,
        "how": "grid",
        "missing": len(drawn) / model.table.n_rows,
        "r_hat_coefficients": summary["r_hat"].max(),
        "r_hat_expected_cells": fit.gate.r_hat,  # of parameters and of E(cell): the larger
        "r_hat_cells": float(np.nanmax(diagnostics.r_hat(drawn))),
        "ess_coefficients": summary["ess_bulk"].min(),
        "divergences": fit.gate.divergences,
        "seconds": seconds,
    }


def with_latents(seed: int) -> dict[str, Any]:
    """The same data by the hand-written model with a latent for each cell."""
    import arviz_stats as azs
    import pymc as pm

    model = quadratic.build(make_data(seed))
    started = time.perf_counter()
    tree = pm.sample(
        draws=DRAWS,
        tune=1000,
        chains=CHAINS,
        random_seed=seed,
        model=model,
        progressbar=False,
        nuts_sampler="nutpie",
    )
    seconds = time.perf_counter() - started
    posterior = tree["posterior"].to_dataset()
    r_hat = azs.rhat(posterior, sample_dims=["chain", "draw"])
    ess = azs.ess(posterior, sample_dims=["chain", "draw"])
    parameters = [name for name in r_hat.data_vars if name != "cell__x"]
    return {
        "seed": seed,
        "how": "latents",
        "missing": posterior.sizes["x__cell"] / 200,
        "r_hat_coefficients": max(float(r_hat[name].max()) for name in parameters),
        "r_hat_cells": float(r_hat["cell__x"].max()),
        "ess_coefficients": min(float(ess[name].min()) for name in parameters),
        "divergences": int(tree["sample_stats"]["diverging"].sum()),
        "seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--plain", type=int, default=0, help="data sets also fitted with plain latents")
    arguments = parser.parse_args()
    records = [on_a_grid(seed) for seed in range(arguments.seeds)]
    records += [with_latents(seed) for seed in range(arguments.plain)]
    table = pd.DataFrame(records)
    print(table.round(4).to_string(index=False))
    RESULTS.mkdir(exist_ok=True)
    table.round(4).to_csv(RESULTS / "quadratic.csv", index=False)


if __name__ == "__main__":
    main()
