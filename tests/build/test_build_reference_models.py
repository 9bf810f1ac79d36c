"""What the package builds is what the hand-written models say: priors, latents, names and marginal likelihoods."""

import importlib
import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from bayesmi import BayesmiNotice, Model
from bayesmi.build import build_sampled

FAST = "FAST_COMPILE"
SIZES = {
    "linear": {"n": 30},
    "random_intercept": {"schools": 6, "pupils": 6},
    "random_slope": {"schools": 6, "pupils": 6},
    "logistic_binary": {"n": 18},
    "random_intercept_covariate": {"schools": 5, "pupils": 6},
}
FORMULAS = {
    "linear": "y ~ x + z",
    "random_intercept": "popular ~ texp + sex + (1 | school)",
    "random_slope": "popular ~ texp + sex + (1 + sex | school)",
    "logistic_binary": "y ~ x + z",
    "random_intercept_covariate": "y ~ x + z + (1 | school)",
}
NAMES = [pytest.param(name, marks=pytest.mark.xdist_group(f"reference_{name}")) for name in SIZES]


def make(name):
    """The hand-written module, its data, and the package's model of them."""
    module = importlib.import_module(f"models.{name}")
    data, _ = module.simulate(np.random.default_rng(26), **SIZES[name])
    data.index = data.index + 100
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return module, data, Model(FORMULAS[name], data)


def random_values(model, seed):
    """Random values of all free variables on their own scale."""
    rng = np.random.default_rng(seed)
    values = {}
    for rv in model.free_RVs:
        shape = tuple(rv.shape.eval())
        transform = type(model.rvs_to_transforms[rv]).__name__
        draw = rng.normal(size=shape)
        if np.issubdtype(rv.dtype, np.integer):
            values[rv.name] = rng.integers(0, 2, size=shape)
        elif transform == "LogTransform":
            values[rv.name] = np.exp(0.5 * draw)
        elif transform == "LogOddsTransform":
            values[rv.name] = expit(draw)
        else:
            values[rv.name] = draw
    return values


def log_density(model):
    """Sum of all log densities as a function of values on their own scale."""
    terms = model.compile_logp(jacobian=False, sum=False, mode=FAST)
    inverse = {"NoneType": lambda v: v, "LogTransform": np.log, "LogOddsTransform": logit}

    def evaluate(values):
        point = {
            model.rvs_to_values[rv].name: inverse[type(model.rvs_to_transforms[rv]).__name__](values[rv.name])
            for rv in model.free_RVs
        }
        return sum(float(np.sum(term)) for term in terms(point))

    return evaluate


