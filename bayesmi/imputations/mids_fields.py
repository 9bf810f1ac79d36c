"""The fields and verbs of mice's ``mids`` object, on `Imputations`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from bayesmi.data.wording import did_you_mean
from bayesmi.imputations.mids import Mids

if TYPE_CHECKING:
    from bayesmi.analyses import Analyses
    from bayesmi.data import IncompleteFrame
    from bayesmi.imputations.draws import CellDraws

__all__ = ["MidsFields"]

CHAIN_NOTE = (
    "A posterior has no iterations: one series a chain, along those kept draws that became imputations (columns: "
    "chain; rows: variable, position of the draw). Trends say nothing; trace and r-hat are in fit.gate and plots.trace."
)


class MidsFields:
    """mice's vocabulary; `Imputations` has it by inheritance."""

    _frame: IncompleteFrame
    _draws: CellDraws
    _mids: Mids | None

    @property
    def mids(self) -> Mids:
        """How the imputations were made, in mice's fields."""
        if self._mids is None:
            import bayesmi

            model = getattr(self._draws, "model", None)
            version = f"bayesmi {bayesmi.__version__}"
            names: tuple[str, ...] = self.names  # type: ignore[attr-defined]
            self._mids = (
                Mids.unknown(self._frame, names) if model is None else Mids.from_model(model, version)
            )
            deltas = getattr(self._draws, "deltas", {})
            if deltas:
                words = {name: delta.words for name, delta in deltas.items()}
                self._mids = replace(self._mids, post={**self._mids.post, **words})
        return self._mids

    @property
    def data(self) -> Any:
        """The incomplete table."""
        return self._frame.original()

    @property
    def imp(self) -> Mapping[str, pd.DataFrame]:
        """Imputed values by column: shape (n_missing, m), as ``cells(name)``."""
        return _Imp(self)

    @property
    def where(self) -> pd.DataFrame:
        """Boolean table: which cells are imputed."""
        names: tuple[str, ...] = self.names  # type: ignore[attr-defined]
        nothing = np.zeros(self._frame.n_rows, dtype=bool)
        return pd.DataFrame(
            {
                name: column.missing if name in names else nothing
                for name, column in self._frame.columns.items()
            },
            index=self._frame.index,
        )

    @property
    def nmis(self) -> pd.Series:
        """Number of missing cells by column, those that are not applicable included."""
        counts = {name: int((c.missing | c.absent).sum()) for name, c in self._frame.columns.items()}
        return pd.Series(counts, name="nmis", dtype=int)

    @property
    def method(self) -> dict[str, str]:
        """Imputation method by column."""
        return dict(self.mids.method)

    @property
    def predictorMatrix(self) -> pd.DataFrame:
        """Predictor matrix in mice's codes."""
        return self.mids.predictor_matrix.copy()

    @property
    def visitSequence(self) -> tuple[str, ...]:
        """Imputed columns in the order of the product of conditionals."""
        return self.mids.visit_sequence

    @property
    def formulas(self) -> dict[str, str]:
        """The conditional of each imputed column."""
        return dict(self.mids.formulas)

    @property
    def post(self) -> dict[str, str]:
        """Post-processing by column: a delta in words, else ""."""
        return dict(self.mids.post)

    @property
    def loggedEvents(self) -> pd.DataFrame:
        """What was not done as asked, one row an event."""
        return self.mids.logged_events.copy()

    @property
    def version(self) -> str:
        """Program that made the imputations."""
        return self.mids.version

    @property
    def chainMean(self) -> pd.DataFrame:
        """Mean of the imputed cells; a posterior has no iterations, ``attrs["note"]`` says what stands here.

        One series a chain along the kept draws: columns are chains, rows (variable, position of the draw). Categories
        count by their code.
        """
        return self._chains(lambda cells: float(cells.mean()))

    @property
    def chainVar(self) -> pd.DataFrame:
        """Variance of the imputed cells, laid out as `chainMean`; NaN for a single cell."""
        return self._chains(lambda cells: float(cells.var(ddof=1)) if cells.size > 1 else float("nan"))

    def with_(
        self, analysis: Callable[[Any], Any] | str, *, family: str | None = None, n_jobs: int = 1
    ) -> Analyses:
        """Run an analysis on every completed table, as mice's ``with(imp, …)``.

        Parameters
        ----------
        analysis : callable or str
            A function of a completed table; or a formula: ``"y ~ x"`` is a linear model, with
            ``family="binomial"`` or ``"poisson"`` a generalised one, with ``(1 | g)`` a mixed one. Of two
            categories (or False and True) a binomial model gives the odds of the second, as in R.
        family : {"gaussian", "binomial", "poisson"}, optional
            Of a formula.
        n_jobs : int
            Processes; -1 for all cores.

        Returns
        -------
        Analyses

        Raises
        ------
        FormulaError, AnalysisError, PoolError
            If the formula names no column, the analysis fails on a data set, or its result cannot be read.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
        >>> analyses = imputed.with_("chl ~ age + bmi")
        >>> list(analyses.pool().terms)
        ['Intercept', 'age', 'bmi']
        """
        from bayesmi.mice.with_formula import run_with

        return run_with(self, analysis, family=family, n_jobs=n_jobs)

    def filter(self, rows: Any) -> Self:
        """Keep some rows of the incomplete and of all completed tables.

        Parameters
        ----------
        rows : boolean array, shape (n,); condition such as "age > 40"; or callable
            A callable takes the incomplete table and returns the boolean array. A condition that meets a missing value
            drops the row, as in mice.

        Returns
        -------
        Imputations
            Method and where stay as they were.

        Raises
        ------
        DataError
            If the condition cannot be read, or no row is left.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
        >>> older = imputed.filter("age > 1")
        >>> len(older.complete(1)), older.m
        (13, 5)
        """
        from bayesmi.mice.select import filter_rows

        return filter_rows(self, rows)  # type: ignore[return-value]

    def _chains(self, statistic: Callable[[np.ndarray], float]) -> pd.DataFrame:
        """One number a variable and draw, arranged by chain."""
        names: tuple[str, ...] = self.names  # type: ignore[attr-defined]
        places = [self._draws.origin(i) for i in range(self._draws.m)]
        drawn = [self._draws.cells(i) for i in range(self._draws.m)]
        series = {
            (name, draw, chain): statistic(np.asarray(cells[name]))
            for name in names
            for (chain, draw), cells in zip(places, drawn, strict=True)
        }
        index = pd.MultiIndex.from_tuples(series, names=["variable", "draw", "chain"])
        table = pd.Series(list(series.values()), index=index, dtype=float).unstack("chain")
        table.attrs["note"] = CHAIN_NOTE
        return table


class _Imp(Mapping[str, pd.DataFrame]):
    """Imputed values by column, made when asked for."""

    def __init__(self, imputed: Any) -> None:
        self._imputed = imputed

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._imputed.frame.columns:
            raise KeyError(f"{name}: {did_you_mean(name, list(self._imputed.frame.columns))}")
        return self._imputed.cells(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._imputed.names)

    def __len__(self) -> int:
        return len(self._imputed.names)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {self[name].shape[0]} × {self[name].shape[1]}" for name in self)
        return f"imputed values: {sizes or 'none'}"
