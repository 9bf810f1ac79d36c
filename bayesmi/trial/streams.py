"""Purposes of the random streams of trials; each has its own, beside those of bayesmi/seeds.py."""

from __future__ import annotations

__all__ = ["ARM", "COVARIATES", "OUTCOMES", "WEIGHTS"]

ARM, COVARIATES, OUTCOMES, WEIGHTS = range(1000, 1004)
