"""delta_conditional and delta_after on posterior draws: exact where there is a formula, by frequency elsewhere."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from bayesmi import BayesmiNotice, Delta, Imputations, Model, Prior, load
from bayesmi.data import IncompleteFrame
from bayesmi.draw.conditional import conditional
from bayesmi.draw.masses import level_masses
from bayesmi.draw.shifted import full_columns
from bayesmi.errors import DataError, ModelError, NotSupportedError
from bayesmi.imputations import StoredDraws
from bayesmi.mechanism.level_shift import shift_cumulative, shift_odds
from bayesmi.model.remade import with_mechanisms

pytestmark = [
    pytest.mark.xdist_group("delta_draws"),
    pytest.mark.filterwarnings("ignore::bayesmi.BayesmiNotice"),
]
FORMULA = "y ~ x + x2 + b + nom + grade + times + z"


def table():
    rng = np.random.default_rng(3)
    n = 160
    z = rng.normal(size=n)
    x = 0.5 * z + rng.normal(size=n)
    x2 = 0.6 * x + rng.normal(size=n)
    b = (rng.random(n) < expit(x)).astype(float)
    nom = rng.choice(["u", "v", "w"], n)
    grade = pd.Categorical.from_codes(
        np.digitize(x + rng.logistic(size=n), [-1, 1]), ["low", "mid", "top"], ordered=True
    )
    times = rng.poisson(np.exp(0.3 * z)).astype(float)
    y = 1 + x + 0.5 * x2 + b + z + 0.3 * times + rng.normal(size=n)
    data = pd.DataFrame(
        {"y": y, "x": x, "x2": x2, "b": b, "nom": nom, "grade": grade, "times": times, "z": z}
    )
    data["arm"] = np.where(np.arange(n) % 2, "act", "ctl")
    rows = rng.permutation(n)
    holes = {
        "x": [*range(24), 150], "x2": [*range(16, 34)], "b": [*range(34, 48), 14], "nom": [*range(48, 60)],
        "grade": [*range(60, 72)], "times": [*range(72, 84)], "y": [*range(84, 92), 0, 1, 34, 48, 60, 72],
    }  # fmt: skip
    for name, places in holes.items():
        data.loc[rows[places], name] = None if name in ("nom", "grade") else np.nan
    return data


@pytest.fixture(scope="module")
def fit():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model(FORMULA, table(), kinds={"times": "count"})
        return model.fit(seed=1, draws=150, tune=250, chains=4, progress=False)


def imputed(fit, mechanisms, m=10):
    from dataclasses import replace

    return replace(fit, model=with_mechanisms(fit.model, mechanisms)).impute(m, despite_gate=True)


def cells(imputations, i=0):
    return imputations._cells_of(i)


def test_saved_imputations_know_what_their_deltas_came_to(fit, tmp_path):
    """The realised difference is part of the answer: loaded imputations said that they hold no delta."""
    own = {
        "x": Delta({"act": -1}, by="arm"),
        "nom": Delta({"v": 1.0}),
        "times": Delta(0.5, kind="after"),
    }
    done = imputed(fit, own, 4)
    done.save(tmp_path / "a.bmi")
    again = Imputations.load(tmp_path / "a.bmi")
    pd.testing.assert_frame_equal(again.realised_difference(), done.realised_difference())
    pd.testing.assert_frame_equal(again.realised_difference(by="arm"), done.realised_difference(by="arm"))
    again.save(tmp_path / "b.bmi")
    assert (tmp_path / "b.bmi").read_bytes() == (tmp_path / "a.bmi").read_bytes()
    more = again.delta_after({"y": -2})
    pd.testing.assert_frame_equal(
        more.realised_difference(), done.delta_after({"y": -2}).realised_difference()
    )


def test_nothing_changes_at_zero(fit):
    at_random = fit.impute(4, despite_gate=True).complete("long")
    zeros = {
        "x": Delta(0),
        "b": Delta(0.0),
        "nom": Delta({"v": 0}),
        "grade": Delta(0),
        "times": Delta(0),
        "y": Delta(0),
    }
    pd.testing.assert_frame_equal(imputed(fit, zeros, 4).complete("long"), at_random)
    after = {name: Delta.from_dict({**delta.to_dict(), "kind": "after"}) for name, delta in zeros.items()}
    pd.testing.assert_frame_equal(imputed(fit, after, 4).complete("long"), at_random)


def test_a_number_moves_by_delta_and_the_rest_of_its_row_with_it(fit):
    before, after = imputed(fit, {}), imputed(fit, {"x": Delta(1.5)})
    model = fit.model
    x_rows, x2_rows = (np.flatnonzero(model.frame.columns[v].missing) for v in ("x", "x2"))
    y_rows = np.flatnonzero(model.frame.columns["y"].missing)
    both = np.intersect1d(x_rows, x2_rows)
    both = both[~np.isin(both, np.flatnonzero(model.frame.columns["b"].missing))]
    draws = after._draws.chosen
    for i in range(3):
        old, new = cells(before, i), cells(after, i)
        np.testing.assert_allclose(new["x"] - old["x"], 1.5, atol=1e-12)
        gap = dict(zip(x2_rows, new["x2"] - old["x2"], strict=True))
        assert all(gap[row] == 0.0 for row in x2_rows if row not in x_rows)
        # x2 given x, z, … and y: a Gaussian whose mean moves with x by hand
        y, x2 = (draws.factors[v] for v in ("y", "x2"))
        names_y, names_2 = model.factor("y").column_names, model.factor("x2").column_names
        bx, b2 = (y.coefficients[i, names_y.index(v)] for v in ("x", "x2"))
        order = model.order
        if order.index("x") < order.index("x2"):
            slope = x2.coefficients[i, names_2.index("x")]
            own, ends = slope, (y.scales["sigma"][i], x2.scales["sigma"][i])
            precision = b2**2 / ends[0] ** 2 + 1 / ends[1] ** 2
            expected = 1.5 * (own / ends[1] ** 2 - b2 * bx / ends[0] ** 2) / precision
        else:
            xs = draws.factors["x"]
            c = xs.coefficients[i, model.factor("x").column_names.index("x2")]
            s_y, s_x, s_2 = y.scales["sigma"][i], xs.scales["sigma"][i], x2.scales["sigma"][i]
            precision = b2**2 / s_y**2 + c**2 / s_x**2 + 1 / s_2**2
            expected = 1.5 * (c / s_x**2 - b2 * bx / s_y**2) / precision
        assert len(both) > 3
        for row in both:
            assert gap[row] == pytest.approx(expected, abs=1e-9)
        # a missing outcome follows the shifted predictor by its slope
        y_gap = dict(zip(y_rows, new["y"] - old["y"], strict=True))
        for row in np.intersect1d(x_rows, y_rows):
            if row not in x2_rows:
                assert y_gap[row] == pytest.approx(1.5 * bx, abs=1e-9)
        assert all(y_gap[row] == 0.0 for row in y_rows if row not in x_rows)


def test_a_category_beside_a_shifted_number_is_drawn_given_it(fit):
    """P(b = 1 | shifted x, y, …) by hand, against frequencies over many draws, in the row where both are missing."""
    m = 100
    after = imputed(fit, {"x": Delta(2.0)}, m)
    model = fit.model
    x_rows, b_rows = (np.flatnonzero(model.frame.columns[v].missing) for v in ("x", "b"))
    (row,) = np.intersect1d(x_rows, b_rows)
    found, expected = [], []
    for i in range(m):
        values = full_columns(model.table, cells(after, i))
        found.append(values["b"][row])
        draw = after._draws.chosen.take(np.array([i]))
        log_weights = []
        for b in (0.0, 1.0):
            values["b"][row] = b
            log_weights.append(sum(log_density(model, factor, values, row, draw) for factor in model.factors))
        expected.append(expit(log_weights[1] - log_weights[0]))
    p = np.array(expected)
    assert abs(np.mean(found) - p.mean()) < 4.5 * np.sqrt((p * (1 - p)).mean() / m)


def log_density(model, factor, values, row, draw):
    own = conditional(factor, model.table, np.array([row]), values, draw)
    return float(own.log_density(factor.codes(values[factor.variable])[[row]])[0])


@pytest.mark.parametrize(
    ("name", "delta", "move"),
    [
        ("b", Delta(1.2), lambda p: shift_odds(p, np.full(len(p), 1.2))),
        (
            "nom",
            Delta({"v": 1.5, "u": -0.5}),
            lambda p: shift_odds(p, np.tile([-0.5, 1.5, 0.0], (len(p), 1))),
        ),
        ("grade", Delta(-1.1), lambda p: shift_cumulative(p, np.full(len(p), -1.1))),
        ("times", Delta(0.6), None),
    ],
)
def test_levels_and_counts_are_drawn_with_shifted_odds_given_all_observed(fit, name, delta, move):
    m = 60
    after = imputed(fit, {name: delta}, m)
    before = imputed(fit, {}, m)
    model, factor = fit.model, fit.model.factor(name)
    expected, found = [], []
    for i in range(m):
        draw = after._draws.chosen.take(np.array([i]))
        values = full_columns(model.table, cells(before, i))
        new = full_columns(model.table, cells(after, i))[name]
        for masses in level_masses(
            factor, model.factors, model.table, fit.plan, fit.tables, draw, values, 0.6
        ):
            p = masses.probabilities
            if move is None:  # the log rate: p(k) exp(delta k), normalised, for a Poisson variable
                p = p * np.exp(0.6 * masses.support)
                p /= p.sum(axis=1, keepdims=True)
            else:
                p = move(p)
            expected.append((p * masses.support).sum(axis=1))
            found.append(factor.codes(new[masses.units]))
    expected, found = np.concatenate(expected), np.concatenate(found)
    spread = (found - expected).std() / np.sqrt(len(found))
    assert abs((found - expected).mean()) < 4.5 * spread


def test_after_changes_nothing_else(fit):
    before = imputed(fit, {})
    deltas = {
        "x": Delta({"act": -1.0}, by="arm", kind="after"), "b": Delta(1.0, kind="after"),
        "nom": Delta({"v": 2.0}, kind="after"), "grade": Delta(1.0, kind="after"), "times": Delta(0.5, kind="after"),
    }  # fmt: skip
    after = before.delta_after(deltas)
    arm = table()["arm"].to_numpy()
    for i in range(3):
        old, new = cells(before, i), cells(after, i)
        for name in ("x2", "y"):
            np.testing.assert_array_equal(new[name], old[name])
        missing = fit.model.frame.columns["x"].missing
        np.testing.assert_allclose(
            new["x"] - old["x"], np.where(arm[missing] == "act", -1.0, 0.0), atol=1e-12
        )
        for name in ("b", "grade", "times"):
            assert (new[name] >= old[name]).all()  # as few as possible change, and upwards only
    table_ = after.realised_difference()
    assert table_.loc[("x", "arm act"), "difference"] == pytest.approx(-1.0)
    assert table_.loc[("x", "arm act"), "per_unit"] == pytest.approx(1.0)
    for level, seen in table().groupby("arm")["x"].mean().items():  # observed cells of the same arm
        own = table_.loc[("x", f"arm {level}")]
        assert own["observed"] == pytest.approx(seen)
        assert own["imputed - observed"] == pytest.approx(own["after"] - seen)
    assert table_.loc[("x", "arm ctl"), "difference"] == 0.0
    assert table_.loc[("nom[v]", ""), "difference"] > 0
    assert table_.loc[("times", ""), "after"] > table_.loc[("times", ""), "before"]


def test_after_and_conditional_are_different_estimands(fit):
    after, conditional = imputed(fit, {"x": Delta(1.0, kind="after")}), imputed(fit, {"x": Delta(1.0)})
    np.testing.assert_allclose(cells(after)["x"], cells(conditional)["x"])
    assert not np.allclose(cells(after)["x2"], cells(conditional)["x2"])


def test_a_prior_is_drawn_once_for_an_imputation(fit):
    m = 40
    before, after = imputed(fit, {}, m), imputed(fit, {"x": Delta(Prior("Normal", -2, 0.5))}, m)
    gaps = np.array([cells(after, i)["x"] - cells(before, i)["x"] for i in range(m)])
    assert np.ptp(gaps, axis=1).max() < 1e-12
    assert gaps[:, 0].mean() == pytest.approx(-2, abs=0.3)
    assert gaps[:, 0].std() == pytest.approx(0.5, abs=0.2)


def test_expressions_and_conditions_say_row_by_row(fit):
    before = imputed(fit, {})
    after = imputed(fit, {"x": Delta({"act": "-1 + 0.5 * z", "ctl": 3}, by="arm", where="z > 0")})
    data = table()
    missing = fit.model.frame.columns["x"].missing
    z, arm = data["z"].to_numpy()[missing], data["arm"].to_numpy()[missing]
    expected = np.where(z > 0, np.where(arm == "act", -1 + 0.5 * z, 3.0), 0.0)
    np.testing.assert_allclose(cells(after)["x"] - cells(before)["x"], expected, atol=1e-12)


def test_two_deltas_follow_the_order_of_the_product(fit):
    once, twice = imputed(fit, {"b": Delta(50.0)}), imputed(fit, {"b": Delta(50.0), "x": Delta(-1.0)})
    assert (cells(once)["b"] == 1).all()
    np.testing.assert_allclose(cells(twice)["x"], cells(once)["x"] - 1.0, atol=1e-9)


def test_imputation_i_does_not_depend_on_the_others(fit):
    forwards, backwards = (imputed(fit, {"x": Delta(1.0), "b": Delta(1.0)}, 4) for _ in range(2))
    sets = {i: backwards.complete(i) for i in (4, 2, 3, 1)}
    for i in range(1, 5):
        pd.testing.assert_frame_equal(forwards.complete(i), sets[i])


def test_counts_shifted_out_of_their_range_are_refused(fit):
    with pytest.raises(ModelError, match="makes counts beyond"):
        imputed(fit, {"times": Delta(3.0)}).complete("long")
    assert imputed(fit, {"times": Delta(1.5, kind="after")}).complete(1)["times"].max() >= 1


def test_a_saved_fit_keeps_its_delta(fit, tmp_path):
    from dataclasses import replace

    own = replace(fit, model=with_mechanisms(fit.model, {"x": Delta({"act": -1.0}, by="arm")}))
    own.save(tmp_path / "a.bmi")
    again = load(tmp_path / "a.bmi")
    assert again.model.mechanisms == own.model.mechanisms
    pd.testing.assert_frame_equal(
        again.impute(2, despite_gate=True).complete("long"), own.impute(2, despite_gate=True).complete("long")
    )
    assert own.impute(2, despite_gate=True).post["x"].startswith("delta_conditional")


STORED = IncompleteFrame.from_table(
    pd.DataFrame(
        {"x": [1.5, np.nan, 3.0, np.nan], "g": ["a", "a", "b", "b"], "b": ["no", None, "yes", "no"]}
    ),
    kinds={"x": "continuous"},
)


def test_imputations_without_a_model():
    draws = StoredDraws(
        {"x": np.array([[2.0, 3.0], [2.5, 1.0]]), "b": np.array([[0.0], [1.0]])}, ((0, 1), (1, 4))
    )
    whole = Imputations(STORED, draws)
    moved = whole.delta_after({"x": Delta({"b": 1.0}, by="g", scale={"a": 2.0}, kind="after")})
    assert moved.cells("x").to_numpy().tolist() == [[4.0, 5.0], [4.0, 2.0]]
    both = whole.delta_after({"x": Delta(1.0, scale=2.0, kind="after")})  # scale * value + shift
    assert both.cells("x").to_numpy().tolist() == [[5.0, 6.0], [7.0, 3.0]]
    assert whole.delta_after({"x": -1}).delta_after({"x": -1}).cells("x").to_numpy().tolist() == [
        [0.0, 0.5],
        [1.0, -1.0],
    ]
    with pytest.raises(NotSupportedError, match="came without a model"):
        whole.delta_after({"b": 1.0}).complete(1)
    with pytest.raises(DataError, match="not imputed"):
        whole.delta_after({"g": 1.0})
    with pytest.raises(ModelError, match="say kind='after'"):
        whole.delta_after({"x": Delta(1.0)})
    with pytest.raises(DataError, match="hold no delta"):
        whole.realised_difference()
