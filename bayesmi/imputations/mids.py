"""What mice keeps beside the imputed values: methods, predictor matrix, visit sequence, formulas, events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from bayesmi.data import IncompleteFrame
    from bayesmi.model import Model

__all__ = ["EVENT_COLUMNS", "Mids", "events_table"]

EVENT_COLUMNS = ("it", "im", "dep", "meth", "out")


@dataclass(frozen=True, eq=False)
class Mids:
    """The fields of a mice ``mids`` object that say how the imputations were made.

    Attributes
    ----------
    method : mapping of str to str
        Imputation method by column; ``""`` for columns that are not imputed.
    predictor_matrix : DataFrame of int, shape (p, p)
        Rows are imputed by columns, in mice's codes.
    visit_sequence : tuple of str
        Imputed columns, in the order of the product of conditionals.
    formulas : mapping of str to str
        The conditional of each imputed column.
    post : mapping of str to str
        Post-processing: a delta in words, else ``""``.
    logged_events : DataFrame
        What was not done as asked, with mice's columns it, im, dep, meth, out.
    version : str
        Program that made the imputations.
    """

    method: Mapping[str, str]
    predictor_matrix: pd.DataFrame
    visit_sequence: tuple[str, ...]
    formulas: Mapping[str, str]
    post: Mapping[str, str] = field(default_factory=dict)
    logged_events: pd.DataFrame = field(default_factory=lambda: events_table([]))
    version: str = ""

    @classmethod
    def unknown(cls, frame: IncompleteFrame, imputed: tuple[str, ...], version: str = "") -> Mids:
        """Return the record of imputations that came without one: every method reads "unknown"."""
        names = list(frame.columns)
        method = {name: "unknown" if name in imputed else "" for name in names}
        return cls(method, zeros(names), imputed, {}, dict.fromkeys(names, ""), version=version)

    @classmethod
    def from_model(cls, model: Model, version: str) -> Mids:
        """Return the record of a joint model: each factor's predictors, and the factors each cell meets.

        A missing cell depends on the parents of its own factor and on every factor it is a predictor in, so that both
        directions of an edge are marked.
        """
        names = list(model.frame.columns)
        matrix = zeros(names)
        method = dict.fromkeys(names, "")
        formulas: dict[str, str] = {}
        incomplete = [name for name in names if model.frame.columns[name].n_missing]
        for factor in model.factors:
            mine = factor.variable
            parents = [name for name in names if name in factor.parents]
            clusters = [part for effect in factor.effects for part in effect.grouping.split(":")]
            slopes = {name for effect in factor.effects for name in effect.variables}
            if mine in incomplete and not factor.is_observation:
                two = "2lonly." if factor.level != "row" else "2l." if factor.effects else ""
                method[mine] = two + factor.family.name
                formulas[mine] = str(factor.formula)
                for name in parents:
                    matrix.loc[mine, name] = 2 if name in slopes else 1
                for cluster in clusters:
                    if cluster in names:
                        matrix.loc[mine, cluster] = -2
            for name in parents:  # the cell of a predictor is informed by the response
                if name in incomplete and matrix.loc[name, mine] == 0:
                    matrix.loc[name, mine] = 2 if name in slopes else 1
        visits = tuple(f.variable for f in model.factors if f.variable in incomplete and not f.is_observation)
        post = {name: getattr(model.mechanisms.get(name), "words", "") for name in names}
        return cls(method, matrix, visits, formulas, post, version=version)

    def for_columns(self, names: list[str]) -> Mids:
        """Return the record for a table with other columns: new ones have method "" and no predictors."""
        matrix = self.predictor_matrix.reindex(index=names, columns=names, fill_value=0).astype(int)
        return replace(
            self,
            method={name: self.method.get(name, "") for name in names},
            predictor_matrix=matrix,
            visit_sequence=tuple(name for name in self.visit_sequence if name in names),
            formulas={name: text for name, text in self.formulas.items() if name in names},
            post={name: self.post.get(name, "") for name in names},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a file."""
        return {
            "method": dict(self.method),
            "predictor_matrix": self.predictor_matrix.to_numpy().tolist(),
            "names": list(self.predictor_matrix.columns),
            "visit_sequence": list(self.visit_sequence),
            "formulas": dict(self.formulas),
            "post": dict(self.post),
            "logged_events": self.logged_events.astype(str).to_numpy().tolist(),
            "version": self.version,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Mids:
        """Restore what `to_dict` gave."""
        names = data["names"]
        matrix = pd.DataFrame(data["predictor_matrix"], index=names, columns=names)
        events = [(dep, meth, out) for _, _, dep, meth, out in data["logged_events"]]
        return cls(
            data["method"],
            matrix.astype(int),
            tuple(data["visit_sequence"]),
            data["formulas"],
            data["post"],
            events_table(events),
            data["version"],
        )


def zeros(names: list[str]) -> pd.DataFrame:
    """Return a predictor matrix without predictors."""
    return pd.DataFrame(0, index=names, columns=names)


def events_table(events: list[tuple[str, str, str]]) -> pd.DataFrame:
    """Return events (column, method, what happened) in mice's layout; there are no iterations, so it = im = 0."""
    rows = [(0, 0, *event) for event in events]
    return pd.DataFrame(rows, columns=list(EVENT_COLUMNS))
