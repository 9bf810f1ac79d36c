"""Heckman as users write it: what is refused, what is said, how it prints, what a fit of it does."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi import BayesmiNotice, Heckman, Model, Prior, SelfMasking
from bayesmi.errors import ModelError, NotSupportedError
from bayesmi.plan.cells import unselected_units
from models import heckman, two_level_heckman


def make(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, data, **options)


def rows(n=200, **parameters):
    return heckman.simulate(np.random.default_rng(4), n, **parameters)[0]


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((5,), {}, "a text"),
        (("y ~ x",), {}, "left-hand side"),
        (("~ x",), {"rho": 1.0}, "between -1 and 1"),
        (("~ x",), {"rho": "no"}, "a number"),
        (("~ x",), {"rho": Prior("Normal", 0, 1)}, "LKJ"),
        (("~ x",), {"group_rho": -2}, "between -1 and 1"),
        (("~ x",), {"errors": "cauchy"}, "'normal' or 'student'"),
        (("~ x",), {"systematic": "no"}, "'design' or 'selected'"),
    ],
)
def test_arguments_are_refused_by_name(arguments, options, words):
    with pytest.raises(ModelError, match=words):
        Heckman(*arguments, **options)


@pytest.mark.parametrize(
    ("own", "options", "error", "words"),
    [
        (Heckman("~ y + w"), {}, ModelError, "own right-hand side"),
        (Heckman("~ nowhere"), {}, bmi.BayesmiError, "nowhere"),
        (Heckman("~ w", group_rho=0.5), {}, ModelError, "both equations"),
        (Heckman("~ w", errors="student"), {"family": "lognormal"}, ModelError, "gaussian"),
        (Heckman("~ w"), {"family": "student"}, ModelError, "errors='student'"),
        (Heckman("~ w"), {"family": "gamma"}, NotSupportedError, "gamma"),
        (Heckman("~ w"), {"priors": {"rho": Prior("Normal", 0, 1)}}, ModelError, "LKJ"),
    ],
)
def test_models_that_make_no_sense_are_refused(own, options, error, words):
    data = rows()
    data["y"] = data["y"].abs() + 0.1
    with pytest.raises(error, match=words):
        make("y ~ x", data, mechanisms={"y": own}, **options)


def test_counts_and_nominal_variables_are_refused_by_name():
    data = rows().assign(y=lambda d: d["y"].round().abs())
    with pytest.raises(NotSupportedError, match="poisson"):
        make("y ~ x", data, kinds={"y": "count"}, mechanisms={"y": Heckman("~ w")})


def test_no_exclusion_restriction_is_said():
    with pytest.warns(BayesmiNotice, match="rho rests on the normal shape"):
        Model("y ~ x", rows(), mechanisms={"y": Heckman("~ x")})
    assert not any(
        "rho rests" in line for line in make("y ~ x", rows(), mechanisms={"y": Heckman("~ x + w")}).notices
    )


def test_it_is_written_and_read():
    for own in (
        Heckman("x + w", rho=0.25, group_rho=0),
        Heckman("~ w", rho=Prior("Beta", 2, 3), errors="student", systematic="selected", matching=True),
    ):
        assert Heckman.from_dict(own.to_dict()) == own
        assert eval(repr(own), {"Heckman": Heckman, "Beta": lambda **k: Prior("Beta", **k)}) == own
        with pytest.raises(AttributeError):
            own.rho = 0.1


def test_printout_names_everything():
    data = two_level_heckman.simulate(np.random.default_rng(1), clusters=6, rows=12, absent=1)[0]
    model = make("y ~ x + (1 | cluster)", data, mechanisms={"y": Heckman("~ x + w + (1 | cluster)")})
    shown = repr(model)
    for words in (
        "selection: y is seen ~ x + w",
        "sd of selection_1|cluster",
        "rho",
        "uniform on (-1, 1)",
        "by design",
    ):
        assert words in shown
    assert "12 rows by design" in repr(model.plan())
    assert "not selected" in repr(model.plan())
    selected = make(
        "y ~ x + (1 | cluster)", data, mechanisms={"y": Heckman("~ w + (1 | cluster)", systematic="selected")}
    )
    assert any("systematic='selected' takes" in line for line in selected.notices)


def test_incomplete_selectors_have_a_model():
    data = rows()
    data.loc[[0, 5, 9], "w"] = np.nan
    model = make("y ~ x", data, mechanisms={"y": Heckman("~ x + w")})
    assert model.order == ("w",)
    assert "w" not in model.factor("y").design.variables
    found = unselected_units(model.factors, model.table, model.plan().active)
    assert found["y"].sum() == data["y"].isna().sum()


def test_covariates_are_given_what_selects():
    """f(y, seen | x, w) f(x) without w is another model: x missing at random halved its own coefficient."""
    rng = np.random.default_rng(2)
    data = rows(60).assign(x=lambda d: d["x"].where(rng.random(60) < 0.6), cluster=np.arange(60) // 6)
    for formula in ("~ x + w", "~ w", "~ (w | cluster)"):
        model = make("y ~ x", data, mechanisms={"y": Heckman(formula)})
        assert "w" in model.factor("x").design.variables
        assert "w" not in model.factor("y").design.variables
    masked = make("y ~ x", data, mechanisms={"y": SelfMasking("~ w")})
    assert "w" in masked.factor("x").design.variables
    latent = make(
        "y ~ between(x) + within(x) + (1 | cluster)", data, mechanisms={"y": Heckman("~ w + (1 | cluster)")}
    )
    assert "x" in latent.factor("w").design.variables
    excluded = data.rename(columns={"y": "v"}).assign(u=rng.normal(size=60))
    model = make("u ~ v + x", excluded, mechanisms={"v": Heckman("~ x + w")})
    assert model.factor("x").design.variables == {"w"}
    assert model.factor("v").design.variables == {"x"}


def test_nothing_is_modelled_given_what_is_given_it():
    with pytest.raises(ModelError, match="modelled given 'y': leave it out of auxiliary="):
        make("y ~ x", rows(), mechanisms={"y": Heckman("~ w")}, auxiliary=["w"])


def test_its_own_model_leaves_the_excluded_variable_out():
    data = rows().rename(columns={"y": "v"})
    data["u"] = data["v"].fillna(0.0) + np.random.default_rng(1).normal(size=len(data))
    data.loc[::7, "w"] = np.nan
    model = make("u ~ v + x", data, mechanisms={"v": Heckman("~ x + w")})
    assert model.factor("v").design.variables == {"x"}
    assert "w" in model.factor("v").selection.design.variables


pytestmark = pytest.mark.filterwarnings("ignore::bayesmi.BayesmiNotice")


@pytest.fixture(scope="module")
def fitted():
    data, truth = heckman.simulate(np.random.default_rng(11), 1200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model("y ~ x", data, mechanisms={"y": Heckman("~ x + w")})
        return data, truth, model.fit(seed=1, draws=400, tune=400, progress=False)


@pytest.mark.xdist_group("heckman_fit")
def test_fit_finds_the_truth_and_names_it(fitted):
    _, truth, fit = fitted
    table = fit.summary()
    names = ["Intercept", "x", "sigma", "rho", "selection_Intercept", "selection_x", "selection_w"]
    assert [name for name in table.index if not name.startswith("R2")] == names
    z = [(table.loc[name, "mean"] - truth[name]) / table.loc[name, "sd"] for name in names]
    assert np.abs(z).max() < 3.5


@pytest.mark.xdist_group("heckman_fit")
def test_imputations_are_those_of_values_that_were_not_seen(fitted):
    data, truth, fit = fitted
    missing = data["y"].isna()
    imputed = fit.impute(20, seed=1, despite_gate=True)
    drawn = np.array([imputed.complete(i).loc[missing, "y"].mean() for i in range(1, 21)])
    assert drawn.mean() == pytest.approx(truth["cell__y"].mean(), abs=4 * drawn.std() + 0.05)
    mar = data.loc[~missing, "y"].mean()
    assert drawn.mean() < mar - 0.2  # what is not seen is smaller


@pytest.mark.xdist_group("heckman_fit")
def test_it_is_saved_with_the_fit(fitted, tmp_path):
    _data, _, fit = fitted
    fit.save(tmp_path / "fit.bmi")
    again = bmi.load(tmp_path / "fit.bmi")
    assert again.model.mechanisms == fit.model.mechanisms
    pd.testing.assert_frame_equal(
        again.impute(1, seed=3, despite_gate=True).complete(1),
        fit.impute(1, seed=3, despite_gate=True).complete(1),
    )


@pytest.mark.xdist_group("heckman_fit")
def test_log_likelihood_has_every_row(fitted):
    data, _, fit = fitted
    found = fit.log_likelihood(progress=False)
    assert found.shape[-1] == len(data)
    p = {name: float(fit.posterior[name][0, 0]) for name in heckman.PARAMETERS}
    assert float(found[0, 0].sum()) == pytest.approx(heckman.marginal_logp(data, p), abs=1e-8)


@pytest.mark.xdist_group("heckman_fit")
def test_matching_gives_observed_values(fitted):
    data, _, fit = fitted
    model = make("y ~ x", data, mechanisms={"y": Heckman("~ x + w", matching=True)})
    from dataclasses import replace

    matched = replace(fit, model=model)
    with pytest.warns(BayesmiNotice, match="outside the range of the donors"):
        imputed = matched.impute(2, seed=1, despite_gate=True)
    drawn = imputed.complete(1).loc[data["y"].isna(), "y"]
    assert drawn.isin(data["y"].dropna()).all()
    assert drawn.mean() < data["y"].mean()
