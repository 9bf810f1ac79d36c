"""TrialFit: the posterior of a trial's model, imputations under any strategy, the posterior of the treatment effect."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayesmi.draw import FitDraws
from bayesmi.errors import FitError
from bayesmi.fit import Fit
from bayesmi.fit.gate import refusal
from bayesmi.imputations import StoredDraws, choose_draws
from bayesmi.seeds import SPACING, check_seed, stream
from bayesmi.trial.ancova import make_ancova
from bayesmi.trial.conditional import Moments, draw_missing, group_patients
from bayesmi.trial.delta import Delta, read_delta
from bayesmi.trial.design import baseline_values
from bayesmi.trial.events import StrategyChoice
from bayesmi.trial.imputations import TrialImputations
from bayesmi.trial.regressions import read_regressions
from bayesmi.trial.streams import ARM, COVARIATES, OUTCOMES

if TYPE_CHECKING:
    from bayesmi.sensitivity import Sensitivity, TippingPoint
    from bayesmi.trial.model import TrialModel

__all__ = ["TrialDraws", "TrialFit", "fit_trial"]

Floats = NDArray[np.float64]
_CHUNK = 4_000_000  # numbers in the largest array at a time


@dataclass(frozen=True, eq=False)
class TrialDraws:
    """Chosen posterior draws with the covariates completed in each.

    Attributes
    ----------
    moments : Moments
        S draws.
    baseline : mapping of str to ndarray
        Arm and covariates, (n,), or (S, n) where they have missing values.
    """

    moments: Moments
    baseline: dict[str, Floats]

    def values(self, s: int) -> dict[str, Floats]:
        """Return the completed baseline of one draw."""
        return {name: own if own.ndim == 1 else own[s] for name, own in self.baseline.items()}


@dataclass(frozen=True, repr=False, eq=False)
class TrialFit:
    """A sampled `TrialModel`.

    Attributes
    ----------
    model : TrialModel
        What was fitted.
    fits : tuple of Fit
        Of the joint model, or of each arm's.
    seed : int
        Repeats the fit.

    Examples
    --------
    >>> import bayesmi as bmi, numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
    >>> y[:8, 1] = np.nan
    >>> arm = np.repeat(["active", "placebo"] * 30, 2)
    >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
    >>> model = bmi.trial.TrialModel(
    ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
    ... )
    >>> fit = model.fit(seed=1, progress=False)
    >>> fit.passed, fit.seed, len(fit.fits)
    (True, 1, 1)
    """

    model: TrialModel
    fits: tuple[Fit, ...]
    seed: int

    @property
    def passed(self) -> bool:
        """Whether all checks of the posterior hold."""
        return all(fit.gate.passed for fit in self.fits)

    @property
    def gate(self) -> str:
        """Verdict of the checks, by arm where arms were fitted apart."""
        if len(self.fits) == 1:
            return str(self.fits[0].gate)
        return "; ".join(
            f"{arm}: {fit.gate}" for arm, fit in zip(self.model.data.arms, self.fits, strict=True)
        )

    def impute(
        self,
        m: int = 20,
        *,
        strategy: StrategyChoice = None,
        delta: Delta = None,
        seed: int | None = None,
        despite_gate: bool = False,
    ) -> TrialImputations:
        """Return m completed data sets, each from one posterior draw.

        Parameters
        ----------
        m : int
            Number of imputations.
        strategy : str, mapping by arm, or Series by patient, optional
            In place of the events' own.
        delta : number, J numbers, mapping by arm of these, or table, optional
            Added to finished imputations, on top of the strategy (`TrialModel.delta_template`).
        seed : int, optional
            By default the fit's. The same seed uses the same random numbers for every strategy and delta.
        despite_gate : bool
            Use a posterior whose checks failed.

        Returns
        -------
        TrialImputations
            Completed long tables; ``.ancova().pool()`` is the analysis by visit with Rubin's variance, which is
            information-anchored.

        Raises
        ------
        GateError
            If the checks failed and `despite_gate` is not set.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout"
        ... )
        >>> fit = model.fit(seed=1, progress=False)
        >>> pooled = fit.impute(10, strategy="J2R").ancova().pool()
        >>> pooled.terms[:3]
        ('active - placebo at 4', 'mean placebo at 4', 'mean active at 4')
        """
        if not self.passed and not despite_gate:
            raise refusal(self.gate)
        own = self.seed if seed is None else check_seed(seed)
        data = self.model.data
        events = self.model.events_with(strategy)
        shift = read_delta(data, events, delta)
        groups = group_patients(data.observed, events, data.arm_of, data.reference)
        first = self.fits[0].draws
        spacing = int(np.random.SeedSequence(own, spawn_key=(SPACING, 0)).generate_state(1)[0])
        origins = choose_draws(first.n_chains, first.n_draws, m, spacing)
        flat = np.array([chain * first.n_draws + draw for chain, draw in origins], dtype=np.intp)
        outcomes = np.repeat(data.values[None], m, axis=0)
        baseline: dict[str, list[Floats]] = {name: [] for name in data.incomplete}
        step = max(1, _CHUNK // (data.values.size + 1))
        for start in range(0, m, step):
            drawn = self.draws(flat[start : start + step], seed=own, offset=start)
            noise = np.array(
                [
                    stream(own, OUTCOMES, i).standard_normal(data.values.shape)
                    for i in range(start, min(m, start + step))
                ]
            )
            for group, values in draw_missing(groups, drawn.moments, data.values, noise):
                outcomes[start : start + step, group.patients[:, None], group.missing] = values
            for name, parts in baseline.items():
                parts.append(drawn.baseline[name])
        if shift is not None:
            outcomes = np.where(data.observed, outcomes, outcomes + shift)
        completed = {name: np.concatenate(parts) for name, parts in baseline.items()}
        return TrialImputations.of(
            self.model,
            events,
            StoredDraws(_cells(self, outcomes, completed), tuple(origins)),
            shift,
            own,
            self.gate,
        )

    def draws(self, flat: NDArray[np.intp], *, seed: int, offset: int = 0) -> TrialDraws:
        """Return posterior draws by their positions, chain by chain, as means, covariances and completed covariates.

        Parameters
        ----------
        flat : ndarray of int, shape (S,)
            Positions.
        seed, offset : int
            Draw s completes the covariates by stream ``offset + s`` of the seed.

        Returns
        -------
        TrialDraws
            Moments of S draws and the baseline completed in each.

        Raises
        ------
        FitError
            If a level of a covariate does not occur in every arm, and each arm has a model of its own.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
        ... )
        >>> fit = model.fit(seed=1, progress=False)
        >>> drawn = fit.draws(np.arange(5), seed=1)
        >>> drawn.moments.own.shape  # draws, patients, visits
        (5, 60, 2)
        """
        data = self.model.data
        _, known = baseline_values(data)
        baseline = {
            name: np.repeat(values[None], len(flat), axis=0) if name in data.incomplete else values
            for name, values in known.items()
        }
        common = len(self.fits) == 1
        own_fit = np.zeros(data.n, dtype=np.intp) if common else data.arm_of
        if data.incomplete:
            for k, fit in enumerate(self.fits):
                patients = np.flatnonzero(own_fit == k)
                chosen = fit.draws.take(flat)
                origins = tuple((0, s) for s in range(len(flat)))
                own_seed = int(
                    np.random.SeedSequence(seed, spawn_key=(COVARIATES, k, offset)).generate_state(1)[0]
                )
                completion = FitDraws(fit.model, fit.plan, fit.tables, chosen, origins, own_seed)
                for s in range(len(flat)):
                    cells = completion.cells(s)
                    for name in data.incomplete:
                        gone = fit.model.frame.columns[name].missing
                        if gone.any():
                            baseline[name][s, patients[gone]] = cells[name]
        regressions = [read_regressions(fit.model, fit.draws.take(flat), data.columns) for fit in self.fits]
        covariance = np.stack(
            [(regressions[0] if common else regressions[arm]).covariance() for arm in range(len(data.arms))],
            axis=1,
        )
        shape = (len(flat), data.n, data.n_visits)
        means = {"own": np.empty(shape), "ref": np.empty(shape)}
        for which, arm_of in (("own", data.arm_of), ("ref", data.reference[data.arm_of])):
            for arm in np.unique(arm_of).tolist():
                at = np.flatnonzero(arm_of == arm)
                model = regressions[0] if common else regressions[arm]
                part = {name: values[..., at] for name, values in baseline.items()}
                part[data.arm] = np.full(len(at), float(arm))
                if not data.incomplete:
                    means[which][:, at] = model.means(part, len(at))
                    continue
                for s in range(len(flat)):
                    each = {name: values if values.ndim == 1 else values[s] for name, values in part.items()}
                    means[which][s, at] = model.take(slice(s, s + 1)).means(each, len(at))[0]
        if not (np.isfinite(means["own"]).all() and np.isfinite(means["ref"]).all()):
            raise FitError("a level of a covariate does not occur in every arm: use covariance='common'")
        return TrialDraws(Moments(means["own"], means["ref"], covariance), baseline)

    def summary(
        self,
        *,
        strategy: StrategyChoice = None,
        delta: Delta = None,
        formula: str | None = None,
        visits: Sequence[Hashable] | None = None,
        bootstrap: bool = True,
        draws: int | None = None,
        seed: int | None = None,
        prob: float = 0.95,
    ) -> pd.DataFrame:
        """Return the posterior of effects and least-squares means under a strategy: close to the frequentist variance.

        Parameters
        ----------
        strategy, delta : optional
            As for `impute`.
        formula, visits : optional
            Of the analysis of covariance whose estimands they are.
        bootstrap : bool
            Whether who drops out, and the covariates, are uncertain too (Bayesian bootstrap of patients), or as in this trial.
        draws : int, optional
            Posterior draws of each chain to use; all by default, 250 where covariates have missing values.
        seed : int, optional
            By default the fit's.
        prob : float
            Probability of the equal-tailed interval.

        Returns
        -------
        DataFrame
            Indexed by term: kind, mean, sd, interval, r_hat, ess_bulk, ess_tail, mcse_mean.

        Raises
        ------
        FitError
            If `prob` is no probability.
        ModelError
            If a strategy, delta or visit does not fit.

        Notes
        -----
        See `bayesmi.trial.estimand`. Rubin's variance in ``impute(m).ancova().pool()`` is another one: information-anchored,
        larger under reference-based strategies.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
        ... )
        >>> fit = model.fit(seed=1, progress=False)
        >>> table = fit.summary(strategy="J2R", draws=250)
        >>> table.index[:3].tolist()
        ['active - placebo at 4', 'mean placebo at 4', 'mean active at 4']
        """
        from bayesmi.trial.estimand import summarize_estimand

        if not 0.0 < prob < 1.0:
            raise FitError(f"prob must be between 0 and 1, such as 0.95, not {prob!r}")
        data = self.model.data
        events = self.model.events_with(strategy)
        return summarize_estimand(
            self,
            events,
            make_ancova(data, formula, visits),
            read_delta(data, events, delta),
            bootstrap=bootstrap,
            draws=draws,
            seed=self.seed if seed is None else check_seed(seed),
            prob=prob,
        )

    def sensitivity(
        self,
        delta: Mapping[Any, Any],
        *,
        strategy: StrategyChoice = None,
        dlag: Sequence[float] | None = None,
        formula: str | None = None,
        visits: Sequence[Hashable] | None = None,
        m: int = 100,
        seed: int | None = None,
        despite_gate: bool = False,
    ) -> Sensitivity:
        """Evaluate effects over a grid of deltas of one or two arms, added to outcomes imputed after the event.

        Parameters
        ----------
        delta : mapping of arm to sequence of number
            ``{"active": [-4, -2, 0]}``; arms that are not named have none.
        strategy : optional
            As for `impute`.
        dlag : sequence of J numbers, optional
            As for `TrialModel.delta_template`: by default delta starts with the event and stays to the end.
        formula, visits : optional
            Of the analysis of covariance.
        m : int
            Imputations at each point: the same posterior draws and random numbers at all.
        seed : int, optional
            By default the fit's.
        despite_gate : bool
            Use a posterior whose checks failed.

        Returns
        -------
        Sensitivity
            ``.table``, ``.plot(term)``, ``.tipping_point(term)``; intervals by Rubin's rules.

        Raises
        ------
        GateError
            If the checks failed and `despite_gate` is not set.
        ModelError
            If an arm, strategy or amount does not fit.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
        ... )
        >>> fit = model.fit(seed=1, progress=False)
        >>> found = fit.sensitivity({"active": [0, 2, 4]}, strategy="MAR", m=10)
        >>> found.columns, found.terms[-3]
        (('delta_active',), 'active - placebo at 8')
        >>> ax = found.plot("active - placebo at 8")
        >>> ax.get_ylabel()
        'active - placebo at 8'
        """
        from bayesmi.trial.sensitivity import trial_sensitivity

        return trial_sensitivity(
            self, delta, strategy=strategy, dlag=dlag, formula=formula, visits=visits, m=m, seed=seed,
            despite_gate=despite_gate,
        )  # fmt: skip

    def tipping_point(
        self,
        term: str,
        delta: Mapping[Any, Any],
        *,
        criterion: str | float = "interval",
        alpha: float = 0.05,
        tolerance: float = 1e-3,
        **options: Any,
    ) -> TippingPoint:
        """Find the delta, usually of the active arm, at which the conclusion on an effect turns.

        Parameters
        ----------
        term : str
            Such as ``"active - placebo at 7"``.
        delta : mapping of one arm to (low, high) or sequence of number
            Two numbers are a range in which nine points are taken first.
        criterion, alpha, tolerance
            As in `Sensitivity.tipping_point`.
        **options
            As in `sensitivity`.

        Returns
        -------
        TippingPoint
            Value, its Monte Carlo error over imputations, and the sensitivity analysis it was found in;
            ``bmi.plots.sensitivity(found, term)`` draws it.

        Raises
        ------
        GateError, ModelError
            As `sensitivity`.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
        ... )
        >>> fit = model.fit(seed=1, progress=False)
        >>> effect = "active - placebo at 8"
        >>> tipping = fit.tipping_point(effect, {"active": (0, 20)}, strategy="MAR", criterion=1.0, m=10)
        >>> 0 < tipping.value < 20
        True
        """
        from bayesmi.sensitivity.grid import nine_points

        found = self.sensitivity(nine_points(delta), **options)
        return found.tipping_point(term, criterion=criterion, alpha=alpha, tolerance=tolerance)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the fit with its trial as one file (a zip); `bayesmi.load` restores it.

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

        Notes
        -----
        Strategies of your own are kept by name: register them before the file is loaded.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
        ... )
        >>> fit = model.fit(seed=1, progress=False)
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "trial.bmi"
        ...     fit.save(path)
        ...     again = bmi.load(path)
        >>> again.model.to_dict() == model.to_dict(), again.seed
        (True, 1)
        """
        from bayesmi.files.trial_file import save_trial

        save_trial(self, path, force=force)

    def covariance(self) -> xr.DataArray:
        """Return the covariance of visits: dims chain, draw, arm, visit, other visit.

        Returns
        -------
        xarray.DataArray
            (chain, draw, arm, visit, other_visit), with the labels of arms and visits; arms share it with
            ``covariance="common"``.

        Examples
        --------
        >>> import bayesmi as bmi, numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> y = rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))
        >>> y[:8, 1] = np.nan
        >>> arm = np.repeat(["active", "placebo"] * 30, 2)
        >>> data = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "week": [4, 8] * 60, "arm": arm, "y": y.ravel()})
        >>> model = bmi.trial.TrialModel(
        ...     "y ~ arm", data, subject="id", visit="week", arm="arm", reference="placebo", events="dropout", strategy="J2R"
        ... )
        >>> fit = model.fit(seed=1, progress=False)
        >>> fit.covariance().mean(("chain", "draw")).shape
        (2, 2, 2)
        """
        data, first = self.model.data, self.fits[0].draws
        parts = [read_regressions(fit.model, fit.draws, data.columns).covariance() for fit in self.fits]
        stacked = np.stack([parts[0 if len(parts) == 1 else arm] for arm in range(len(data.arms))], axis=1)
        labels = [str(visit) for visit in data.visits]
        return xr.DataArray(
            stacked.reshape((first.n_chains, first.n_draws, *stacked.shape[1:])),
            dims=("chain", "draw", "arm", "visit", "other_visit"),
            coords={"arm": [str(arm) for arm in data.arms], "visit": labels, "other_visit": labels},
        )

    def __repr__(self) -> str:
        first = self.fits[0]
        total = sum(sum(fit.seconds.values()) for fit in self.fits)
        return "\n".join(
            [
                f"TrialFit of {self.model.formula}, {self.model.data.n} patients",
                f"  {first.draws.n_chains} chains × {first.draws.n_draws} draws, seed {self.seed}; {total:.1f} s",
                f"  {self.gate}",
                "  next: .summary(strategy='J2R'), .impute(m=100, strategy='J2R').ancova().pool()",
            ]
        )


