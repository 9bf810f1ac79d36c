"""What is drawn where; how it looks is for eyes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from bayesmi import plots
from bayesmi.data import IncompleteFrame
from bayesmi.describe import flux as flux_table
from bayesmi.errors import DataError
from bayesmi.imputations import Imputations, StoredDraws
from bayesmi.plots.style import IMPUTED, OBSERVED

M = 4


@pytest.fixture
def table():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "x": rng.normal(size=40),
            "y": rng.normal(5, 2, size=40),
            "c": pd.Categorical(rng.choice(["low", "mid", "high"], 40), categories=["low", "mid", "high"]),
            "b": rng.integers(0, 2, 40).astype(float),
            "full": np.arange(40.0),
        }
    )
    table.loc[:9, "y"] = np.nan
    table.loc[5:11, "c"] = None
    table.loc[30:32, ["y", "b"]] = np.nan
    return table


@pytest.fixture
def imputed(table):
    rng = np.random.default_rng(2)
    return Imputations(
        IncompleteFrame.from_table(table),
        StoredDraws(
            {
                "y": rng.normal(3, 1, (M, 13)),
                "c": np.repeat([[0.0], [1.0], [1.0], [2.0]], 7, axis=1),
                "b": rng.integers(0, 2, (M, 3)).astype(float),
            },
            tuple((i, i) for i in range(M)),
        ),
    )


def blank():
    figure = Figure()
    FigureCanvasAgg(figure)
    return figure.subplots()


def lines(ax, colour):
    return [line for line in ax.lines if to_hex(line.get_color()).upper() == colour]


def texts(labels):
    return [label.get_text() for label in labels]


def test_pattern_shows_every_cell_of_every_pattern(table):
    ax = plots.pattern(table, blank())
    assert texts(ax.get_xticklabels()) == ["x", "full", "b", "c", "y"]
    assert texts(ax.get_yticklabels()) == ["25", "5", "2", "5", "3"]
    grid = {(int(p.get_x() + 0.5), int(p.get_y() + 0.5)): p.get_gid() for p in ax.patches}
    assert len(grid) == 25
    missing = {place for place, state in grid.items() if state == "missing"}
    assert missing == {(4, 1), (3, 2), (3, 3), (4, 3), (2, 4), (4, 4)}
    for patch in ax.patches:
        wanted = IMPUTED if patch.get_gid() == "missing" else OBSERVED
        assert to_hex(patch.get_facecolor()).upper() == wanted
    crosses = {(int(line.get_xdata()[0]), int(line.get_ydata()[0])) for line in ax.lines}
    assert crosses == missing  # told apart without colour
    written = texts(ax.texts)
    assert written[:5] == ["0", "1", "1", "2", "2"]
    assert written[5:11] == ["0", "0", "3", "7", "13", "23"]
    assert texts(ax.get_legend().get_texts()) == ["observed", "missing (×)"]


def test_pattern_keeps_to_columns_and_says_what_it_leaves_out(table):
    ax = plots.pattern(table, blank(), columns=["y", "c"], most=2)
    assert texts(ax.get_xticklabels()) == ["c", "y"]
    assert texts(ax.get_yticklabels()) == ["25", "8"]
    assert ax.get_title() == "the 2 most frequent of 4 patterns; 7 rows in the others"
    with pytest.raises(DataError, match="no column 'z'"):
        plots.pattern(table, blank(), columns=["z"])


def test_pattern_marks_cells_that_do_not_apply(table):
    frame = IncompleteFrame.from_table(table, not_applicable={"y": "full < 5"})
    ax = plots.pattern(frame, blank())
    assert sum(p.get_gid() == "absent" for p in ax.patches) == 1
    assert "does not apply (–)" in texts(ax.get_legend().get_texts())


def test_density_has_one_curve_an_imputation_under_the_observed_one(imputed):
    ax = plots.density(imputed, "y", blank())
    red, blue = lines(ax, IMPUTED), lines(ax, OBSERVED)
    assert (len(red), len(blue)) == (M, 1)
    for line in (*red, *blue):
        assert np.trapezoid(line.get_ydata(), line.get_xdata()) == pytest.approx(1, abs=0.01)
    for k, line in enumerate(red):
        mean = np.trapezoid(line.get_ydata() * line.get_xdata(), line.get_xdata())
        assert mean == pytest.approx(imputed.draws_of("y")[:, k].mean(), abs=0.05)
    assert blue[0].get_linewidth() > 2 * red[0].get_linewidth()
    assert texts(ax.get_legend().get_texts()) == ["observed (27)", "imputed (4 × 13)"]


def test_density_of_heaped_values_has_one_peak(table):
    rng = np.random.default_rng(3)
    heaped = pd.DataFrame({"s": np.append(rng.binomial(10, 0.5, 600).astype(float), [np.nan] * 4)})
    imputed = Imputations(
        IncompleteFrame.from_table(heaped), StoredDraws({"s": rng.normal(5, 1, (2, 4))}, ((0, 0), (0, 1)))
    )
    curve = lines(plots.density(imputed, "s", blank()), OBSERVED)[0].get_ydata()
    assert (np.diff(np.sign(np.diff(curve))) < 0).sum() == 1


def test_density_of_categories_is_proportions(imputed, table):
    ax = plots.density(imputed, "c", blank())
    observed = [p.get_height() for p in ax.containers[0]]
    shares = table["c"].value_counts(normalize=True)
    assert observed == pytest.approx([shares[level] for level in ("low", "mid", "high")])
    assert [p.get_height() for p in ax.containers[1]] == pytest.approx([0.25, 0.5, 0.25])
    assert all(p.get_hatch() for p in ax.containers[1])
    dots = next(line for line in ax.lines if line.get_label() == "each imputation")
    assert dots.get_ydata().reshape(M, 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert texts(ax.get_xticklabels()) == ["low", "mid", "high"]


def test_strip_has_every_value_in_its_column(imputed, table):
    ax = plots.strip(imputed, "y", blank())
    blue, *red = [line for line in ax.lines if line.get_marker() in ("o", "^")]
    assert sorted(blue.get_ydata()) == sorted(table["y"].dropna())
    assert blue.get_marker() != red[0].get_marker()
    for k, line in enumerate(red):
        assert line.get_ydata().tolist() == imputed.draws_of("y")[:, k].tolist()
        assert (np.abs(line.get_xdata() - (k + 1)) < 0.5).all()


def test_box_and_xy(imputed, table):
    ax = plots.box(imputed, "y", blank())
    medians = [line.get_ydata()[0] for line in ax.lines if line.get_linewidth() == 2]
    assert medians[0] == pytest.approx(table["y"].median())
    assert medians[1:] == pytest.approx(np.median(imputed.draws_of("y"), axis=0))
    with pytest.raises(DataError, match=r"plots\.density"):
        plots.box(imputed, "c", blank())
    ax = plots.xy(imputed, "x", "y", blank(), imputation=3)
    blue, red = ax.lines
    done = imputed.complete(3)
    assert red.get_ydata().tolist() == done["y"][table["y"].isna()].tolist()
    assert blue.get_xdata().tolist() == done["x"][table["y"].notna()].tolist()
    with pytest.raises(DataError, match="imputation=5: there are 4"):
        plots.xy(imputed, "x", "y", blank(), imputation=5)


def test_trace_draws_every_chain_and_the_mean_of_cells():
    rng = np.random.default_rng(4)
    cells = rng.normal(size=(2, 50, 3))
    posterior = xr.Dataset(
        {
            "slope": (("chain", "draw"), rng.normal(size=(2, 50))),
            "cell__age": (("chain", "draw", "age__cell"), cells),
            "effect": (("chain", "draw", "g"), rng.normal(size=(2, 50, 9))),
        }
    )
    axes = plots.trace(xr.DataTree.from_dict({"posterior": posterior}))
    assert [ax.get_title(loc="left") for ax in axes] == ["slope", "cell__age: mean of 3 cells"]
    assert [len(ax.lines) for ax in axes] == [2, 2]
    np.testing.assert_array_equal(axes[1].lines[1].get_ydata(), cells[1].mean(axis=1))
    assert axes[0].lines[0].get_color() != axes[0].lines[1].get_color()
    one = plots.trace(posterior, "age", blank())
    np.testing.assert_array_equal(one[0].lines[0].get_ydata(), cells[0].mean(axis=1))
    with pytest.raises(DataError, match="did you mean 'slope'"):
        plots.trace(posterior, ["slop"])
    with pytest.raises(DataError, match="2 traces need 2 axes, got 1"):
        plots.trace(posterior, ["slope", "age"], blank())


def tables():
    ours = pd.DataFrame(
        {"estimate": [3.0, 0.1], "conf.low": [2.5, 0.05], "conf.high": [3.5, 0.15]}, index=["a", "b"]
    )
    arviz = pd.DataFrame({"mean": [3.1], "eti95_lb": [2.6], "eti95_ub": [3.6]}, index=["a"])
    published = pd.DataFrame({"estimate": [2.9, 0.2], "std.error": [0.1, 0.01]}, index=["a", "b"])
    return {"pooled": ours, "posterior": arviz, "published": published, "truth": {"b": 0.11}}


def test_coefficients_have_a_panel_a_term():
    axes = plots.coefficients(tables())
    assert [ax.get_title(loc="left") for ax in axes] == ["a", "b"]
    assert texts(axes[0].get_yticklabels()) == ["pooled", "posterior", "published", "truth"]
    spans = {
        line.get_ydata()[0]: list(line.get_xdata())
        for line in axes[0].lines
        if line.get_linestyle() == "-" and len(line.get_xdata()) == 2
    }
    assert spans[0] == [2.5, 3.5]
    assert spans[1] == [2.6, 3.6]
    assert spans[2] == pytest.approx([2.9 - 0.196, 2.9 + 0.196])
    points = {
        line.get_ydata()[0]: line.get_xdata()[0] for line in axes[1].lines if len(line.get_xdata()) == 1
    }
    assert points == {0: 0.1, 2: 0.2, 3: 0.11}
    markers = [line.get_marker() for line in axes[1].lines if len(line.get_xdata()) == 1]
    assert len(set(markers)) == 3


def test_coefficients_on_one_scale_and_refusals():
    (ax,) = plots.coefficients(tables(), terms=["b"], ax=blank())
    assert texts(ax.get_yticklabels()) == ["b"]
    assert texts(ax.get_legend().get_texts()) == ["pooled", "published", "truth"]
    with pytest.raises(DataError, match="no table has the term 'c'"):
        plots.coefficients(tables(), terms=["c"])
    with pytest.raises(DataError, match="table 'x' has no column 'estimate'"):
        plots.coefficients({"x": pd.DataFrame({"beta": [1.0]})})
    with pytest.raises(DataError, match="no tables"):
        plots.coefficients({})


def test_flux_puts_each_variable_at_its_influx_and_outflux(table):
    ax = plots.flux(table, blank())
    wanted = flux_table(table.notna())
    drawn = {
        (round(x, 6), round(y, 6)) for line in ax.lines[1:] for x, y in zip(*line.get_data(), strict=True)
    }
    assert drawn == {(round(x, 6), round(y, 6)) for x, y in wanted[["influx", "outflux"]].to_numpy()}
    assert set(texts(ax.texts)) == {"x, full", "y", "c", "b"}


def test_missing_map_and_correlations(table):
    ax = plots.missing_map(table, blank())
    np.testing.assert_array_equal(ax.images[0].get_array(), table.isna().to_numpy(float))
    assert texts(ax.get_xticklabels()) == ["x", "y  32 %", "c  18 %", "b  8 %", "full"]
    ax = plots.correlations(table, blank())
    names = ["x", "y", "b", "full"]
    got = np.asarray(np.ma.filled(ax.images[0].get_array().astype(float), np.nan))
    wanted = table[names].corr().to_numpy(copy=True)
    np.fill_diagonal(wanted, np.nan)
    np.testing.assert_allclose(got[:4], wanted, atol=1e-12)
    assert got[4, 3] == pytest.approx(np.corrcoef(table["y"].isna(), table["full"])[0, 1])
    assert texts(ax.get_yticklabels()) == [*names, "y missing", "c missing", "b missing"]
    assert got[5, 0] == pytest.approx(np.corrcoef(table["c"].isna(), table["x"])[0, 1])
    assert np.isnan(got[4, 1])  # of y with its own missingness


def test_margin_puts_partly_observed_rows_in_the_margins(table):
    table = table.assign(x=table["x"].mask(table["full"] > 37))
    ax = plots.margin(table, "x", "y", blank())
    both, only_x, only_y = [line for line in ax.lines if line.get_marker() in ("o", "^", ">")]
    known = table[["x", "y"]].notna()
    assert both.get_xdata().tolist() == table["x"][known.all(axis=1)].tolist()
    assert only_x.get_xdata().tolist() == table["x"][known["x"] & ~known["y"]].tolist()
    assert only_y.get_ydata().tolist() == table["y"][known["y"] & ~known["x"]].tolist()
    assert max(only_x.get_ydata()) < table["y"].min()
    assert texts(ax.texts) == ["0"]
    with pytest.raises(DataError, match="column 'c' is"):
        plots.margin(table, "c", "y", blank())


def test_nothing_to_compare_is_said(imputed):
    with pytest.raises(DataError, match="column 'x' has no missing cell"):
        plots.density(imputed, "x")


def test_plots_are_lazy_and_leave_pyplot_alone(tmp_path):
    code = (
        "import sys, numpy as np, pandas as pd\n"
        "from bayesmi import plots\n"
        "assert 'matplotlib' not in sys.modules\n"
        "table = pd.DataFrame({'a': [1.5, np.nan, 2.5], 'b': [1.1, 2.2, 3.3]})\n"
        "ax = plots.pattern(table)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "ax.figure.savefig(sys.argv[1])\n"
        "import matplotlib; matplotlib.use('agg')\n"
        "import matplotlib.pyplot as plt\n"
        "plots.pattern(table)\n"
        "assert plt.get_fignums() == []\n"
        "assert set(plots.__all__) == set(dir(plots)) and all(callable(getattr(plots, n)) for n in "
        "plots.__all__)\n"
    )
    path = tmp_path / "pattern.png"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=Path(__file__).parents[2])
    assert path.stat().st_size > 2000


def test_unknown_plot():
    with pytest.raises(AttributeError, match="no attribute 'pie'"):
        _ = plots.pie


def test_many_correlations_have_a_bar_in_place_of_numbers():
    rng = np.random.default_rng(4)
    wide = pd.DataFrame(rng.normal(size=(50, 40))).rename(columns="v{}".format)
    axes = plots.correlations(wide)
    assert not axes.texts
    assert axes.images[0].get_array().shape == (40, 40)
    assert [one.get_ylabel() for one in axes.figure.axes] == ["", "correlation"]
    assert len(plots.correlations(wide.iloc[:, :5]).texts) == 20
