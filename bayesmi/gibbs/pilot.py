"""Scales of the parameters given held cells, from a short run of nutpie with the cells as they stand.

PyMC's NUTS needs some hundred transitions with long trajectories before it knows the scales; nutpie finds them natively in
less time than these take. The run is thrown away: it only says where NUTS's own adaptation begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.program import Program
from bayesmi.fit.arrow_trace import draws_and_statistics
from bayesmi.fit.nutpie_import import import_nutpie

__all__ = ["pilot_variances"]

_TUNE, _DRAWS = 250, 150


def pilot_variances(program: Program, seed: int) -> NDArray[np.float64]:
    """Return the variance of each unconstrained parameter, one where the run fails."""
    nutpie = import_nutpie()
    from bayesmi.fit.nutpie_model import KernelModel

    try:
        trace = nutpie.sample(
            KernelModel.of(program),
            draws=_DRAWS,
            tune=_TUNE,
            chains=1,
            cores=1,
            seed=seed,
            progress_bar=False,
            return_raw_trace=True,
        )
    except RuntimeError:
        return np.ones(program.dimensions)
    vectors, _ = draws_and_statistics(trace, "unconstrained", (), _DRAWS)
    variances = vectors.reshape(-1, program.dimensions).var(axis=0)
    good = np.isfinite(variances) & (variances > 0.0)
    return np.where(good, variances, 1.0)
