"""The posterior as a DataTree, with the sampler's statistics and the observed response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmi.build.tree_name import tree_name
from bayesmi.model import Model

__all__ = ["observed_tree"]


def observed_tree(model: Model, posterior: xr.Dataset, statistics: Mapping[str, Any]) -> xr.DataTree:
    """Return the DataTree of a fit."""
    from bayesmi.fit.names import row_labels

    response = model.table.values[model.response]
    observed = np.flatnonzero(np.isfinite(response))
    groups = {
        "posterior": posterior,
        "sample_stats": xr.Dataset(
            {name: (("chain", "draw"), values) for name, values in statistics.items()},
            {"chain": posterior["chain"], "draw": posterior["draw"]},
        ),
        "observed_data": xr.Dataset(
            {tree_name(model.response): ("__obs__", response[observed])},
            {"__obs__": row_labels(model)[observed]},
        ),
    }
    return xr.DataTree.from_dict(groups)
