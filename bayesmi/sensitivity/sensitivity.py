"""What was found over a grid of deltas: a tidy table, plots, and where the conclusion turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesmi.data.wording import did_you_mean, list_some
from bayesmi.errors import ModelError
from bayesmi.sensitivity.grid import Grid
from bayesmi.sensitivity.point import Point

if TYPE_CHECKING:
    from bayesmi.sensitivity.tipping import TippingPoint

__all__ = ["Sensitivity"]


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity:
    """Answers over a grid of deltas, or of known correlations of selection models; made by `Fit.sensitivity`.

    Attributes
    ----------
    grid : Grid
        The axes and their values: deltas, correlations, deltas of arms.
    points : tuple of Point
        The answer at each combination.
    m : int
        Imputations at each point; the same posterior draws and random numbers at all.
    seed : int
        Repeats it.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> found = fit.sensitivity({"bmi": [-2, 0, 2]}, m=5, progress=False)
    >>> found.columns, found.terms, found.m
    (('delta_bmi',), ('Intercept', 'age', 'bmi'), 5)
    >>> found.table[["delta_bmi", "realised_bmi"]].drop_duplicates().round(2).to_numpy().tolist()
    [[-2.0, -2.0], [0.0, 0.0], [2.0, 2.0]]
    """

    grid: Grid
    points: tuple[Point, ...]
    evaluator: Callable[[Sequence[float]], Point]
    m: int
    seed: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of `table` that say where: ``delta_x``, ``rho_x``, ``group_rho_x``."""
        return self.grid.columns

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the estimands."""
        return self.points[0].answer.terms

    @property
    def table(self) -> pd.DataFrame:
        """One row a combination and term.

        ``delta_…`` (one column a variable; of correlations ``rho_…``, ``group_rho_…``), term, estimate, std.error, conf.low,
        conf.high, p.value, mcse (Monte Carlo error of the estimate), realised_… (mean change of the imputed cells against
        missing at random, or against zero correlations), how (imputations, draws, reweighted or refitted), pareto_k (of
        reweighted draws) and log_likelihood (change of the log marginal likelihood against zero; of a delta_model and of
        correlations).
        """
        return pd.concat([self._rows(point) for point in self.points], ignore_index=True)

    @property
    def across(self) -> pd.DataFrame:
        """Correlations of the group effects of the two equations of selection models at every combination.

        Columns variable, grouping, pair, mean, sd, conf.low, conf.high; empty where there are none. Where they are not held by
        ``group_rho=`` they are estimated anew at each rho.
        """
        parts = {point.values: point.across for point in self.points if len(point.across)}
        if not parts:
            return pd.DataFrame()
        return pd.concat(parts, names=list(self.columns)).droplevel(-1)

    @property
    def realised(self) -> pd.DataFrame:
        """Realised differences of every combination by variable and group; see `Imputations.realised_difference`."""
        parts = {point.values: point.realised for point in self.points}
        return pd.concat(parts, names=list(self.columns))

    def at(self, *values: float) -> pd.DataFrame:
        """Return the estimates at one combination of the grid, indexed by term.

        Parameters
        ----------
        *values : number
            One for each axis, in the order of `columns`.

        Returns
        -------
        DataFrame
            Estimate, standard error, interval and p-value by term.

        Raises
        ------
        ModelError
            If it is not on the grid.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> found = fit.sensitivity({"bmi": [-2, 0, 2]}, m=5, progress=False)
        >>> list(found.at(-2).index)
        ['Intercept', 'age', 'bmi']
        """
        for point in self.points:
            if np.allclose(point.values, values):
                return point.answer.table()
        raise ModelError(
            f"{values} is not on the grid: {', '.join(str(point.values) for point in self.points[:6])} …"
        )

    def tipping_point(
        self, term: str, *, criterion: str | float = "interval", alpha: float = 0.05, tolerance: float = 1e-3
    ) -> TippingPoint:
        """Find the delta, or the correlation, at which the conclusion turns.

        Parameters
        ----------
        term : str
            The estimand.
        criterion : {"interval", "p"} or number
            ``"interval"``: the 95 % interval touches zero; ``"p"``: p is `alpha`; a number: the estimate crosses it.
        alpha : float
            Level of "p" and "interval".
        tolerance : float
            Where to stop looking, as a share of the range of the grid.

        Returns
        -------
        TippingPoint
            The value nearest to missing at random, its Monte Carlo error, all others in the range.

        Raises
        ------
        ModelError
            If the term is not there or the grid has two deltas (see `tipping_line`).

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> found = fit.sensitivity({"chl": [0, 50, 100]}, m=10, progress=False)
        >>> tipping = found.tipping_point("bmi", criterion=7.5)
        >>> 0 < float(tipping) < 100
        True
        """
        from bayesmi.sensitivity.tipping import find_tipping_point

        return find_tipping_point(self, self.check_term(term), criterion, alpha, tolerance)

    def tipping_line(
        self, term: str, *, criterion: str | float = "interval", alpha: float = 0.05
    ) -> pd.DataFrame:
        """Return where the conclusion turns on a grid of two deltas, by interpolation along its lines in both directions.

        Parameters
        ----------
        term : str
            The estimand.
        criterion, alpha
            As in `tipping_point`.

        Returns
        -------
        DataFrame
            Two columns, the deltas, one row a point of the line; none where nothing turns on the grid.

        Raises
        ------
        ModelError
            If the term is not there or the grid has one delta.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> found = fit.sensitivity({"chl": [0, 100], "bmi": [-2, 0]}, m=10, progress=False)
        >>> line = found.tipping_line("bmi", criterion=7.5)
        >>> list(line.columns), bool(line["delta_chl"].between(0, 100).all())
        (['delta_chl', 'delta_bmi'], True)
        """
        from bayesmi.sensitivity.tipping import tipping_line

        return tipping_line(self, self.check_term(term), criterion, alpha)

    def plot(self, term: str, *, ax: Any = None, **options: Any) -> Any:
        """Draw a term over the grid: a curve of one delta, a heat map of two; return the Axes.

        Parameters
        ----------
        term : str
            The estimand.
        ax : Axes, optional
            Where to draw.
        **options
            As in `bayesmi.plots.sensitivity` and `bayesmi.plots.sensitivity_map`.

        Returns
        -------
        Axes

        Raises
        ------
        ModelError
            If the term is not there.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> found = fit.sensitivity({"bmi": [-2, 0, 2]}, m=5, progress=False)
        >>> ax = found.plot("bmi")
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('delta_conditional of bmi', 'bmi')
        """
        from bayesmi import plots

        draw = plots.sensitivity if len(self.grid.names) == 1 else plots.sensitivity_map
        return draw(self, term, ax=ax, **options)

    def check_term(self, term: str | None) -> str:
        """Return the term, the only one for None, or say which there are.

        Parameters
        ----------
        term : str or None
            None stands for the only one.

        Returns
        -------
        str

        Raises
        ------
        ModelError
            If there is no such term, or several and none is named.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> found = fit.sensitivity({"bmi": [-2, 0]}, m=5, progress=False)
        >>> found.check_term("age")
        'age'
        """
        if term is None:
            if len(self.terms) > 1:
                raise ModelError(f"say which term: {list_some(self.terms)}")
            return self.terms[0]
        if term not in self.terms:
            raise ModelError(f"no term {term!r}: {did_you_mean(term, list(self.terms))}")
        return term

    def with_points(self, more: Sequence[Point]) -> Sensitivity:
        """Return the same with further points, in the order of their deltas.

        Parameters
        ----------
        more : sequence of Point
            Such as `evaluator` makes; one at a place that is there already replaces it.

        Returns
        -------
        Sensitivity

        Examples
        --------
        >>> import bayesmi as bmi
        >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
        >>> found = fit.sensitivity({"bmi": [-2, 0]}, m=5, progress=False)
        >>> wider = found.with_points([found.evaluator((-4.0,))])
        >>> [point.values for point in wider.points]
        [(-4.0,), (-2.0,), (0.0,)]
        """
        known = {point.values: point for point in (*self.points, *more)}
        ordered = tuple(known[values] for values in sorted(known))
        return Sensitivity(self.grid, ordered, self.evaluator, self.m, self.seed)

    def _rows(self, point: Point) -> pd.DataFrame:
        table = point.answer.table().reset_index()
        for k, (column, value) in enumerate(zip(self.columns, point.values, strict=True)):
            table.insert(k, column, value)
        for name in self.grid.variables:
            table[f"realised_{name}"] = _overall(point.realised, name)
        table["how"] = point.how
        table["pareto_k"] = point.pareto_k
        table["log_likelihood"] = point.log_likelihood
        return table

    def __repr__(self) -> str:
        ranges = " × ".join(
            f"{len(values)} from {values[0]:g} to {values[-1]:g}" for values in self.grid.values.values()
        )
        hows = [point.how for point in self.points]
        told = ", ".join(f"{hows.count(how)} {how}" for how in dict.fromkeys(hows))
        head = f"Sensitivity to {self.grid.title}: {ranges} ({told}); m = {self.m}, seed {self.seed}"
        shown = self.table.drop(columns=[] if self.grid.kind == "model" else ["pareto_k", "log_likelihood"])
        lines = [head]
        lines += [f"  {line}" for line in self.grid.lines]
        return "\n".join([*lines, shown.round(4).to_string(index=False)])


def _overall(realised: pd.DataFrame, name: str) -> float:
    """Mean change over all cells of a variable that is one number; NaN for shares of several categories."""
    own = [
        what
        for what in realised.index.get_level_values(0).unique()
        if what == name or what.startswith(f"{name}[")
    ]
    if len(own) != 1:
        return float("nan")
    part = realised.loc[own[0]]
    return float(np.average(part["difference"], weights=part["cells"]))
