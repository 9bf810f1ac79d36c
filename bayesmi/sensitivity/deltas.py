"""What a fit says about the deltas of its delta_models: prior, posterior, and the change in log likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from bayesmi.draw.likelihood_ratio import delta_log_ratio
from bayesmi.errors import FitError
from bayesmi.mechanism import deltas_of
from bayesmi.priors import Prior
from bayesmi.sensitivity.importance import smoothed

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = ["delta_lines", "delta_posterior"]


def delta_posterior(fit: Fit, *, prob: float = 0.95) -> pd.DataFrame:
    """Return the table of `Fit.deltas`."""
    if not 0.0 < prob < 1.0:
        raise FitError(f"prob must be between 0 and 1, such as 0.95, not {prob!r}")
    model = fit.model
    deltas = deltas_of(model.mechanisms, "model")
    if not deltas:
        raise FitError(
            "no variable of this model has a delta_model: say mechanisms={'x': bmi.Delta(bmi.Prior('Normal', 0, 1), "
            "kind='model')}"
        )
    ratio = delta_log_ratio(model, fit.plan, fit.draws)
    back = smoothed(-ratio)  # from this posterior to missing at random
    top = float((-ratio).max())
    change = -(top + float(np.log(np.exp(-ratio - top).mean())))
    low, high = (1 - prob) / 2, 1 - (1 - prob) / 2
    names = (f"{100 * low:g}%", f"{100 * high:g}%")
    records = []
    for name, delta in deltas.items():
        factor = model.factor(name)
        for entry in delta.entries:
            group = ", ".join(str(level) for level in entry.group)
            if not isinstance(entry.amount, Prior):
                known = entry.amount if isinstance(entry.amount, float) else np.nan
                label = name if entry.category is None else f"{name}[{entry.category}]"
                record: dict[str, Any] = {
                    "variable": label,
                    "group": group,
                    "prior": f"fixed at {entry.words}",
                }
                record |= {"mean": known, "sd": 0.0, names[0]: known, names[1]: known}
                records.append(record)
                continue
            column = f"delta[{group}]" if group else "delta"
            place = factor.column_names.index(column)
            for key in factor.keys:
                draws = fit.draws.factors[key].coefficients[:, place]
                record = {"variable": key, "group": group, "prior": str(entry.amount)}
                record |= {"mean": draws.mean(), "sd": draws.std(ddof=1)}
                record |= {names[0]: np.quantile(draws, low), names[1]: np.quantile(draws, high)}
                records.append(record)
    table = pd.DataFrame.from_records(records).set_index(["variable", "group"])
    table["log_likelihood"] = change
    table["pareto_k"] = back.pareto_k
    return table


def delta_lines(table: pd.DataFrame) -> tuple[str, ...]:
    """Return how the table reads, a line a delta and one for the log likelihood."""
    lines = []
    low, high = table.columns[3:5]
    for index, row in table.iterrows():
        name, group = cast("tuple[str, str]", index)
        where = f" ({group})" if group else ""
        if row["sd"] == 0.0 or np.isnan(row["mean"]):
            lines.append(f"delta_model of {name}{where}: {row['prior']}")
            continue
        lines.append(
            f"delta_model of {name}{where}: prior {row['prior']}, posterior {row['mean']:.3g} ± {row['sd']:.2g} "
            f"({row[low]:.3g} to {row[high]:.3g})"
        )
    change, k = float(table["log_likelihood"].iloc[0]), float(table["pareto_k"].iloc[0])
    word = "drops" if change < 0 else "rises"
    lines.append(
        f"log likelihood {word} by {abs(change):.2f} against missing at random"
        + (
            ""
            if k <= 0.7
            else f" (not accurate, Pareto k {k:.1f}: see sensitivity() of the fit without delta)"
        )
    )
    return tuple(lines)
