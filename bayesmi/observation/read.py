"""`observations=` of a model: new variables, and the columns in which something was recorded of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from bayesmi.data.wording import did_you_mean
from bayesmi.errors import ModelError
from bayesmi.observation.base import Observation
from bayesmi.observation.measured import Measured

__all__ = ["read_observations", "with_latent_columns"]

_KINDS: dict[str, Any] = {Measured.kind: Measured}
_EXAMPLE = "{'x_true': bmi.measured('x', sd='x_se')}"


def read_observations(
    given: Mapping[str, Any] | None, columns: Collection[str], empty: Collection[str] = ()
) -> dict[str, Observation]:
    """Read ``{"x_true": measured("x", sd="x_se")}``.

    Parameters
    ----------
    given : mapping
        By variable, an observation, or its plain data.
    columns : collection of str
        Columns of the table.
    empty : collection of str
        Those of them without any observed value: they may be the variables' own.

    Raises
    ------
    ModelError
        If a key is a column already, or a column is not in the table or recorded twice.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ModelError(f"observations= is a mapping such as {_EXAMPLE}, not {given!r}")
    out: dict[str, Observation] = {}
    for name, value in (given or {}).items():
        if not isinstance(name, str) or not name:
            raise ModelError(
                f"observations= has the key {name!r}: keys name new variables, such as {_EXAMPLE}"
            )
        if isinstance(value, Mapping) and value.get("kind") in _KINDS:
            value = _KINDS[value["kind"]].from_dict(value)
        if not isinstance(value, Observation):
            raise ModelError(
                f"observations[{name!r}] must be bmi.measured(…), censored(…), rounded(…) or truncated(…), such as "
                f"{_EXAMPLE}, not {value!r}"
            )
        if name in columns and name not in empty:
            raise ModelError(
                f"observations[{name!r}]: {name!r} is a column already, and the key names a new variable, the one that is "
                f"measured: write observations={{'{name}_true': …}} and '{name}_true' in the formula"
            )
        for column in value.columns:
            if column not in columns or column == name:
                raise ModelError(
                    f"observations[{name!r}] names {column!r}, which is not a column of the table: "
                    f"{did_you_mean(column, list(columns))}"
                )
        for other, before in out.items():
            if before.column == value.column:
                raise ModelError(
                    f"observations[{name!r}] and observations[{other!r}] are both recorded in {value.column!r}: it measures "
                    "one variable"
                )
        out[name] = value
    return out


def with_latent_columns(data: Any, names: Collection[str]) -> Any:
    """Return the table with an empty column for each variable that it does not have yet; the given one is not changed."""
    absent = [name for name in names if name not in [str(column) for column in data.columns]]
    if not absent:
        return data
    if type(data).__module__.startswith("polars"):
        import polars as pl

        return data.with_columns(pl.lit(None).cast(pl.Float64).alias(name) for name in absent)
    return data.assign(**dict.fromkeys(absent, np.nan))
