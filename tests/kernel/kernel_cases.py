"""One small incomplete table and every shape of model on it, with the plain pm.Model as the independent density."""

from __future__ import annotations

import functools
import itertools
import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode
from scipy.special import logit, logsumexp

from bayesmi import BayesmiNotice, Model, Prior, censored, measured, rounded, truncated
from bayesmi.build import build_sampled
from bayesmi.build.centring import centrings
from bayesmi.build.regression import regression_of, whitening_beside
from bayesmi.build.selection_centring import selection_centring
from bayesmi.families.support import constrain, constrain_within, unconstrain, unconstrain_within
from bayesmi.mechanism import Delta, Heckman
from bayesmi.model.limited import interval_at, known_at
from bayesmi.plan import make_plan
from bayesmi.plan.levelset import limits

FAST = "FAST_COMPILE"
_FEW = 64  # combinations that are summed as they are


def small_table() -> pd.DataFrame:
    """24 rows in 4 groups a, with b inside a and c across; holes in every pattern that matters."""
    rng = np.random.default_rng(5)
    n = 24
    a = np.repeat(np.arange(4), 6)
    b = np.tile(np.repeat(np.arange(2), 3), 4)
    c = np.tile(np.arange(3), 8)
    h = rng.normal(size=4)[a]
    v = (rng.normal(size=4) * 2 + 5)[a]
    z, w, o = rng.normal(size=(3, n))
    x = 0.5 * z + rng.normal(size=4)[a] + rng.normal(size=n)
    x2 = 3.0 * (0.5 * x + rng.normal(size=n)) + 20.0
    b1 = (rng.random(n) < 0.5).astype(float)
    b2 = (rng.random(n) < 0.5).astype(float)
    one_two = 1.0 + (rng.random(n) < 0.5)
    k3 = rng.choice(["low", "mid", "top"], n)
    y = 2.0 * x + z + b1 - b2 + 0.3 * v + rng.normal(size=4)[a] + rng.normal(size=n) + 10.0
    t = (rng.normal(size=8) + 2.0)[2 * a + b]
    yb = (rng.random(n) < 1 / (1 + np.exp(-z - b1 + 0.5))).astype(float)
    holes = {
        "y": [0, 11, 20, 23],
        "yb": [0, 11],
        "x": [3, 8, 15, 20],
        "x2": [3, 9, 16, 20, 23],
        "b1": [2, 7, 11],
        "b2": [7, 15],
        "one_two": [4, 11],
        "v": [6, 7, 8, 9, 10, 11],
        "t": [3, 4, 5, 18, 19, 20],
    }
    nom = rng.choice(["u", "v", "w"], n).astype(object)
    nom[[2, 9, 16]] = None
    big = np.array(["s", "t", "q"])[rng.integers(0, 3, 4)][a].astype(object)
    big[a == 2] = None
    grade = np.clip(np.round(y / 2 - 4), 1, 4)
    grade[[1, 3, 12]] = np.nan
    times = rng.poisson(np.exp(0.3 * z)).astype(float)
    times[[5, 15]] = np.nan
    price = np.exp(0.4 * z + 0.5 * rng.normal(size=n))
    price[[4, 10]] = np.nan
    flag = np.array([0.0, 1.0, np.nan, 1.0])[a]
    other = np.random.default_rng(6)
    share = 1 / (1 + np.exp(-0.5 * z - 0.8 * other.normal(size=n)))
    share[[4, 10]] = np.nan
    score = np.clip(4.0 + 2.0 * z + 2.0 * other.normal(size=n), 0.05, 9.9)
    score[[4, 10]] = np.nan
    tries = other.integers(1, 5, n).astype(float)
    wins = np.minimum(other.binomial(4, 0.4, n), tries).astype(float)
    wins[[4, 10, 12]] = np.nan
    visits = np.where(other.random(n) < 0.4, 0.0, other.poisson(np.exp(0.3 * z)))
    visits[[5, 15]] = np.nan
    text = np.where(b1 == 1, "yes", "no").astype(object)
    data = pd.DataFrame(
        {"a": a, "b": b, "c": c, "h": h, "v": v, "z": z, "w": w, "o": o, "x": x, "x2": x2, "b1": b1, "b2": b2}
    ).assign(one_two=one_two, k3=k3, y=y, yb=yb, text=text, t=t)
    data = data.assign(share=share, score=score, tries=tries, wins=wins, visits=visits)
    data = data.assign(nom=nom, big=big, grade=grade, times=times, price=price, flag=flag)
    noise = np.random.default_rng(7)
    se = noise.uniform(0.2, 1.0, n)
    data = data.assign(
        xm=x + se * noise.normal(size=n),
        se=se,
        vm=v + 0.5 * noise.normal(size=4)[a],
        vm_rows=v + 0.7 * noise.normal(size=n),
        pm=np.exp(0.4 * z + 0.5 * noise.normal(size=n)) + 0.3 * noise.normal(size=n),
    )
    data.loc[[1, 5, 11, 14], "xm"] = np.nan
    for name, rows in holes.items():
        data.loc[rows, name] = np.nan
    data.loc[holes["b1"], "text"] = None
    data["t2"] = np.random.default_rng(8).normal(size=8)[2 * a + b] + 0.5 * t
    data.loc[[3, 4, 5, 12, 13, 14], "t2"] = np.nan
    return pd.concat([data, _parts(data)], axis=1)


def _parts(data: pd.DataFrame) -> pd.DataFrame:
    """Incomplete parts of derived variables: linear, items, a ratio, a binary and a Gaussian one, a group's and a row's."""
    rng = np.random.default_rng(7)
    n, z, a = len(data), data["z"].to_numpy(), data["a"].to_numpy()
    p = 0.5 * z + rng.normal(size=n)
    q = 0.3 * p + 2.0 * rng.normal(size=n) + 1.0
    r = 0.4 * q - 0.2 * p + rng.normal(size=n)
    items = 1.0 + rng.integers(0, 3, (n, 3))
    height = 1.7 + 0.1 * rng.normal(size=n)
    weight = np.exp(np.log(22 * height**2) + 0.1 * rng.normal(size=n))
    k = (rng.random(n) < 0.4).astype(float)
    u, w = np.exp(0.3 * rng.normal(size=(2, n)))
    n1, n2 = rng.poisson(1.0, (2, n)).astype(float)
    birth = (1.0 + rng.normal(size=4))[a]
    year = birth + 5.0 + 0.5 * z + rng.normal(size=n)
    out = pd.DataFrame({"p": p, "q": q, "r": r, "i1": items[:, 0], "i2": items[:, 1], "i3": items[:, 2]})
    out = out.assign(height=height, weight=weight, k=k, u=u, uw=w, birth=birth, year=year)
    out["n1"], out["n2"], out["seen"] = n1, n2, n1 + n2
    out["total"], out["items"], out["bmi"] = p + q + r, items.sum(axis=1), weight / height**2
    out["pk"], out["both"], out["age"], out["yp"] = p + 1.5 * k, u + w, year - birth, data["y"] + 2.0 * p
    out["part"] = p + 2.0 * q
    holes = {
        "p": [4, 10, 17, 21, 5], "q": [4, 10, 13, 17, 2], "r": [13, 17], "total": [21, 5],
        "i1": [2, 18], "i2": [2, 9], "i3": [2, 9], "n1": [2], "n2": [2, 9], "seen": [9],
        "height": [6, 19, 22], "weight": [6, 19, 22, 3], "bmi": [22, 3], "k": [4, 8, 17, 21], "pk": [8],
        "u": [1, 7, 12], "uw": [1, 7], "birth": [6, 7, 8, 9, 10, 11], "year": [6, 7, 8, 9, 10, 11, 14], "age": [9, 14],
    }  # fmt: skip
    for name, rows in holes.items():
        out.loc[rows, name] = np.nan
    out.loc[[0, 1], "p"] = np.nan
    out.loc[0, "yp"] = data["z"].iloc[0] + 10.0  # observed where y and p are missing
    return out


BETWEEN = censored("y", between=("lower", "upper"))
SCORE = censored("score", between=("lower", "upper"))
PRICE = censored("price", between=("lower", "upper"))
SHARE = censored("share", between=("lower", "upper"))


def with_limits(data: pd.DataFrame, name: str) -> pd.DataFrame:
    """Blank some values and give limits around them: two-sided, below, above; others stay plainly missing."""
    lower, upper = np.full(len(data), np.nan), np.full(len(data), np.nan)
    values = data[name].to_numpy(dtype=float, copy=True)
    whole = bool((np.nan_to_num(values) % 1 == 0).all())
    step = 1.0 if whole else 0.3 * float(np.nanstd(values))
    on = [row for row in (1, 4, 5, 7, 8, 10) if row < len(data) and np.isfinite(values[row])]
    for j, row in enumerate(on):
        if j % 3 != 1:
            lower[row] = max(
                values[row] - step, 0.0 if whole else min(0.5 * values[row], values[row] - 0.1 * step)
            )
        if j % 3 != 2:
            upper[row] = min(values[row] + step, 4.0) if whole else values[row] + 0.1 * step
    values[on] = np.nan
    return data.assign(**{name: values, "lower": lower, "upper": upper})


