"""The table in numbers before anything is modelled."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmi.data import Column, Grouping, IncompleteFrame, Kind, audit
from bayesmi.data.audit import WHOLE_AS_FLOAT
from bayesmi.describe import printing
from bayesmi.describe.clusters import cluster_missingness
from bayesmi.describe.flux import flux
from bayesmi.describe.limits import limit_counts
from bayesmi.describe.patterns import missing_patterns, observed_cells
from bayesmi.describe.predictors import predictors
from bayesmi.errors import DataError

__all__ = ["Description", "describe"]

_SAID = (Kind.COUNT, Kind.ORDINAL, Kind.NOMINAL)  # kinds of numbers that are never guessed


@dataclass(frozen=True, eq=False, repr=False)
class Description:
    """What `describe` found.

    Attributes
    ----------
    n_rows : int
        Rows of the table.
    columns : DataFrame
        By variable: ``kind``, ``level``, ``observed``, ``missing``, ``missing_percent`` (of the cells that
        apply), ``absent`` (cells that do not apply or lie outside ``where=``), ``values`` (range or levels of
        what is observed). Of a Model with limits also ``below``, ``above`` and ``between``: how many of the missing
        cells are known to lie below a limit, above one, or between two.
    patterns : DataFrame
        See `missing_patterns`.
    flux : DataFrame
        See `flux`.
    clusters : DataFrame
        See `cluster_missingness`; empty without clusters.
    predictors : DataFrame
        See `predictors`: complete variables that go with the values, or the missingness, of incomplete ones.
    groupings : mapping of str to Grouping
        The clusters.
    audit : tuple of str
        Values that look like missing codes and other remarks, one line each.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> found = bmi.describe(bmi.datasets.load("nhanes"))
    >>> found.n_rows, found.n_complete, found.columns["missing"].to_dict()
    (25, 13, {'age': 0, 'bmi': 9, 'hyp': 8, 'chl': 10})
    """

    n_rows: int
    columns: pd.DataFrame
    patterns: pd.DataFrame
    flux: pd.DataFrame
    clusters: pd.DataFrame
    predictors: pd.DataFrame
    groupings: Mapping[str, Grouping]
    audit: tuple[str, ...]

    @property
    def n_complete(self) -> int:
        """Rows without a missing cell."""
        rows, missing = self.patterns.columns[-2:]
        return int(self.patterns.loc[self.patterns[missing] == 0, rows].sum())

    def __repr__(self) -> str:
        return printing.as_text(self)

    def _repr_html_(self) -> str:
        return printing.as_html(self)


def describe(data: Any, cluster: Any = None) -> Description:
    """Describe an incomplete table: kinds, levels, missing cells, patterns, clusters.

    Parameters
    ----------
    data : DataFrame, IncompleteFrame or Model
        pandas or polars table with n rows; of a Model its table, and its grouping factors as clusters.
    cluster : str, sequence of str or Model, optional
        Column that holds the clusters, ``"a:b"`` for the combinations of two, or several of these. Of a Model its
        grouping factors, and its kinds of columns.

    Returns
    -------
    Description
        Prints as text, and as tables in a notebook; its parts are DataFrames.

    Raises
    ------
    DataError
        If the table cannot be read, or a cluster column is not there or incomplete.

    Notes
    -----
    A cluster in which every cell of a variable is missing is *systematically* missing, one with some cells
    missing *sporadically* (Resche-Rigon and White 2018). The ICC is the analysis-of-variance estimator on
    observed values (Donner 1986), and for categories and counts that of a random intercept on their latent scale.
    Influx and outflux: van Buuren (2018), section 4.1.3. The same as pictures: `bayesmi.plots.pattern`, `flux`,
    `missing_map` (``sort=`` the cluster) and `correlations`.

    Examples
    --------
    >>> import bayesmi as bmi, numpy as np, pandas as pd
    >>> table = pd.DataFrame({"g": [1, 1, 2, 2, 3, 3], "y": [1.1, 2.2, np.nan, np.nan, 3.0, np.nan]})
    >>> bmi.describe(table, cluster="g").clusters[["systematic", "systematic_cells", "sporadic"]]
       systematic  systematic_cells  sporadic
    y           1                 2         1
    """
    frame, names = _read(data, cluster)
    groupings = {name: frame.grouping(name) for name in names}
    tables = [cluster_missingness(frame, grouping) for grouping in groupings.values()]
    return Description(
        n_rows=frame.n_rows,
        columns=_columns(frame, groupings).join(limit_counts(data)),
        patterns=missing_patterns(frame),
        flux=flux(observed_cells(frame)),
        clusters=pd.concat(tables) if tables else pd.DataFrame(),
        predictors=predictors(frame, {part for name in names for part in name.split(":")}),
        groupings=groupings,
        audit=_audit_lines(frame),
    )


def _read(data: Any, cluster: Any) -> tuple[IncompleteFrame, tuple[str, ...]]:
    """Take the frame, with its clusters, out of a table, a frame or a model."""
    model = getattr(cluster, "frame", None)
    if isinstance(model, IncompleteFrame):
        table = data.original() if isinstance(data, IncompleteFrame) else data
        kinds = {name: column.plain_kind for name, column in model.columns.items()}
        kinds = {name: kind for name, kind in kinds.items() if name in getattr(table, "columns", ())}
        return IncompleteFrame.from_table(table, kinds=kinds, groups=tuple(cluster.groupings)), tuple(
            cluster.groupings
        )
    if not isinstance(cluster, str | Sequence | None):
        raise DataError(
            f"cluster= is a column name, a list of them or a Model, not a {type(cluster).__name__}"
        )
    names = () if cluster is None else (cluster,) if isinstance(cluster, str) else tuple(cluster)
    inner = getattr(data, "frame", None)
    if isinstance(inner, IncompleteFrame):  # a Model
        data, names = inner, names or tuple(data.groupings)
    if not isinstance(data, IncompleteFrame):
        return IncompleteFrame.from_table(data, groups=names), names
    names = names or tuple(data.groups)
    if all(name in data.groups for name in names):
        return data, names
    kinds = {name: column.plain_kind for name, column in data.columns.items()}
    where = {name: column.missing for name, column in data.columns.items() if column.absent.any()}
    return (
        IncompleteFrame.from_table(data.original(), kinds=kinds, groups=names, where=where or None),
        names,
    )


def _columns(frame: IncompleteFrame, groupings: Mapping[str, Grouping]) -> pd.DataFrame:
    """One line a variable."""
    rows = {}
    for name, column in frame.columns.items():
        applicable = column.n_missing + column.n_observed
        rows[name] = {
            "kind": str(column.kind),
            "level": column.level,
            "observed": column.n_observed,
            "missing": column.n_missing,
            "missing_percent": 100 * column.n_missing / applicable if applicable else float("nan"),
            "absent": int(column.absent.sum()),
            "values": _values(column, groupings),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _values(column: Column, groupings: Mapping[str, Grouping]) -> str:
    """Range of numbers, or the first levels, of what is observed."""
    if column.name in groupings:
        return f"{groupings[column.name].n_groups} clusters"
    if column.kind == "identifier" or not column.n_observed:
        return ""
    if column.categories is not None:
        labels = [textwrap.shorten(str(label), 18, placeholder="…") for label in column.categories]
        few = [label for k, label in enumerate(labels) if k < 4 and len(", ".join(labels[: k + 1])) <= 40]
        return ", ".join(few) + (f", … ({len(labels)} levels)" if len(labels) > len(few) else "")
    values = column.values[column.observed]
    if column.kind == "binary":
        return ", ".join(f"{value:g}" for value in sorted(set(values)))
    if values.min() == values.max():
        return f"always {values.min():.4g}"
    return f"{values.min():.4g} … {values.max():.4g}, median {np.median(values):.4g}"


def _audit_lines(frame: IncompleteFrame) -> tuple[str, ...]:
    """List what the audit says, and what reading the table said."""
    found = [
        f"{f.column}: {f.issue}: {f.values} in {f.count} cell{'s' if f.count != 1 else ''}; {f.suggestion}"
        for f in audit(frame.original()).findings
        if not (f.issue == WHOLE_AS_FLOAT and frame.columns[f.column].kind in _SAID)  # kinds= has answered
    ]
    return tuple(dict.fromkeys([*found, *frame.notices]))
