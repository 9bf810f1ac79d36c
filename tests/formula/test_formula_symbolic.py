"""One code for numpy and PyTensor: same values, right gradients, symbolic only where needed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bayesmi.formula import Variable, fit_design, parse

N = 50
RNG = np.random.default_rng(2)
VALUES = {
    "x": RNG.gamma(3.0, size=N),
    "z": RNG.gamma(3.0, size=N),
    "w": RNG.normal(size=N),
    "a": RNG.integers(0, 3, N).astype(float),
}
VARIABLES = {
    name: Variable(name, tuple("pqr") if name == "a" else None, value) for name, value in VALUES.items()
}
TERMS = (
    "x", "center(x)", "scale(x):a", "I(x ** 2)", "I((x + z) / w)", "I(2 ** -x)", "I(x * (w > 0) + (x <= 2))",
    "log(x) + log2(x) + log10(x) + log1p(x) + exp(x) + expm1(x) + sqrt(x) + abs(x - 3)", "w:x:z", "w:a + C(a, Sum)",
    "I(x == 2) + I(x != z) + I(x < z) + I(x >= z)",
    "poly(x, 3)", "poly(x, 2, raw=True):z", "bs(x, df=6)", "bs(log(x), knots=[0.5, 1], degree=2):a", "I(1 / x + w / 2)",
)  # fmt: skip


@pytest.mark.parametrize("text", TERMS)
def test_symbolic_columns_are_the_numeric_ones(text: str) -> None:
    import pytensor
    import pytensor.tensor as pt

    formula = parse(f"~ {text}")
    design = fit_design(formula.terms, True, VARIABLES)
    x, z = pt.vector("x"), pt.vector("z")
    columns = design.columns({**VALUES, "x": x, "z": z})
    assert len(columns) == design.n_columns
    for term, block in zip(formula.terms, design.blocks, strict=True):
        for column in columns[block.start : block.stop]:
            symbolic = not isinstance(column, np.ndarray)
            assert symbolic == bool(term.variables & {"x", "z"})
            if symbolic:
                assert column.type.ndim == 1
                assert column.dtype == "float64"
    outputs = [pt.as_tensor_variable(column) for column in columns]
    run = pytensor.function([x, z], outputs, mode="FAST_COMPILE", on_unused_input="ignore")
    wide = {**VALUES, "x": VALUES["x"] * 2.5, "z": VALUES["z"] + 0.5}  # also outside the observed range
    assert_allclose(np.column_stack(run(wide["x"], wide["z"])), design.matrix(wide), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "text", ["bs(x, df=6)", "poly(x, 3)", "bs(x, df=4):a + scale(x):w", "I(x ** 3) + log(x)"]
)
def test_gradients_are_right(text: str) -> None:
    import pytensor
    import pytensor.tensor as pt

    design = fit_design(parse(f"~ {text}").terms, True, VARIABLES)
    x = pt.vector("x")
    columns = design.columns({**VALUES, "x": x})
    weights = np.linspace(1.0, 2.0, len(columns))
    total = sum(weight * column.sum() for weight, column in zip(weights, columns, strict=True))
    gradient = pytensor.function([x], pytensor.grad(total, x), mode="FAST_COMPILE")(VALUES["x"] * 1.7)
    step = 1e-6
    above = design.matrix({**VALUES, "x": VALUES["x"] * 1.7 + step}) @ weights
    below = design.matrix({**VALUES, "x": VALUES["x"] * 1.7 - step}) @ weights
    assert_allclose(gradient, (above - below) / (2 * step), rtol=1e-4, atol=1e-6)


def test_many_knots_do_not_overflow_the_count_of_knots() -> None:
    import pytensor
    import pytensor.tensor as pt

    grid = np.linspace(0.0, 1.0, 400)
    design = fit_design(parse("~ bs(x, df=200)").terms, True, {"x": Variable("x", None, grid)})
    x = pt.vector("x")
    last = design.columns({"x": x})[-3:]
    run = pytensor.function([x], last, mode="FAST_COMPILE")
    assert_allclose(np.column_stack(run(grid)), design.matrix({"x": grid})[:, -3:], atol=1e-12)


def test_pytensor_shared_data_of_unknown_length_serve() -> None:
    import pytensor

    shared = pytensor.shared(VALUES["x"])
    (column,) = fit_design(parse("~ center(x)").terms, True, VARIABLES).columns({"x": shared})
    assert_allclose(column.eval(), VALUES["x"] - VALUES["x"].mean())
    shared.set_value(np.arange(3.0))
    assert_allclose(column.eval(), np.arange(3.0) - VALUES["x"].mean())


def test_a_category_is_never_symbolic() -> None:
    import pytensor.tensor as pt

    with pytest.raises(TypeError, match="codes in numpy"):
        fit_design(parse("~ a").terms, True, VARIABLES).columns({"a": pt.vector("a")})


def test_numpy_columns_beside_symbolic_ones_stay_numpy() -> None:
    import pytensor.tensor as pt

    columns = fit_design(parse("~ x + w + a").terms, True, VARIABLES).columns({**VALUES, "x": pt.vector("x")})
    assert_array_equal(columns[1], VALUES["w"])
    assert all(isinstance(column, np.ndarray) for column in columns[1:])
