"""What bayesmi raises and what it remarks: one clear line for the user, never a traceback from below."""

from __future__ import annotations

__all__ = [
    "AnalysisError",
    "BayesmiError",
    "BayesmiNotice",
    "DataError",
    "FitError",
    "FormulaError",
    "GateError",
    "ModelError",
    "NotSupportedError",
    "PoolError",
]


class BayesmiError(ValueError):
    """Base of all errors that name a column, row or token and say what to do."""


class DataError(BayesmiError):
    """The table cannot be used as it is."""


class FormulaError(BayesmiError):
    """The formula cannot be read, or names something the table does not have."""


class ModelError(BayesmiError):
    """The model does not fit together."""


class NotSupportedError(ModelError):
    """A sensible wish that is not built yet; the message names the nearest thing that is."""


class FitError(BayesmiError):
    """Sampling could not start or did not finish."""


class GateError(FitError):
    """The posterior did not pass its checks and nobody said to go on regardless."""


class AnalysisError(BayesmiError):
    """An analysis of a completed data set failed; the message names the data set and the reason."""


class PoolError(BayesmiError):
    """The analyses cannot be pooled."""


class BayesmiNotice(UserWarning):
    """A one-line remark on something accepted but worth knowing."""
