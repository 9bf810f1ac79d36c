"""What the model of a scale parameter is: its logarithm is a linear predictor. No distribution of its own."""

from __future__ import annotations

from dataclasses import dataclass

from bayesmi.families.base import FamilyParameter
from bayesmi.families.defaults import FamilyDefaults

__all__ = ["LogScale", "scale_parameter"]


@dataclass(frozen=True)
class LogScale(FamilyDefaults):
    """log sigma = eta; stands where a factor has its family."""

    name: str = "scale"
    link: str = "log"
    kinds: tuple[str, ...] = ()

    @property
    def latent_residual_sd(self) -> float:
        """One: group sds of a logarithm are looked for around it, a factor of e between typical groups."""
        return 1.0


def scale_parameter(family: object) -> FamilyParameter | None:
    """Return the parameter of a family that can have a model: its first positive one; None where it has none."""
    first = next(iter(getattr(family, "parameters", ())), None)
    return first if first is not None and first.transform == "log" and not first.per_level else None