# name -> (formula, options of Model)
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "linear_x": ("y ~ x + z", {}),
    "linear_x_sampled": ("y ~ x + z", {"treatments": {"x": "sample"}}),
    "integrate_two": ("y ~ x * z + x2 + w", {}),
    "integrate_and_sample": ("y ~ x + x2 + z", {"treatments": {"x": "sample"}}),
    "integrate_and_sum": ("y ~ x * b1 + x2 + b2 + z", {}),
    "integrate_in_groups": (
        "y ~ x + x2 + b1 + z + (1 + z | a)",
        {"treatments": {"x": "integrate", "x2": "integrate"}},
    ),
    "integrate_beside_collapse": (
        "y ~ x + x2 + z + (1 | a)",
        {
            "treatments": {"x": "integrate", "x2": "sample"},
            "formulas": {"x": "~ z + w", "x2": "~ z + (1 | a)"},
        },
    ),
    "integrate_partly": ("yb ~ x + x2 + z", {"treatments": {"x": "sample"}}),
    "integrate_order": ("y ~ x + x2 + b1", {"order": ["b1", "x2", "x"]}),
    "delta_number": ("y ~ x + x2 + z", {"mechanisms": {"x": Delta(-2.0, kind="model")}}),
    "delta_prior": (
        "y ~ x + z + (1 | a)",
        {"mechanisms": {"x": Delta(Prior("Normal", -1.0, 0.7), kind="model")}},
    ),
    "delta_groups": (
        "y ~ x + b1 + z",
        {
            "mechanisms": {
                "x": Delta({"low": Prior("Normal", 0.5, 1.0), "top": -1.0}, by="k3", kind="model"),
                "b1": Delta("0.5 + 0.3 * z", kind="model"),
            }
        },
    ),
    "delta_incomplete": ("y ~ x + b1 + z", {"mechanisms": {"x": Delta("1 + 2 * b1", kind="model")}}),
    "delta_nominal": ("y ~ nom + z", {"mechanisms": {"nom": Delta({"v": 0.8, "u": -0.3}, kind="model")}}),
    "delta_nominal_prior": (
        "y ~ nom + z",
        {"mechanisms": {"nom": Delta(Prior("Normal", 0.0, 1.0), kind="model")}},
    ),
    "delta_ordinal": (
        "y ~ grade + z",
        {"kinds": {"grade": "ordinal"}, "mechanisms": {"grade": Delta(0.7, kind="model")}},
    ),
    "delta_count": (
        "y ~ times + z",
        {"kinds": {"times": "count"}, "mechanisms": {"times": Delta(0.4, kind="model")}},
    ),
    "delta_cluster": ("y ~ v + z + (1 | a)", {"mechanisms": {"v": Delta(1.5, kind="model")}}),
    "delta_price": (
        "y ~ price + z",
        {"families": {"price": "lognormal"}, "mechanisms": {"price": Delta(0.4, kind="model")}},
    ),
    "intercept_only": ("y ~ 1", {}),
    "random_intercept": ("y ~ z + h + (1 | a)", {}),
    "random_intercept_centred": ("y ~ z + (1 | a)", {"treatments": {"1|a": "centred"}}),
    "random_intercept_noncentred": ("y ~ z + (1 | a)", {"treatments": {"1|a": "noncentred"}}),
    "centred_group_predictors": (
        "y ~ z * h + w + v + b1 + (1 + z | a)",
        {"treatments": {"1|a": "centred", "v": "sample"}},
    ),
    "centred_group_cells": (
        "y ~ v * h + z + w + b1 + (1 | a)",
        {"treatments": {"1|a": "centred", "v": "sample"}},
    ),
    "centred_crossed": (
        "y ~ z + h + w + b1 + (1 | a) + (1 | c)",
        {"treatments": {"1|a": "centred", "1|c": "centred"}},
    ),
    "centred_slope_only": ("y ~ z + w + b1 + (0 + z | a)", {"treatments": {"1|a": "centred"}}),
    "slope": ("y ~ z + w + (1 + z | a)", {}),
    "slope_centred": ("y ~ z + w + (1 + z | a)", {"treatments": {"1|a": "centred"}}),
    "slope_noncentred": ("y ~ z + w + (1 + z | a)", {"treatments": {"1|a": "noncentred"}}),
    "three_effects": ("y ~ z + w + (1 + z + w | a)", {}),
    "three_effects_centred": ("y ~ z + w + (1 + z + w | a)", {"treatments": {"1|a": "centred"}}),
    "uncorrelated": ("y ~ z + (1 + z || a)", {}),
    "two_blocks": ("y ~ z + w + (1 + z | a) + (0 + w + o | a)", {}),
    "slope_only": ("y ~ z + (0 + z | a)", {}),
    "nested": ("y ~ z + (1 | a/b)", {}),
    "nested_centred": ("y ~ z + (1 + z | a/b)", {"treatments": {"1|a": "partly centred"}}),
    "crossed_asked": ("y ~ z + (1 | a) + (1 | c)", {"treatments": {"1|c": "collapse"}}),
    "crossed_covariate": ("y ~ x + z + (1 | a) + (1 | c)", {}),
    "nested_cluster": ("y ~ z + t + v + (1 | a/b)", {}),
    "nested_cluster_links": ("y ~ z + t + t2 + (1 | a/b)", {}),
    "crossed": ("y ~ z + (1 | a) + (1 + z | c)", {}),
    "centred_links": (
        "y ~ b1 + x + z + (1 + z | a)",
        {"treatments": {"1|a": "centred", "x__1|a": "centred", "b1__1|a": "centred"}},
    ),
    "latent_mean": ("y ~ within(x) + between(x) + h + z + (1 + z | a)", {}),
    "latent_means": (
        "yb ~ x + between(x) + within(x2) + between(x2) + h + (1 | a)",
        {"treatments": {"x__1|a": "centred"}},
    ),
    "ordinal_centred": (
        "grade ~ z + h + (1 + z | a)",
        {"treatments": {"1|a": "centred"}, "kinds": {"grade": "ordinal"}},
    ),
    "ordinal_covariate_centred": (
        "y ~ grade + z + (1 | a)",
        {"treatments": {"1|a": "centred", "grade__1|a": "centred"}, "kinds": {"grade": "ordinal"}},
    ),
    "regression_threshold": (
        "y ~ b1 + grade + z + (1 | a)",
        {
            "treatments": {"1|a": "centred", "grade__1|a": "centred", "b1__1|a": "centred"},
            "kinds": {"grade": "ordinal"},
            "order": ["b1", "grade"],
        },
    ),
    "regression_nominal": (
        "y ~ b1 + nom + x + z + (1 | a)",
        {
            "treatments": {f"{name}1|a": "centred" for name in ("", "x__", "nom__", "b1__")},
            "order": ["b1", "nom", "x"],
        },
    ),
    "logistic_binary": ("yb ~ b1 + z", {}),
    "logistic_groups_gaussian": ("yb ~ x + z + (1 | a)", {}),
    "logistic_text": ("yb ~ text * z", {}),
    "one_two": ("y ~ one_two + z", {}),
    "mixed_groups": ("y ~ b1 + b2 + x + z + (1 | a)", {}),
    "mixed_interaction": ("y ~ x * b1 + z", {}),
    "mixed_pooled": ("y ~ b1 + x + z + (1 | a)", {"levels": "pooled"}),
    "mixed_order": ("y ~ b1 + x + (1 | a)", {"order": ["x", "b1"]}),
    "two_gaussian": ("y ~ x + x2 + z + (1 | a)", {}),
    "covariate_collapsed": ("y ~ x + z + (1 | a)", {"treatments": {"x": "sample"}}),
    "joint_intercepts": ("y ~ x + z + (1 | a)", {}),
    "joint_slopes": ("y ~ x + x2 + z + (1 + z | a)", {}),
    "joint_blocks": ("y ~ x + z + w + h + (1 + z | a) + (0 + w + o | a)", {}),
    "joint_nested": ("y ~ x + z + (1 | a/b)", {}),
    "joint_crossed": ("y ~ x + z + w + (1 | a) + (1 + w | c)", {}),
    "joint_crossed_centred": (
        "y ~ x + z + w + (1 | a) + (1 | c)",
        {"treatments": {"1|c": "collapse", "1|a": "centred", "x__1|a": "centred"}},
    ),
    "joint_nested_slopes": ("y ~ x + z + w + (1 + z | a/b)", {}),
    "joint_nested_complete": ("y ~ z + w + (1 + w | a/b)", {}),
    "joint_nested_links": ("y ~ x + x2 + z + (1 + z | a) + (1 | a:b)", {"formulas": {"x": "~ z + (1 | a)"}}),
    "nested_explicit": ("y ~ x + z + (1 | a/b)", {"treatments": {"1|a": "noncentred", "x": "integrate"}}),
    "joint_links": ("y ~ within(w) + between(w) + z + (1 | a)", {}),
    "joint_beside_a_logit": ("y ~ x + z + (1 | a)", {"auxiliary": ["yb"], "formulas": {"yb": "~ w"}}),
    "joint_rounded_steps": ("y ~ I(0.1 * x + 100 * o) + w + (1 | a)", {"formulas": {"x": "~ z + (1 | a)"}}),
    "joint_two_sets_in_a_row": (
        "y ~ x + (1 | a)",
        {
            "auxiliary": ["x2", "yp"],
            "order": ["x2", "yp", "x"],
            "formulas": {"yp": "~ x2 + (1 | a)", "x2": "~ z + (1 | a)", "x": "~ z + (1 | a)"},
        },
    ),
    "integrate_beside_a_scale_in_a_row": (
        "y ~ x + (1 | a)",
        {
            "auxiliary": ["x2", "yp"],
            "order": ["x2", "yp", "x"],
            "formulas": {"yp": ("~ x2", "sigma ~ z"), "x2": "~ z", "x": "~ z + (1 | a)"},
        },
    ),
    "integrate_beside_summed_groups": (
        "y ~ x + (1 | a)",
        {
            "auxiliary": ["flag", "yp"],
            "formulas": {"yp": "~ flag", "flag": "~ h", "x": "~ z + (1 | a)"},
        },
    ),
    "tied_beside_a_scale": (
        "y ~ p + z + (1 | a)",
        {
            "derived": {"total": "p + q + r"},
            "auxiliary": ["q", "r"],
            "formulas": {"q": ("~ z", "sigma ~ z"), "r": "~ z", "p": "~ z + (1 | a)"},
        },
    ),
    "two_gaussian_noncentred": (
        "y ~ x + x2 + z + (1 | a)",
        {"treatments": {"1|a": "noncentred", "x": "integrate", "x2": "integrate"}},
    ),
    "two_gaussian_centred": (
        "y ~ x + x2 + z + (1 | a)",
        {"treatments": {"1|a": "centred", "x__1|a": "centred", "x": "integrate", "x2": "integrate"}},
    ),
    "latent_mean_explicit": (
        "y ~ within(x) + between(x) + h + z + (1 + z | a)",
        {"treatments": {"x__1|a": "noncentred"}},
    ),
    "covariate_slope_sampled_outcome": (
        "y ~ x + z + (1 + z | a)",
        {"treatments": {"y": "sample", "x": "sample"}},
    ),
    "cluster_covariate": ("y ~ z + v + (1 | a)", {}),
    "cluster_and_row": ("y ~ z + v + h + x + b1 + (1 | a)", {}),
    "slope_on_incomplete": ("y ~ x + z + (1 + x | a)", {}),
    "slope_on_incomplete_interaction": ("y ~ x * z + b1 + (1 + x:z + x || a)", {}),
    "slope_integrated": ("y ~ x + z + (1 + x | a)", {"treatments": {"x": "integrate"}}),
    "slope_integrated_centred": (
        "y ~ x + z + (1 + x | a)",
        {"treatments": {"x": "integrate", "1|a": "centred", "x__1|a": "centred"}},
    ),
    "slope_integrated_partly_centred": (
        "y ~ x + z + h + (1 + x | a)",
        {"treatments": {"x": "integrate", "1|a": "partly centred", "x__1|a": "noncentred"}},
    ),
    "three_effects_partly_centred": (
        "y ~ z + w + h + (1 + z + w | a)",
        {"treatments": {"1|a": "partly centred"}},
    ),
    "slope_sampled_centred": (
        "y ~ x + z + (1 + x | a)",
        {"treatments": {"x": "sample", "1|a": "centred", "x__1|a": "centred"}},
    ),
    "slope_integrated_crossed": (
        "y ~ x * z + b1 + x2 + (1 + x:z + x || a) + (0 + x + x2 | c)",
        {"treatments": {"x": "integrate", "x2": "integrate"}},
    ),
    "slope_integrated_scale": (("y ~ x + z + (1 + x | a)", "sigma ~ z"), {"treatments": {"x": "integrate"}}),
    "slope_on_binary": ("y ~ b1 + z + (1 + b1 | a)", {}),
    "offset": ("y ~ z + offset(o) + (1 | a)", {}),
    "offset_rows": ("y ~ x + offset(o) + (1 | c)", {}),
    "offset_logistic": ("yb ~ b1 + offset(o)", {}),
    "no_intercept": ("y ~ 0 + z + w", {}),
    "no_intercept_rows": ("y ~ 0 + x + b1 + (1 | a)", {}),
    "categories": ("y ~ k3 * z + x", {}),
    "covariate_formula": (
        "y ~ x + b1 + z + (1 | a)",
        {"formulas": {"x": "~ z + I(z ** 2) + b1", "b1": "~ w + (1 + w | a)"}},
    ),
    "sampled_outcome": ("y ~ x + z", {"treatments": {"y": "sample"}}),
    "enumerated_outcome": ("yb ~ b1 + z", {"treatments": {"yb": "enumerate"}}),
    "empty_group": ("y ~ z + x + (1 | a)", {"empty": True}),
    "empty_group_centred": ("y ~ z + h + x + (1 | a)", {"empty": True, "treatments": {"1|a": "centred"}}),
    "empty_group_slopes_centred": (
        "y ~ z + w + b1 + (1 + z | a)",
        {"empty": True, "treatments": {"1|a": "centred"}},
    ),
    "empty_group_partly_centred": (
        "y ~ z + v + b1 + (1 + z | a)",
        {"empty": True, "treatments": {"1|a": "partly centred"}},
    ),
    "empty_group_links": (
        "y ~ within(x) + between(x) + z + b1 + (1 | a)",
        {"empty": True, "treatments": {"1|a": "centred"}},
    ),
    "heckman_empty_group_centred": (
        "y ~ z + x + (1 | a)",
        {"mechanisms": {"y": Heckman("~ w + z + (1 | a)")}, "empty": True, "treatments": {"1|a": "centred"}},
    ),
    "nominal_covariate": ("y ~ nom + z", {}),
    "nominal_response": ("nom ~ z + w + b1", {}),
    "nominal_response_groups": ("nom ~ z + (1 + z | a)", {}),
    "nominal_groups": ("y ~ nom * z + x + (1 | a)", {}),
    "nominal_priors": (
        "y ~ nom + z",
        {
            "priors": {
                "nom__Intercept": Prior("Normal", 0.3, 1.2),
                "nom__z": Prior("StudentT", 4, 0, 1),
            }
        },
    ),
    "ordinal_response": ("grade ~ z + x + k3", {"kinds": {"grade": "ordinal"}}),
    "ordinal_response_groups": ("grade ~ z + (1 | a)", {"kinds": {"grade": "ordinal"}}),
    "ordinal_covariate": ("y ~ grade + z", {"kinds": {"grade": "ordinal"}}),
    "ordinal_alone": ("grade ~ 1", {"kinds": {"grade": "ordinal"}}),
    "ordinal_prior": (
        "grade ~ z + w",
        {"kinds": {"grade": "ordinal"}, "priors": {"threshold": Prior("Normal", 0.5, 3.0)}},
    ),
    "several_discrete": ("y ~ nom * z + b1", {}),
    "count_response": ("times ~ z + b1", {"kinds": {"times": "count"}}),
    "count_response_groups": ("times ~ z + (1 | a)", {"kinds": {"times": "count"}}),
    "count_covariate": ("y ~ times + z", {"kinds": {"times": "count"}}),
    "count_covariate_squared": ("yb ~ times + I(times ** 2)", {"kinds": {"times": "count"}}),
    "lognormal_response": ("price ~ z + b1", {"family": "lognormal"}),
    "lognormal_covariate": ("y ~ log(price) + z", {"families": {"price": "lognormal"}}),
    "lognormal_in_logit": ("yb ~ price + z", {"families": {"price": "lognormal"}}),
    "student_response": ("y ~ x + z + b1", {"family": "student"}),
    "student_groups": ("y ~ z + (1 | a)", {"family": "student"}),
    "student_covariate": ("y ~ x + z", {"families": {"x": "student"}}),
    "skewnormal_response": ("y ~ z + b1", {"family": "skewnormal"}),
    "skewnormal_covariate": ("y ~ x + z", {"families": {"x": "skewnormal"}}),
    "gamma_response": ("price ~ z + b1", {"family": "gamma"}),
    "gamma_groups": ("price ~ z + (1 | a)", {"family": "gamma"}),
    "gamma_covariate": ("y ~ log(price) + z", {"families": {"price": "gamma"}}),
    "exponential_response": ("price ~ z + b1", {"family": "exponential"}),
    "exponential_covariate": ("y ~ price + z", {"families": {"price": "exponential"}}),
    "weibull_response": ("price ~ z + b1", {"family": "weibull"}),
    "weibull_covariate": ("y ~ log(price) + z", {"families": {"price": "weibull"}}),
    "beta_response": ("share ~ z + b1", {"family": "beta"}),
    "beta_covariate": ("y ~ share + z", {"families": {"share": "beta"}}),
    "truncated_response": ("score ~ z + b1", {"family": "truncated(0, 10)"}),
    "group_effect": ("y ~ x + group_effect(x) + z + (1 | a)", {}),
    "group_effect_covariate": (
        "y ~ x + x2 + (1 | a)",
        {
            "formulas": {"x": "~ z + (1 | a)", "x2": "~ x + group_effect(x) + (1 | a)"},
            "order": ["x", "x2"],
        },
    ),
    "truncated_covariate": ("y ~ score + z", {"families": {"score": "truncated(0, inf)"}}),
    "bounded_response": ("score ~ z + b1", {"family": "bounded(-inf, 10)"}),
    "bounded_covariate": ("y ~ score + z", {"families": {"score": "bounded(0, 10)"}}),
    "probit_response": ("yb ~ x + b1 + (1 | a)", {"family": "probit"}),
    "probit_covariate": ("y ~ b1 + z", {"families": {"b1": "probit"}}),
    "ordinalprobit_response": (
        "grade ~ z + b1",
        {"kinds": {"grade": "ordinal"}, "family": "cumulative probit"},
    ),
    "ordinalprobit_covariate": (
        "y ~ grade + z",
        {"kinds": {"grade": "ordinal"}, "families": {"grade": "cumulative probit"}},
    ),
    "binomial_response": ("wins | trials(tries) ~ z + b1", {}),
    "binomial_groups": ("wins | trials(4) ~ z + (1 | a)", {}),
    "binomial_missing": ("wins | trials(tries) ~ z", {"treatments": {"wins": "enumerate"}}),
    "binomial_covariate": (
        "y ~ wins + z",
        {"families": {"wins": "binomial"}, "formulas": {"wins": "wins | trials(tries) ~ z"}},
    ),
    "negativebinomial_response": ("times ~ z + b1", {"family": "negative binomial"}),
    "negativebinomial_covariate": ("y ~ times + z", {"families": {"times": "negative binomial"}}),
    "zip_response": ("visits ~ z + b1", {"family": "zero inflated poisson"}),
    "zip_covariate": ("y ~ visits + z", {"families": {"visits": "zero inflated poisson"}}),
    "zinb_response": ("visits ~ z + b1", {"family": "zero inflated negative binomial"}),
    "zinb_covariate": ("y ~ visits + z", {"families": {"visits": "zero inflated negative binomial"}}),
    "hurdle_poisson_response": ("visits ~ z + b1", {"family": "hurdle poisson"}),
    "hurdle_poisson_covariate": ("y ~ visits + z", {"families": {"visits": "hurdle poisson"}}),
    "hurdle_negbinomial_response": ("visits ~ z + b1", {"family": "hurdle negative binomial"}),
    "hurdle_negbinomial_covariate": ("y ~ visits + z", {"families": {"visits": "hurdle negative binomial"}}),
    "quadratic": ("y ~ x + I(x ** 2) + z", {}),
    "quadratic_groups": ("y ~ x + I(x ** 2) + (1 + x | c)", {"levels": "pooled"}),
    "product_of_two": ("y ~ x * x2 + z", {}),
    "product_and_square": ("y ~ x + I(x ** 2) + x2 + z", {}),
    "grid_and_sum": ("y ~ I(x ** 2) + b1 + z", {}),
    "grid_asked": ("yb ~ x + z", {"treatments": {"x": "grid"}}),
    "spline": ("y ~ bs(x2, df=4) + z", {}),
    "cluster_binary": ("y ~ flag + z + (1 | a)", {}),
    "cluster_binary_and_rows": ("y ~ flag * b1 + nom + z + (1 | a)", {}),
    "cluster_nominal": ("y ~ big + x + (1 | a)", {"treatments": {"x": "sample"}}),
    "cluster_two": ("y ~ big + flag + b1 + (1 | a)", {}),
    "cluster_and_integrate": (
        "y ~ flag + x + z + (1 | c)",
        {"treatments": {"x": "integrate"}, "levels": "pooled"},
    ),
    "cluster_square": ("y ~ v + I(v ** 2) + z + (1 | a)", {}),
    "open_mean": ('y ~ x + between(x, "manifest") + z + (1 | a)', {}),
    "open_mean_centred": (
        'y ~ x + between(x, "manifest") + z + (1 | a)',
        {"treatments": {"1|a": "centred"}},
    ),
    "open_mean_noncentred": (
        'y ~ x + between(x, "manifest") + z + (1 | a)',
        {"treatments": {"1|a": "noncentred"}},
    ),
    "open_mean_deviations": (
        'y ~ within(x, "manifest") + between(x, "manifest") * w + b1 + (1 | a)',
        {},
    ),
    "open_mean_alone": ('y ~ between(x, "manifest") + x2 + (1 | a)', {}),
    "open_mean_binary": ('yb ~ x + between(x, "manifest") + (1 | a)', {}),
    "open_mean_slopes": (
        'y ~ x + between(x, a, "manifest") + (1 + within(x, a, "manifest") | c) + (1 | a)',
        {},
    ),
    "open_means_of_two": (
        'y ~ x + between(x, a, "manifest") + between(x, c, "manifest") + (1 | a) + (1 | c)',
        {},
    ),
    "scale": (("y ~ z + b1", "sigma ~ w"), {}),
    "scale_complete": (("y ~ z", "sigma ~ z + k3"), {}),
    "scale_intercept_only": (("y ~ z", "sigma ~ 1"), {}),
    "scale_no_intercept": (("y ~ z", "sigma ~ 0 + k3 + offset(o)"), {}),
    "scale_integrated": (
        ("y ~ x + x2 + z", "sigma ~ z"),
        {"formulas": {"x": ("~ z", "sigma ~ w"), "x2": ("sigma ~ z",)}},
    ),
    "scale_integrated_and_summed": (
        ("y ~ x + b1 * z", "sigma ~ w + b1"),
        {"formulas": {"x": ("~ z + b1", "sigma ~ b1")}},
    ),
    "scale_sampled": (
        ("y ~ x + z", "sigma ~ z"),
        {"treatments": {"x": "sample"}, "formulas": {"x": ("sigma ~ z",)}},
    ),
    "scale_on_enumerated": (("y ~ z", "sigma ~ b1 + nom"), {}),
    "scale_on_grid": (("y ~ x + z", "sigma ~ x + z"), {}),
    "scale_groups": (("y ~ z + (1 | a)", "sigma ~ w + (1 | a)"), {}),
    "scale_groups_centred": (
        ("y ~ x + z + (1 | a)", "sigma ~ w + h + (1 + z | a)"),
        {"treatments": {"sigma_1|a": "centred", "x": "integrate"}},
    ),
    "scale_groups_only": (("y ~ z + b1", "sigma ~ 1 + (1 | c)"), {}),
    "scale_cluster_covariate": (
        ("y ~ v + z + (1 | a)", "sigma ~ v"),
        {"formulas": {"v": ("~ 1", "sigma ~ 1")}},
    ),
    "scale_cluster_sampled": (
        ("y ~ t + z + (1 | a/b)", "sigma ~ z"),
        {"formulas": {"t": ("~ h", "sigma ~ h")}},
    ),
    "scale_priors": (
        ("y ~ z + (1 | a)", "sigma ~ w + k3 + (1 + w | a)"),
        {
            "priors": {
                "sigma_Intercept": Prior("Normal", 0.3, 0.6),
                "sigma_w": Prior("StudentT", 4, 0, 0.5),
                "sigma_k3": Prior("Laplace", 0.0, 0.4),
                "sigma_1|a_sigma": Prior("Exponential", 1.5),
                "sigma_a__corr": Prior("LKJ", 1.3),
            }
        },
    ),
    "scale_student": (("y ~ x + z", "sigma ~ z + b1"), {"family": "student"}),
    "scale_skewnormal": (("y ~ b1", "sigma ~ z + b1"), {"family": "skewnormal"}),
    "scale_lognormal": (
        ("y ~ log(price) + z", "sigma ~ z"),
        {"families": {"price": "lognormal"}, "formulas": {"price": ("~ z", "sigma ~ w")}},
    ),
    "scale_gamma": (("price ~ z + b1", "alpha ~ w + b1"), {"family": "gamma"}),
    "scale_weibull": (("price ~ z", "alpha ~ w + (1 | a)"), {"family": "weibull"}),
    "scale_beta": (("share ~ z", "kappa ~ w + b1"), {"family": "beta"}),
    "scale_truncated": (("score ~ z + b1", "sigma ~ w"), {"family": "truncated(0, 10)"}),
    "scale_bounded": (("score ~ z", "sigma ~ w + b1"), {"family": "bounded(-inf, 10)"}),
    "scale_negativebinomial": (("times ~ z + b1", "alpha ~ w + b1"), {"family": "negative binomial"}),
    "scale_zinb": (("visits ~ z + b1", "alpha ~ w + b1"), {"family": "zero inflated negative binomial"}),
    "measured": ("y ~ xt + z", {"observations": {"xt": measured("xm", sd=0.6)}}),
    "measured_beside_holes": (
        "y ~ xt + x + b1 * z",
        {"observations": {"xt": measured("xm", sd="se")}, "order": ["b1", "x", "xt"]},
    ),
    "measured_sampled": (
        "y ~ xt + z + (1 | a)",
        {"observations": {"xt": measured("xm", sd="se")}, "treatments": {"xt": "sample"}},
    ),
    "measured_groups": (
        ("y ~ xt + z + (1 | a)", "sigma ~ z"),
        {
            "observations": {"xt": measured("xm", sd="se")},
            "treatments": {"xt": "integrate"},
            "formulas": {"xt": ("~ z + (1 | a)", "sigma ~ z")},
        },
    ),
    "measured_on_grid": ("yb ~ xt + z", {"observations": {"xt": measured("xm", sd="se")}, "rows": 14}),
    "measured_square": ("y ~ xt + I(xt ** 2)", {"observations": {"xt": measured("xm", sd="se")}, "rows": 8}),
    "measured_in_scale": (
        ("y ~ xt", "sigma ~ xt"),
        {"observations": {"xt": measured("xm", sd=0.5)}, "rows": 8},
    ),
    "measured_lognormal": (
        "y ~ log(pt) + z",
        {"observations": {"pt": measured("pm", sd=0.3)}, "families": {"pt": "lognormal"}, "rows": 8},
    ),
    "measured_response": ("xt ~ z + (1 | a)", {"observations": {"xt": measured("xm", sd="se")}}),
    "measured_auxiliary": (
        "y ~ z",
        {"observations": {"xt": measured("xm", sd="se")}, "auxiliary": ["xt"]},
    ),
    "measured_cluster": ("y ~ vt + z + (1 | a)", {"observations": {"vt": measured("vm", sd=0.5)}}),
    "measured_repeatedly": (
        "y ~ vt + z + (1 | a)",
        {"observations": {"vt": measured("vm_rows", sd=0.7)}, "levels": {"vt": "a"}},
    ),
    "measured_repeatedly_on_grid": (
        "y ~ vt + I(vt ** 2) + (1 | a)",
        {"observations": {"vt": measured("vm_rows", sd=0.7)}, "levels": {"vt": "a"}},
    ),
    "censored": ("y ~ z", {"limits": "y", "observations": {"y": BETWEEN}}),
    "censored_beside_holes": ("y ~ x + x2 + z", {"limits": "y", "observations": {"y": BETWEEN}, "rows": 17}),
    "censored_groups": (
        "y ~ z + h + (1 + z | a)",
        {"limits": "y", "observations": {"y": BETWEEN}, "treatments": {"1|a": "partly centred"}},
    ),
    "censored_scale": (("y ~ z", "sigma ~ w + (1 | a)"), {"limits": "y", "observations": {"y": BETWEEN}}),
    "censored_student": ("y ~ z", {"limits": "y", "observations": {"y": BETWEEN}, "family": "student"}),
    "censored_skewnormal": ("y ~ z", {"limits": "y", "observations": {"y": BETWEEN}, "family": "skewnormal"}),
    "censored_truncated": (
        "score ~ z",
        {"limits": "score", "observations": {"score": SCORE}, "family": "truncated(0, 10)"},
    ),
    "censored_bounded": (
        "score ~ z",
        {"limits": "score", "observations": {"score": SCORE}, "family": "bounded(-inf, 10)"},
    ),
    "censored_lognormal": (
        "price ~ z",
        {"limits": "price", "observations": {"price": PRICE}, "family": "lognormal"},
    ),
    "censored_gamma": ("price ~ z", {"limits": "price", "observations": {"price": PRICE}, "family": "gamma"}),
    "censored_gamma_scale": (
        ("price ~ z", "alpha ~ w"),
        {"limits": "price", "observations": {"price": PRICE}, "family": "gamma"},
    ),
    "censored_weibull": (
        "price ~ z",
        {"limits": "price", "observations": {"price": PRICE}, "family": "weibull"},
    ),
    "censored_exponential": (
        "price ~ z",
        {"limits": "price", "observations": {"price": PRICE}, "family": "exponential"},
    ),
    "censored_beta": ("share ~ z", {"limits": "share", "observations": {"share": SHARE}, "family": "beta"}),
    "censored_poisson": (
        "times ~ z",
        {
            "limits": "times",
            "observations": {"times": censored("times", between=("lower", "upper"))},
            "family": "poisson",
        },
    ),
    "censored_binomial": (
        "wins | trials(tries) ~ z",
        {"limits": "wins", "observations": {"wins": censored("wins", between=("lower", "upper"))}},
    ),
    "censored_ordinal": (
        "grade ~ z",
        {
            "limits": "grade",
            "observations": {"grade": censored("grade", between=("lower", "upper"))},
            "kinds": {"grade": "ordinal"},
        },
    ),
    "censored_covariate": (
        "y ~ x + z",
        {"limits": "x", "observations": {"x": censored("x", between=("lower", "upper"))}},
    ),
    "censored_covariate_on_grid": (
        "y ~ x + z",
        {
            "limits": "x",
            "observations": {"x": censored("x", between=("lower", "upper"))},
            "treatments": {"x": "grid"},
        },
    ),
    "censored_covariate_beside_holes": (
        "y ~ x + x2 + b1",
        {
            "limits": "x",
            "observations": {"x": censored("x", between=("lower", "upper"))},
            "order": ["b1", "x", "x2"],
            "rows": 12,
        },
    ),
    "censored_covariate_groups": (
        "y ~ x + z + (1 | a)",
        {"limits": "x", "observations": {"x": censored("x", between=("lower", "upper"))}, "rows": 12},
    ),
    "censored_covariate_lognormal": (
        "y ~ log(price) + z",
        {"limits": "price", "observations": {"price": PRICE}, "families": {"price": "lognormal"}},
    ),
    "censored_covariate_ordinal": (
        "y ~ grade + z",
        {
            "limits": "grade",
            "observations": {"grade": censored("grade", between=("lower", "upper"))},
            "kinds": {"grade": "ordinal"},
        },
    ),
    "rounded": ("o ~ z", {"observations": {"o": rounded("o", to=0.5)}, "rows": 12}),
    "truncated_rows": ("y ~ z + x", {"observations": {"y": truncated("y", below="low_y")}}),
    "truncated_rows_with_auxiliary": (
        "y ~ z",
        {"observations": {"y": truncated("y", below="low_y")}, "auxiliary": ["x2"], "rows": 12},
    ),
    "truncated_gamma": (
        "price ~ z",
        {
            "limits": "price",
            "observations": {"price": (PRICE, truncated("price", below=0.05))},
            "family": "gamma",
        },
    ),
    "tied_linear": ("y ~ p + q + r + z", {"derived": {"total": "p + q + r"}}),
    "tied_linear_interaction": ("y ~ p * z + q + r", {"derived": {"total": "p + q + r"}}),
    "tied_twice": ("y ~ p + q + r", {"derived": {"total": "p + q + r", "part": "p + 2 * q"}}),
    "tied_in_groups": ("y ~ p + q + r + z + (1 + z | a)", {"derived": {"total": "p + q + r"}}),
    "tied_outcome": ("y ~ p + z", {"derived": {"yp": "y + 2 * p"}}),
    "tied_beside_sum": ("y ~ p * b1 + q + r", {"derived": {"total": "p + q + r"}}),
    "tied_items": (
        "y ~ i1 + i2 + i3 + z",
        {"derived": {"items": "i1 + i2 + i3"}, "kinds": dict.fromkeys(("i1", "i2", "i3"), "ordinal")},
    ),
    "tied_items_as_sum": (
        "y ~ items + z",
        {"derived": {"items": "i1 + i2 + i3"}, "kinds": dict.fromkeys(("i1", "i2", "i3"), "ordinal")},
    ),
    "tied_counts": (
        "y ~ n1 + n2 + z",
        {"derived": {"seen": "n1 + n2"}, "kinds": dict.fromkeys(("n1", "n2"), "count")},
    ),
    "tied_binary_and_gaussian": ("y ~ p + k + z", {"derived": {"pk": "p + 1.5 * k"}}),
    "tied_ratio": (
        "y ~ bmi + z",
        {
            "derived": {"bmi": "weight / height**2"},
            "families": {"weight": "lognormal"},
            "order": ["height", "weight"],
        },
    ),
    "tied_on_grid": ("yb ~ p + q + r", {"derived": {"total": "p + q + r"}}),
    "tied_square": (
        "y ~ p + I(p ** 2) + q + r",
        {"derived": {"total": "p + q + r"}, "order": ["p", "r", "q"]},
    ),
    "tied_between_bounds": (
        "y ~ u + uw + z",
        {"derived": {"both": "u + uw"}, "families": {"u": "lognormal", "uw": "gamma"}, "order": ["u", "uw"]},
    ),
    "tied_levels": ("y ~ birth + year + z + (1 | a)", {"derived": {"age": "year - birth"}}),
    "heckman": ("y ~ z + k3", {"mechanisms": {"y": Heckman("~ z + w")}}),
    "heckman_fixed_rho": ("y ~ z", {"mechanisms": {"y": Heckman("~ w + offset(o)", rho=-0.6)}}),
    "heckman_priors": (
        "y ~ z",
        {
            "mechanisms": {"y": Heckman("~ w", rho=Prior("Beta", 2, 3))},
            "priors": {
                "selection_Intercept": Prior("Normal", 0.3, 0.6),
                "selection_w": Prior("StudentT", 4, 0, 0.5),
            },
        },
    ),
    "heckman_summed": ("y ~ z + b1 + nom", {"mechanisms": {"y": Heckman("~ w + b1 + b2")}}),
    "heckman_beside_limits": (
        "y ~ x + z",
        {
            "limits": "x",
            "observations": {"x": censored("x", between=("lower", "upper"))},
            "mechanisms": {"y": Heckman("~ w + z")},
            "rows": 16,
        },
    ),
    "delta_beside_limits": (
        "y ~ x + z",
        {
            "limits": "x",
            "observations": {"x": censored("x", between=("lower", "upper"))},
            "mechanisms": {"x": Delta(-0.5, kind="model")},
        },
    ),
    "heckman_sampled": ("y ~ x + z", {"mechanisms": {"y": Heckman("~ x * w + x2")}}),
    "heckman_on_grid": ("y ~ z", {"mechanisms": {"y": Heckman("~ w + x + I(x ** 2)")}, "rows": 16}),
    "heckman_groups": ("y ~ z + (1 + z | a)", {"mechanisms": {"y": Heckman("~ w + (1 | a)")}}),
    "heckman_groups_centred": (
        "y ~ z + h + (1 + z | a)",
        {"mechanisms": {"y": Heckman("~ w + (1 + w | a)")}, "treatments": {"1|a": "centred"}},
    ),
    "heckman_groups_partly_centred": (
        "y ~ z + (1 | a)",
        {"mechanisms": {"y": Heckman("~ w + (1 | a)")}, "treatments": {"1|a": "partly centred"}},
    ),
    "heckman_groups_slope_sampled": (
        "y ~ x + z + (1 + x | a)",
        {"mechanisms": {"y": Heckman("~ w + (1 + x | a)")}, "treatments": {"x": "sample"}},
    ),
    "heckman_groups_independent": (
        "y ~ z + (1 + z | a)",
        {"mechanisms": {"y": Heckman("~ w + (1 + w | a)", group_rho=0.0)}},
    ),
    "heckman_group_rho": ("y ~ z + (1 | a)", {"mechanisms": {"y": Heckman("~ w + (1 | a)", group_rho=0.4)}}),
    "heckman_groups_apart": ("y ~ z + (1 | a)", {"mechanisms": {"y": Heckman("~ w + (1 | c)")}}),
    "heckman_uncorrelated": (
        "y ~ z + (1 + z || a)",
        {"mechanisms": {"y": Heckman("~ w + (1 | a)")}},
    ),
    "heckman_by_design": (
        "y ~ z + x + (1 | a)",
        {"mechanisms": {"y": Heckman("~ w + (1 | a)")}, "empty": True},
    ),
    "heckman_systematic": (
        "y ~ z + (1 | a)",
        {"mechanisms": {"y": Heckman("~ w + (1 | a)", systematic="selected")}, "empty": True},
    ),
    "heckman_covariate": ("y ~ x + z", {"mechanisms": {"x": Heckman("~ z + w")}, "rows": 16}),
    "heckman_covariate_groups": (
        "y ~ x + z + (1 | a)",
        {"mechanisms": {"x": Heckman("~ w + (1 | a)", rho=0.4)}, "rows": 16},
    ),
    "heckman_lognormal": ("price ~ z + b1", {"family": "lognormal", "mechanisms": {"price": Heckman("~ w")}}),
    "heckman_lognormal_covariate": (
        "y ~ log(price) + z",
        {"families": {"price": "lognormal"}, "mechanisms": {"price": Heckman("~ w + z")}},
    ),
    "heckman_binary": ("yb ~ z + b1", {"mechanisms": {"yb": Heckman("~ w")}}),
    "heckman_binary_fixed_rho": ("yb ~ z", {"mechanisms": {"yb": Heckman("~ w", rho=0.95)}}),
    "heckman_binary_covariate": (
        "y ~ b1 + z + (1 | a)",
        {"mechanisms": {"b1": Heckman("~ w + (1 | a)")}},
    ),
    "heckman_ordinal": (
        "grade ~ z + x",
        {"kinds": {"grade": "ordinal"}, "mechanisms": {"grade": Heckman("~ w + b1")}},
    ),
    "heckman_ordinal_groups": (
        "grade ~ z + h + (1 | a)",
        {
            "kinds": {"grade": "ordinal"},
            "mechanisms": {"grade": Heckman("~ w + (1 | a)")},
            "treatments": {"1|a": "centred"},
        },
    ),
    "heckman_ordinal_covariate": (
        "y ~ grade + z",
        {"kinds": {"grade": "ordinal"}, "mechanisms": {"grade": Heckman("~ w", rho=-0.7)}},
    ),
    "heckman_student": ("y ~ z + b1", {"mechanisms": {"y": Heckman("~ w + z", errors="student")}}),
    "heckman_student_covariate": (
        "y ~ x + z",
        {"mechanisms": {"x": Heckman("~ w", errors="student")}, "rows": 10},
    ),
    "priors_1": (
        "y ~ z + w + h + (1 + z | a)",
        {
            "priors": {
                "Intercept": Prior("Normal", 1.0, 2.0),
                "z": Prior("StudentT", 3.0, 0.5, 1.5),
                "w": Prior("Cauchy", 0.2, 0.7),
                "h": Prior("Laplace", -0.3, 0.9),
                "sigma": Prior("Gamma", 2.5, 1.3),
                "1|a_sigma": Prior("HalfCauchy", 0.8),
                "z|a_sigma": Prior("InverseGamma", 2.0, 1.1),
                "a__corr": Prior("LKJ", 0.7),
            }
        },
    ),
    "priors_2": (
        "y ~ z + x + (1 || a)",
        {
            "priors": {
                "Intercept": Prior("Logistic", 4.0, 1.7),
                "z": Prior("Logistic", 0.1, 0.6),
                "x": Prior("Flat"),
                "sigma": Prior("LogNormal", 0.2, 0.8),
                "1|a_sigma": Prior("Weibull", 1.6, 0.9),
                "x__Intercept": Prior("StudentT", 5.0, 0.5, 1.5),
                "x__sigma": Prior("Exponential", 0.9),
                "x__z": Prior("Normal", 0.3, 0.4),
                "x__between(z)": Prior("Laplace", 0.1, 0.4),
                "x__1|a_sigma": Prior("HalfStudentT", 3.0, 0.6),
            }
        },
    ),
    "priors_3": (
        "y ~ k3 + b1 + x + (1 | a)",
        {
            "priors": {
                "Intercept": Prior("Cauchy", 4.0, 1.7),
                "k3": Prior("Normal", 0.0, 1.3),
                "k3[top]": Prior("Cauchy", 0.0, 0.5),
                "sigma": Prior("HalfFlat"),
                "1|a_sigma": Prior("HalfNormal", 0.7),
                "b1__Intercept": Prior("Laplace", 0.2, 1.1),
                "x__between(b1|a)": Prior("Normal", 0.0, 0.8),
            }
        },
    ),
    "priors_flat_intercept": (
        "y ~ z + (1 | a)",
        {"priors": {"Intercept": Prior("Flat"), "z": Prior("Flat")}},
    ),
}


