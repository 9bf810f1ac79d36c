"""Weighted rows: every combination once, nested below the combinations of the group, and the same in parts."""

import itertools

import numpy as np
import pytest
from kernel_cases import make_case

from bayesmi.build.expansion import Summed, expand, nothing_expanded
from bayesmi.draw import draw_back_effects, unit_log_weights
from bayesmi.draw.weights import add_upwards, choose_entries, entry_probabilities, restricted
from bayesmi.fit.constrain import constrained, posterior_draws
from bayesmi.plan.values import CellValues


def summed(name, level, units, values):
    tiled = np.tile(np.asarray(values, dtype=float), (len(units), 1))
    return Summed(name, level, np.array(units), CellValues(tiled, np.log(tiled + 2.0)))


CODES = np.array([0, 0, 1, 1, 2, 2])
OWN = [summed("p", "row", [0, 2], [0, 1]), summed("q", "row", [2, 4], [0, 1, 2])]
ABOVE = [summed("u", "g", [1], [5, 6]), summed("v", "g", [1, 2], [0, 1, 2])]


@pytest.fixture
def nested():
    return expand([*OWN, *ABOVE], 6, CODES, np.array([True, True, True, False, True, True]))


def test_rows_stand_once_for_each_combination():
    one = expand(OWN, 6, None, None)
    assert one.n == 2 + 2 * 3 + 3
    found = [(int(r), p, q) for r, p, q in zip(one.rows, one.values["p"], one.values["q"], strict=True)]
    nan = [(r, -1 if np.isnan(p) else p, -1 if np.isnan(q) else q) for r, p, q in found]
    wanted = [(0, p, -1) for p in (0, 1)]
    wanted += [(2, p, q) for p, q in itertools.product((0, 1), (0, 1, 2))]
    wanted += [(4, -1, q) for q in (0, 1, 2)]
    assert sorted(nan) == sorted(wanted)
    assert all((block.parents == -1).all() for block in one.blocks)
    both = one.rows == 2
    np.testing.assert_allclose(
        one.log_weights[both], np.log(one.values["p"][both] + 2) + np.log(one.values["q"][both] + 2)
    )


def test_rows_below_a_group_stand_under_each_of_its_combinations(nested):
    groups = nested.groups >= 0
    assert groups.sum() == 2 * 3 + 3
    counts = {row: int((nested.rows == row).sum()) for row in range(6)}
    # row 3 does not depend on its group's cells, rows of group 0 have none above them
    assert counts == {0: 2, 1: 0, 2: 6 * 2 * 3, 3: 0, 4: 3 * 3, 5: 3}
    parents = np.full(nested.n, -1)
    for block in nested.blocks:
        parents[block.entries] = np.repeat(block.parents, block.n_combinations)
    for entry in np.flatnonzero(parents >= 0):
        parent = parents[entry]
        assert nested.groups[parent] == CODES[nested.rows[entry]]
        for name in ("u", "v"):
            np.testing.assert_equal(nested.values[name][entry], nested.values[name][parent])
    weighted = nested.log_weights[nested.rows == 5]  # the group's weights count once, above
    np.testing.assert_array_equal(weighted, 0.0)


def test_strides_lead_to_the_next_value(nested):
    for name in ("p", "q", "u", "v"):
        level = "g" if name in "uv" else "row"
        on = np.flatnonzero((nested.choice[name] >= 0) & (nested.units(level) >= 0))
        top = nested.choice[name].max()
        for entry in on[nested.choice[name][on] < top]:
            after = entry + nested.stride[name][entry]
            assert nested.choice[name][after] == nested.choice[name][entry] + 1
            assert nested.rows[after] == nested.rows[entry]
            for other in {"p", "q", "u", "v"} - {name}:
                assert nested.choice[other][after] == nested.choice[other][entry]


