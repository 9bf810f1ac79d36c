"""The table in numbers before anything is modelled: kinds, missing cells, patterns, flux, clusters."""

import sys
from types import ModuleType
from typing import Any

from bayesmi.describe.clusters import cluster_missingness, icc_anova
from bayesmi.describe.description import Description, describe
from bayesmi.describe.flux import flux
from bayesmi.describe.patterns import missing_patterns
from bayesmi.describe.predictors import predictors

__all__ = [
    "Description",
    "cluster_missingness",
    "describe",
    "flux",
    "icc_anova",
    "missing_patterns",
    "predictors",
]


class _CallableModule(ModuleType):
    """Lets `bayesmi.describe(...)` work also after something imported the folder of that name."""

    def __call__(self, data: Any, cluster: Any = None) -> Description:
        return describe(data, cluster)


sys.modules[__name__].__class__ = _CallableModule
