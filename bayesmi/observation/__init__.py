"""How a value reached us: exact, missing, measured with error, censored, rounded, truncated.

Orthogonal to its family: any family, any observation.

A kind of observation is one file with a record (`base.py` says what it has to offer) and one line in `read.py`.
"""

from bayesmi.observation.base import Observation
from bayesmi.observation.censored import Censored, censored
from bayesmi.observation.limits import Limited, is_limit, kinds_of_limited, split_observations, with_recorded
from bayesmi.observation.measured import Measured, measured
from bayesmi.observation.read import read_observations, with_latent_columns
from bayesmi.observation.rounded import Rounded, rounded
from bayesmi.observation.truncated import TruncatedRows, truncated

__all__ = [
    "Censored",
    "Limited",
    "Measured",
    "Observation",
    "Rounded",
    "TruncatedRows",
    "censored",
    "is_limit",
    "kinds_of_limited",
    "measured",
    "read_observations",
    "rounded",
    "split_observations",
    "truncated",
    "with_latent_columns",
    "with_recorded",
]