def fit_trial(model: TrialModel, *, seed: int, **options: object) -> TrialFit:
    """Sample the joint model, or that of each arm with a seed of its own."""
    fits = []
    for k, joint in enumerate(model.models):
        own = (
            seed
            if len(model.models) == 1
            else int(np.random.SeedSequence(seed, spawn_key=(ARM, k)).generate_state(1)[0])
        )
        fits.append(joint.fit(seed=own, **options))  # type: ignore[arg-type]
    return TrialFit(model, tuple(fits), seed)


def _cells(fit: TrialFit, outcomes: Floats, baseline: dict[str, Floats]) -> dict[str, Floats]:
    """Return the values of the missing cells of the long table, (m, cells), in row order."""
    data = fit.model.data
    patient = np.empty(data.frame.n_rows, dtype=np.intp)
    visit = np.empty_like(patient)
    patient[data.rows] = np.arange(data.n)[:, None]
    visit[data.rows] = np.arange(data.n_visits)
    gone = data.frame.columns[data.outcome].missing
    cells = {data.outcome: outcomes[:, patient[gone], visit[gone]]} if gone.any() else {}
    _, known = baseline_values(data)
    for name in data.covariates:
        column = data.frame.columns[name]
        if not column.missing.any():
            continue
        values = baseline.get(name, np.broadcast_to(known[name], (len(outcomes), data.n)))
        cells[name] = data.to_long_codes(name, values[:, patient[column.missing]])
    return cells
