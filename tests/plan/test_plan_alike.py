"""Whether integrated cells enter all rows alike: rounding is forgiven, however small the steps are, and nothing else."""

import numpy as np

from bayesmi.plan.alike import are_alike


def test_rounding_is_forgiven_by_column():
    third = (1.0 / 3.0 + np.arange(5.0)) - np.arange(5.0)
    assert len(np.unique(third)) > 1
    assert are_alike(np.column_stack([third, 1e-14 * np.ones(5)]))
    assert not are_alike(np.column_stack([third, 1e-14 * np.arange(5.0)]))
    assert not are_alike(np.array([[1.0], [1.0 + 1e-9]]))
    assert are_alike(np.zeros((0, 2)))
