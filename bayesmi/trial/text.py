"""How a trial reads in print."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bayesmi.trial.model import TrialModel

__all__ = ["trial_text"]


def trial_text(model: TrialModel) -> str:
    """Return the printout of a trial's model."""
    data, events = model.data, model.events
    counts = np.bincount(data.arm_of, minlength=len(data.arms))
    arms = ", ".join(
        f"{label} ({'control, ' if a == 0 else ''}{counts[a]})" for a, label in enumerate(data.arms)
    )
    refers = [f"{data.arms[a]} to {data.arms[r]}" for a, r in enumerate(data.reference.tolist()) if r != 0]
    shared = "common to the arms" if model.covariance == "common" else "by arm, as everything else"
    lines = [
        f"TrialModel of {data.formula}",
        f"  {data.n} patients, {data.n_visits} visits ({', '.join(map(str, data.visits))}), arms {arms}",
        *([f"  arms refer: {', '.join(refers)}"] if refers else []),
        f"  covariance of visits unstructured, {shared}",
    ]
    missing = "; ".join(
        f"{label} {', '.join(str(int(k)) for k in (~data.observed[data.arm_of == a]).sum(axis=0))}"
        for a, label in enumerate(data.arms)
    )
    lines.append(f"  missing outcomes: {missing}")
    happened = Counter(
        name
        for name, first in zip(events.strategies, events.first.tolist(), strict=True)
        if first < data.n_visits
    )
    said = ", ".join(f"{name} {count}" for name, count in happened.items())
    lines.append(f"  intercurrent events: {said or 'none; all missing outcomes are missing at random'}")
    for name in data.incomplete:
        lines.append(f"  covariate {name}: {int(data.baseline[name].isna().sum())} patients without")
    product = " · ".join(
        f"f({factor.variable} | {', '.join(sorted(factor.parents))})"
        if factor.parents
        else f"f({factor.variable})"
        for factor in reversed(model.models[0].factors)
    )
    lines.append(f"  joint density: {product}" + (" in each arm" if model.covariance == "by arm" else ""))
    return "\n".join([*lines, *(f"  note: {line}" for line in model.notices)])
