"""Sampling anew where reweighting does not serve: the fit's own settings, and a gate that is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayesmi.errors import GateError

if TYPE_CHECKING:
    from bayesmi.fit import Fit

__all__ = ["check_refit", "refit_options"]


def refit_options(fit: Fit, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `Model.fit`: those of the fit, and what was asked for."""
    own = {"draws": fit.draws.n_draws, "chains": fit.draws.n_chains, "progress": False}
    return own | dict(asked)


def check_refit(fit: Fit, where: str, despite_gate: bool) -> None:
    """Refuse a refit whose checks failed.

    Raises
    ------
    GateError
        With the place and the checks, unless it was said that they do not matter.
    """
    if not fit.gate.passed and not despite_gate:
        raise GateError(
            f"refit at {where}: {fit.gate}. Sample longer, refit={{'draws': …, 'tune': …}}, or say despite_gate=True"
        )
