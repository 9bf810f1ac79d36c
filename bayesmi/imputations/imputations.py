"""m completed data sets, built from posterior draws when they are asked for."""

from __future__ import annotations

import operator
import os
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import Column, IncompleteFrame
from bayesmi.data.wording import counted, did_you_mean
from bayesmi.errors import BayesmiError, BayesmiNotice, DataError
from bayesmi.imputations import archive, display, export, layouts
from bayesmi.imputations.complete import lay_out, read_action
from bayesmi.imputations.draws import CellDraws
from bayesmi.imputations.mids import Mids
from bayesmi.imputations.mids_fields import MidsFields
from bayesmi.imputations.posterior import draws_from_posterior
from bayesmi.imputations.r_code import r_code
from bayesmi.seeds import check_seed

if TYPE_CHECKING:
    from bayesmi.analyses import Analyses
    from bayesmi.imputations.layouts import Order

__all__ = ["Imputations"]


class Imputations(MidsFields):
    """m completed data sets of one incomplete table, each from one draw of the joint posterior.

    Completed tables are built when asked for; only the values of missing cells are kept. Observed cells are
    those of the table that came in, bit for bit, and dtypes, index and column order are kept.

    Parameters
    ----------
    frame : IncompleteFrame
        The incomplete table.
    draws : CellDraws
        Values of the missing cells for imputation 0 … m-1.
    formula : str, optional
        The analysis model, for the printout.
    families : mapping of str to str
        Family by imputed column, for the printout.
    seed : int, optional
        The seed that chose the draws.
    integer_valued : collection of str
        Columns whose family is integer-valued: these keep an integer dtype, others become float64.
    gate : str, optional
        Verdict on the posterior these draws came from.
    mids : Mids, optional
        How they were made, in mice's fields; by default derived from the model.

    Notes
    -----
    ``len(imputed)`` is m; iteration gives the completed tables; ``imputed[0]`` is the first of them, as in
    any Python sequence, while ``imputed.complete(1)`` counts from 1 as mice does (0 is the incomplete table).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from bayesmi.data import IncompleteFrame
    >>> from bayesmi.imputations import Imputations, StoredDraws
    >>> frame = IncompleteFrame.from_table(pd.DataFrame({"x": [1.5, np.nan, 3.0, 4.5]}))
    >>> imputed = Imputations(frame, StoredDraws({"x": np.array([[2.0], [2.5]])}, ((0, 10), (1, 40))))
    >>> imputed.complete("long")
         x  .imp  .id
    0  1.5     1    0
    1  2.0     1    1
    2  3.0     1    2
    3  4.5     1    3
    4  1.5     2    0
    5  2.5     2    1
    6  3.0     2    2
    7  4.5     2    3
    """

    def __init__(
        self,
        frame: IncompleteFrame,
        draws: CellDraws,
        *,
        formula: str | None = None,
        families: Mapping[str, str] = {},
        seed: int | None = None,
        integer_valued: Collection[str] = frozenset(),
        gate: str | None = None,
        mids: Mids | None = None,
    ) -> None:
        if draws.m < 1:
            raise BayesmiError(f"m = {draws.m}: at least one imputation is needed, say m=20")
        self._frame = frame
        self._draws = draws
        self._formula = formula
        self._families = dict(families)
        self._seed = seed
        self._integer_valued = frozenset(integer_valued)
        self._gate = gate
        self._mids = mids
        self._cells: dict[int, dict[str, NDArray[np.float64]]] = {}
        self._notices: tuple[str, ...] | None = None
        self._said = False

    @classmethod
    def from_posterior(
        cls,
        data: Any,
        posterior: Any,
        cells: Mapping[str, str],
        *,
        m: int = 20,
        seed: int | None = None,
    ) -> Self:
        """Completed data sets from the posterior of any PyMC model that has the missing cells as variables.

        Parameters
        ----------
        data : DataFrame or IncompleteFrame
            The incomplete table. Pass ``IncompleteFrame.from_table(data, kinds=...)`` where kinds are not as
            found.
        posterior : DataTree or Dataset
            What ``pm.sample`` returns, or its posterior.
        cells : mapping of str to str
            Column -> posterior variable with dims chain, draw and one more whose length is the number of
            missing cells of the column, in row order (or with row labels as coordinate: then these decide).
            Categories are codes 0 … K-1 in the order of the categories (sorted, if the column is text).
        m : int
            Number of imputations.
        seed : int, optional
            Repeats the choice of draws exactly. Without it one is drawn, and shown by ``repr``.

        Returns
        -------
        Imputations
            Every imputation takes all its cells from the same posterior draw.

        Raises
        ------
        DataError
            If columns, variables and sizes do not fit.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> import numpy as np, pandas as pd, xarray as xr
        >>> table = pd.DataFrame({"age": [30.0, np.nan, 41.0, np.nan, 52.0]})
        >>> draws = np.random.default_rng(1).normal(35, 5, (2, 100, 2))
        >>> posterior = xr.Dataset({"age_missing": (("chain", "draw", "gap"), draws)})
        >>> imputed = bmi.Imputations.from_posterior(table, posterior, {"age": "age_missing"}, m=4, seed=1)
        >>> len(imputed), int(imputed.complete(1)["age"].isna().sum())
        (4, 0)
        """
        frame = data if isinstance(data, IncompleteFrame) else IncompleteFrame.from_table(data)
        seed = check_seed(seed)
        return cls(frame, draws_from_posterior(frame, posterior, cells, m, seed), seed=seed)

    # -- what it is ------------------------------------------------------------------------------------------

    @property
    def m(self) -> int:
        """Number of imputations."""
        return self._draws.m

    @property
    def frame(self) -> IncompleteFrame:
        """The incomplete table as it was read."""
        return self._frame

    @property
    def formula(self) -> str | None:
        """The analysis model."""
        return self._formula

    @property
    def families(self) -> dict[str, str]:
        """Family by imputed column."""
        return dict(self._families)

    @property
    def seed(self) -> int | None:
        """The seed that chose the draws."""
        return self._seed

    @property
    def integer_valued(self) -> frozenset[str]:
        """Columns whose family is integer-valued."""
        return self._integer_valued

    @property
    def gate(self) -> str | None:
        """Verdict on the posterior these draws came from."""
        return self._gate

    @property
    def names(self) -> tuple[str, ...]:
        """Imputed columns, in table order."""
        drawn = self._cells_of(0)
        return tuple(name for name in self._frame.columns if name in drawn)

    @property
    def helper_columns(self) -> frozenset[str]:
        """Columns whose holes say something of other columns: limits of censored values, measurements with error."""
        return frozenset(getattr(self._draws, "read_columns", ()))

    @property
    def origin(self) -> pd.DataFrame:
        """Where each imputation comes from: chain and draw (positions from 0) by imputation 1 … m."""
        pairs = [self._draws.origin(i) for i in range(self.m)]
        return pd.DataFrame(
            pairs, columns=["chain", "draw"], index=pd.RangeIndex(1, self.m + 1, name="imputation")
        )

    @property
    def notices(self) -> tuple[str, ...]:
        """Remarks on the completed tables, one line each."""
        if self._notices is None:
            self._notices = (*self._frame.notices, *display.derived_notices(self))
        return self._notices

    # -- completed tables ------------------------------------------------------------------------------------

    def complete(self, action: Any = 1, include: bool = False, order: Order = "last") -> Any:
        """Completed data, laid out as mice's ``complete()`` lays them out.

        Parameters
        ----------
        action : int, iterable of int, or str
            0 is the incomplete table, 1 … m a completed one; several numbers are stacked. Or

            ``"all"``
                a dict of tables by imputation number,
            ``"long"``
                all tables under each other, with ``.imp`` (imputation number) and ``.id`` (row label),
            ``"stacked"``
                the same without these two,
            ``"broad"``
                side by side: ``age.1 bmi.1 … age.2 bmi.2 …``,
            ``"repeated"``
                side by side by variable: ``age.1 age.2 … bmi.1 bmi.2 …``.
        include : bool
            The incomplete table too, as number 0, before the others.
        order : {"last", "first"}
            Where the long form has ``.imp`` and ``.id``: after the data (mice ≥ 3.16) or before them.

        Returns
        -------
        DataFrame or dict of int to DataFrame
            pandas or polars, as the data came. One table, broad and repeated keep the index; forms that stack
            several tables number their rows anew.

        Raises
        ------
        DataError
            If there is no such imputation or form.

        Notes
        -----
        Layout of mice 3.19.0. ``.id`` holds the row label as in mice ≥ 3.17 (in 3.15 it was the position).

        Examples
        --------
        >>> import bayesmi as bmi
        >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
        >>> imputed.complete(1).shape, imputed.complete("long").shape
        ((25, 4), (125, 6))
        >>> int(imputed.complete(0)["chl"].isna().sum()), int(imputed.complete(1)["chl"].isna().sum())
        (10, 0)
        >>> list(imputed.complete("broad").columns)[:5]
        ['age.1', 'bmi.1', 'hyp.1', 'chl.1', 'age.2']
        """
        wanted = read_action(action, self.m, include=include, order=order)
        self._say_notices()
        tables = {number: self._table(number) for number in wanted.numbers}
        return lay_out(tables, wanted, self._frame.index, order)

    def cells(self, name: str) -> pd.DataFrame:
        """Imputed values of a column, as mice's ``imp$name``.

        Parameters
        ----------
        name : str
            An imputed column.

        Returns
        -------
        DataFrame
            Shape (n_missing, m): row labels of the missing cells, columns 1 … m; in the column's dtype.

        Raises
        ------
        DataError
            If there is no such column, or its missing cells are not imputed.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
        >>> imputed.cells("bmi").shape
        (9, 5)
        >>> list(imputed.cells("bmi").columns)
        [1, 2, 3, 4, 5]
        """
        column = self._column(name)
        labels = self._frame.index[column.missing]
        numbers = pd.RangeIndex(1, self.m + 1)
        if column.n_missing == 0:
            return pd.DataFrame(index=labels, columns=numbers, dtype=float)
        filled = [self._table(number)[name] for number in numbers]
        if layouts.is_polars(self._frame.original()):
            filled = [pd.Series(values.to_list(), index=self._frame.index) for values in filled]
        return pd.concat(
            [values[column.missing].rename(number) for values, number in zip(filled, numbers, strict=True)],
            axis=1,
        )

    def draws_of(self, name: str) -> NDArray[np.float64]:
        """Imputed values of a column as numbers or codes, shape (n_missing, m).

        Parameters
        ----------
        name : str
            An imputed column.

        Returns
        -------
        ndarray, shape (n_missing, m)
            Codes of categories count from 0, in the order of the categories.

        Raises
        ------
        DataError
            If there is no such column, or its missing cells are not imputed.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
        >>> imputed.draws_of("chl").shape
        (10, 5)
        """
        if self._column(name).n_missing == 0:
            return np.empty((0, self.m))
        return np.column_stack([self._cells_of(i)[name] for i in range(self.m)])

    def __len__(self) -> int:
        return self.m

    def __iter__(self) -> Iterator[Any]:
        return (self._table(number) for number in range(1, self.m + 1))

    def __getitem__(self, item: int | slice) -> Any:
        if isinstance(item, slice):
            return [self._table(i + 1) for i in range(*item.indices(self.m))]
        position = operator.index(item)
        if not -self.m <= position < self.m:
            raise IndexError(
                f"imputation {position} of {self.m}: [0] … [{self.m - 1}] as in any sequence, complete(1) … "
                f"complete({self.m}) as in mice"
            )
        return self._table(position % self.m + 1)

    # -- what is done with them ------------------------------------------------------------------------------

    def analyze(self, f: Callable[[Any], Any], n_jobs: int = 1, *, progress: bool = True) -> Analyses:
        """Run an analysis on every completed table.

        Parameters
        ----------
        f : callable
            Takes a completed table and returns a fitted model, an (estimates, covariance) pair or a tidy
            table.
        n_jobs : int
            Processes to use, -1 for all cores; results do not depend on it.
        progress : bool
            Show progress where there is a terminal or notebook to show it in.

        Returns
        -------
        Analyses
            m results; ``.pool()`` combines them by Rubin's rules.

        Raises
        ------
        AnalysisError
            If the function fails on a data set: it is named, with the reason; none is left out.
        PoolError
            If estimates and covariance cannot be read out of what it returned.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from bayesmi.data import IncompleteFrame
        >>> from bayesmi.imputations import Imputations, StoredDraws
        >>> frame = IncompleteFrame.from_table(pd.DataFrame({"x": [1.5, np.nan, 3.0, 4.5]}))
        >>> imputed = Imputations(frame, StoredDraws({"x": np.array([[2.0], [2.5]])}, ((0, 10), (1, 40))))
        >>> analyses = imputed.analyze(lambda data: ({"mean": data["x"].mean()}, [[data["x"].var() / 4]]))
        >>> round(float(analyses.pool().table.loc["mean", "estimate"]), 4)
        2.8125
        """
        from bayesmi.analyses import run_analyses

        return run_analyses(self, f, n_jobs=n_jobs, progress=progress)

    def delta_after(self, deltas: Mapping[str, Any], *, seed: int | None = None) -> Imputations:
        """Shift the finished imputations; nothing else in them changes but what is derived from the shifted columns.

        Parameters
        ----------
        deltas : mapping of str to number or Delta
            By imputed column: a number (its unit as in `Delta`), or a `Delta` with ``kind="after"``.
        seed : int, optional
            By default the imputations' own.

        Returns
        -------
        Imputations
            The same number, from the same posterior draws. Numbers are shifted; binary, ordered and unordered levels and
            counts are redrawn from probabilities with shifted odds (rates), given everything else in the completed table, with
            random numbers such that as few as possible change, and none at delta 0.

        Raises
        ------
        DataError, ModelError
            If a column is not imputed or an amount does not fit it.
        NotSupportedError
            If levels are to be shifted and the imputations came without their model.

        Notes
        -----
        The marginal delta of reference-based trials (rbmi shifts after imputation). See `Delta` for the two other estimands,
        and `realised_difference` for what it came to.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from bayesmi.data import IncompleteFrame
        >>> from bayesmi.imputations import Imputations, StoredDraws
        >>> frame = IncompleteFrame.from_table(pd.DataFrame({"x": [1.5, np.nan, 3.0, 4.5]}))
        >>> imputed = Imputations(frame, StoredDraws({"x": np.array([[2.0], [2.5]])}, ((0, 10), (1, 40))))
        >>> imputed.delta_after({"x": -1}).cells("x").to_numpy().tolist()
        [[1.0, 1.5]]
        """
        from bayesmi.imputations.delta_after import AfterDraws, read_after

        own = read_after(deltas, self._frame, self.names, getattr(self._draws, "model", None))
        number = self._seed if seed is None and self._seed is not None else check_seed(seed)
        record = self.mids
        words = {name: delta.words for name, delta in own.items()}
        return Imputations(
            self._frame,
            AfterDraws(self._draws, self._frame, own, number),
            formula=self._formula,
            families=self._families,
            seed=self._seed,
            integer_valued=self._integer_valued,
            gate=self._gate,
            mids=replace(record, post={**record.post, **words}),
        )

    def realised_difference(self, by: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Say what the deltas came to: how far imputed values moved, by variable and group.

        Parameters
        ----------
        by : str or sequence of str, optional
            Columns whose levels are the groups; by default those of the delta.

        Returns
        -------
        DataFrame
            Indexed by variable (with the category, where shares are meant) and group: delta (which estimand), cells, amount (mean
            delta of the cells, where it is a number), before and after (means of the imputed cells), difference, per_unit
            (difference for one unit of delta), mcse (Monte Carlo error of the difference), observed (mean of the group's
            observed cells, NaN without any), imputed - observed.

        Raises
        ------
        DataError
            If there is no delta.

        Notes
        -----
        ``before`` are the same posterior draws and random numbers without delta. Of a delta_model that is not missing at
        random, whose parameters are others: `Fit.sensitivity` compares with that.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
        >>> shifted = imputed.delta_after({"bmi": -2})
        >>> shifted.realised_difference()[["cells", "difference"]].to_dict("records")
        [{'cells': 9, 'difference': -2.0}]
        """
        from bayesmi.imputations.realised import realised_difference

        after = [self._cells_of(i) for i in range(self.m)]
        return realised_difference(self._draws, self._frame, by=by, after=after)

    def to_csv(
        self,
        path: str | os.PathLike[str],
        force: bool = False,
        *,
        include: bool = True,
        order: Order = "last",
        na: str = "NA",
    ) -> None:
        """Write the long form as CSV, as R's ``mice::as.mids(read.csv(path))`` reads it.

        Parameters
        ----------
        path : path-like
            File to write; it appears whole or not at all.
        force : bool
            Replace a file that exists.
        include : bool
            The incomplete table too, as ``.imp`` 0 (``as.mids`` needs it).
        order : {"last", "first"}
            ``.imp`` and ``.id`` after the data or before them.
        na : str
            What stands for a missing value. Refused if a text value is spelled like it.

        Raises
        ------
        DataError
            If the file exists, or a text value would read back as missing.

        Notes
        -----
        A CSV file has no order of levels: `r_code` writes the lines of R that give them back.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "imputed.csv"
        ...     imputed.to_csv(path)
        ...     again = bmi.read_mids(path)
        >>> again.m, again.names
        (5, ('bmi', 'chl'))
        """
        export.write_csv(self, path, force=force, include=include, order=order, na=na)

    def r_code(self, path: str = "imputed.csv", *, na: str = "NA") -> str:
        """Return R code that reads what `to_csv` wrote: factors with their levels in order, then ``as.mids``.

        Parameters
        ----------
        path : str
            The file as R finds it.
        na : str
            As in `to_csv`.

        Returns
        -------
        str
            Lines of R that end in ``imp``, a mids object.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> import pandas as pd
        >>> table = pd.DataFrame({"x": pd.Categorical(["low", None, "high"], ["low", "high"], ordered=True), "y": [1, 2, 3]})
        >>> done = table.assign(x=table["x"].fillna("low"))
        >>> print(bmi.as_mids([done, done], table).r_code())
        long <- read.csv("imputed.csv", na.strings = "NA")
        long[["x"]] <- factor(long[["x"]], levels = c("low", "high"), ordered = TRUE)
        imp <- mice::as.mids(long)
        """
        return r_code(self._frame, str(path), na)

    def to_parquet(
        self,
        path: str | os.PathLike[str],
        force: bool = False,
        *,
        include: bool = True,
        order: Order = "last",
    ) -> None:
        """Write the long form as Parquet, dtypes kept; one row group a table.

        Parameters
        ----------
        path, force, include, order
            As `to_csv`.

        Raises
        ------
        DataError
            If the file exists, or a column has no Parquet type.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
        >>> import pandas as pd, pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "imputed.parquet"
        ...     imputed.to_parquet(path, include=False)
        ...     long = pd.read_parquet(path)
        >>> long.shape, list(long.columns)
        ((125, 6), ['age', 'bmi', 'hyp', 'chl', '.imp', '.id'])
        """
        export.write_parquet(self, path, force=force, include=include, order=order)

    def save(self, path: str | os.PathLike[str], force: bool = False) -> None:
        """Save everything in one file that `Imputations.load` restores.

        Parameters
        ----------
        path : path-like
            File to write; it appears whole or not at all.
        force : bool
            Replace a file that exists.

        Raises
        ------
        DataError
            If the file exists, or a column cannot be stored without change.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "imputed.bmi"
        ...     imputed.save(path)
        ...     again = bmi.load(path)
        >>> again.complete("long").equals(imputed.complete("long"))
        True
        """
        archive.save(self, path, force=force)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Restore what `save` wrote.

        Parameters
        ----------
        path : path-like
            A file written by `save`.

        Returns
        -------
        Imputations
            As it was saved.

        Raises
        ------
        DataError
            If the file is not whole, is something else, or was written by a newer version.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> imputed = bmi.impute(bmi.datasets.load("nhanes"), "chl ~ age + bmi", m=5, seed=1, progress=False)
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "imputed.bmi"
        ...     imputed.save(path)
        ...     again = bmi.Imputations.load(path)
        >>> again.m, again.seed
        (5, 1)
        """
        frame, draws, about = archive.load(path)
        return cls(frame, draws, **about)

    def __repr__(self) -> str:
        return display.as_text(self)

    def _repr_html_(self) -> str:
        return display.as_html(self)

    # -- inside ----------------------------------------------------------------------------------------------

    def _cells_of(self, i: int) -> dict[str, NDArray[np.float64]]:
        """Draw imputation i once and keep it: m × missing cells is all that is stored."""
        if i not in self._cells:
            self._cells[i] = {name: np.asarray(a, dtype=float) for name, a in self._draws.cells(i).items()}
        return self._cells[i]

    def _table(self, number: int) -> Any:
        """Build the incomplete (0) or a completed table."""
        if number == 0:
            return self._frame.original()
        return self._frame.fill(self._cells_of(number - 1), integer_valued=self._integer_valued)

    def _column(self, name: str) -> Column:
        """Find an imputed or complete column, or say why there is nothing."""
        if name not in self._frame.columns:
            raise DataError(f"no column '{name}': {did_you_mean(name, list(self._frame.columns))}")
        column = self._frame.columns[name]
        if column.n_missing and name not in self._cells_of(0):
            raise DataError(
                f"column '{name}' keeps its {counted(column.n_missing, 'missing cell')}: it is not in the "
                f"model"
            )
        return column

    def _say_notices(self) -> None:
        """Say once what changed in the completed tables."""
        if not self._said:
            self._said = True
            for line in display.derived_notices(self):
                warnings.warn(line, BayesmiNotice, stacklevel=3)
