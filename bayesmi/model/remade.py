"""The same model with another mechanism: its table is not read again."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from bayesmi.errors import BayesmiNotice
from bayesmi.model.model import Model
from bayesmi.priors import Prior

__all__ = ["with_mechanisms"]

_READ = ("kinds", "not_applicable")  # what the frame was read with: it stands in the specification only


def with_mechanisms(model: Model, mechanisms: Mapping[str, Any]) -> Model:
    """Return a model with other mechanisms; everything else as it was, without its notices again."""
    spec = {key: value for key, value in model.to_dict().items() if key != "schema"}
    spec["priors"] = {name: Prior.from_dict(prior) for name, prior in spec["priors"].items()}
    spec["mechanisms"] = dict(mechanisms)
    read = {key: spec.pop(key) for key in _READ}
    if isinstance(spec["levels"], dict):
        read["levels"] = spec.pop("levels")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        made = Model(spec.pop("formula"), model.frame, ignore=model.ignored, **spec)
    made._spec.update(read)
    return made
