"""SeparateFits: the fits of separate models; one summary, one set of completed tables in the original row order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame
from bayesmi.draw import FitDraws
from bayesmi.fit import Fit
from bayesmi.fit.gate import refusal
from bayesmi.model.whole import whole_derived
from bayesmi.seeds import BY, SPACING, check_seed
from bayesmi.separate.split import Stratum

if TYPE_CHECKING:
    from bayesmi.imputations import Imputations
    from bayesmi.separate.models import SeparateModels

__all__ = ["SeparateDraws", "SeparateFits", "SeparateGate", "seed_of"]

Floats = NDArray[np.float64]


def seed_of(seed: int, i: int) -> int:
    """Return the seed of the i-th group."""
    return int(np.random.SeedSequence(seed, spawn_key=(BY, i)).generate_state(1)[0])


@dataclass(frozen=True)
class SeparateGate:
    """The verdicts of all groups."""

    by: str
    gates: Mapping[Any, Any]

    @property
    def passed(self) -> bool:
        """Whether every group passed."""
        return all(gate.passed for gate in self.gates.values())

    def __str__(self) -> str:
        return "\n".join(f"{self.by} = {label}: {gate}" for label, gate in self.gates.items())

    __repr__ = __str__


class SeparateFits(Mapping[Any, Fit]):
    """Sampled separate models; a mapping from level to `Fit`. Made by `SeparateModels.fit`.

    Parameters
    ----------
    models : SeparateModels
        What was sampled.
    fits : mapping
        Level -> Fit.
    seed : int
        The seed that repeats all of them.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> table = bmi.datasets.simulate_pupils(20, 20, seed=1, missing={"popular": 0.3}).data
    >>> models = bmi.SeparateModels("popular ~ texp", table, by="sex")
    >>> fits = models.fit(seed=1, progress=False)
    >>> fits.by, list(fits), fits.seed
    ('sex', [0, 1], 1)
    >>> fits[0].posterior["texp"].shape
    (4, 1000)
    """

    def __init__(self, models: SeparateModels, fits: Mapping[Any, Fit], seed: int) -> None:
        self._models, self._fits, self._seed = models, dict(fits), seed

    @property
    def models(self) -> SeparateModels:
        """The models."""
        return self._models

    @property
    def by(self) -> str:
        """The column."""
        return self._models.by

    @property
    def fits(self) -> Mapping[Any, Fit]:
        """The fits by level."""
        return MappingProxyType(self._fits)

    @property
    def seed(self) -> int:
        """The seed of all."""
        return self._seed

    @property
    def gate(self) -> SeparateGate:
        """Verdict of the convergence checks of every group."""
        return SeparateGate(self.by, {label: fit.gate for label, fit in self._fits.items()})

    @property
    def seconds(self) -> dict[str, float]:
        """Wall time by stage, over all groups."""
        total: dict[str, float] = {}
        for fit in self._fits.values():
            for name, value in fit.seconds.items():
                total[name] = total.get(name, 0.0) + value
        return total

    def __getitem__(self, label: Any) -> Fit:
        if label not in self._fits:
            raise KeyError(f"{self.by} is one of {', '.join(map(repr, self._fits))}, not {label!r}")
        return self._fits[label]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._fits)

    def __len__(self) -> int:
        return len(self._fits)

    def summary(self, *, all_models: bool = False, prob: float = 0.95) -> pd.DataFrame:
        """Return the one-step answers of all groups under each other.

        Parameters
        ----------
        all_models, prob
            As in `Fit.summary`.

        Returns
        -------
        pandas.DataFrame
            As `Fit.summary` gives it, with the group in a first column named like `by`.

        Raises
        ------
        FitError
            As `Fit.summary`.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> table = bmi.datasets.simulate_pupils(20, 20, seed=1, missing={"popular": 0.3}).data
        >>> models = bmi.SeparateModels("popular ~ texp", table, by="sex")
        >>> fits = models.fit(seed=1, progress=False)
        >>> table = fits.summary()
        >>> table.loc["texp", "sex"].tolist()
        [0, 1]
        """
        tables = []
        for label, fit in self._fits.items():
            table = fit.summary(all_models=all_models, prob=prob)
            table.attrs = {}
            table.insert(0, self.by, [label] * len(table))
            tables.append(table)
        whole = pd.concat(tables)
        whole.attrs["gate"] = str(self.gate)
        return whole

    def impute(self, m: int = 20, *, seed: int | None = None, despite_gate: bool = False) -> Imputations:
        """Return m completed data sets of the whole table, rows in their original order.

        Parameters
        ----------
        m, despite_gate
            As in `Fit.impute`.
        seed : int, optional
            By default that of the fits; each group has its own made from it.

        Returns
        -------
        Imputations
            Imputation i takes in every group the draw at the same place of the group's own posterior.

        Raises
        ------
        GateError
            If the checks of a group failed and `despite_gate` is not set.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> table = bmi.datasets.simulate_pupils(20, 20, seed=1, missing={"popular": 0.3}).data
        >>> models = bmi.SeparateModels("popular ~ texp", table, by="sex")
        >>> fits = models.fit(seed=1, progress=False)
        >>> imputed = fits.impute(5)
        >>> imputed.complete(1).shape, int(imputed.complete(1)["popular"].isna().sum())
        ((390, 6), 0)
        """
        from bayesmi.imputations import Imputations, choose_draws

        failed = [label for label, fit in self._fits.items() if not fit.gate.passed]
        if failed and not despite_gate:
            raise refusal(f"where {self.by} is {', '.join(map(repr, failed))}: {self._fits[failed[0]].gate}")
        own = self._seed if seed is None else check_seed(seed)
        spacing = int(np.random.SeedSequence(own, spawn_key=(SPACING, 0)).generate_state(1)[0])
        any_draws = next(iter(self._fits.values())).draws
        origins = tuple(choose_draws(any_draws.n_chains, any_draws.n_draws, m, spacing))
        flat = np.array([chain * any_draws.n_draws + draw for chain, draw in origins], dtype=np.intp)
        parts = tuple(
            FitDraws(fit.model, fit.plan, fit.tables, fit.draws.take(flat), origins, seed_of(own, i))
            for i, fit in enumerate(self._fits.values())
        )
        factors = [factor for fit in self._fits.values() for factor in fit.model.factors]
        whole = frozenset(f.variable for f in factors if f.family.integer_valued)
        return Imputations(
            self._models.frame,
            SeparateDraws(self._models.frame, self._models.strata, parts),
            formula=f"{self._models.first.formula}, separately by {self.by}",
            families={factor.variable: factor.family.name for factor in factors},
            seed=own,
            integer_valued=whole | whole_derived(self._models.first.derived, self._models.frame, whole),
            gate=str(self.gate),
        )

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write all fits as one file (a zip); `bayesmi.load` restores them.

        Parameters
        ----------
        path : path
            By custom ``*.bmi``.
        force : bool
            Replace an existing file.

        Raises
        ------
        DataError
            If the file exists and `force` is not set.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> table = bmi.datasets.simulate_pupils(20, 20, seed=1, missing={"popular": 0.3}).data
        >>> models = bmi.SeparateModels("popular ~ texp", table, by="sex")
        >>> fits = models.fit(seed=1, progress=False)
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "fits.bmi"
        ...     fits.save(path)
        ...     again = bmi.load(path)
        >>> list(again), again.seed
        ([0, 1], 1)
        """
        from bayesmi.files.separate_file import save_separate

        save_separate(self, path, force=force)

    def __repr__(self) -> str:
        return "\n\n".join(f"{self.by} = {label}\n{fit!r}" for label, fit in self._fits.items())


