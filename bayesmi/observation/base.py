"""What an observation is: how the column in the table came from the variable that the model speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bayesmi.data import IncompleteFrame

__all__ = ["Observation"]

Floats = NDArray[np.float64]


@runtime_checkable
class Observation(Protocol):
    """The recorded `column` given the variable, N(variable, sd²) with a known sd for each row.

    The variable is unknown in every row; what was recorded informs it through one more factor of the joint density.
    """

    kind: ClassVar[str]
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the table that it needs, the recorded one first."""
        ...

    @property
    def words(self) -> str:
        """How it reads in the printout of a model."""
        ...

    def standard_errors(self, variable: str, frame: IncompleteFrame) -> Floats:
        """Return the sd of what was recorded, (n,), NaN where nothing was.

        Raises
        ------
        ModelError
            If it is not known, or not positive, where something was recorded; the message names the rows.
        """
        ...

    def stand_ins(self, frame: IncompleteFrame, errors: Floats) -> Floats:
        """Return rough values of the variable, (n,): scales and starting points are taken from them, nothing else."""
        ...

    def to_dict(self) -> Mapping[str, Any]:
        """Return it as plain data."""
        ...
