"""IMPACT against the published table, and against the fit before deletion on 20 masks of its complete rows.

    uv run python -m benchmarks.impact                      # both parts; masks that are done are not done again
    uv run python -m benchmarks.impact --part table
    uv run python -m benchmarks.impact --part masks --seeds 1 20
    uv run python -m benchmarks.impact --model ordinal      # one of three only

Writes results/impact.csv: the published pooled estimates, our posterior, and m = 20 completed data sets analysed by
lme4's glmer and pooled (where R has it), differences in pooled standard errors; results/impact_masks_MODEL.csv: one row a mask
and coefficient, the posterior with holes beside that of the same rows without (both bayesmi's: statsmodels has no glmer);
results/impact_masks_summary.csv: the mean difference over masks in standard errors of the fit without holes, with the
Monte Carlo error of that mean.

Three models of what is missing. ordinal: ct is an ordered factor and modelled as one (cumulative logit). nominal: in the complete
rows effects are not proportional over its levels (likelihood ratio of a softmax regression on the analysis variables and
auxiliaries 91 on 11 degrees of freedom, with the studies as predictors 166 on 21). interaction: ct nominal, and the auxiliary
model of edh with ct:mort (likelihood ratio 13.7 on 2). All three give ct3 the same difference of about .2: it is in the rows
and the masks, see benchmarks/impact_likelihood.py.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayesmi as bmi
from benchmarks.engine_cases.impact import AUXILIARY, FORMULA, load_impact, why_not
from benchmarks.engine_steps.tables import update_table
from benchmarks.impact_steps.estimates import COEFFICIENTS, posterior_table, published
from benchmarks.impact_steps.masks import HOLED, complete_rows, mask_rows
from benchmarks.impact_steps.pooled import pool_by_glmer

RESULTS = Path(__file__).parent / "results"
EDH = "type + age + motor_score + pupil + ct + mort + ct:mort + hypots + tsah + (1 | name)"
MODELS: dict[str, dict[str, Any]] = {
    "ordinal": {"families": {"ct": "ordinal"}},
    "nominal": {"families": {"ct": "nominal"}},
    "interaction": {"families": {"ct": "nominal"}, "formulas": {"edh": EDH}},
}


def fit_with_holes(data: pd.DataFrame, seed: int, model: str, draws: int, tune: int) -> Any:
    """Fit the analysis model with its auxiliary variables and one of the models of what is missing."""
    whole = bmi.Model(FORMULA, data, auxiliary=list(AUXILIARY), **MODELS[model])
    return whole.fit(seed=seed, draws=draws, tune=tune, progress=False)


def against_the_table(model: str, draws: int, tune: int, m: int) -> pd.DataFrame:
    """Return published, posterior and pooled estimates side by side."""
    started = time.perf_counter()
    fit = fit_with_holes(load_impact(), 1, model, draws, tune)
    imputed = fit.impute(m, despite_gate=True)
    for _ in imputed:
        pass
    seconds = time.perf_counter() - started
    print(f"{fit}\n{seconds:.0f} s to m = {m}", file=sys.stderr)
    table = published()[["estimate", "se"]].add_prefix("published_")
    table = table.join(posterior_table(fit).add_prefix("posterior_"))
    pooled = pool_by_glmer(imputed)
    if pooled is not None:
        table = table.join(pooled.add_prefix("pooled_"))
        table["pooled_by"] = "lme4::glmer"
        estimate, error = table["pooled_estimate"], table["pooled_se"]
    else:
        table["pooled_by"] = "posterior (R or lme4 is not here)"
        estimate, error = table["posterior_mean"], table["posterior_sd"]
    table["difference_in_se"] = (estimate - table["published_estimate"]) / error
    table["posterior_difference_in_sd"] = (table["posterior_mean"] - table["published_estimate"]) / table[
        "posterior_sd"
    ]
    table = table.reset_index()
    table.insert(0, "model", model)
    return table.assign(seconds_to_m=round(seconds, 1), m=m, draws=draws, tune=tune, gate=str(fit.gate))


def without_holes(data: pd.DataFrame, draws: int, tune: int) -> pd.DataFrame:
    """Fit the complete rows before anything is deleted."""
    model = bmi.Model(FORMULA, complete_rows(data).drop(columns=list(AUXILIARY)))
    return posterior_table(model.fit(seed=1, draws=draws, tune=tune, progress=False))


def one_mask(
    data: pd.DataFrame, seed: int, full: pd.DataFrame, model: str, draws: int, tune: int
) -> pd.DataFrame:
    """Return one row a coefficient."""
    masked = mask_rows(data, seed)
    started = time.perf_counter()
    fit = fit_with_holes(masked, seed, model, draws, tune)
    table = posterior_table(fit).join(full.add_prefix("full_")).reset_index(names="term")
    table.insert(0, "seed", seed)
    return table.assign(
        rows=len(masked),
        incomplete=round(float(masked[list(HOLED)].isna().any(axis=1).mean()), 4),
        draws=draws,
        tune=tune,
        seconds=round(time.perf_counter() - started, 1),
        divergences=fit.gate.divergences,
        r_hat=fit.gate.r_hat,
        gate=fit.gate.passed,
    )


def summarize(masks: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return the mean difference from the fit without holes, in its standard errors, by coefficient."""
    masks = masks[masks["term"].isin(COEFFICIENTS)]
    masks = masks.assign(difference=(masks["mean"] - masks["full_mean"]) / masks["full_sd"])
    by_term = masks.groupby("term", sort=False)
    table = pd.DataFrame(
        {
            "mean_difference_in_se": by_term["difference"].mean(),
            "monte_carlo_error": by_term["difference"].std(ddof=1) / np.sqrt(by_term.size()),
            "sd_over_full_sd": by_term["sd"].mean() / by_term["full_sd"].mean(),
            "masks": by_term.size(),
            "gate_passed": by_term["gate"].mean(),
        }
    ).reset_index()
    table.insert(0, "model", model)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=["table", "masks", "both"], default="both")
    parser.add_argument("--model", choices=list(MODELS), action="append", help="all three where left out")
    parser.add_argument("--seeds", type=int, nargs=2, default=(1, 20), help="first and last mask")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--tune", type=int, default=1000)
    parser.add_argument("--mask-draws", type=int, default=500)
    parser.add_argument("--mask-tune", type=int, default=500)
    parser.add_argument("--m", type=int, default=20)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the tables")
    arguments = parser.parse_args()
    if why_not():
        sys.exit(f"left out: {why_not()}")
    warnings.simplefilter("ignore", bmi.BayesmiNotice)
    arguments.output.mkdir(exist_ok=True)
    for model in arguments.model or MODELS:
        if arguments.part in ("table", "both"):
            table = against_the_table(model, arguments.draws, arguments.tune, arguments.m)
            update_table(arguments.output / "impact.csv", table.round(5), "model")
            print(table.drop(columns="gate").round(3).to_string(index=False))
        if arguments.part in ("masks", "both"):
            masks(model, arguments)


def masks(model: str, arguments: argparse.Namespace) -> None:
    """Fit the masks that are not in the table yet, one after the other."""
    path = arguments.output / f"impact_masks_{model}.csv"
    settings = {"draws": arguments.mask_draws, "tune": arguments.mask_tune}
    data = load_impact()
    full: pd.DataFrame | None = None
    for seed in range(arguments.seeds[0], arguments.seeds[1] + 1):
        if path.exists():
            old = pd.read_csv(path)
            mine = old[(old["seed"] == seed) & (old["draws"] == settings["draws"])]
            if len(mine):
                continue
        if full is None:
            full = without_holes(data, 1000, 1000)
        table = one_mask(data, seed, full, model, **settings)
        update_table(path, table, "seed")
        print(f"{model}, mask {seed}: {table['seconds'].iloc[0]:.0f} s", file=sys.stderr, flush=True)
    summary = summarize(pd.read_csv(path), model)
    update_table(arguments.output / "impact_masks_summary.csv", summary.round(5), "model")
    print(summary.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
