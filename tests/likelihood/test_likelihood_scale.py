"""Group effects on a scale are integrated out of a likelihood beside those on the mean; a measured outcome has one."""

import numpy as np
import pandas as pd
import pytest
from hand_fit import hand_fit
from scipy import integrate, stats

from bayesmi import measured


def test_effects_on_mean_and_scale_as_scipys_double_quadrature():
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(5), 7)
    z = rng.normal(size=35)
    y = 1 + z + rng.normal(size=5)[g] + np.exp(0.4 * rng.normal(size=5))[g] * rng.normal(size=35)
    data = pd.DataFrame({"g": g, "z": z, "y": y})
    fit = hand_fit(("y ~ z + (1 | g)", "sigma ~ z + (1 | g)"), data, n=2)
    found = fit.log_likelihood(unit="g", marginal=True, progress=False)
    mean, scale = fit.draws.factors["y"], fit.draws.factors["y[sigma]"]
    for s in range(2):
        for group in range(5):
            rows = g == group
            eta = mean.intercept[s] + mean.coefficients[s, 0] * z[rows]
            log_sd = scale.intercept[s] + scale.coefficients[s, 0] * z[rows]
            tau, omega = mean.sds["g"][s, 0], scale.sds["g"][s, 0]

            def inside(v, rows=rows, eta=eta, log_sd=log_sd, tau=tau, omega=omega):
                cov = tau**2 + np.diag(np.exp(2 * (log_sd + v)))
                return np.exp(
                    stats.multivariate_normal(eta, cov).logpdf(y[rows]) + stats.norm.logpdf(v, 0, omega)
                )

            value, _ = integrate.quad(inside, -10 * omega, 10 * omega, epsabs=0, epsrel=1e-10, limit=200)
            assert found.values[0, s, group] == pytest.approx(np.log(value), abs=1e-5)


@pytest.mark.filterwarnings("ignore:2 of 40 rows")
def test_the_outcome_likelihood_of_a_measured_response_is_that_of_its_measurement():
    rng = np.random.default_rng(4)
    z = rng.normal(size=40)
    data = pd.DataFrame({"z": z, "x": z + rng.normal(size=40), "se": rng.uniform(0.3, 1.0, 40)})
    data.loc[[3, 9], "x"] = np.nan
    fit = hand_fit("t ~ z", data, n=2, observations={"t": measured("x", sd="se")})
    own = fit.draws.factors["t"]
    kept = data["x"].notna().to_numpy()
    for s in range(2):
        sd = np.sqrt(own.scales["sigma"][s] ** 2 + data["se"] ** 2)
        expected = stats.norm.logpdf(data["x"], own.intercept[s] + own.coefficients[s, 0] * z, sd)[kept]
        found = fit.log_likelihood(kind="outcome", progress=False).values[0, s]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
