"""Parameters of a family in the program: their places, transforms and priors."""

from __future__ import annotations

import numpy as np

from bayesmi.build.writer import Writer
from bayesmi.families.ordinal import anchor_of
from bayesmi.families.selected import prior_of_half
from bayesmi.kernel import layout as k
from bayesmi.kernel.priors import encode_prior
from bayesmi.model.factor import Factor

__all__ = ["write_parameters"]

_TRANSFORMS = {
    "log": k.TRANSFORM_LOG,
    "ordered": k.TRANSFORM_ORDERED,
    "identity": k.TRANSFORM_IDENTITY,
    "logit": k.TRANSFORM_LOGIT,
    "correlation": k.TRANSFORM_LOGIT,  # of (correlation + 1) / 2
}


def write_parameters(writer: Writer, factor: Factor) -> list[list[int]]:
    """Write the records of the family's parameters."""
    records = []
    first = 0 if factor.scale is None else 1  # the place of a parameter that has a model is filled row by row
    for parameter in factor.parameters:
        start = np.asarray(factor.starts[parameter.name], dtype=float)
        prior = factor.priors.scales[parameter.name]
        locations, initial, anchor = np.zeros(len(start)), 0.0, 0
        if parameter.transform == "log":
            initial = float(np.log(start[0])) if prior.name not in ("Flat", "HalfFlat") else 0.0
        elif parameter.transform == "logit":
            initial = float(np.log(start[0]) - np.log1p(-start[0]))
        elif parameter.transform == "correlation":
            initial = 2.0 * float(np.arctanh(start[0]))
            prior = prior_of_half(prior)
        elif parameter.transform == "ordered":
            anchor = anchor_of(start)
            locations = np.concatenate(
                [np.diff(start[: anchor + 1]), start[[anchor]], np.diff(start[anchor:])]
            )
        else:
            locations = start
        record = [0] * k.A_SIZE
        record[k.A_X] = writer.parameter(
            f"{factor.variable}::{parameter.name}",
            (len(start),) if parameter.per_level else (),
            parameter.transform,
            initial,
            locations=tuple(locations.tolist()),
            anchor=anchor,
        )
        record[k.A_N] = len(start)
        record[k.A_ANCHOR] = anchor
        record[k.A_TRANSFORM] = _TRANSFORMS[parameter.transform]
        record[k.A_F] = writer.floats(locations)
        record[k.A_START] = first
        record[k.A_PRIOR] = writer.floats(encode_prior(prior))
        record[k.A_AT_MEANS] = int(factor.priors.scales_at_means or not parameter.per_level)
        first += len(start)
        records.append(record)
    return records
