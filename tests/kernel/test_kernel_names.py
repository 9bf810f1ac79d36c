"""What a posterior draw is called and what the plain pm.Model computes under that name are the same numbers."""

import functools

import numpy as np
import pytest
from kernel_cases import FAST, every_shape, make_case

from bayesmi.fit.constrain import constrained, posterior_draws
from bayesmi.fit.names import from_dataset, to_dataset

NAMES = every_shape()


@pytest.mark.parametrize("name", NAMES)
def test_posterior_values_are_the_plain_models(name):
    case = make_case(name)
    model, built = case.model, case.built
    x = case.point(3)
    draws = posterior_draws(built, constrained(built.program, x[None, :]), 1, 1)
    posterior = to_dataset(draws, model, built.plan)
    plain = case.plain
    compute = plain.compile_fn(plain.unobserved_value_vars, inputs=plain.value_vars, point_fn=True, mode=FAST)
    natural, _ = case.natural(x)
    values = dict(
        zip([v.name for v in plain.unobserved_value_vars], compute(case.values(natural)), strict=True)
    )
    written = any(f.contextual for f in model.factors)  # the analysis model is reported as its formula has it
    others = tuple(f.prefix for f in model.factors if f.prefix)
    for label, variable in posterior.data_vars.items():
        if written and not label.startswith(others):
            continue  # tests/contextual
        assert label in values, f"{label} is not in to_pymc()"
        expected = values[label]
        if label.startswith("cell__"):
            expected = expected[case.cells_of(label.removeprefix("cell__"), "sample")]
        np.testing.assert_allclose(variable.values[0, 0], expected, rtol=1e-10, atol=1e-12, err_msg=label)
        dims = plain.named_vars_to_dims.get(label, ())
        assert tuple(variable.dims[2:]) == tuple(dims), label
        for dim in dims:
            labels = [str(v) for v in plain.coords[dim]]
            if label.startswith("cell__"):
                labels = [labels[j] for j in case.cells_of(label.removeprefix("cell__"), "sample")]
            assert [str(v) for v in posterior[dim].values] == labels, dim


@pytest.mark.parametrize("name", NAMES)
def test_a_posterior_reads_back_as_the_same_draws(name):
    case = make_case(name)
    points = np.stack([case.point(seed) for seed in range(6)])
    draws = posterior_draws(case.built, constrained(case.built.program, points), 2, 3)
    back = from_dataset(to_dataset(draws, case.model, case.built.plan), case.model)
    # what is written and what is sampled differ beside latent group means: there and back rounds
    exact = not any(f.contextual for f in case.model.factors)
    same = (
        np.testing.assert_array_equal if exact else functools.partial(np.testing.assert_allclose, rtol=1e-12)
    )
    for variable, own in draws.factors.items():
        again = back.factors[variable]
        assert (own.intercept is None) == (again.intercept is None)
        if own.intercept is not None:
            same(again.intercept, own.intercept)
        same(again.coefficients, own.coefficients)
        for kind in ("scales", "sds", "correlations", "effects"):
            left, right = getattr(own, kind), getattr(again, kind)
            assert left.keys() == right.keys()
            for key in left:
                same(right[key], left[key])
    for variable, values in draws.cells.items():
        np.testing.assert_array_equal(back.cells[variable], values)
