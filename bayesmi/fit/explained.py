"""Share of the analysis model's variance that fixed effects explain, and with group effects: draws of R²; of groups: ICC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmi.draw import FitDraws
from bayesmi.draw.shifted import full_columns
from bayesmi.families.negativebinomial import NegativeBinomial
from bayesmi.families.poisson import Poisson

if TYPE_CHECKING:
    from bayesmi.draw.parameters import FactorDraws
    from bayesmi.fit import Fit
    from bayesmi.model import Factor

__all__ = ["explained_variance", "intercept_shares", "residual_variance"]

Floats = NDArray[np.float64]
# completed tables whose moments are averaged, and about how many rows they may have in all: of 240 rows 20 tables left the
# mean of a draw's R² with a Monte Carlo error of a tenth of its posterior sd
_FEWEST, _MOST, _ROWS = 10, 200, 400_000


def explained_variance(fit: Fit) -> dict[str, Floats]:
    """Return draws, (S,), of the marginal R² and, with group effects, of the conditional one; of counts of the ICC too.

    Notes
    -----
    var(Xb) / (var(Xb) + groups + residual), and with the groups' variance in the numerator: Nakagawa and Schielzeth (2013).
    Slopes enter with the mean over rows of z' Sigma z (Johnson 2014); the residual variance is sigma², or that of the latent
    scale, as for the ICC. Variances and products of predictors are taken over all rows, incomplete ones, and
    latent group means, over up to two hundred imputations.

    Poisson counts have log(1 + 1/mean) as residual variance on the log scale, negative binomial ones log(1 + 1/mean + 1/alpha),
    with the mean over groups and rows, exp(mean of Xb + (var(Xb) + groups) / 2) (Nakagawa, Johnson and Schielzeth 2017). As it
    needs the rows, their ICC is made here. Nothing is returned where rows differ in their residual variance.
    """
    factor = fit.model.analysis
    if factor.labels or fit.model.derived_response is not None:
        return {}
    own = fit.draws.factors[factor.keys[0]]
    counts = factor.scale is None and type(factor.family) in (Poisson, NegativeBinomial)
    residual = residual_variance(factor, own)
    if residual is None and not counts:
        return {}
    p = factor.n_coefficients
    if not p and not factor.effects:
        return {}
    centre, exposure = np.zeros(p), 0.0
    spread, products = np.zeros((p, p)), [np.zeros((len(one.names),) * 2) for one in factor.effects]
    count = 0
    n = len(fit.model.table.rows_of_level(factor.level))
    for values, links in _completed(fit, factor):
        x = np.column_stack([factor.matrix(values, n), links])
        centre += x.mean(axis=0)
        exposure += float(np.exp(factor.offset(values, n)).mean()) if counts else 0.0
        spread += (x - x.mean(axis=0)).T @ (x - x.mean(axis=0)) / n
        for total, effect in zip(products, factor.effects, strict=True):
            z = effect.matrix(values, n)
            total += z.T @ z / n
        count += 1
    b = own.coefficients[:, :p]
    fixed = np.einsum("si,ij,sj->s", b, spread / count, b)
    groups = np.zeros(fit.draws.n)
    for total, effect in zip(products, factor.effects, strict=True):
        root = own.root(effect.grouping)
        groups += np.einsum("sik,ij,sjk->s", root, total / count, root)
    out = {}
    if residual is None:
        intercept = np.zeros(len(b)) if own.intercept is None else own.intercept
        level = intercept + b @ (centre / count) + np.log(exposure / count)
        residual = _of_counts(np.exp(level + (fixed + groups) / 2), own)
        out = intercept_shares(factor, own, residual)
    whole = fixed + groups + residual
    out["R2 (marginal)"] = fixed / whole
    if factor.effects:
        out["R2 (conditional)"] = (fixed + groups) / whole
    return out


def residual_variance(factor: Factor, own: FactorDraws) -> Floats | None:
    """Return draws, (S,), of the residual variance, on the latent scale where there is one; None where rows differ in it."""
    latent = factor.family.latent_residual_sd
    if factor.scale is not None or (latent is not None and not np.isfinite(latent)):
        return None
    return own.scales["sigma"] ** 2 if latent is None else np.full(len(own.coefficients), latent**2)


def _of_counts(mean: Floats, own: FactorDraws) -> Floats:
    """Return draws, (S,), of the variance of a count around its mean, on the log scale."""
    extra = 1.0 / own.scales["alpha"] if "alpha" in own.scales else 0.0
    return np.asarray(np.log1p(1.0 / mean + extra))


def intercept_shares(factor: Factor, own: FactorDraws, residual: Floats) -> dict[str, Floats]:
    """Return draws, (S,), of the share of each grouping's intercepts in the variance beside the predictors, by its name."""
    between = {
        effect.grouping: own.sds[effect.grouping][:, effect.names.index("1")] ** 2
        for effect in factor.effects
        if "1" in effect.names
    }
    total = residual + sum(between.values())
    return {f"ICC|{grouping}": value / total for grouping, value in between.items()}


def _completed(fit: Fit, factor: Factor) -> Iterator[tuple[Mapping[str, Floats], Floats]]:
    """Yield the columns of the design over the rows of the factor's level, completed, and group effects among the predictors."""
    table = fit.model.table
    rows = table.rows_of_level(factor.level)
    names = {
        *factor.design.variables,
        *factor.offsets.variables,
        *(name for one in factor.effects for name in one.variables),
    }
    known = not any(np.isnan(table.values[name]).any() for name in names)
    if known and not factor.links:
        yield {name: table.values[name][rows] for name in names}, np.zeros((len(rows), 0))
        return
    m = min(int(np.clip(_ROWS // table.n_rows, _FEWEST, _MOST)), fit.draws.n)
    at = np.linspace(0, fit.draws.n - 1, m).astype(np.intp)
    origins = [divmod(int(k), fit.draws.n_draws) for k in at]
    drawn = FitDraws(fit.model, fit.plan, fit.tables, fit.draws.take(at), origins, fit.seed)
    codes = {link.grouping: table.codes_at(link.grouping, factor.level) for link in factor.links}
    for i in range(m):
        columns = table.values if known else full_columns(table, drawn.cells(i))
        links = [
            drawn.chosen.factors[link.key].effects[link.grouping][i, codes[link.grouping], link.position]
            for link in factor.links
        ]
        yield (
            {name: columns[name][rows] for name in names},
            np.column_stack([np.zeros((len(rows), 0)), *links]),
        )
