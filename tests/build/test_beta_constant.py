"""The constant that the kernel's correlations carry is scipy's, without importing scipy where fits are built."""

import numpy as np
import pytest
from scipy.special import betaln

from bayesmi.build.write_effects import _beta_constant


@pytest.mark.parametrize("shape", [0.05, 0.5, 1.0, 2.0, 2.5, 50.0, 1e4])
def test_constant_of_a_symmetric_beta(shape):
    np.testing.assert_allclose(_beta_constant(shape), -betaln(shape, shape), rtol=1e-12, atol=1e-11)
