"""How a value reached us: exact, missing, measured with error. Orthogonal to its family: any family, any observation.

A kind of observation is one file with a record (`base.py` says what it has to offer) and one line in `read.py`.
"""

from bayesmi.observation.base import Observation
from bayesmi.observation.measured import Measured, measured
from bayesmi.observation.read import read_observations, with_latent_columns

__all__ = ["Measured", "Observation", "measured", "read_observations", "with_latent_columns"]
