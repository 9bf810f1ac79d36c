"""The hand-written models, with plain latents, beside what the package builds: one case a treatment."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass, field

import arviz_stats as azs
import numpy as np
import xarray as xr

from bayesmi import BayesmiNotice, Model, Prior
from bayesmi.fit import Fit

__all__ = ["PAIRS", "SEEDS", "Pair", "allowed", "both", "gaps", "passes_gate"]

SEEDS = 20
M = 1000  # imputations from which means of cells are taken
_FORMS = ("build_summed", "build_noncentred", "build")  # of a model: the first there is can be sampled best


@dataclass(frozen=True)
class Pair:
    """A reference model and the treatments that its built counterpart must show; `passes`: of 20 seeds, at least.

    `simulated` is for the module's `simulate`, `overrides` for the plan; `label` names a second pair of one module.
    """

    module: str
    treatments: tuple[str, ...]
    formula: str = ""
    simulated: dict[str, float] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    passes: int = 15
    draws: int = 1000
    label: str = ""

    @property
    def name(self) -> str:
        """What it is called in tables and tests."""
        return self.label or self.module


PAIRS = (
    Pair("missing_outcome", ("predict", "integrate")),
    Pair("linear", ("integrate",), "y ~ x + z"),
    Pair("logistic_gaussian", ("sample",)),
    Pair("nominal_and_ordinal", ("enumerate",)),
    Pair("logistic_binary", ("enumerate",), "y ~ x + z"),
    Pair("mixed_cells", ("enumerate", "integrate")),
    # the reference rarely mixes over its two-peaked cells: that is why the grid is there
    Pair("quadratic", ("grid",), "y ~ x + I(x ** 2) + z", passes=0),
    # the other root of this square is far from where cells can be, and the reference mixes
    Pair("quadratic", ("grid",), "y ~ x + I(x ** 2) + z", {"x": 1.0, "I(x ** 2)": 0.1}, label="one_peak"),
    Pair(
        "nominal_and_ordinal",
        ("gibbs",),
        overrides={"nom": "gibbs", "grade": "gibbs"},
        draws=2000,
        label="held",
    ),
    Pair("random_slope", ("collapse", "predict"), "popular ~ texp + sex + (1 + sex | school)", draws=2000),
    Pair("cluster_cells", ("enumerate", "sample"), draws=2000),
    Pair("auxiliary", ("integrate",)),
)


def both(pair: Pair, seed: int) -> tuple[xr.Dataset, Fit]:
    """Posterior of the hand-written model and the package's fit, on the same simulated data."""
    import pymc as pm

    module = importlib.import_module(f"models.{pair.module}")
    data, _ = module.simulate(np.random.default_rng(seed), **pair.simulated)
    options = dict(getattr(module, "OPTIONS", {}))
    if hasattr(module, "PRIORS"):
        options["priors"] = {name: Prior(*given) for name, given in module.PRIORS.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model(pair.formula or module.FORMULA, data, treatments=pair.overrides, **options)
    fit = model.fit(seed=seed, draws=pair.draws, tune=1000, progress=False)
    assert set(pair.treatments) <= {g.treatment for g in (*fit.plan.cells, *fit.plan.effects)}, fit.plan
    build = next(getattr(module, name) for name in _FORMS if hasattr(module, name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = pm.sample(
            draws=pair.draws,
            tune=1000,
            chains=4,
            random_seed=seed,
            model=build(data),
            progressbar=False,
            nuts_sampler="nutpie",
            nuts={"target_accept": 0.95},
        )
    return tree["posterior"].to_dataset(), fit


def passes_gate(posterior: xr.Dataset) -> bool:
    """The package's own gate on the reference: r-hat and effective sample sizes of everything that varies."""
    moving = posterior[[name for name, a in posterior.items() if name != "raw" and a.size]]
    r_hat = azs.rhat(moving, sample_dims=["chain", "draw"])
    ess = azs.ess(moving, sample_dims=["chain", "draw"])
    worst = max(float(a.max()) for a in r_hat.values())
    return worst <= 1.01 and min(float(a.min()) for a in ess.values()) >= 400


def gaps(reference: xr.Dataset, fit: Fit) -> dict[str, np.ndarray]:
    """Differences of means, and of sds, in Monte Carlo standard errors, by posterior name."""
    ours = fit.posterior.to_dataset()
    dims = ["chain", "draw"]
    out = {}
    for name in reference.data_vars:
        if name not in ours or str(name).startswith("cell__"):
            continue
        one, other = (ds[name].transpose("chain", "draw", ...) for ds in (reference, ours))
        for what, statistic in (("mean", np.mean), ("sd", np.std)):
            errors = [azs.mcse(a, sample_dims=dims, method=what).values for a in (one, other)]
            difference = statistic(one.values, axis=(0, 1)) - statistic(other.values, axis=(0, 1))
            out[f"{what} of {name}"] = np.atleast_1d(difference / np.hypot(*errors))
    return out | _cell_gaps(reference, fit)


def _cell_gaps(reference: xr.Dataset, fit: Fit) -> dict[str, np.ndarray]:
    """Means of cells, or probabilities of levels, against those among the imputations."""
    imputed = fit.impute(M)
    dims = ["chain", "draw"]
    out = {}
    for name in imputed.names:
        drawn = imputed.draws_of(name)
        column = imputed.frame.columns[name]
        if column.level != "row":  # one row of each group, in the order of the groups
            codes = fit.model.table.groupings[column.level].codes
            drawn = drawn[np.unique(codes[column.missing], return_index=True)[1]]
        for label, values in ((f"cell__{name}", drawn), (f"P({name})", None)):
            if label not in reference:
                continue
            array = reference[label].transpose("chain", "draw", ...)
            if values is None:
                levels = range(array.shape[-1]) if array.ndim == 4 else (1,)
                values = np.stack([drawn == level for level in levels], axis=1).astype(float)
                values = values.reshape(*array.shape[2:], -1)
                p = array.mean(dims).values  # rare levels: their own share may be 0, and its error too
                variance = p * (1.0 - p)
            else:
                variance = values.var(axis=-1)
            noise = variance / M + azs.mcse(array, sample_dims=dims, method="mean").values ** 2
            difference = array.mean(dims).values - values.mean(axis=-1)
            out[label] = difference / np.sqrt(noise + 1e-3 / M)
    return out


def allowed(gap: np.ndarray) -> float:
    """Return how many standard errors apart is too far: a little more where there are dozens of cells."""
    return 4.0 if gap.size < 10 else 4.6
