"""Simulated questionnaires, of which a wave of people answers nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd


def questionnaire(
    n: int, n_binary: int, n_ordinal: int, *, seed: int, share: float = 0.3
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Items of one trait, an outcome of all of them, and the effects that are true; missing given z."""
    rng = np.random.default_rng(seed)
    trait, z = rng.normal(size=(2, n))
    table, effects = {"z": z}, {"z": 0.5}
    for j in range(n_binary):
        p = 1 / (1 + np.exp(-(0.8 * trait + 0.3 * z - 0.2 + 0.05 * j)))
        table[f"b{j + 1}"] = (rng.random(n) < p).astype(float)
        effects[f"b{j + 1}"] = 0.6 if j % 3 == 0 else 0.0
    for j in range(n_ordinal):
        table[f"o{j + 1}"] = np.digitize(0.8 * trait + rng.logistic(size=n), [-1.0, 0.0, 1.0]) + 0.0
        effects[f"o{j + 1}"] = 0.0
    y = 1.0 + sum(effect * table[name] for name, effect in effects.items()) + rng.normal(size=n)
    data = pd.DataFrame({"y": y, **table})
    items = [name for name in effects if name != "z"]
    data.loc[rng.random(n) < share * 2 / (1 + np.exp(-z)), items] = np.nan
    return data, effects
