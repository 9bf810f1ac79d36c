"""group_effect(x): the group effect of an earlier variable as a predictor, in formulas of the user."""

import numpy as np
import pandas as pd
import pytest

from bayesmi import Model
from bayesmi.errors import BayesmiError, FormulaError, ModelError, NotSupportedError


def table(n_groups=12, size=8):
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(n_groups), size)
    effect = rng.normal(size=n_groups)[g]
    z = rng.normal(size=len(g))
    x = z + effect + rng.normal(size=len(g))
    k = rng.choice(["u", "v", "w"], len(g)).astype(object)
    b = 0.3 * x + rng.normal(size=len(g))
    y = x + 2.0 * effect + b + rng.normal(size=len(g))
    data = pd.DataFrame({"g": g, "h": g // 3, "z": z, "x": x, "b": b, "k": k, "y": y})
    for name in ("x", "b"):
        data.loc[rng.random(len(g)) < 0.2, name] = np.nan
    data.loc[[3, 9], "k"] = None
    return data


def test_it_is_a_link_with_a_coefficient_of_its_name():
    model = Model("y ~ x + z + group_effect(x) + (1 | g)", table())
    factor = model.factor("y")
    (link,) = factor.links
    assert (link.variable, link.grouping, link.called) == ("x", "g", "group_effect(x)")
    assert factor.column_names == ("x", "z", "group_effect(x)")
    assert "group_effect" not in factor.design.column_names
    assert "group_effect(x)" in model.to_pymc().named_vars


def test_it_stands_in_models_of_covariates():
    formulas = {"x": "~ z + (1 | g)", "b": "~ x + group_effect(x, g) + (1 | g)"}
    model = Model("y ~ x + b + z + (1 | g)", table(), formulas=formulas, order=["x", "b"])
    assert model.factor("b").column_names == ("x", "group_effect(x, g)")
    assert "b__group_effect(x, g)" in model.to_pymc().named_vars
    again = type(model)(formula="y ~ x + b + z + (1 | g)", data=table(), formulas=formulas, order=["x", "b"])
    assert again.factor("b").links == model.factor("b").links


def test_a_nominal_variable_has_an_effect_of_each_level():
    model = Model("y ~ k + z + group_effect(k) + (1 | g)", table())
    assert [link.label for link in model.factor("y").links] == ["v", "w"]


@pytest.mark.parametrize(
    ("formula", "options", "problem", "says"),
    [
        ("y ~ z + group_effect(z) + (1 | g)", {}, ModelError, 'complete: write between\\(z, "manifest"\\)'),
        ("y ~ x + x:group_effect(x) + (1 | g)", {}, NotSupportedError, "products with group_effect\\(x\\)"),
        ("y ~ x + (group_effect(x) | g)", {}, NotSupportedError, "slopes on group_effect\\(x\\)"),
        ("y ~ x + group_effect(x) + (1 | g) + (1 | h)", {}, ModelError, "of which groups\\? there are g, h"),
        ("y ~ x + group_effect(x, z) + (1 | g)", {}, ModelError, "'z' is no grouping"),
        ("y ~ x + group_effect(x, 'g') + (1 | g)", {}, FormulaError, "comes a grouping"),
        ("y ~ x + group_effect(x)", {}, ModelError, "of which groups\\? there are none"),
        ("y ~ x + group_effect(x) + (1 | g)", {"formulas": {"x": "~ z"}}, ModelError, "has no \\(1 \\| g\\)"),
        (
            "y ~ x + b + between(x) + group_effect(b) + (1 | g)",
            {},
            NotSupportedError,
            "beside between\\(x\\)",
        ),
        (
            "y ~ x + b + (1 | g)",
            {"formulas": {"x": "~ group_effect(b) + (1 | g)"}, "order": ["x", "b"]},
            ModelError,
            "'b' has no model before that of 'x'",
        ),
    ],
)
def test_what_cannot_be_is_said_in_one_line(formula, options, problem, says):
    with pytest.raises(problem, match=says) as caught:
        Model(formula, table(), **options)
    assert isinstance(caught.value, BayesmiError)
    assert "\n" not in str(caught.value)


def test_it_cannot_stand_in_a_scale():
    with pytest.raises(NotSupportedError, match="group_effect\\(x\\)` in the model of the scale"):
        Model(("y ~ x + (1 | g)", "sigma ~ group_effect(x)"), table())
