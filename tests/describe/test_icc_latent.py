"""Intraclass correlations of categories and counts: lme4's numbers, quadrature by hand, recovery, and nothing invented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize

from bayesmi.data import IncompleteFrame
from bayesmi.describe import describe
from bayesmi.describe.icc_latent import icc_latent, icc_latent_count

GOLDEN = Path(__file__).parents[1] / "golden"


def test_as_lme4():
    data, wanted = pd.read_csv(GOLDEN / "icc_data.csv"), pd.read_csv(GOLDEN / "icc.csv", index_col="variable")
    frame = IncompleteFrame.from_table(data, kinds={"c": "count"}, groups=("g",))
    found = describe(frame, cluster="g").clusters["icc_latent"]
    for name in ("b", "c"):
        assert found[name] == pytest.approx(wanted.loc[name, "icc"], abs=2e-5)


def test_ordinal_is_the_maximum_of_the_integrated_likelihood():
    rng = np.random.default_rng(3)
    counts = np.array([rng.multinomial(6, rng.dirichlet([1.0, 2.0, 1.5])) for _ in range(12)])

    def minus(theta):
        cuts, tau = (theta[0], theta[0] + np.exp(theta[1])), np.exp(theta[2])
        total = 0.0
        for row in counts:

            def density(u, row=row):
                f = np.array([0.0, *(1.0 / (1.0 + np.exp(u - cut)) for cut in cuts), 1.0])
                return np.prod(np.diff(f) ** row) * np.exp(-0.5 * (u / tau) ** 2) / tau / np.sqrt(2 * np.pi)

            total -= np.log(integrate.quad(density, -8 * tau, 8 * tau, epsabs=1e-14)[0])
        return total

    best = optimize.minimize(
        minus, [-1.0, 0.5, -0.5], method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}
    )
    tau = np.exp(best.x[2])
    assert icc_latent(counts) == pytest.approx(tau**2 / (tau**2 + np.pi**2 / 3), abs=1e-4)
    assert icc_latent(counts[:, ::-1]) == pytest.approx(icc_latent(counts), abs=1e-5)


def test_recovered_with_many_clusters():
    rng = np.random.default_rng(4)
    u = rng.normal(0, 0.8, 1500)
    latent = u[:, None] + rng.logistic(size=(1500, 8))
    level = np.searchsorted([-1.0, 0.0, 1.5], latent)
    counts = np.stack([(level == k).sum(axis=1) for k in range(4)], axis=1)
    assert icc_latent(counts) == pytest.approx(0.64 / (0.64 + np.pi**2 / 3), abs=0.015)
    rate = np.exp(0.5 + 0.5 * u / 0.8)
    sums = rng.poisson(8 * rate).astype(float)
    assert icc_latent_count(sums, np.full(1500, 8)) == pytest.approx(
        0.25 / (0.25 + np.log1p(np.exp(-0.625))), abs=0.03
    )


@pytest.mark.parametrize("counts", [[[3, 4]], [[1, 0], [0, 1]], [[5, 0], [7, 0]], [[0, 0], [2, 3]]], ids=str)
def test_not_invented(counts):
    assert np.isnan(icc_latent(np.array(counts)))


def test_nothing_between_clusters_is_zero_and_a_level_never_seen_changes_nothing():
    even = np.tile([[5, 5, 10]], (20, 1))
    assert icc_latent(even) == 0.0
    counts = np.array([[9, 1], [8, 2], [2, 8], [1, 9]])
    assert icc_latent(np.insert(counts, 1, 0, axis=1)) == icc_latent(counts)
    assert np.isnan(icc_latent_count(np.zeros(5), np.full(5, 3)))


def test_described_for_every_kind_and_printed():
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(30), 10)
    u = rng.normal(0, 1, 30)[g]
    table = pd.DataFrame(
        {
            "g": g,
            "nominal": pd.Categorical(
                np.where(u + rng.logistic(size=300) > 0.8, "a", rng.choice(["b", "c"], 300))
            ),
            "ordered": pd.Categorical(np.searchsorted([-1, 1], u + rng.logistic(size=300)), ordered=True),
            "y": u + rng.normal(size=300),
        }
    )
    found = describe(table, cluster="g")
    latent = found.clusters["icc_latent"]
    assert 0.05 < latent["nominal"] < latent["ordered"] < 0.5
    assert np.isnan(latent["y"])
    assert "latent: icc of categories" in repr(found)
