"""What is drawn for new rows of new groups ranks uniformly among draws given the truth's own observed cells."""

import numpy as np
import pytest
from new_row_cases import model_of, ranks, uniform_p

CASES = {
    "gaussian": ("y ~ x + z + (1 | school)", ["school", "z", "x", "y"], {"x": 0.3, "y": 0.4}, {}, 300),
    "slope on an incomplete covariate": (
        "y ~ x + z + (1 + x | school)",
        ["school", "z", "x", "y"],
        {"x": 0.3, "y": 0.4},
        {},
        150,
    ),
    "logistic": (
        "d ~ x + b + (1 | school)",
        ["school", "x", "b", "d"],
        {"x": 0.3, "b": 0.3, "d": 0.3},
        {},
        100,
    ),
    "cluster covariate": (
        "y ~ x + w + (1 | school)",
        ["school", "w", "x", "y"],
        {"x": 0.3, "y": 0.3, "w": 0.5},
        {},
        120,
    ),
    "latent group mean": (
        "y ~ within(x) + between(x) + z + (1 | school)",
        ["school", "z", "x", "y"],
        {"x": 0.3, "y": 0.4},
        {},
        250,
    ),
    "nested": ("y ~ x + (1 | school/room)", ["school", "room", "x", "y"], {"x": 0.3, "y": 0.3}, {}, 250),
    "crossed": ("y ~ z + (1 | school) + (1 | town)", ["school", "town", "z", "y"], {"y": 0.3}, {}, 250),
    "nominal": ("y ~ k + z + (1 | school)", ["school", "k", "z", "y"], {"k": 0.3, "y": 0.3}, {}, 150),
    "summed cells above groups": (
        "y ~ w + d + (1 | school) + (1 | room)",
        ["school", "room", "w", "d", "y"],
        {"w": 0.5, "d": 0.2, "y": 0.2},
        {"families": {"w": "student"}},
        24,
    ),
}


LONG = ("summed cells above groups",)  # groupings and cells take turns: run with the calibration studies
EVERY = [pytest.param(name, marks=[pytest.mark.calibration] * (name in LONG)) for name in CASES]


@pytest.mark.parametrize("case", EVERY)
def test_draws_given_the_rest_rank_uniformly(case):
    formula, columns, holes, options, groups = CASES[case]
    found = ranks(model_of(formula, columns, **options), columns, holes, groups=groups)
    assert any("school" in name for name in found)
    assert set(holes) <= set(found)
    p = {name: uniform_p(own) for name, own in found.items()}
    assert min(p.values()) > 0.001 / len(p), p


def test_effects_from_the_population_would_not():
    """The check can fail: ranks among draws that know nothing of the rows are not uniform given informative rows."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=4000)
    wrong = (rng.normal(size=(19, 4000)) * 0.7 < truth).sum(axis=0)
    assert uniform_p(wrong) < 1e-6