@dataclass(frozen=True)
class SeparateDraws:
    """Cells of imputation i of the whole table, put together from the groups."""

    frame: IncompleteFrame
    strata: tuple[Stratum, ...]
    parts: tuple[FitDraws, ...]

    @property
    def m(self) -> int:
        """Number of imputations."""
        return self.parts[0].m

    def origin(self, i: int) -> tuple[int, int]:
        """Return (chain, draw) of imputation i, the same in every group."""
        return self.parts[0].origin(i)

    def cells(self, i: int) -> Mapping[str, Floats]:
        """Return the values of all missing cells of imputation i, counted from 0."""
        drawn = [part.cells(i) for part in self.parts]
        modelled = {name for own in drawn for name in own} | set(self.frame.deduced)
        out: dict[str, Floats] = {}
        for name, column in self.frame.columns.items():
            if not column.missing.any() or name not in modelled:
                continue
            whole = np.full(self.frame.n_rows, np.nan)
            if name in self.frame.deduced:
                whole[:] = self.frame.deduced[name]
            for stratum, own in zip(self.strata, drawn, strict=True):
                if name in own:
                    missing = stratum.frame.columns[name].missing
                    whole[stratum.rows[missing]] = self._recoded(name, stratum, own[name])
            filled = whole[column.missing]
            if np.isfinite(filled).all():
                out[name] = filled
        return out

    def _recoded(self, name: str, stratum: Stratum, values: Floats) -> Floats:
        """Codes of the whole table's categories for those of the group's."""
        theirs = self.frame.columns[name].categories
        own = stratum.frame.columns[name].categories
        if theirs is None or own is None or own == theirs:
            return values
        place = {label: code for code, label in enumerate(theirs)}
        return np.array([place[label] for label in own], dtype=float)[values.astype(np.intp)]