def test_sums_nest(nested):
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(2, nested.n))
    whole = add_upwards(nested, weights.copy())
    total = np.zeros(2)
    for block in nested.blocks:
        top = block.parents < 0
        part = whole[:, block.entries].reshape(2, block.n_units, block.n_combinations)
        total += np.log(np.exp(part[:, top]).sum(axis=2)).sum(axis=1)
    # by hand: group 1 over (u, v), of its rows only row 2 stands below; group 2 over v with rows 4 and 5; row 0 alone
    expected = np.log(np.exp(weights[:, nested.rows == 0]).sum(axis=1))
    for group, rows in ((1, [2]), (2, [4, 5])):
        terms = np.zeros((2, 0))
        for entry in np.flatnonzero(nested.groups == group):
            value = weights[:, entry].copy()
            for row in rows:
                under = (nested.rows == row) & (nested.choice["v"] == nested.choice["v"][entry])
                under &= nested.choice["u"] == nested.choice["u"][entry]
                value += np.log(np.exp(weights[:, under]).sum(axis=1))
            terms = np.column_stack([terms, value])
        expected += np.log(np.exp(terms).sum(axis=1))
    np.testing.assert_allclose(total, expected)


def test_chosen_entries_belong_together(nested):
    chosen = choose_entries(nested, np.random.default_rng(1).normal(size=nested.n), np.random.default_rng(2))
    for row, count in ((0, 1), (2, 1), (4, 1), (5, 1)):
        assert chosen[nested.rows == row].sum() == count
    for group in (1, 2):
        (above,) = np.flatnonzero(chosen & (nested.groups == group))
        for entry in np.flatnonzero(chosen & (nested.rows >= 0)):
            if CODES[nested.rows[entry]] == group:
                for name in ("u", "v"):
                    assert nested.choice[name][entry] == nested.choice[name][above]


def test_a_part_of_the_expansion_is_that_part(nested):
    part, entries = nested.select(np.isin(np.arange(6), [2, 3]), np.array([False, True, False]))
    assert set(part.rows) == {-1, 2}
    assert set(part.groups) == {-1, 1}
    for name, values in nested.values.items():
        np.testing.assert_array_equal(part.values[name], values[entries])
    weights = np.random.default_rng(1).normal(size=(1, nested.n))
    np.testing.assert_allclose(
        entry_probabilities(part, weights[:, entries]), entry_probabilities(nested, weights)[:, entries]
    )
    nothing, none = nested.select(np.zeros(6, dtype=bool), np.zeros(3, dtype=bool))
    assert nothing.n == 0
    assert none.size == 0
    assert nothing.blocks == ()


def test_nothing_to_sum():
    assert expand([], 6, None, None).n == nothing_expanded().n == 0


PARTS = [
    "several_discrete",
    "integrate_and_sum",
    "cluster_binary_and_rows",
    "cluster_two",
    "grid_and_sum",
    "cluster_square",
]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.xdist_group(f"kernel_{n}")) for n in PARTS]
)
def test_weights_of_some_units_are_those_of_the_whole(name):
    case = make_case(name)
    built, model = case.built, case.model
    x = np.stack([case.point(seed) for seed in range(3)])
    draws = posterior_draws(built, constrained(built.program, x), 1, 3)
    draws = draw_back_effects(model.factors, built.plan, built.tables, draws, np.random.default_rng(1))
    whole = entry_probabilities(
        built.tables.expansion, unit_log_weights(model.factors, built.tables, draws)[0]
    )
    for group in built.plan.cells:
        if group.treatment not in ("enumerate", "grid"):
            continue
        for units in (group.units[:1], group.units):
            part = restricted(model.factors, model.table, built.tables, group.level, units)
            own = entry_probabilities(part.expansion, unit_log_weights(model.factors, part, draws)[0])
            at = built.tables.expansion.units(group.level)
            mine = np.isin(at, units) & (built.tables.expansion.choice[group.variable] >= 0)
            here = part.expansion.units(group.level)
            theirs = np.isin(here, units) & (part.expansion.choice[group.variable] >= 0)
            np.testing.assert_allclose(own[:, theirs], whole[:, mine], rtol=1e-9, atol=1e-14)
