"""Same seed, same draws and imputations bit for bit, whatever the cores, the order and the workers."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from kernel_cases import small_table

from bayesmi import BayesmiNotice, Model
from bayesmi.errors import BayesmiError
from bayesmi.seeds import EFFECTS, IMPUTE, SAMPLE, check_seed, stream

pytestmark = pytest.mark.xdist_group("fit_seeds")
FORMULA = "y ~ x + b1 + z + (1 | a)"


def fit(seed=1, cores=None, formula=FORMULA, chains=4):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        names = ["y", "x", "b1", "z", "a"]
        model = Model(formula, small_table()[names])
        return model.fit(seed=seed, draws=60, tune=150, chains=chains, cores=cores, progress=False)


@pytest.fixture(scope="module")
def first():
    return fit(cores=2)


def assert_same_posterior(one, other):
    for name, variable in one.posterior.data_vars.items():
        np.testing.assert_array_equal(variable.values, other.posterior[name].values, err_msg=str(name))


@pytest.mark.parametrize("cores", [1, 2, None])
def test_draws_do_not_depend_on_the_number_of_cores(first, cores):
    again = fit(cores=cores)
    assert_same_posterior(first, again)
    pd.testing.assert_frame_equal(
        first.impute(3, despite_gate=True).complete("long"),
        again.impute(3, despite_gate=True).complete("long"),
    )


def test_collapsed_effects_repeat_too():
    one, other = (fit(cores=n, formula="y ~ z + (1 + z | a)") for n in (1, 2))
    assert "1|a" in one.posterior
    assert_same_posterior(one, other)


def test_another_seed_gives_other_draws(first):
    other = fit(seed=2)
    assert not np.array_equal(first.posterior["sigma"].values, other.posterior["sigma"].values)
    one, two = first.impute(2, seed=5, despite_gate=True), first.impute(2, seed=6, despite_gate=True)
    assert not one.complete(1).equals(two.complete(1))


def test_imputations_do_not_depend_on_order_or_repetition(first):
    forwards = first.impute(5, despite_gate=True)
    backwards = first.impute(5, despite_gate=True)
    sets = {i: backwards.complete(i) for i in (5, 3, 1, 2, 4)}
    for i in range(1, 6):
        pd.testing.assert_frame_equal(forwards.complete(i), sets[i])
        pd.testing.assert_frame_equal(forwards.complete(i), forwards.complete(i))
    assert not sets[1].equals(sets[2])


def test_imputation_i_has_its_own_stream(first):
    """The cells drawn for imputation i depend on i and on its posterior draw only."""
    imputed = first.impute(4, despite_gate=True)
    draws = imputed.origin[["chain", "draw"]].to_numpy()
    assert len({tuple(row) for row in draws}) == 4
    assert set(draws[:, 0]) == {0, 1, 2, 3}  # spread over the chains


def test_workers_do_not_matter(first):
    """Sets built side by side are those built one by one (analyze(n_jobs=) in tests/adapters)."""
    one, two = first.impute(8, despite_gate=True), first.impute(8, despite_gate=True)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(two.complete, range(1, 9)))
    for i, data in enumerate(together, start=1):
        pd.testing.assert_frame_equal(one.complete(i), data)


def test_observed_cells_are_bit_identical_in_every_set(first):
    data = small_table()[["y", "x", "b1", "z", "a"]]
    imputed = first.impute(6, despite_gate=True)
    for i in range(1, 7):
        done = imputed.complete(i)
        for name in data:
            seen = data[name].notna().to_numpy()
            assert (done[name].to_numpy()[seen] == data[name].to_numpy()[seen]).all(), name
        for name in ("y", "x", "b1"):
            assert not done[name].isna().any()
        assert set(done["b1"]) <= {0.0, 1.0}


def test_a_fit_without_a_seed_keeps_the_one_it_drew(first):
    made = fit(seed=None)
    assert_same_posterior(made, fit(seed=made.seed))


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(BayesmiError, match="seed must be"):
        check_seed(seed)


def test_streams_are_apart():
    draws = {(p, i): stream(7, p, i).random() for p in (SAMPLE, EFFECTS, IMPUTE) for i in range(3)}
    assert len(set(draws.values())) == 9
    assert stream(7, IMPUTE, 2).random() == draws[IMPUTE, 2]
