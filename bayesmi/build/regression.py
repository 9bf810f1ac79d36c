"""Group-level regressions on the sampler's scale: what the groups' values leave open of their coefficients.

Centred effects are sampled as v_g = x_g'b + u_g, u_g ~ N(0, s²): the intercept, predictors that are the same for all rows of a
group, effects of earlier variables in the same groups (links). The rows see v only; b and s are a regression on as many
points as there are groups. Given v the data hold b as tightly as s is small, and the predictors are whatever the groups
happen to be: a ridge and a funnel at once. But given v, s and its prior b is Gaussian with known moments m(v, s), V(v, s),
and NUTS sees z, b = m + V^½ z (a Cholesky root), which is independent of v and s as far as this regression goes.
Other columns of the design contribute what their mean in the group does (build/centring.py), which is known then.
The map has a Jacobian, which stands in the density (kernel/regression.py); posterior and priors are what they were.

Where a coefficient's prior is not normal, or means something else (an intercept at zero), V takes a normal one of its size:
the map is a little less good, and as exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.centring import Centring, thresholds_of
from bayesmi.build.factor_table import FactorTable
from bayesmi.build.writer import Writer
from bayesmi.kernel import layout as k
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan
from bayesmi.priors import Prior

__all__ = ["GroupRegression", "regression_of", "whitening_beside", "write_regression"]

Floats = NDArray[np.float64]

_GROUPS = (
    1000  # up to which a regression is sampled in this way: with more s is known, and the map costs G P²
)
_WIDE = 10.0  # sd of a prior that has none, in units of the response's spread


@dataclass(frozen=True)
class GroupRegression:
    """The regression of centred or adaptive effects on the intercept (where they take it), columns and links, in this order.

    `static` is X (G, P), zero where links stand and in groups that nothing depends on; `precision` (P,) of the coefficients'
    priors.
    """

    grouping: str
    position: int  # of the effect
    intercept: bool
    columns: tuple[int, ...]
    links: tuple[int, ...]
    rest: tuple[int, ...]  # other columns that contribute to the effects
    static: Floats
    precision: Floats
    said: Floats | None = None  # adaptive effects: what the groups' rows say (G,) of their values
    information: Floats | None = None  # and how much

    def places(self, n_columns: int) -> list[int]:
        """Return the places of columns and links among the factor's coefficients."""
        return [*self.columns, *(n_columns + m for m in self.links)]


def regression_of(
    factor: Factor, key: str, table: FactorTable, plan: Plan, centring: Mapping[str, Centring]
) -> GroupRegression | None:
    """Return the regression whose coefficients are sampled given the groups' values; None if there is none."""
    for grouping, own in centring.items():
        spec, n_groups = factor.effect(grouping), table.effect(grouping).n_groups
        position = spec.names.index("1")
        if n_groups > _GROUPS or own.cells:
            continue
        takes = own.intercept == position
        if not (takes or own.columns or own.links):
            continue
        rest = tuple(
            int(j) for j in np.flatnonzero(own.weights[position].any(axis=0)) if j not in own.columns
        )
        links = tuple(m for m, _ in own.links)
        static = np.column_stack(
            [
                np.ones((n_groups, int(takes))),
                own.weights[position][:, list(own.columns)],
                np.zeros((n_groups, len(links))),
            ]
        )
        unseen = plan.effect(factor.name, grouping).unseen
        if unseen is not None:  # their effects are standard normal beside it
            static[unseen] = 0.0
        priors: list[Prior | None] = [
            factor.priors.coefficients[j]
            for j in (*own.columns, *(factor.design.n_columns + m for m in links))
        ]
        if takes:
            thresholds = thresholds_of(factor)
            first = factor.priors.intercept if thresholds is None else factor.priors.scales[thresholds]
            priors = [first, *priors]
        planned = plan.effect(factor.name, grouping)
        adaptive = planned.treatment == "adaptive" and takes
        said = planned.says[factor.keys.index(key)] if adaptive else (None, None)
        precision = np.array([_precision(prior, factor.spread) for prior in priors])
        return GroupRegression(grouping, position, takes, own.columns, links, rest, static, precision, *said)
    return None


def _precision(prior: Prior | None, spread: float) -> float:
    sd = None if prior is None else prior.parameters.get("sigma")
    return 1.0 / float(sd if sd else _WIDE * spread) ** 2


def whitening_beside(
    factor: Factor, centring: Mapping[str, Centring], regression: GroupRegression | None
) -> Floats:
    """Return the factor's whitening with what the effects absorb apart from the other columns.

    Such columns say nothing about the others once the groups' values are given. Coefficients of a group-level regression
    are themselves: their map whitens them.
    """
    absorbed = sorted({j for own in centring.values() for j in own.columns})
    mapped = [] if regression is None else regression.places(factor.design.n_columns)
    if not absorbed and not mapped:
        return factor.whitening
    out = factor.whitening.copy()
    rest = np.setdiff1d(np.arange(len(out)), absorbed)
    out[np.ix_(rest, absorbed)] = 0.0
    out[np.ix_(absorbed, rest)] = 0.0
    out[mapped, :] = 0.0
    out[:, mapped] = 0.0
    out[mapped, mapped] = 1.0
    return out


def write_regression(
    writer: Writer, factor: Factor, regression: GroupRegression, effect: int, first: int, coefficients: int
) -> int:
    """Write the kernel's record, `first` the place in x of the intercept or threshold; return where it stands."""
    p = factor.design.n_columns
    sign = 1.0 / factor.spread if thresholds_of(factor) is None else -1.0
    takes = [first] if regression.intercept else []
    links = [(len(takes) + len(regression.columns) + number, m) for number, m in enumerate(regression.links)]
    record = [0] * k.R_SIZE
    record[k.R_EFFECT], record[k.R_POSITION] = effect, regression.position
    record[k.R_P] = regression.static.shape[1]
    record[k.R_PLACES] = writer.integers([*takes, *(coefficients + j for j in regression.places(p))])
    record[k.R_UNITS] = writer.floats([*(sign for _ in takes), *(1.0 for _ in regression.places(p))])
    record[k.R_STATIC] = writer.floats(regression.static)
    record[k.R_PRECISION] = writer.floats(regression.precision)
    record[k.R_LINKS] = len(links)
    record[k.R_LINK_TABLE] = writer.integers(links or [0])
    record[k.R_REST] = len(regression.rest)
    record[k.R_REST_TABLE] = writer.integers(regression.rest or [0])
    record[k.R_WORK] = writer.regressions
    record[k.R_INFORMATION] = record[k.R_SAID] = -1
    n, own = len(regression.static), record[k.R_P]
    writer.regressions += (n + own + 2) * own + 2 * n
    if regression.said is not None:
        record[k.R_INFORMATION] = writer.floats(regression.information)
        record[k.R_SAID] = writer.floats(regression.said)
        writer.regressions += (n + own + 2) * (n + own)
    return writer.integers(record)
