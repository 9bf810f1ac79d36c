"""The form of the random slope that is sampled is the one that is read."""

import numpy as np
import pytest

from models import random_slope


def test_noncentred_slopes_have_the_density_of_the_centred_ones():
    """log f(raw) = log f(v) + sum log |dv / draw|, the constant parts of both left in."""
    data, _ = random_slope.simulate(np.random.default_rng(1), schools=6, pupils=6)
    read, sampled = random_slope.build(data), random_slope.build_noncentred(data)
    densities = [model.compile_logp(jacobian=False, mode="FAST_COMPILE") for model in (read, sampled)]
    rng = np.random.default_rng(2)
    for _ in range(3):
        raw, u, unit = rng.normal(size=6), rng.normal(size=6), rng.uniform()
        t0, t1, rho = *rng.uniform(0.2, 1, size=2), 2 * unit - 1
        spread = t1 * np.sqrt(1 - rho**2)
        both = {
            "Intercept_centered": rng.normal(), "texp": 0.1, "sex": 0.8, "sigma_log__": -0.3, "1|school": u,
            "1|school_sigma_log__": np.log(t0), "sex|school_sigma_log__": np.log(t1),
            "school__corr_unit_logodds__": np.array([np.log(unit / (1 - unit))]),
        }  # fmt: skip
        centred = densities[0]({**both, "sex|school": rho * t1 / t0 * u + spread * raw})
        assert densities[1]({**both, "raw": raw}) == pytest.approx(centred + 6 * np.log(spread), abs=1e-9)
