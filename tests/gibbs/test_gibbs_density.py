"""The density follows the held cells, and each block is drawn from its conditional under that density."""

from dataclasses import replace

import numpy as np
import pytest
from gibbs_cases import COLLAPSED, SHAPES, make_sweep, of_own_points, point, states

from bayesmi.build import build_sampled
from bayesmi.build.tables import make_tables
from bayesmi.draw.effects import draw_back_effects
from bayesmi.draw.likelihood_ratio import marginal_log_likelihood
from bayesmi.gibbs.state import held_table
from bayesmi.gibbs.tables import tables_of_draw
from bayesmi.kernel import evaluate

NAMES = [pytest.param(name, marks=pytest.mark.xdist_group(f"gibbs_{name}")) for name in SHAPES]


def density(sweep, x, state):
    sweep.program.set(state)
    return evaluate(sweep.program.buffer, x)[0]


def own_constant(sweep, state):
    """What the density has of held cells on a grid alone, which the program does not follow."""
    return sum(
        float(sweep._built.model.factor(name).family.constant(sweep.cells.values(name, state)).sum())
        for name in sweep.cells.grids
    )


def filled(sweep, state):
    built = sweep._built
    return held_table(
        built.model.factors,
        built.model.table,
        built.plan,
        {name: sweep.cells.values(name, state) for name in sweep.cells.names},
    )


@pytest.mark.parametrize("name", NAMES)
def test_kernel_follows_the_state_as_tables_made_anew_do(name):
    sweep = make_sweep(name)
    model, plan = sweep._built.model, sweep._built.plan
    some = states(sweep, 4)
    for seed in range(2):
        x = point(sweep, seed)
        draw = sweep.draws(x)
        known = []
        for state in some:
            tables = make_tables(model.factors, filled(sweep, state), plan)
            whole = float(marginal_log_likelihood(model.factors, tables, draw)[0])
            known.append(whole - own_constant(sweep, state))
        found = [density(sweep, x, state) for state in some]
        assert np.ptp(found) > 1e-3
        np.testing.assert_allclose(np.diff(found), np.diff(known), rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_blocks_are_drawn_from_their_conditional(name):
    sweep = make_sweep(name)
    x, (state,) = point(sweep, 3), states(sweep, 1)
    draw = sweep.draws(x)
    looked_at = 0
    for block in dict.fromkeys(b for blocks in sweep.partitions for b in blocks):
        weights, expansion = block.log_weights(draw, state), block.tables.expansion
        for part in expansion.blocks:
            if (part.parents >= 0).any():
                continue  # below the combinations of its group
            for unit in range(part.n_units):
                entries = part.start + unit * part.n_combinations + np.arange(part.n_combinations)
                by_state = {}
                for entry in entries:
                    other = place(sweep, block, state, entry)
                    by_state.setdefault(tuple(other), []).append(weights[entry])
                known = np.array(
                    [density(sweep, x, np.array(o)) + of_own_points(sweep, np.array(o)) for o in by_state]
                )
                found = np.array([np.logaddexp.reduce(own) for own in by_state.values()])
                np.testing.assert_allclose(found - found[0], known - known[0], rtol=1e-8, atol=1e-7)
                looked_at += len(by_state)
    assert looked_at >= 4


def place(sweep, block, state, entry):
    """The state with one unit's cells of a block as an entry of the expansion has them."""
    out, expansion = state.copy(), block.tables.expansion
    for name in block.names:
        level = sweep._built.model.factor(name).level
        unit = int(expansion.units(level)[entry])
        if expansion.choice[name][entry] >= 0:
            at = np.flatnonzero(sweep.cells.units[name] == unit)
            out[sweep.cells.place(name)][at] = expansion.choice[name][entry]
    return out


@pytest.mark.parametrize("name", COLLAPSED)
def test_collapsed_effects_follow_the_state(name):
    sweep = make_sweep(name)
    built = sweep._built
    assert sweep.n_effects > 0
    for state in states(sweep, 3):
        fresh = build_sampled(built.model, built.plan, filled(sweep, state))
        for seed in range(2):
            x = point(sweep, seed)
            value, gradient = evaluate(fresh.program.buffer, x)
            sweep.program.set(state)
            found, its_gradient = evaluate(sweep.program.buffer, x)
            assert found == pytest.approx(value, rel=1e-12)
            np.testing.assert_allclose(its_gradient, gradient, rtol=1e-10, atol=1e-10)


def test_collapsed_effects_are_drawn_given_the_cells_before_these_move():
    sweep = make_sweep("collapsed")
    x, (state,) = point(sweep, 1), states(sweep, 1)
    _, effects = sweep(x, state, np.random.default_rng(4))
    built = sweep._built
    table = filled(sweep, state)
    tables = make_tables(built.model.factors, table, built.plan)
    again = draw_back_effects(
        built.model.factors, built.plan, tables, sweep.draws(x), np.random.default_rng(4)
    )
    np.testing.assert_allclose(effects, again.factors["y"].effects["a"].ravel(), rtol=1e-10)


def test_tables_of_a_draw_hold_its_cells():
    sweep = make_sweep("rows")
    built, (state,) = sweep._built, states(sweep, 1)
    draws = sweep.draws(point(sweep, 1))
    draws = replace(draws, cells=sweep.cells.cells(state[None]))
    table, tables = tables_of_draw(built.model.factors, built.model.table, built.plan, draws)
    assert np.isfinite(tables.factors["y"].base).all()
    units = built.plan.units("b1", "gibbs")
    np.testing.assert_array_equal(table.values["b1"][units], sweep.cells.values("b1", state))
