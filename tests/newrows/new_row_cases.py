"""Models with parameters made by hand, and new rows simulated from them: what is drawn for holes must rank uniformly."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

import bayesmi as bmi
from bayesmi.draw.cells import complete_cells
from bayesmi.draw.shifted import full_columns
from bayesmi.newrows.laid import lay_out_new
from bayesmi.newrows.rows import read_new_rows
from bayesmi.predictive.prior_draws import draw_prior


def table(seed=0, groups=12, size=5):
    """A table with two nested groupings and one that crosses them, holes in everything."""
    rng = np.random.default_rng(seed)
    n = groups * size
    school = np.repeat(np.arange(groups), size)
    data = pd.DataFrame(
        {
            "school": school,
            "room": [f"{s}.{i % 2}" for s, i in zip(school, np.tile(np.arange(size), groups), strict=True)],
            "town": rng.integers(0, 5, n),
            "w": rng.normal(size=groups)[school],
            "z": rng.normal(size=n),
            "x": rng.normal(size=n),
            "b": rng.choice(["no", "yes"], n),
            "k": rng.choice(["low", "mid", "top"], n),
            "y": rng.normal(size=n),
            "d": rng.integers(0, 2, n).astype(float),
        }
    )
    for name in ("x", "b", "k", "y", "d"):
        data.loc[rng.random(n) < 0.25, name] = None
    data.loc[data["school"].isin([1, 4]), "w"] = np.nan
    return data


def model_of(formula, columns, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bmi.Model(formula, table()[columns], **options)


def parameters(model, seed=1):
    """One draw with numbers of moderate size: what the test says must not depend on their size."""
    rng = np.random.default_rng(seed)
    draw = draw_prior(model, 1, rng)
    factors = {}
    for key, own in draw.factors.items():
        factors[key] = replace(
            own,
            intercept=None if own.intercept is None else rng.normal(0, 0.5, 1),
            coefficients=rng.normal(0, 0.7, own.coefficients.shape),
            scales={
                name: np.array([8.0])
                if name == "nu"
                else rng.uniform(0.6, 1.2, 1)
                if value.ndim == 1
                else np.sort(value)
                for name, value in own.scales.items()
            },
            sds={name: rng.uniform(0.5, 1.2, value.shape) for name, value in own.sds.items()},
        )
    return replace(draw, factors=factors)


def skeleton(columns, groups, size, seed=5):
    """New rows of new groups in which everything that is modelled is missing."""
    rng = np.random.default_rng(seed)
    n = groups * size
    school = 1000 + np.repeat(np.arange(groups), size)
    rows = pd.DataFrame(
        {
            "school": school,
            "room": [f"{s}.{i % 2}" for s, i in zip(school, np.tile(np.arange(size), groups), strict=True)],
            "town": 1000 + rng.integers(0, groups, n),
            "z": rng.normal(size=n),
        }
    )
    return rows[[name for name in rows if name in columns]]


def blanked(complete, holes, rng):
    """The table with a share of some columns missing; cluster variables in whole clusters."""
    out = complete.copy()
    for name, share in holes.items():
        if name == "w":
            gone = (
                out["school"]
                .isin(out["school"].unique()[rng.random(out["school"].nunique()) < share])
                .to_numpy()
            )
        else:
            gone = rng.random(len(out)) < share
        out[name] = out[name].astype(object).where(~gone, None)
        if name not in ("b", "k"):
            out[name] = out[name].astype(float)
    return out


def ranks(model, columns, holes, *, groups=300, size=4, draws=19, seed=1):
    """Ranks of the true effects and cells among draws given what is left, by name."""
    theta = parameters(model, seed)
    rng = np.random.default_rng(seed)
    plan = model.plan()
    rows = read_new_rows(model, skeleton(columns, groups, size))
    laid = lay_out_new(model, plan, rows, theta)
    truth = laid.draw(laid.part, theta, rng)
    cells = complete_cells(rows.factors, rows.table, laid.part.plan, laid.part.tables, truth, rng)
    complete = rows.frame.fill(cells)
    true_values = full_columns(rows.table, cells)
    rows = read_new_rows(model, blanked(complete, holes, rng))
    laid = lay_out_new(model, plan, rows, theta)
    effect_draws = {}
    cell_draws = {}
    for _ in range(draws):
        draw = laid.draw(laid.part, theta, rng)
        found = full_columns(
            rows.table, complete_cells(rows.factors, rows.table, laid.part.plan, laid.part.tables, draw, rng)
        )
        for key, own in draw.factors.items():
            for grouping, u in own.effects.items():
                effect_draws.setdefault((key, grouping), []).append(u[0])
        for name in holes:
            cell_draws.setdefault(name, []).append(found[name])
    out = {}
    for (key, grouping), drawn in effect_draws.items():
        true = truth.factors[key].effects[grouping][0]
        for j in range(true.shape[1]):
            out[f"{key}|{grouping}[{j}]"] = (np.array(drawn)[:, :, j] < true[:, j]).sum(axis=0)
    for name, drawn in cell_draws.items():
        holes_ = rows.table.unknown[name]
        if name == "w":
            holes_ = holes_ & np.isin(np.arange(len(holes_)), rows.table.groupings["school"].first_row)
        all_ = np.array(drawn)[:, holes_]
        true = true_values[name][holes_]
        ties = (all_ == true).sum(axis=0)
        out[name] = (all_ < true).sum(axis=0) + rng.integers(0, ties + 1)
    return out


def uniform_p(found, draws=19):
    """P value of a chi-square test that ranks 0 … draws are equally likely, ten bins."""
    count = np.bincount(found * 10 // (draws + 1), minlength=10)
    return float(stats.chisquare(count).pvalue)