def in_their_names(values):
    """Our values under the names of the hand-written models."""
    out = dict(values)
    if "school__effects" in values:
        out["1|school"], out["sex|school"] = values["school__effects"].T
        out["school__corr_unit"] = values["school__partial"]
    return out


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_model_is_the_hand_written_one(name):
    module, data, model = make(name)
    ours, theirs = model.to_pymc(), module.build(data)
    our_density, their_density = log_density(ours), log_density(theirs)
    for seed in range(5):
        values = random_values(ours, seed)
        assert our_density(values) == pytest.approx(their_density(in_their_names(values)), rel=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_names_dims_and_coords_are_those_of_the_hand_written_model(name):
    module, data, model = make(name)
    ours, theirs = model.to_pymc(), module.build(data)
    inner = {"school__corr_unit", "school__partial", "school__effects"}
    names = {v.name for v in theirs.unobserved_RVs} - inner
    assert {v.name for v in ours.unobserved_RVs} - inner == names
    assert {v.name for v in ours.observed_RVs} == {v.name for v in theirs.observed_RVs}
    for label in names:
        dims = theirs.named_vars_to_dims.get(label)
        assert ours.named_vars_to_dims.get(label) == dims, label
        for dim in dims or ():
            assert [str(v) for v in ours.coords[dim]] == [str(v) for v in theirs.coords[dim]], dim


def parameters_at(model, built, x):
    """Parameters by posterior name, log prior and log Jacobian, from the hand-written table of default priors."""
    pieces = {p.name: x[p.start : p.start + p.size].reshape(p.shape) for p in built.program.parameters}
    out = {}
    jacobian = 0.0
    for factor in model.factors:
        key, prefix = factor.variable, factor.prefix
        beta = factor.whitening @ pieces[f"{key}::coefficients"]
        out |= {prefix + column: value for column, value in zip(factor.column_names, beta, strict=True)}
        centred = factor.location + factor.spread * pieces[f"{key}::intercept"]
        out[f"{prefix}Intercept_centered"] = float(centred)
        out[f"{prefix}Intercept"] = float(centred - factor.centers @ beta)
        if f"{key}::sigma" in pieces:
            out[f"{prefix}sigma"] = float(np.exp(pieces[f"{key}::sigma"]))
            jacobian += float(pieces[f"{key}::sigma"])
        for effect in factor.effects:
            raw = pieces[f"{key}::sd::{effect.grouping}"]
            (own,) = (p for p in built.program.parameters if p.name == f"{key}::sd::{effect.grouping}")
            jacobian += float(np.log(expit(raw)).sum())
            for label, value, scale in zip(effect.names, raw, own.scales, strict=True):
                out[f"{prefix}{label}|{effect.grouping}_sigma"] = float(scale * np.log1p(np.exp(value)))
            if effect.is_correlated:
                unit = expit(pieces[f"{key}::partial::{effect.grouping}::0"])
                jacobian += float(np.log(unit * (1 - unit)).sum())
                out["school__corr_unit"] = float(unit[0])
                out["school__corr"] = float(2 * unit[0] - 1)
    return out, jacobian


def log_prior(module, data, model, parameters):
    """The table of models/__init__.py, by scipy."""
    scales = module.scales(data)
    total = 0.0
    for name, value in parameters.items():
        variable, _, base = name.rpartition("__")
        if base == "Intercept_centered":
            factor = model.factor(variable or model.response)
            location = 0.0 if factor.family.is_discrete else scales[f"mean({factor.variable})"]
            total += stats.norm.logpdf(value, location, scales[name])
        elif base == "sigma":
            total += np.log(2) + stats.t.logpdf(value / scales[name], 4) - np.log(scales[name])
        elif name.endswith("|school_sigma"):
            total += stats.halfnorm.logpdf(value, scale=scales[name])
        elif base == "corr_unit":
            total += stats.beta.logpdf(value, 2, 2)
        elif base not in ("Intercept", "corr"):
            total += stats.norm.logpdf(value, 0, scales[name])
    return total


def without_cells(built, x):
    """Log density with the sampled cells integrated out: it is exactly quadratic in them."""
    cells = [p for p in built.program.parameters if p.name.startswith("cell::")]
    if not cells:
        return built.log_density(x)[0]
    (piece,) = cells
    at = slice(piece.start, piece.start + piece.size)
    gradient = built.log_density(x)[1][at]
    columns = []
    for j in range(piece.size):
        moved = x.copy()
        moved[piece.start + j] += 1.0
        columns.append(gradient - built.log_density(moved)[1][at])
    precision = np.array(columns)
    top = x.copy()
    top[at] += np.linalg.solve(precision, gradient)
    spread = built.model.factor(piece.name.removeprefix("cell::")).spread
    constant = piece.size * (0.5 * np.log(2 * np.pi) + np.log(spread))
    return built.log_density(top)[0] + constant - 0.5 * np.linalg.slogdet(precision)[1]


@pytest.mark.parametrize("name", NAMES)
def test_the_sampled_density_is_the_hand_written_marginal(name):
    module, data, model = make(name)
    built = build_sampled(model)
    start = built.program.initial()
    for seed in range(5):
        x = start + np.random.default_rng(seed).normal(0.0, 0.5, len(start))
        parameters, jacobian = parameters_at(model, built, x)
        expected = module.marginal_logp(data, parameters) + log_prior(module, data, model, parameters)
        assert without_cells(built, x) - jacobian == pytest.approx(expected, rel=1e-8)