def make_model(name: str) -> Model:
    """Return the model of a shape."""
    formula, options = SHAPES[name]
    options = dict(options)
    data = small_table()
    data = data.head(options.pop("rows", len(data)))
    if options.pop("empty", False):
        data.loc[data["a"] == 2, "y"] = np.nan
    limits = options.pop("limits", None)
    if limits:
        data = with_limits(data, limits)
    data["low_y"] = np.where(data["z"] > 0, np.nan, data["y"].min() - 0.5)
    data.index = data.index + 100
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return Model(formula, data, **options)


@dataclass(frozen=True)
class Case:
    """A model as it is sampled, and the same written plainly."""

    name: str
    model: Model
    built: Any

    def point(self, seed: int, sd: float = 0.5) -> np.ndarray:
        """A random unconstrained point."""
        start = self.built.program.initial()
        return start + np.random.default_rng(seed).normal(0.0, sd, len(start))

    def pieces(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The unconstrained vector by parameter."""
        return {p.name: x[p.start : p.start + p.size].reshape(p.shape) for p in self.built.program.parameters}

    @functools.cached_property
    def plain(self) -> Any:
        return self.model.to_pymc()

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Shape of a variable of the plain model, by its coordinates: evaluating its graph would compile that first."""
        dims = self.plain.named_vars_to_dims.get(name)
        assert dims is not None, name
        return tuple(len(self.plain.coords[dim]) for dim in dims)

    @functools.cached_property
    def collapsed(self) -> list[str]:
        """Names in the plain model of effects that are integrated out in the built one."""
        names = []
        for e in self.built.plan.effects:
            if e.treatment == "collapse":
                factor = self.model.factor(e.variable)
                names += _effect_names(factor.prefix, factor.effect(e.grouping))
        return names

    def cells_of(self, variable: str, treatment: str) -> np.ndarray:
        """Places of a variable's cells of one treatment among its latents in the plain model."""
        plan = self.built.plan
        units = [plan.units(variable, how) for how in ("enumerate", "integrate", "grid", "sample")]
        units.append(self.limited_alone(variable))
        chosen = units[-1] if treatment == "limited" else plan.units(variable, treatment)
        return np.searchsorted(np.sort(np.concatenate(units)), chosen)

    def free_of(self, variable: str) -> np.ndarray:
        """Places of integrated cells without limits; those with limits are integrated numerically."""
        known = interval_at(variable, self.model.factor(variable).level, self.model.table)[2]
        return self.cells_of(variable, "integrate")[~known[self.built.plan.units(variable, "integrate")]]

    def limited_integrated(self, variable: str) -> np.ndarray:
        """Units of integrated cells with limits."""
        units = self.built.plan.units(variable, "integrate")
        return units[interval_at(variable, self.model.factor(variable).level, self.model.table)[2][units]]

    def limited_alone(self, variable: str) -> np.ndarray:
        """Units of which only limits are known, integrated out in closed form."""
        factor = self.model.factor(variable)
        units = self.built.plan.units(variable, "predict")
        return units[known_at(variable, factor.level, self.model.table)[units]]

    @functools.cached_property
    def gaussian(self) -> list[tuple[str, np.ndarray | None]]:
        """Latents of the plain model that are integrated out in the built one: name, places (None: all)."""
        integrated = [g.variable for g in self.built.plan.cells if g.treatment == "integrate"]
        cells = [(f"cell__{name}", self.free_of(name)) for name in integrated]
        return [*((name, None) for name in self.collapsed), *cells]

    @functools.cached_property
    def summed(self) -> list[str]:
        names = [g.variable for g in self.built.plan.cells if g.treatment == "enumerate"]
        return [f"cell__{name}" for name in names]

    @functools.cached_property
    def _terms(self) -> list[Any]:
        """Graphs of the plain model's log density, which value and gradient share: most of a shape's time is theirs."""
        return self.plain.logp(jacobian=False, sum=False)

    @functools.cached_property
    def logp(self) -> Any:
        # summed in numpy: a graph that adds more than 32 terms needs a C compiler
        terms = self.plain.compile_fn(self._terms, mode=self._mode)
        return lambda point: sum(float(np.sum(term)) for term in terms(point))

    @functools.cached_property
    def dlogp(self) -> Any:
        import pytensor.tensor as pt
        from pymc.pytensorf import gradient

        variables = [self.plain.rvs_to_values[self.plain[name]] for name, _ in self.gaussian]
        total = functools.reduce(pt.add, [term.sum() for term in self._terms])
        return self.plain.compile_fn(gradient(total, variables), mode=self._mode)

    @functools.cached_property
    def _mode(self) -> Any:
        """Graphs that are evaluated a few times only run as they are: rewriting them takes longer than that."""
        many = math.prod(self.n_values(name) for block in self.blocks for name, _ in block.cells) > _FEW
        return FAST if self.gridded or many else Mode(linker="py", optimizer=None)

    def values(self, natural: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The plain model's point from values on the scale of the data."""
        point = {}
        for rv in self.plain.free_RVs:
            transform = self.plain.rvs_to_transforms[rv]
            value = np.asarray(natural[rv.name])
            if transform is not None:
                kind = type(transform).__name__
                if kind == "Within":
                    low, high = transform.low, transform.high
                    inside, _ = constrain_within(np.zeros(value.shape), low, high, (-np.inf, np.inf))
                    value = np.where((value > low) & (value < high), value, inside)  # cells that are at zero
                    value = unconstrain_within(value, low, high, (-np.inf, np.inf))
                elif kind == "Interval":
                    value = unconstrain(value, _bounds(self.model, rv.name))
                else:
                    value = {"LogTransform": np.log, "LogOddsTransform": logit, "Ordered": _ordered}[kind](
                        value
                    )
            point[self.plain.rvs_to_values[rv].name] = value
        return point

    def natural(self, x: np.ndarray) -> tuple[dict[str, np.ndarray], float]:
        """Return the values of the plain model's variables and the log Jacobian of what is not affine in x.

        Effects and cells that are integrated out, and summed cells, are at zero. The affine part (location, spread,
        whitening) has a constant Jacobian, which the kernel leaves out.
        """
        parts, jacobian = self._given_groups(self.pieces(x))
        out = {}
        for factor in self.model.factors:
            if factor.is_observation:
                continue
            each = []
            for key in factor.keys:
                own, log_jacobian = self._predictor(factor, key, parts)
                each.append(own)
                jacobian += log_jacobian
            variable, prefix = factor.variable, factor.prefix
            for part in factor.parts[1:]:
                own, _ = self._predictor(part, part.keys[0], parts)
                out |= own
            for name in each[0]:
                out[name] = np.stack([own[name] for own in each]) if factor.labels else each[0][name]
            for parameter in factor.parameters:
                raw = parts[f"{variable}::{parameter.name}"]
                name = f"{prefix}{parameter.name}"
                (record,) = (
                    p for p in self.built.program.parameters if p.name == f"{variable}::{parameter.name}"
                )
                if parameter.transform == "log":
                    out[name] = np.exp(raw)
                    jacobian += float(np.sum(raw))
                elif parameter.transform == "correlation":
                    half = 1.0 / (1.0 + np.exp(-raw))
                    out[f"{name}__half"] = half
                    jacobian += float(np.log(half * (1.0 - half)))
                elif parameter.transform == "identity":
                    out[name] = record.locations[0] + raw
                elif parameter.transform == "logit":
                    out[name] = 1.0 / (1.0 + np.exp(-raw))
                    jacobian += float(np.log(out[name] * (1.0 - out[name])))
                else:
                    assert parameter.transform == "ordered"
                    at = record.anchor
                    gaps = np.array(record.locations) * np.exp(raw)
                    free = record.locations[at] + raw[at]
                    below = free - np.cumsum(gaps[:at][::-1])[::-1]
                    centred = np.concatenate([below, [free], free + np.cumsum(gaps[at + 1 :])])
                    jacobian += float(raw.sum() - raw[at])
                    out[f"{name}_centered"] = centred
                    shift = factor.centers @ self._coefficients(factor, variable, parts)
                    out[name] = centred + shift if factor.n_coefficients else centred
            if f"cell__{variable}" in self.plain.named_vars:
                out[f"cell__{variable}"] = np.zeros(self.shape_of(f"cell__{variable}"))
                if not factor.family.is_discrete:
                    out[f"cell__{variable}"] += constrain(np.zeros(1), factor.family.support)[0]
            if f"cell::{variable}" in parts:
                sampled = factor.location + factor.spread * parts[f"cell::{variable}"]
                out[f"cell__{variable}"][self.cells_of(variable, "sample")] = sampled
            for label, key in zip(factor.labels or ("",), factor.keys, strict=True):
                for effect in factor.effects:
                    more, log_jacobian = self._effects(
                        factor, key, f"{prefix}{label}__" if label else prefix, effect, parts
                    )
                    out |= more
                    jacobian += log_jacobian
            for part in factor.parts[1:]:
                for effect in part.effects:
                    own, log_jacobian = self._effects(part, part.keys[0], part.prefix, effect, parts)
                    out |= own
                    jacobian += log_jacobian
        for name in self.summed:
            out[name] = self.first_values(name)
        return out, jacobian

    def first_values(self, name: str) -> np.ndarray:
        """Values of summed cells that are inside of their limits."""
        variable = name.removeprefix("cell__")
        out = np.zeros(self.shape_of(name), dtype=int)
        if variable in self.built.plan.limits:
            lower = self.built.plan.limits[variable][0]
            levels = np.asarray(self.model.factor(variable).levels)
            out[self.cells_of(variable, "enumerate")] = np.searchsorted(levels, lower)
        return out

    def _coefficients(self, factor: Any, key: str, parts: dict[str, np.ndarray]) -> np.ndarray:
        beta, regression = np.zeros(0), self._regression(factor)
        if factor.n_coefficients:
            whitening = whitening_beside(factor, self._centring(factor), regression)
            beta = whitening @ parts[f"{key}::coefficients"]
        for j, link in enumerate(factor.links):
            if regression is None or j not in regression.links:
                beta[factor.design.n_columns + j] /= self._link_spread(factor, j, link, parts)
        return beta

    def _centring(self, factor: Any) -> Any:
        return centrings(factor, self.built.tables.of(factor), self.built.plan)

    def _regression(self, factor: Any, key: str | None = None) -> Any:
        table = self.built.tables.of(factor)
        return regression_of(factor, key or factor.keys[0], table, self.built.plan, self._centring(factor))

    def _given_groups(self, parts: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], float]:
        """Coefficients of group-level regressions in place of z: b = m + L'^-1 z, L L' its precision."""
        parts, jacobian = {name: np.array(values) for name, values in parts.items()}, 0.0
        for factor in self.model.factors:
            for part in () if factor.is_observation else factor.parts:
                for key in () if self._regression(part) is None else part.keys:
                    jacobian += self._given_group_of(part, key, parts)
        return parts, jacobian

    def _given_group_of(self, part: Any, key: str, parts: dict[str, np.ndarray]) -> float:
        regression, jacobian = self._regression(part, key), 0.0
        name = f"{key}::sd::{regression.grouping}"
        sd = (self.sd_scales(name) * np.log1p(np.exp(parts[name])))[regression.position]
        effects = parts[f"{key}::effects::{regression.grouping}"]
        x = regression.static.copy()
        for column, m in enumerate(regression.links, x.shape[1] - len(regression.links)):
            x[:, column] = self._linked(part.links[m], parts)
        unseen = self.built.plan.effect(part.name, regression.grouping).unseen
        if unseen is not None:
            x[unseen] = 0.0
        weights = self._centring(part)[regression.grouping].weights[regression.position].copy()
        weights[:, list(regression.columns)] = 0.0
        others = np.zeros(len(x))
        if part.design.n_columns:
            others = weights @ self._coefficients(part, key, parts)[: part.design.n_columns]
        places = regression.places(part.design.n_columns)
        own, level, unit = f"{key}::coefficients", f"{key}::intercept", part.spread
        if level not in parts:
            level, unit = f"{key}::threshold", -1.0
        z = parts[own][places] if places else np.zeros(0)
        if regression.intercept:
            z = np.concatenate([[parts[level].ravel()[self._anchor(level)]], z])
        if regression.said is not None:
            a = np.hstack([x / np.sqrt(regression.precision), sd * np.eye(len(x))])
            precision = np.eye(a.shape[1]) + a.T @ np.diag(regression.information) @ a
            w = np.linalg.solve(precision, a.T @ (regression.information * (regression.said - others)))
            w += np.linalg.solve(
                np.linalg.cholesky(precision).T, np.concatenate([z, effects[:, regression.position]])
            )
            effects[:, regression.position] = (a @ w + others) / part.spread
            b = w[: x.shape[1]] / np.sqrt(regression.precision)
            jacobian += len(x) * float(np.log(sd)) - 0.5 * float(np.linalg.slogdet(precision)[1])
        else:
            v = part.spread * effects[:, regression.position] - others
            precision = x.T @ x / sd**2 + np.diag(regression.precision)
            b = np.linalg.solve(precision, x.T @ v / sd**2)
            b += np.linalg.solve(np.linalg.cholesky(precision).T, z)
            jacobian -= 0.5 * float(np.linalg.slogdet(precision)[1])
        if regression.intercept:
            parts[level].reshape(-1)[self._anchor(level)] = b[0] / unit
            b = b[1:]
        if places:
            parts[own][places] = b
        return jacobian

    def _predictor(self, factor: Any, key: str, parts: dict[str, np.ndarray]) -> Any:
        """Coefficients and intercept of one linear predictor by name, and their log Jacobian."""
        prefix, out = factor.prefix, {}
        beta = self._coefficients(factor, key, parts)
        regression = self._regression(factor)
        jacobian = -sum(
            float(np.log(self._link_spread(factor, j, link, parts)))
            for j, link in enumerate(factor.links)
            if regression is None or j not in regression.links
        )
        for block in factor.design.blocks:
            own = beta[block.start : block.stop]
            if block.labels is None:
                out[f"{prefix}{block.name}"] = own[0]
            else:
                out[f"{prefix}{block.name}"] = own
                out |= {f"{prefix}{block.name}[{j}]": value for j, value in enumerate(own)}
        for j, link in enumerate(factor.links):
            out[f"{prefix}{link.name}"] = beta[factor.design.n_columns + j]
        if factor.priors.intercept is not None:
            a = factor.location + factor.spread * parts[f"{key}::intercept"]
            out[f"{prefix}Intercept_centered"] = a
            out[f"{prefix}Intercept"] = a - factor.centers @ beta
        return out, jacobian

    def _anchor(self, name: str) -> int:
        """Which of ordered numbers is free; the only one of an intercept."""
        return next(own.anchor for own in self.built.program.parameters if own.name == name)

    def _shift(self, factor: Any, key: str, grouping: str, parts: dict[str, np.ndarray]) -> Any:
        """What the fixed effects contribute to sampled centred effects."""
        centring = self._centring(factor).get(grouping)
        if centring is None:
            return 0.0
        beta = self._coefficients(factor, key, parts)[: factor.design.n_columns]
        shift = (centring.weights @ beta).T
        if centring.intercept >= 0:
            if f"{key}::threshold" in parts:
                name = f"{key}::threshold"
                shift[:, centring.intercept] -= parts[name][self._anchor(name)]
            else:
                shift[:, centring.intercept] += factor.spread * parts[f"{key}::intercept"]
        for one in centring.cells:
            source = self.model.factor(one.variable)
            cell = source.location + source.spread * parts[f"cell::{one.variable}"][one.index]
            shift[one.group, one.effect] += one.weight * beta[one.column] * cell
        for m, c in centring.links:
            u = self._linked(factor.links[m], parts)
            shift[:, c] += self._coefficients(factor, key, parts)[factor.design.n_columns + m] * u
        return shift

    def _linked(self, link: Any, parts: dict[str, np.ndarray]) -> np.ndarray:
        """Effects of an earlier variable that a link stands for."""
        source = self.model.factor(link.variable)
        effect = next(e for e in source.effects if e.grouping == link.grouping)
        before, _ = self._effects(source, link.key, source.prefix, effect, parts)
        start = next(start for start, stop in effect.blocks if start <= link.position < stop)
        u = before[_effect_names(source.prefix, effect)[[b[0] for b in effect.blocks].index(start)]]
        return u if u.ndim == 1 else u[:, link.position - start]

    def _link_spread(self, factor: Any, j: int, link: Any, parts: dict[str, np.ndarray]) -> float:
        """kappa / lambda: sqrt((group sd / typical sd)² + .1²), the typical sd being the prior's 2.5 spread / sd."""
        name = f"{link.key}::sd::{link.grouping}"
        sd = (self.sd_scales(name) * np.log1p(np.exp(parts[name])))[link.position]
        place = factor.design.n_columns + j
        typical = factor.spread / factor.whitening[place, place]
        return float(np.sqrt((sd / typical) ** 2 + 0.1**2))

    def sd_scales(self, name: str) -> np.ndarray:
        """Scales of the transform of group sds, sd = scale log(1 + exp(x))."""
        (parameter,) = (p for p in self.built.program.parameters if p.name == name)
        assert parameter.transform == "softplus"
        return np.array(parameter.scales)

    def _effects(self, factor: Any, key: str, prefix: str, effect: Any, parts: dict[str, np.ndarray]) -> Any:
        grouping = effect.grouping
        raw = parts[f"{key}::sd::{grouping}"]
        sds = self.sd_scales(f"{key}::sd::{grouping}") * np.log1p(np.exp(raw))
        out = {f"{prefix}{name}|{grouping}_sigma": sd for name, sd in zip(effect.names, sds, strict=True)}
        jacobian = float(-np.log1p(np.exp(-raw)).sum())
        root = np.zeros((len(sds), len(sds)))
        for number, (start, stop) in enumerate(effect.blocks):
            lower = np.eye(stop - start)
            if effect.known_correlation is not None:
                lower[1] = effect.known_correlation, np.sqrt(1 - effect.known_correlation**2)
            elif stop - start > 1:
                half = 1.0 / (1.0 + np.exp(-parts[f"{key}::partial::{grouping}::{number}"]))
                jacobian += float(np.log(half * (1.0 - half)).sum())
                out[f"{_label(prefix, effect, start)}partial"] = half
                k = 0
                for i in range(1, stop - start):
                    for j in range(i):
                        lower[i, j] = (2 * half[k] - 1) * np.sqrt(1 - (lower[i, :j] ** 2).sum())
                        k += 1
                    lower[i, i] = np.sqrt(1 - (lower[i, :i] ** 2).sum())
            root[start:stop, start:stop] = sds[start:stop, None] * lower
        groups = len(self.model.table.groupings[grouping].labels)
        planned = self.built.plan.effect(factor.name, grouping)
        own = parts.get(f"{key}::effects::{grouping}", np.zeros((groups, len(sds))))
        n = planned.n_centred
        u = factor.spread * own - self._shift(factor, key, grouping, parts) if n else own
        elsewhere = selection_centring(factor, self.built.tables, self.built.plan).get(grouping)
        if elsewhere is not None:
            part = factor.selection
            beta = self._coefficients(part, part.keys[0], parts) if part.n_coefficients else np.zeros(0)
            moved = np.einsum("qgj,j->gq", elsewhere.weights, beta[: part.design.n_columns])
            if elsewhere.intercept >= 0:
                above = part.spread * parts[f"{part.keys[0]}::intercept"]
                moved[:, elsewhere.intercept - elsewhere.first] += above
            u = u - np.concatenate([np.zeros((groups, elsewhere.first)), moved], axis=1)
        z = np.concatenate([np.linalg.solve(root[:n, :n], u[:, :n].T).T, own[:, n:]], axis=1)
        unseen = np.zeros(groups, dtype=bool) if planned.unseen is None else planned.unseen
        z[unseen] = own[unseen]
        u = z @ root.T
        if planned.treatment != "collapse":
            log_diagonal = np.log(np.diag(root))
            jacobian += groups * float(log_diagonal[n:].sum()) + unseen.sum() * float(log_diagonal[:n].sum())
        for start, stop in effect.blocks:
            if stop - start == 1:
                out[f"{prefix}{effect.names[start]}|{grouping}"] = u[:, start]
            else:
                out[f"{_label(prefix, effect, start)}effects"] = u[:, start:stop]
        return out, jacobian

    def marginal(self, natural: dict[str, np.ndarray]) -> float:
        """Log density of the plain model: cells summed by brute force, the Gaussian block integrated out."""
        if self.gridded:
            return self._over_grids(natural)
        return self._summed(natural)

    @functools.cached_property
    def gridded(self) -> list[tuple[str, int, int]]:
        """Latents of the plain model that run over a grid in the built one: name, place, unit."""
        grids = [
            (f"cell__{g.variable}", int(place), int(unit))
            for g in self.built.plan.cells
            if g.treatment == "grid"
            for place, unit in zip(self.cells_of(g.variable, "grid"), g.units, strict=True)
        ]
        return (
            grids
            + [
                (f"cell__{factor.variable}", int(place), int(unit))
                for factor in self.model.factors
                for place, unit in zip(
                    self.cells_of(factor.variable, "limited"),
                    self.limited_alone(factor.variable),
                    strict=True,
                )
            ]
            + [
                (
                    f"cell__{factor.variable}",
                    int(
                        self.cells_of(factor.variable, "integrate")[
                            np.searchsorted(self.built.plan.units(factor.variable, "integrate"), unit)
                        ]
                    ),
                    int(unit),
                )
                for factor in self.model.factors
                for unit in self.limited_integrated(factor.variable)
            ]
        )

    def _ends(self, factor: Any, unit: int) -> tuple[float, float]:
        """First and last point of a cell's axis on its unconstrained scale."""
        if unit in [*self.limited_alone(factor.variable), *self.limited_integrated(factor.variable)]:
            low, high = self._bounds_of(factor, unit)
            if np.isfinite(low) and np.isfinite(high):
                return -16.0, 16.0
            far = np.log(factor.spread) + (8.0 if factor.family.name.startswith("bounded") else 4.5)
            near = np.log(factor.spread) - 16.0
            return (near, far) if np.isfinite(low) else (-far, -near)
        own = self.built.plan.grids[factor.variable]
        cell = int(np.searchsorted(self.built.plan.units(factor.variable, "grid"), unit))
        start = float(own.starts[cell])
        return start, start + float(own.spacing[cell]) * (own.values.shape[1] - 1)

    def _bounds_of(self, factor: Any, unit: int) -> tuple[float, float]:
        """Bounds of a cell: its family's, and its own limits."""
        low, high = factor.support[:2]
        for which in factor.limits:
            lower, upper = (
                self.model.table.at(f"{key}({factor.variable})", factor.level)[unit] for key in which
            )
            low, high = max(low, lower), min(high, upper)
        return low, high

    def _over_grids(self, natural: dict[str, np.ndarray]) -> float:
        """Numerical integral over the gridded cells, unit by unit: units do not depend on each other."""
        natural = {name: np.array(values) for name, values in natural.items()}
        for name, place, unit in self.gridded:  # a point where the density is not zero
            factor = self.model.factor(name.removeprefix("cell__"))
            middle = 0.5 * sum(self._ends(factor, unit))
            natural[name][place] = self._between_limits(factor, unit, np.array([middle]))[0][0]
        total = self._summed(natural)
        units = sorted({unit for _, _, unit in self.gridded})
        steep = any(factor.limits for factor in self.model.factors)
        steep |= any(grid.values.shape[1] > 80 for grid in self.built.plan.grids.values())
        one = 201 if steep else 101
        for unit in units:
            mine = [(name, place) for name, place, other in self.gridded if other == unit]
            rows = frozenset().union(*(self.rows_of(name.removeprefix("cell__"), unit) for name, _ in mine))
            start = self._summed(natural, rows)
            axes, weights = [], []
            for name, _ in mine:
                factor = self.model.factor(name.removeprefix("cell__"))
                low, high = self._ends(factor, unit)
                points = np.linspace(low, high, one if len(mine) == 1 else 51)
                values, jacobian = self._between_limits(factor, unit, points)
                axes.append(values)
                weights.append(jacobian + np.log(points[1] - points[0]))
            terms = []
            for combination in itertools.product(*(range(len(axis)) for axis in axes)):
                moved = dict(natural)
                weight = 0.0
                for (name, place), axis, own, k in zip(mine, axes, weights, combination, strict=True):
                    moved[name] = moved[name].copy()
                    moved[name][place] = axis[k]
                    weight += own[k]
                terms.append(self._summed(moved, rows) - start + weight)
            total += float(logsumexp(terms))
        return total

    def _between_limits(self, factor: Any, unit: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values of a cell at points of its unconstrained scale, between the limits of an observed derived value."""
        low, high = self._bounds_of(factor, unit)
        for system in self.built.plan.systems:
            if factor.variable in system.grid and unit in system.units and len(system.grid) == 1:
                member = np.flatnonzero(system.units == unit)
                known = {name: values[member] for name, values in system.known.items()}
                (low,), (high,) = limits(system, factor.variable, known, member)
        return constrain_within(points, np.array(low), np.array(high), factor.support)

    def _summed(self, natural: dict[str, np.ndarray], rows: frozenset[int] | None = None) -> float:
        """Sum over the summed cells, or over those that share rows with `rows`, the others at their first values.

        Few combinations are summed as they are; of many, blocks of cells with no row in common are summed one by one.
        """
        whole = self._summed_over(natural, self.blocks if rows is None else self._beside(rows))
        if rows is not None and not np.isfinite(
            whole
        ):  # the others' first values contradict an observed total
            return self._summed_over(natural, self.blocks)
        return whole

    def _beside(self, rows: frozenset[int]) -> list[Block]:
        return [block for block in self.blocks if block.rows & rows]

    def _summed_over(self, natural: dict[str, np.ndarray], blocks: list[Block]) -> float:
        first = dict(natural)
        for name in self.summed:
            first[name] = self.first_values(name)
        start = self._integrated(first)
        everything = [cell for block in blocks for cell in block.cells]
        if not everything:
            return start
        if math.prod(self.n_values(name) for name, _ in everything) <= _FEW or not np.isfinite(start):
            return self._over(first, everything)
        return start + sum(self._over(first, block.cells) - start for block in blocks)

    def _over(self, natural: dict[str, np.ndarray], cells: list[tuple[str, int]]) -> float:
        terms = []
        for combination in itertools.product(*(range(self.n_values(name)) for name, _ in cells)):
            chosen = {
                name: natural[name].copy() if name in self.summed else natural[name] for name in natural
            }
            for (name, place), value in zip(cells, combination, strict=True):
                chosen[name][place] = value
            terms.append(self._integrated(chosen))
        return float(logsumexp(terms))

    def n_values(self, name: str) -> int:
        """Number of values of a summed cell."""
        return len(self.model.factor(name.removeprefix("cell__")).levels)

    @functools.cached_property
    def blocks(self) -> list[Block]:
        """Summed cells that have a row in common, directly or through others."""
        out: list[Block] = []
        for name in self.summed:
            variable = name.removeprefix("cell__")
            for place, unit in zip(
                self.cells_of(variable, "enumerate"),
                self.built.plan.units(variable, "enumerate"),
                strict=True,
            ):
                own = Block([(name, int(place))], self.rows_of(variable, int(unit)))
                for other in [block for block in out if block.rows & own.rows]:
                    out.remove(other)
                    own = Block([*other.cells, *own.cells], other.rows | own.rows)
                out.append(own)
        return out

    def rows_of(self, variable: str, unit: int) -> frozenset[int]:
        """Rows of the table that a unit of a variable stands for."""
        level = self.model.table.level(variable)
        if level == "row":
            return frozenset([unit])
        return frozenset(np.flatnonzero(self.model.table.groupings[level].codes == unit).tolist())

    def _integrated(self, natural: dict[str, np.ndarray]) -> float:
        """Log of the integral over the Gaussian block: the log density is exactly quadratic in it."""
        if not self.gaussian:
            return self.logp(self.values(natural))
        mean, precision, top = self.conditional(natural)
        return top + 0.5 * mean.size * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(precision)[1]

    def conditional(self, natural: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, float]:
        """Mean and precision of the Gaussian block given everything else, and the log density at the mean."""
        point = self.values(natural)
        names = [self.plain.rvs_to_values[self.plain[name]].name for name, _ in self.gaussian]
        sizes = [point[name].size for name in names]
        chosen = np.concatenate(
            [
                start + (np.arange(size) if places is None else places)
                for start, size, (_, places) in zip(
                    np.cumsum([0, *sizes[:-1]]), sizes, self.gaussian, strict=True
                )
            ]
        )
        whole = np.concatenate([np.ravel(point[name]) for name in names])

        def at(values: np.ndarray) -> dict[str, np.ndarray]:
            moved = whole.copy()
            moved[chosen] = values
            parts = np.split(moved, np.cumsum(sizes)[:-1])
            shapes = [np.shape(point[name]) for name in names]
            return point | {n: part.reshape(s) for n, part, s in zip(names, parts, shapes, strict=True)}

        def gradient_at(values: np.ndarray) -> np.ndarray:
            return self.dlogp(at(values))[chosen]

        gradient = gradient_at(np.zeros(len(chosen)))
        precision = np.stack([gradient - gradient_at(row) for row in np.eye(len(chosen))])
        precision = (precision + precision.T) / 2
        mean = np.linalg.solve(precision, gradient)
        return mean, precision, self.logp(at(mean))


@dataclass(frozen=True)
class Block:
    """Summed cells (latent of the plain model, place) and the rows they stand in."""

    cells: list[tuple[str, int]]
    rows: frozenset[int]


def _bounds(model: Any, name: str) -> tuple[float, ...]:
    """Bounds of a cell's variable."""
    return model.factor(name.removeprefix("cell__")).family.support


def _ordered(value: np.ndarray) -> np.ndarray:
    return np.concatenate([value[:1], np.log(np.diff(value))])


def _label(prefix: str, effect: Any, start: int) -> str:
    return (
        f"{prefix}{effect.grouping}__" if len(effect.blocks) == 1 else f"{prefix}{effect.grouping}__{start}_"
    )


def _effect_names(prefix: str, effect: Any) -> list[str]:
    return [
        f"{prefix}{effect.names[start]}|{effect.grouping}"
        if stop - start == 1
        else f"{_label(prefix, effect, start)}effects"
        for start, stop in effect.blocks
    ]


@functools.lru_cache(maxsize=12)  # tests of a shape follow one another; all shapes at once fill a gigabyte
def make_case(name: str) -> Case:
    """Return the case of a shape, made once."""
    model = make_model(name)
    plan = make_plan(model)
    grids = [name for name, grid in plan.grids.items() if grid.spacing is not None]
    if grids:  # a random point is not the posterior that the first grid is made for
        finer = 1.8 if name == "spline" else 2.5  # its grid is near the most there may be
        plan = make_plan(model, finer=dict.fromkeys(grids, finer), wider=dict.fromkeys(grids, 3.0))
    return Case(name, model, build_sampled(model, plan))


# minutes of brute force, beside shorter shapes of the same kind: run with the calibration studies
LONG = (
    "tied_counts",
    "tied_on_grid",
    "tied_items_as_sum",
    "tied_square",
    "tied_ratio",
    "censored_covariate_beside_holes",
    "censored_covariate_groups",
    "censored_beside_holes",
    "slope_integrated_crossed",
)


def every_shape() -> list:
    """Every shape as a parameter of a test; those of one shape run in one process, which builds its case once."""
    marks = {name: [pytest.mark.xdist_group(f"kernel_{name}")] for name in SHAPES}
    for name in LONG:
        marks[name].append(pytest.mark.calibration)
    return [pytest.param(name, marks=marks[name]) for name in SHAPES]
