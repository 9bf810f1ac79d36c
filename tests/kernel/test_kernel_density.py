"""The built density is the plain pm.Model's with cells summed and group effects integrated out, priors included."""

import numpy as np
import pytest
from kernel_cases import every_shape, make_case

from bayesmi.kernel import evaluate

NAMES = every_shape()


@pytest.mark.parametrize("name", NAMES)
def test_density_is_the_plain_models_marginal(name):
    case = make_case(name)
    for seed in range(1 if case.gridded else 2):
        x = case.point(seed)
        natural, jacobian = case.natural(x)
        value, _ = case.built.log_density(x)
        assert value - jacobian == pytest.approx(case.marginal(natural), rel=1e-6 if case.gridded else 1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_the_densitys(name):
    case = make_case(name)
    for seed in range(3):
        x = case.point(seed)
        _, gradient = case.built.log_density(x)
        numeric = np.array([difference(case, x, j) for j in range(len(x))])
        scale = np.maximum(1.0, np.abs(gradient))
        worst = int(np.argmax(np.abs(gradient - numeric) / scale))
        owner = next(p.name for p in case.built.program.parameters if p.start <= worst < p.start + p.size)
        assert abs(gradient[worst] - numeric[worst]) / scale[worst] < 1e-7, owner


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.xdist_group(f"kernel_{n}"))
        for n in ("cluster_square", "quadratic_groups", "slope", "integrate_and_sum")
    ],
)
def test_density_is_bitwise_the_same_wherever_memory_lies(name):
    # sums that the compiler may reorder come out by vectors or one by one, by where the arrays happen to lie; one bit
    # is enough for a chain to go another way, and then a seed repeats nothing
    case = make_case(name)
    points = [case.point(seed, sd=1.5) for seed in range(20)]
    first = [case.built.log_density(x) for x in points]
    rng = np.random.default_rng(1)
    kept = []
    for _ in range(20):
        kept.append(np.empty(int(rng.integers(1, 3000))))  # the next arrays lie elsewhere
        program = np.empty(len(case.built.program.buffer) + 3)[int(rng.integers(0, 4)) :]
        program = program[: len(case.built.program.buffer)]
        program[:] = case.built.program.buffer
        for x, (value, gradient) in zip(points, first, strict=True):
            again, its_gradient = evaluate(program, x.copy())
            assert again == value
            np.testing.assert_array_equal(its_gradient, gradient)


def difference(case, x, j, h=1e-3):
    """Central difference of fourth order."""

    def at(step):
        moved = x.copy()
        moved[j] += step
        return case.built.log_density(moved)[0]

    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
