"""Cells on windows of their own, with different numbers of points, come back from their exact conditional."""

import numpy as np
import pandas as pd
from scipy import integrate, stats

from bayesmi import Model
from bayesmi.build import build_sampled
from bayesmi.draw import complete_cells
from bayesmi.draw.parameters import FactorDraws, PosteriorDraws
from bayesmi.plan import make_plan

DRAWS = 400


def table():
    """Weight and height; their ratio predicts y, the steeper the heavier; both are missing in the last rows."""
    rng = np.random.default_rng(3)
    n = 200
    age = np.linspace(0.0, 20.0, n)
    height = np.exp(4.0 + 0.06 * age + 0.05 * rng.normal(size=n))
    weight = np.exp(-6.5 + 2.0 * np.log(height) + 0.1 * rng.normal(size=n))
    y = 40.0 + 60.0 * weight / height + rng.normal(size=n)
    data = pd.DataFrame({"age": age, "height": height, "weight": weight, "y": y})
    data.loc[[4, 100, 190, 20, 150], "weight"] = np.nan
    data.loc[[20, 150], "height"] = np.nan
    return data


def factor_draws(intercept, coefficients, sigma):
    scales = {"sigma": np.array([sigma])}
    return FactorDraws(np.array([intercept]), np.array([coefficients], dtype=float), scales, {}, {}, {})


def test_weights_and_heights_behind_a_ratio_follow_their_conditional():
    data = table()
    model = Model(
        "y ~ age + I(weight / height)",
        data,
        families={"height": "lognormal", "weight": "lognormal"},
        formulas={"height": "~ age", "weight": "~ np.log(height)"},
        order=["height", "weight"],
    )
    plan = make_plan(model)
    sizes = plan.grids["weight"].sizes
    assert sizes.min() < sizes.max()
    truth = {
        "height": factor_draws(4.0, [0.06], 0.05),
        "weight": factor_draws(-6.5, [2.0], 0.1),
        "y": factor_draws(40.0, [0.0, 60.0], 1.0),
    }
    draw = PosteriorDraws(1, 1, truth, {})
    built = build_sampled(model, plan)
    rng = np.random.default_rng(5)
    drawn = [complete_cells(model.factors, model.table, plan, built.tables, draw, rng) for _ in range(DRAWS)]
    holes = np.flatnonzero(data["weight"].isna())
    for row in (4, 100, 190):
        weights = np.array([cells["weight"][np.searchsorted(holes, row)] for cells in drawn])
        log_w = np.linspace(np.log(weights.min()) - 0.3, np.log(weights.max()) + 0.3, 4001)
        log_density = of_weight(log_w, np.log(data["height"][row]), data["y"][row])
        pit = np.interp(np.log(weights), log_w, distribution(log_w, log_density))
        assert stats.kstest(pit, "uniform").pvalue > 1e-3, row
    for row in (20, 150):
        heights = np.array([cells["height"][{20: 0, 150: 1}[row]] for cells in drawn])
        log_h = np.linspace(np.log(heights.min()) - 0.2, np.log(heights.max()) + 0.2, 401)
        z = np.linspace(-7.0, 7.0, 401)
        inside = np.array(
            [np.exp(of_weight(-6.5 + 2.0 * at + 0.1 * z, at, data["y"][row])).sum() for at in log_h]
        )
        log_density = stats.norm.logpdf(log_h, 4.0 + 0.06 * data["age"][row], 0.05) + np.log(inside)
        pit = np.interp(np.log(heights), log_h, distribution(log_h, log_density))
        assert stats.kstest(pit, "uniform").pvalue > 1e-3, row


def of_weight(log_weight, log_height, y):
    ratio = np.exp(log_weight - log_height)
    return stats.norm.logpdf(log_weight, -6.5 + 2.0 * log_height, 0.1) + stats.norm.logpdf(
        y, 40.0 + 60.0 * ratio, 1.0
    )


def distribution(axis, log_density):
    total = integrate.cumulative_simpson(np.exp(log_density - log_density.max()), x=axis, initial=0.0)
    return total / total[-1]
