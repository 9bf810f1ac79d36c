"""Rows that share a label keep their own cells."""

import warnings

import numpy as np
from kernel_cases import small_table

from bayesmi import BayesmiNotice, Model


def test_repeated_row_labels():
    data = small_table()[["y", "x", "b1", "z"]]
    apart = data.copy()
    data.index = [0] * len(data)
    fits = []
    for table in (data, apart):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesmiNotice)
            model = Model("y ~ x + b1 + z", table, treatments={"x": "sample"})
            fits.append(model.fit(seed=1, draws=60, tune=150, progress=False))
    one, other = fits
    assert one.posterior["x__cell"].values.tolist() == [3, 8, 15, 20]  # positions
    assert list(one.model.to_pymc().coords["x__cell"]) == [3, 8, 15, 20]
    assert one.gate.n_cells == other.gate.n_cells
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        pairs = zip(one.impute(2, despite_gate=True), other.impute(2, despite_gate=True), strict=True)
        for mine, theirs in pairs:
            np.testing.assert_array_equal(mine.to_numpy(), theirs.to_numpy())


def test_the_gate_names_cells_by_their_row():
    data = small_table()[["y", "x", "z"]]
    data.index = [f"pupil {i}" for i in range(len(data))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model("y ~ x + z", data, treatments={"x": "sample"})
        fit = model.fit(seed=1, draws=20, tune=20, progress=False)
    assert "x__cell" in fit.posterior.sizes
    cells = [word for failure in fit.gate.failures for word in failure.split(", ") if "cell__x[" in word]
    assert cells
    assert all("cell__x[pupil " in word for word in cells)
