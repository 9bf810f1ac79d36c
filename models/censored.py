"""Linear regression with a censored outcome: below a limit, above a limit, or between two limits.

The story, for rows i = 1 … n::

    x_i                                                  complete, conditioned on
    y_i | x_i  ~ Normal(Intercept + x x_i, sigma)        on a scale such as the log concentration
    below a limit of detection that is the row's own, only "y_i < limit" is recorded; above 3, only "y_i > 3";
    and one row in ten is recorded as the whole numbers on either side

The table holds three columns for it: y (NaN where censored) and the bounds lower, upper between which a
censored y is known to lie (-inf for left-censored, inf for right-censored; NaN where y was seen).

The likelihood, with m_i = Intercept + x x_i, phi and Phi the standard normal density and distribution::

    seen       phi((y_i - m_i) / sigma) / sigma
    censored   Phi((upper_i - m_i) / sigma) - Phi((lower_i - m_i) / sigma)

(a censored y_i integrated out; `build` keeps it as a latent with its own density N(y_i; m_i, sigma^2),
confined to the interval. It is not a truncated normal: that would divide by the probability of the interval,
which is what the row has to say).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import Interval
from scipy import stats
from scipy.special import log_ndtr

from models.overrides import override

PARAMETERS = {"Intercept": 1.0, "x": 0.8, "sigma": 0.9}


def simulate(
    rng: np.random.Generator, n: int = 200, **parameters: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw n rows of x and of y, seen or as bounds.

    Parameters
    ----------
    rng
        The source of randomness.
    n
        Number of rows.
    **parameters
        Values in place of those in `PARAMETERS`.

    Returns
    -------
    data : DataFrame, shape (n, 4)
        Columns y, lower, upper, x.
    truth : dict
        The parameters and ``cell__y``, the values behind the bounds in row order.
    """
    truth: dict[str, Any] = {**override(PARAMETERS, parameters)}
    x = rng.normal(size=n)
    y = rng.normal(truth["Intercept"] + truth["x"] * x, truth["sigma"])
    limit = rng.choice([-0.5, 0.0, 0.5], size=n)
    rounded = rng.uniform(size=n) < 0.1
    lower = np.select([y < limit, y > 3, rounded], [-np.inf, 3.0, np.floor(y)], np.nan)
    upper = np.select([y < limit, y > 3, rounded], [limit, np.inf, np.floor(y) + 1], np.nan)
    censored = ~np.isnan(lower)
    truth["cell__y"] = y[censored]
    table = {"y": np.where(censored, np.nan, y), "lower": lower, "upper": upper, "x": x}
    return pd.DataFrame(table), truth


def scales(data: pd.DataFrame) -> dict[str, float]:
    """Constants of the default priors, from observed cells: a bound is not one."""
    table = data[["y", "x"]]
    mean, sd = table.mean(), table.std()
    return {
        "mean(y)": mean["y"],
        "mean(x)": mean["x"],
        "Intercept_centered": 2.5 * sd["y"],
        "x": 2.5 * sd["y"] / sd["x"],
        "sigma": sd["y"],
    }


def build(data: pd.DataFrame, priors: Mapping[str, float] | None = None) -> pm.Model:
    """Write the model of y given x, each censored y a latent between its bounds.

    The latents are three variables, ``cell__y_left``, ``cell__y_right`` and ``cell__y_interval`` (those that
    occur), because an interval without one end needs another transform; ``cell__y`` joins them in row order.

    Parameters
    ----------
    data : DataFrame, shape (n, 4)
        Columns y, lower, upper, x.
    priors
        Values in place of those of `scales`.

    Returns
    -------
    pm.Model
    """
    s = override(scales(data), priors)
    y, lower, upper, x = (data[name].to_numpy(float) for name in ("y", "lower", "upper", "x"))
    seen = ~np.isnan(y)
    kinds = {
        "left": np.isneginf(lower) & np.isfinite(upper),
        "right": np.isfinite(lower) & np.isposinf(upper),
        "interval": np.isfinite(lower) & np.isfinite(upper),
    }
    coords = {"__obs__": data.index[seen], "y__cell": data.index[~seen]}
    with pm.Model(coords=coords) as model:
        intercept_centered = pm.Normal("Intercept_centered", s["mean(y)"], s["Intercept_centered"])
        beta_x = pm.Normal("x", 0, s["x"])
        sigma = pm.HalfStudentT("sigma", 4, s["sigma"])
        pm.Deterministic("Intercept", intercept_centered - s["mean(x)"] * beta_x)
        mean = intercept_centered + beta_x * (x - s["mean(x)"])
        pm.Normal("y", mean[seen], sigma, observed=y[seen], dims="__obs__")

        full = pt.zeros(len(data))
        for kind, rows in kinds.items():
            if rows.any():
                below = None if kind == "left" else lower[rows]
                above = None if kind == "right" else upper[rows]
                start = {"left": upper - 1, "right": lower + 1, "interval": (lower + upper) / 2}[kind]
                interval = Interval(bounds_fn=lambda *_, below=below, above=above: (below, above))
                cell = pm.Normal(
                    f"cell__y_{kind}", mean[rows], sigma, transform=interval, initval=start[rows]
                )
                full = pt.set_subtensor(full[rows], cell)
        pm.Deterministic("cell__y", full[~seen], dims="y__cell")
    return model


def marginal_logp(data: pd.DataFrame, parameters: Mapping[str, Any]) -> float:
    """Log density of the seen y and of the recorded intervals, the likelihood written out above.

    Parameters
    ----------
    data : DataFrame, shape (n, 4)
        As for `build`.
    parameters
        By posterior name.

    Returns
    -------
    float
    """
    p = parameters
    mean = p["Intercept"] + p["x"] * data["x"]
    seen = data["y"].notna()
    low, high = ((data.loc[~seen, name] - mean[~seen]) / p["sigma"] for name in ("lower", "upper"))
    # an interval above the mean is mirrored, where the difference of the two Phi keeps its digits
    low, high = np.where(low > 0, -high, low), np.where(low > 0, -low, high)
    inside = log_ndtr(high) + np.log1p(-np.exp(log_ndtr(low) - log_ndtr(high)))
    return float(stats.norm.logpdf(data["y"], mean, p["sigma"])[seen].sum() + inside.sum())
