"""Predictive mean matching: model predictions turned into values that were observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.imputations import Imputations, Mids
from bayesmi.mechanism import heckmans_of
from bayesmi.model.remade import with_mechanisms
from bayesmi.seeds import check_seed

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = ["pmm"]


def pmm(
    fit: Fit,
    m: int = 20,
    *,
    newdata: Any = None,
    variables: Sequence[str] | None = None,
    donors: int = 5,
    matchtype: int = 1,
    seed: int | None = None,
    despite_gate: bool = False,
) -> Imputations:
    """Impute by predictive mean matching: every imputed value is one that was observed.

    Parameters
    ----------
    fit : Fit
        A fitted model, single- or multilevel.
    m : int
        Number of completed data sets.
    newdata : pandas.DataFrame or polars.DataFrame, optional
        Rows to impute in place of the table that was fitted, as in `Fit.impute`. Their donors are rows of the fit.
    variables : sequence of str, optional
        Columns to match; by default every continuous one. Others keep the model's own draws.
    donors : int
        How many of the nearest observed values form the pool that one is taken from.
    matchtype : {0, 1, 2}
        Parameters of the predictions: 1 (as mice) posterior means for donors and a posterior draw for recipients; 2 the
        draw for both; 0 the means for both, which is improper.
    seed : int, optional
        By default the fit's.
    despite_gate : bool
        Use a posterior whose checks failed.

    Returns
    -------
    Imputations
        Binary and categorical cells are drawn from the model: their draws are observed values already.

    Raises
    ------
    ModelError
        If a variable is not continuous or has no model of its own.
    NotSupportedError
        If the model shifts missing values; or as `Fit.impute` for new rows.

    Notes
    -----
    Little (1988); van Buuren (2018), section 3.4. Each imputation belongs to one posterior draw: coefficients, variance
    components and group effects. In the order of the product, the prediction of a cell is its expectation given all that
    is known of its row (its own conditional times those of the variables it predicts); the matched value stands in the
    row when the next variable is predicted, and derived variables are computed from it. Cells that an observed derived value
    ties to others keep their draw, which agrees with it. With group effects this is two-level
    matching: donors come from all clusters, by predictions that hold the effect of their own cluster. Matching copies the
    range and the spikes of the observed values; it cannot go beyond them, and with few donors near the edge it understates
    the spread there. A variable with a `Heckman` model is matched as ``Heckman(matching=True)`` does it: means of cells given
    that they are not selected against means of donors given that they are.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> fit = bmi.Model("chl ~ age + bmi", bmi.datasets.load("nhanes")).fit(seed=1, progress=False)
    >>> imputed = bmi.pmm(fit, m=5)
    >>> observed = set(bmi.datasets.load("nhanes")["chl"].dropna())
    >>> set(imputed.cells("chl").to_numpy().ravel()) <= observed
    True
    """
    if not hasattr(fit, "model"):
        raise ModelError(
            f"pmm takes a fit, not {type(fit).__name__}: bmi.pmm(bmi.Model('y ~ x', data).fit(), m=20)"
        )
    if any(getattr(one, "kind", "") in ("after", "conditional") for one in fit.model.mechanisms.values()):
        raise NotSupportedError(
            "matching of a model whose missing values are shifted would undo the shift; the nearest that is supported: pmm of a "
            "fit without it, then .delta_after({…})"
        )
    chosen = _variables(fit, variables)
    if isinstance(donors, bool) or not isinstance(donors, int | np.integer) or donors < 1:
        raise ModelError(f"donors must be a whole number, 1 or more, not {donors!r}")
    if matchtype not in (0, 1, 2):
        raise ModelError(f"matchtype={matchtype!r}: choose 1 (as mice), 2, or 0 (improper)")
    own = fit.seed if seed is None else check_seed(seed)
    selected = {name: one for name, one in heckmans_of(fit.model.mechanisms).items() if name in chosen}
    if selected:  # these are matched given that they are not selected, by the fit's own draws
        matching = {**fit.model.mechanisms, **{name: one.matched() for name, one in selected.items()}}
        fit = replace(fit, model=with_mechanisms(fit.model, matching))
        chosen = tuple(name for name in chosen if name not in selected)
    imputed = fit.impute(m, newdata=newdata, seed=own, despite_gate=despite_gate)
    if not chosen:
        return imputed
    from bayesmi.mice.matched import match_draws

    matched = match_draws(fit, imputed._draws, chosen, int(donors), matchtype, own)
    whole = {name for name in chosen if _is_whole(fit, name)}
    record = imputed.mids
    method = {
        name: (record.method[name].replace("gaussian", "pmm") if name in chosen else record.method[name])
        for name in record.method
    }
    return Imputations(
        imputed.frame,
        matched,
        formula=imputed.formula,
        families=imputed.families,
        seed=own,
        integer_valued=imputed.integer_valued | whole,
        gate=imputed.gate,
        mids=replace(record, method=method) if isinstance(record, Mids) else None,
    )


def _variables(fit: Fit, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Return the columns to match, in the order of the product."""
    model = fit.model
    holes = [
        f.variable for f in model.factors if model.table.unknown[f.variable].any() and not f.is_observation
    ]
    can = [
        name
        for name in holes
        if not model.factor(name).family.is_discrete and not model.table.unknown[name].all()
    ]
    if wanted is None:
        return tuple(can)
    listed = [wanted] if isinstance(wanted, str) else list(wanted)
    for name in listed:
        if name not in holes:
            raise ModelError(
                f"variables= names {name!r}, which the model does not impute: {did_you_mean(name, holes)}"
            )
        if model.table.unknown[name].all():
            raise ModelError(
                f"{name!r} is observed in no row, so that there are no donors: leave it out of variables="
            )
        if name not in can:
            raise ModelError(
                f"{name!r} is {model.factor(name).family.name}: its draws are observed values already, leave it out of "
                "variables="
            )
    return tuple(name for name in can if name in listed)


def _is_whole(fit: Fit, name: str) -> bool:
    """Whether all observed values are whole numbers, so that matched ones are too."""
    column = fit.model.frame.columns[name]
    seen = column.values[column.observed]
    return bool((seen == np.floor(seen)).all())
