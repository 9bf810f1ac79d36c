"""What is drawn where: combinations, predictor matrix, bars, series of imputed means, residuals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy import stats

from bayesmi import plots
from bayesmi.data import IncompleteFrame
from bayesmi.errors import DataError
from bayesmi.imputations import Imputations, StoredDraws
from bayesmi.plots.style import IMPUTED, OBSERVED

M = 40


def blank():
    figure = Figure()
    FigureCanvasAgg(figure)
    return figure.subplots()


def texts(labels):
    return [label.get_text() for label in labels]


@pytest.fixture
def table():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "x": rng.normal(size=60),
            "y": rng.normal(5, 2, size=60),
            "c": pd.Categorical(rng.choice(["low", "high"], 60, p=[0.7, 0.3]), categories=["low", "high"]),
            "full": np.arange(60.0),
        }
    )
    table.loc[:9, "y"] = np.nan
    table.loc[5:11, "c"] = None
    table.loc[30:31, "x"] = np.nan
    return table


@pytest.fixture
def imputed(table):
    rng = np.random.default_rng(2)
    return Imputations(
        IncompleteFrame.from_table(table),
        StoredDraws(
            {
                "y": rng.normal(3, 1, (M, 10)),
                "c": (rng.random((M, 7)) < 0.5).astype(float),
                "x": rng.normal(size=(M, 2)),
            },
            tuple((i % 4, 10 * (i // 4)) for i in range(M)),
        ),
    )


def test_upset_counts_combinations(table):
    bars, matrix, totals = plots.upset(table, blank())
    assert [bar.get_height() for bar in bars.patches] == [5, 5, 2, 2]
    filled = next(line for line in matrix.lines if line.get_label() == "missing")
    assert to_hex(filled.get_color()).upper() == IMPUTED
    places = set(zip(*map(tuple, filled.get_data()), strict=True))
    order = texts(totals.get_yticklabels())
    assert order == ["y", "c", "x"]  # most missing on top
    combos = {column: {order[y] for x, y in places if x == column} for column in range(4)}
    assert sorted(map(sorted, combos.values())) == [["c"], ["c", "y"], ["x"], ["y"]]
    assert {frozenset(combos[k]) for k in (0, 1)} == {frozenset({"y"}), frozenset({"y", "c"})}
    joined = [line for line in matrix.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 2]
    assert len(joined) == 1  # only the pair
    assert [bar.get_width() for bar in totals.patches] == [10, 7, 2]
    assert bars.get_title() == ""


def test_upset_says_what_it_leaves_out(table):
    bars, *_ = plots.upset(table, most=2)
    assert bars.get_title() == "2 of 4 combinations; 4 rows in the others"
    bars, *_ = plots.upset(table, complete=True)
    assert bars.patches[0].get_height() == 46
    with pytest.raises(DataError, match="nothing is missing"):
        plots.upset(table[["full"]])


CODES = [0, 1, 2, 3, 4, -2, -3, -4]


def matrix():
    names = list("abcdefgh")
    table = pd.DataFrame(np.ones((8, 8), dtype=int), index=names, columns=names)
    table.loc["a"] = [0, *CODES[1:]]
    table.loc["h"] = 0
    return table


def test_predictor_matrix_explains_every_code():
    ax = plots.predictor_matrix(matrix(), blank())
    shown = {p.get_gid(): to_hex(p.get_facecolor()) for p in ax.patches}
    assert len(shown) == 64
    legend = ax.get_legend()
    labels = texts(legend.get_texts())
    assert [label.split("  ")[0] for label in labels] == ["0", "1", "2", "3", "4", "−2", "−3", "−4"]
    assert all(len(label.split("  ")[1]) > 3 for label in labels)
    colours = dict(
        zip([int(x.split("  ")[0].replace("−", "-")) for x in labels], legend.get_patches(), strict=True)
    )
    for code, name in zip(CODES[1:], "bcdefgh", strict=True):
        assert shown[f"a|{name}"] == to_hex(colours[code].get_facecolor()), code
    numbers = {(t.get_position()[0], t.get_position()[1]): t.get_text() for t in ax.texts}
    assert [numbers[(j, 0)] for j in range(1, 8)] == ["1", "2", "3", "4", "−2", "−3", "−4"]
    assert (0, 0) not in numbers  # the diagonal
    assert len({to_hex(patch.get_facecolor()) for patch in legend.get_patches()}) == 8


def test_predictor_matrix_with_methods():
    methods = dict.fromkeys("abcdefg", "pmm") | {"b": "2l.2stage.heckman", "h": ""}
    ax = plots.predictor_matrix(matrix(), blank(), method=methods)
    again = plots.predictor_matrix(matrix(), blank(), method=pd.Series(methods))  # as make_method gives it
    assert [t.get_text() for t in again.texts] == [t.get_text() for t in ax.texts]
    beside = [t.get_text() for t in ax.texts if t.get_gid() == "method"]
    assert beside == ["pmm", "2l.2stage.heckman", *["pmm"] * 5, "(not imputed)"]
    assert "in both equations" in texts(ax.get_legend().get_texts())[2]
    assert all(p.get_hatch() for p in ax.patches if p.get_gid().startswith("h|"))
    assert not any(p.get_hatch() for p in ax.patches if p.get_gid().startswith("a|"))
    with pytest.raises(DataError, match="row 'a', column 'b': code 7 is not known"):
        plots.predictor_matrix(matrix().replace({1: 7}))
    with pytest.raises(DataError, match="DataFrame"):
        plots.predictor_matrix(np.eye(2))


def test_bar_is_shares_of_levels(imputed, table):
    ax = plots.bar(imputed, "c", blank())
    shares = table["c"].value_counts(normalize=True)
    assert [p.get_height() for p in ax.containers[0]] == pytest.approx([shares["low"], shares["high"]])
    drawn = imputed.draws_of("c")
    assert [p.get_height() for p in ax.containers[1]] == pytest.approx(
        [(drawn == 0).mean(), (drawn == 1).mean()]
    )
    assert texts(ax.get_legend().get_texts()) == ["observed (53)", f"imputed, mean of {M}", "each imputation"]
    assert to_hex(ax.containers[0][0].get_facecolor()).upper() == OBSERVED
    with pytest.raises(DataError, match=r"not discrete: use plots\.density"):
        plots.bar(imputed, "y")


def test_legend_of_two_bars_is_inside_the_figure(imputed):
    ax = plots.bar(imputed, "c")
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x1 <= ax.figure.bbox.x1


def test_imputed_trace_follows_each_chain(imputed, table):
    axes = plots.imputed_trace(imputed, ["y", "c"])
    assert [ax.get_title(loc="left") for ax in axes] == ["y: mean", "y: sd", "c: share of low"]
    means = imputed.draws_of("y").mean(axis=0)
    for k in range(4):
        line = next(line for line in axes[0].lines if line.get_label() == f"chain {k}")
        np.testing.assert_array_equal(line.get_xdata(), 10 * np.arange(10))
        np.testing.assert_allclose(line.get_ydata(), means[k::4])
    level = next(line for line in axes[1].lines if line.get_label() == "observed")
    assert level.get_ydata()[0] == pytest.approx(table["y"].std())
    assert len({line.get_marker() for line in axes[0].lines[:4]}) == 4
    with pytest.raises(DataError, match="3 panels need 3 axes, got 1"):
        plots.imputed_trace(imputed, ["y", "c"], blank())
    with pytest.raises(DataError, match="no missing cell"):
        plots.imputed_trace(imputed, "full")


def test_imputed_rank_compares_chains(imputed):
    (ax, _) = plots.imputed_rank(imputed, "y")
    means = imputed.draws_of("y").mean(axis=0)
    ranks = stats.rankdata(means)
    for k in range(4):
        line = next(line for line in ax.lines if line.get_label() == f"chain {k}")
        at = np.arange(1, M + 1)
        wanted = (ranks[k::4, None] <= at).mean(axis=0) - at / M
        np.testing.assert_allclose(line.get_ydata(), wanted, atol=1e-12)
    one = Imputations(imputed.frame, StoredDraws({"y": np.ones((3, 10))}, ((0, 0), (0, 1), (0, 2))))
    with pytest.raises(DataError, match="come from one chain"):
        plots.imputed_rank(one, "y")


def test_worm_and_qq_show_the_shift_that_is_there():
    rng = np.random.default_rng(3)
    y = rng.normal(size=400)
    fits = rng.normal(size=(400, 400))
    good = plots.worm(y, fits, name="y", ax=blank())
    bad = plots.worm(y, rng.normal(0.5, 1, size=(400, 400)), name="y", ax=blank())

    def points(ax):
        return next(line for line in ax.lines if line.get_label().startswith("y ("))

    assert abs(points(good).get_ydata().mean()) < 0.12
    assert points(bad).get_ydata().mean() == pytest.approx(-0.5, abs=0.12)
    x = points(good).get_xdata()
    np.testing.assert_allclose(x, stats.norm.ppf((np.arange(1, 401) - 0.375) / 400.25))
    qq = plots.qq(y, fits, name="y", ax=blank())
    np.testing.assert_allclose(points(qq).get_ydata() - x, points(good).get_ydata(), atol=1e-12)
    assert np.corrcoef(points(qq).get_ydata(), np.sort(y))[0, 1] > 0.99
    with pytest.raises(DataError, match="3 replications are too few"):
        plots.worm(y, rng.normal(size=(3, 400)), name="y")
    with pytest.raises(DataError, match="do not fit"):
        plots.qq(y, rng.normal(size=(80, 3)), name="y")


def test_residuals_of_binary_outcomes_are_normal_too():
    from bayesmi.plots.residuals import quantile_residuals

    rng = np.random.default_rng(4)
    p = rng.random(800)
    y = (rng.random(800) < p).astype(float)
    replicated = (rng.random((200, 800)) < p).astype(float)
    assert stats.kstest(quantile_residuals(y, replicated, name="y"), "norm").pvalue > 0.01


def test_labels_stay_different_when_shortened():
    from bayesmi.plots.style import shorten

    assert shorten(["short", "education_level"], 10) == ["short", "education…"]
    names = [f"a_rather_long_name_{k}" for k in range(12)]
    short = shorten(names)
    assert len(set(short)) == 12
    assert max(map(len, short)) == 14


def test_flux_of_many_alike_lists_its_labels():
    rng = np.random.default_rng(1)
    wide = pd.DataFrame(rng.normal(size=(300, 18)), columns=[f"name_{k}" for k in range(18)])
    ax = plots.flux(wide.mask(rng.random(wide.shape) < 0.08), blank())
    heights = [text.get_position()[1] for text in ax.texts]
    assert len(heights) == 18
    assert {text.get_position()[0] for text in ax.texts} == {1.1}
    assert (np.diff(heights) < -0.02).all()  # below each other
    assert -0.1 < min(heights) < max(heights) < 1.06


def test_variables_named_like_the_counts_of_patterns_are_drawn():
    table = pd.DataFrame({"rows": [1.5, 2.2, np.nan, 4.1], "missing": [np.nan, 2.0, 3.0, 4.5]})
    ax = plots.pattern(table, blank(), columns=["rows", "missing"])
    assert texts(ax.get_xticklabels()) == ["rows", "missing"]
    assert texts(ax.get_yticklabels()) == ["2", "1", "1"]
    bars, _, totals = plots.upset(table, blank())
    assert [patch.get_height() for patch in bars.patches] == [1, 1]
    assert texts(totals.get_yticklabels()) == ["rows", "missing"]


def test_tables_without_a_hole_have_no_series():
    full = IncompleteFrame.from_table(pd.DataFrame({"a": [1.0, 2, 3, 4.5], "b": [2.0, 1, 3, 4.4]}))
    nothing = Imputations(full, StoredDraws({}, ((0, 0), (1, 1))))
    for plot in (plots.imputed_trace, plots.imputed_rank):
        with pytest.raises(DataError, match="no column is imputed"):
            plot(nothing)


def test_coefficients_and_margins_of_nothing_are_refused():
    table = pd.DataFrame({"estimate": [1.0]}, index=["x"])
    for tables, terms in (({"a": table}, []), ({"a": table.iloc[:0]}, None)):
        with pytest.raises(DataError, match="got no term"):
            plots.coefficients(tables, terms=terms)
    never = pd.DataFrame({"a": [np.nan] * 4, "b": [1.0, 2, 3, np.nan]})
    with pytest.raises(DataError, match="'a' has no observed value"):
        plots.margin(never, "a", "b")


def test_missing_map_is_ordered_by_numbers_dates_and_names():
    table = pd.DataFrame(
        {
            "day": pd.to_datetime(["2022-01-01", "2020-01-01", "2021-01-01", "2020-06-01"]),
            "name": ["d", "a", "c", "b"],
            "g": [2.0, 1.0, np.nan, 1.0],
            "x": [np.nan, 1.5, 2.5, 3.5],
        }
    )
    for sort in ("day", "name"):
        ax = plots.missing_map(table, blank(), sort=sort)
        assert ax.images[0].get_array()[:, 3].tolist() == [0, 0, 0, 1]
    ax = plots.missing_map(table.assign(g=[2.0, 1.0, np.nan, np.nan]), blank(), sort="g")
    assert ax.images[0].get_array()[:, 3].tolist() == [0, 1, 0, 0]
    assert [line.get_ydata()[0] for line in ax.lines if len(set(line.get_ydata())) == 1] == [1, 2]


def test_colours_of_flux_and_correlations(table):
    complete, incomplete = plots.flux(table, blank()).lines[1:]
    assert [to_hex(line.get_color()).upper() for line in (complete, incomplete)] == [OBSERVED, IMPUTED]
    colours = plots.correlations(table, blank()).images[0].get_cmap()
    assert [to_hex(colours(end)).upper() for end in (0.0, 1.0)] == [OBSERVED, IMPUTED]


def test_boxes_of_margins_stand_in_the_order_of_their_points(table):
    ax = plots.margin(table, "x", "y", blank())
    boxes = [line for line in ax.lines if line.get_linewidth() == 2 and len(set(line.get_xdata())) == 1]
    blue, red = (next(m for m in boxes if to_hex(m.get_color()).upper() == c) for c in (OBSERVED, IMPUTED))
    known = table["y"].notna()
    assert blue.get_xdata()[0] == pytest.approx(table["x"][known].median())
    assert red.get_xdata()[0] == pytest.approx(table["x"][~known].median())
    assert np.mean(red.get_ydata()) < np.mean(blue.get_ydata()) < table["y"].min()


def test_band_of_ranks_is_that_of_the_hypergeometric_distribution():
    frame = IncompleteFrame.from_table(pd.DataFrame({"y": [1.5, 2.5, np.nan]}))
    draws = np.random.default_rng(1).normal(size=(40, 1))
    many = Imputations(frame, StoredDraws({"y": draws}, tuple((i % 2, i) for i in range(40))))
    ax = plots.imputed_rank(many, "y", blank())[0]
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    law, share = stats.hypergeom(40, 20, np.arange(1, 41)), np.arange(1, 41) / 40
    assert band.min() == pytest.approx((law.ppf(0.025) / 20 - share).min())
    assert band.max() == pytest.approx((law.ppf(0.975) / 20 - share).max())


def test_trace_of_one_element_as_the_summary_names_it():
    import xarray as xr

    draws = np.random.default_rng(1).normal(size=(2, 30, 2))
    posterior = xr.Dataset({"ct": (("chain", "draw", "level"), draws)}, {"level": ["III", "IV/V"]})
    ax = np.ravel(plots.trace(posterior, ["ct[IV/V]"]))[0]
    assert ax.get_title(loc="left") == "ct[IV/V]"
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), draws[1, :, 1])
    with pytest.raises(DataError, match="did you mean 'ct\\[III\\]'"):
        plots.trace(posterior, ["ct[II]"])
