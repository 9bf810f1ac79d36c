"""Traces of parameters and of imputed cells, chain by chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import DataError
from bayesmi.imputations.posterior import posterior_dataset
from bayesmi.plots.style import new_row, quiet
from bayesmi.posthoc.stacked_posteriors import scalar_draws

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["trace"]

_CHAINS = ("#006CC2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def trace(
    fit_or_posterior: Any,
    names: str | Sequence[str] | None = None,
    ax: Axes | Sequence[Axes] | None = None,
) -> NDArray[Any]:
    """Draw traces by chain: parameters as they are, imputed cells by their mean over the cells.

    Parameters
    ----------
    fit_or_posterior : Fit, DataTree or Dataset
        Anything with a posterior.
    names : str or sequence of str, optional
        Posterior variables (of several elements the mean), single elements as the summary names them (``"ct[III]"``), or
        columns whose cells are in the posterior (``"age"`` for ``cell__age``). By default up to eight: scalar parameters
        first, then cells.
    ax : Axes or sequence of Axes, optional
        Where to draw, one for each name.

    Returns
    -------
    array of Axes
        One for each name.

    Raises
    ------
    DataError
        If a name is not in the posterior, or there are fewer Axes than names.

    Notes
    -----
    Chains that mix lie on top of each other like a fat caterpillar; chains that lie apart, or drift, have not
    converged. The mean over cells is what mice's ``plot(imp)`` shows, there against iterations. Long chains
    are thinned to about 1 000 points for drawing only.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> axes = bmi.plots.trace(fit, ["age", "sigma"])
    >>> [ax.get_title() or ax.get_title(loc="left") for ax in axes]
    ['age', 'sigma']
    """
    posterior = posterior_dataset(fit_or_posterior)
    wanted = (
        [names] if isinstance(names, str) else list(names) if names is not None else _default_names(posterior)
    )
    series = [_series(posterior, name) for name in wanted]
    if ax is None:
        columns = 1 if len(series) == 1 else 2
        rows = max(1, -(-len(series) // columns))
        axes = new_row(rows, columns, 4.8 * columns, 1.9 * rows + 0.5)
        for spare in axes[len(series) :]:
            spare.remove()
    else:
        axes = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(axes) < len(series):
        raise DataError(f"{len(series)} traces need {len(series)} axes, got {len(axes)}")
    axes = axes[: len(series)]
    for axis, (title, chains) in zip(axes, series, strict=True):
        _draw(axis, title, chains)
    for axis in axes[-2:]:
        axis.set_xlabel("draw")
    if axes:
        handles, labels = axes[0].get_legend_handles_labels()
        look: dict[str, Any] = {
            "frameon": False,
            "fontsize": 8,
            "ncols": min(len(labels), 8),
            "handlelength": 1.4,
        }
        if ax is None:
            legend = axes[0].figure.legend(handles, labels, loc="outside upper right", **look)
        else:
            legend = axes[0].legend(handles, labels, loc="upper right", **look)
        for handle in legend.get_lines():
            handle.set(linewidth=2, alpha=1)
    return np.array(axes, dtype=object)


def _draw(ax: Axes, title: str, chains: NDArray[np.float64]) -> None:
    """One panel."""
    step = max(1, chains.shape[1] // 1000)
    draws = np.arange(chains.shape[1])[::step]
    for k, values in enumerate(chains):
        colour = _CHAINS[k % len(_CHAINS)]
        ax.plot(draws, values[::step], color=colour, linewidth=0.6, alpha=0.65, label=f"chain {k}")
    ax.set_title(title, fontsize=10, loc="left")
    ax.margins(x=0.01)
    quiet(ax)


def _series(posterior: Any, name: str) -> tuple[str, NDArray[np.float64]]:
    """Title and values, shape (chains, draws)."""
    known = [str(variable) for variable in posterior.data_vars]
    variable = name if name in known else f"cell__{name}"
    if variable not in known:
        for base in (
            one for one in known if name.startswith(f"{one}[")
        ):  # one element, as the summary names it
            labels, draws = scalar_draws(posterior, [base])
            if name in labels:
                return name, draws[labels.index(name)]
            raise DataError(f"the posterior has no '{name}': {did_you_mean(name, labels)}")
        raise DataError(f"the posterior has no '{name}': {did_you_mean(name, known)}")
    array = posterior[variable].transpose("chain", "draw", ...)
    values = np.asarray(array.to_numpy(), dtype=float)
    if values.ndim == 2:
        return variable, values
    n = int(np.prod(values.shape[2:]))
    what = "cells" if variable.startswith("cell__") else "elements"
    return f"{variable}: mean of {n} {what}", values.reshape(*values.shape[:2], -1).mean(axis=2)


def _default_names(posterior: Any) -> list[str]:
    """Scalars, then cells, eight at most."""
    scalars = [str(n) for n, a in posterior.data_vars.items() if set(a.dims) == {"chain", "draw"}]
    cells = [str(n) for n in posterior.data_vars if str(n).startswith("cell__")]
    chosen = (scalars[: 8 - min(2, len(cells))] + cells)[:8]
    return chosen or [str(n) for n in posterior.data_vars][:8]
