"""A Fit whose draws are made by hand: likelihoods are functions of the draws, whatever these came from."""

import warnings

import numpy as np

from bayesmi import BayesmiNotice, Model
from bayesmi.build import build_sampled
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.fit import Fit
from bayesmi.fit.constrain import constrained, posterior_draws
from bayesmi.plan import make_plan


def hand_fit(formula, data, *, n=3, sd=0.4, seed=0, finer=1.0, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model(formula, data, **options)
    return hand_fit_of(model, n=n, sd=sd, seed=seed, finer=finer)


def hand_fit_of(model, *, n=3, sd=0.4, seed=0, finer=1.0):
    plan = make_plan(model)
    grids = [name for name, grid in plan.grids.items() if grid.spacing is not None]
    if finer > 1.0 and grids:  # these draws are not from the posterior that the first grid is made for
        plan = make_plan(model, finer=dict.fromkeys(grids, finer), wider=dict.fromkeys(grids, 1.2 * finer))
    built = build_sampled(model, plan)
    rng = np.random.default_rng(seed)
    start = built.program.initial()
    x = start + rng.normal(0.0, sd, (n, len(start)))
    draws: PosteriorDraws = posterior_draws(built, constrained(built.program, x), 1, n)
    for factor in (part for whole in model.factors for part in whole.parts):
        for key in factor.keys:
            for effect in factor.effects:
                n_groups = len(model.table.groupings[effect.grouping].labels)
                u = rng.normal(size=(n, n_groups, effect.n_effects))
                u = np.einsum("sij,sgj->sgi", draws.factors[key].root(effect.grouping), u)
                draws = draws.with_effects(key, effect.grouping, u)
    return Fit(model, built.plan, None, None, 1, {}, "by hand", built.tables, draws)
