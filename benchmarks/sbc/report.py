"""Tables and plots of ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.sbc.replicate import M
from benchmarks.sbc.uniformity import Ecdf, pit_of_ranks, uniformity_p

__all__ = ["ABOUT", "judge", "plot_shape", "quantities"]

ABOUT = ("design", "replicate", "attempts", "r_hat", "ess", "divergences", "seconds")


def quantities(runs: pd.DataFrame) -> list[str]:
    """Return the columns that hold ranks."""
    return [name for name in runs.columns if name not in ABOUT]


def judge(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row a quantity: whether its ECDF lies inside the band, how likely one so far out is, mean rank."""
    records = []
    for name in quantities(runs):
        pit = pit_of_ranks(runs[name].to_numpy(), M)
        records.append(
            {
                "quantity": name,
                "replicates": len(pit),
                "inside": Ecdf(pit).is_inside,
                "p": uniformity_p(pit),
                "mean": pit.mean(),  # .5; below: the posterior lies above the truth
                "sd": pit.std(),  # .289; more: the posterior is too narrow
            }
        )
    return pd.DataFrame(records)


def plot_shape(runs: pd.DataFrame, title: str, path: Path) -> None:
    """Draw the ECDF minus the diagonal of every quantity over the 99 % band."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = quantities(runs)
    columns = 6
    n_rows = -(-len(names) // columns)
    figure = Figure(figsize=(2.1 * columns, 1.45 * n_rows + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(n_rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(axes.flat, names, strict=False):
        curve = Ecdf(pit_of_ranks(runs[name].to_numpy(), M))
        ax.fill_between(curve.points, curve.lower, curve.upper, step="post", color="0.85", linewidth=0)
        ax.step(
            curve.points,
            curve.difference,
            where="post",
            linewidth=0.9,
            color="#1f5fa8" if curve.is_inside else "#c0392b",
        )
        ax.set_title(name, fontsize=7)
        ax.tick_params(labelsize=6)
    limit = float(np.abs(Ecdf(pit_of_ranks(runs[names[0]].to_numpy(), M)).upper).max())
    axes[0, 0].set_ylim(-1.4 * limit, 1.4 * limit)
    figure.suptitle(title, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
