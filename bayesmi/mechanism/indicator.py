"""Models of whether a value is missing: by the value itself (self-masking), or by the group effects behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.wide import occasion_order, place_rows, unit_codes
from bayesmi.errors import DataError, ModelError
from bayesmi.formula import Formula, parse
from bayesmi.formula.expression import Column
from bayesmi.priors import Prior

__all__ = [
    "SelfMasking",
    "SharedEffects",
    "indicator_masks",
    "indicator_name",
    "indicators_of",
    "with_indicator_columns",
]

_FAMILIES = {"logit": "bernoulli", "probit": "probit"}
Dropout = str | tuple[str, str] | None


def indicator_name(variable: str) -> str:
    """Name of the column that says where a variable is missing: 1 missing, 0 seen."""
    return f"missing_{variable}"


@dataclass(frozen=True, init=False)
class _Indicator:
    """What models of an indicator have in common."""

    formula: str
    link: str
    dropout: Dropout

    def _set(self, formula: Any, link: Any, dropout: Any, **more: Any) -> None:
        kind = type(self).__name__
        if not isinstance(formula, str):
            raise ModelError(f"{kind}({formula!r}): the formula is a text, such as '~ age + (1 | school)'")
        text = formula if "~" in formula else f"~ {formula}"
        if parse(text).response is not None:
            raise ModelError(
                f"{kind}({formula!r}): the left-hand side is whether the variable is missing: write '~ …'"
            )
        if link not in _FAMILIES:
            raise ModelError(f"{kind}(link={link!r}): link is 'logit' or 'probit'")
        if dropout is not None and not isinstance(dropout, str):
            names = tuple(dropout) if isinstance(dropout, list | tuple) else ()
            if len(names) != 2 or not all(isinstance(name, str) for name in names):
                raise ModelError(
                    f"{kind}(dropout={dropout!r}): dropout is the column of the visit before ('y1'), or the columns of the "
                    "patient and the visit of a long table (('id', 'visit'))"
                )
            dropout = names
        for key, value in {"formula": text, "link": link, "dropout": dropout, **more}.items():
            object.__setattr__(self, key, value)

    @property
    def selection(self) -> Formula:
        """The formula, parsed."""
        return parse(self.formula)

    @property
    def family(self) -> str:
        """Family of the indicator."""
        return _FAMILIES[self.link]

    @property
    def _dropout_words(self) -> str:
        if self.dropout is None:
            return ""
        return ", rows after drop-out left out" if isinstance(self.dropout, tuple) else (
            f", where {self.dropout} is seen"
        )  # fmt: skip

    def _parts(self) -> list[str]:
        parts = [f"link={self.link!r}"] if self.link != "logit" else []
        return parts + ([f"dropout={self.dropout!r}"] if self.dropout is not None else [])


@dataclass(frozen=True, init=False, repr=False)
class SelfMasking(_Indicator):
    """Whether a value is missing depends on the value itself: P(missing) = F(formula + slope * value).

    Parameters
    ----------
    formula : str
        Other predictors of being missing, ``"~ age + (1 | school)"``. The variable itself is added where the formula does not
        name it; name it to say more, ``"~ y * arm"``.
    link : {"logit", "probit"}
        Of the probability of being missing.
    slope : Prior, optional
        Prior of the variable's own coefficient: log odds (probits) of being missing for one unit more. By default that of any
        coefficient, Normal(0, 2.5 / sd), which says little; the data speak about it only through the shape of the variable's
        distribution.
    dropout : str or (str, str), optional
        Monotone drop-out: the indicator is modelled while the patient is still in. In a wide table the column of the visit
        before; in a long table the columns of patient and visit: rows after the first missing visit are left out.

    Raises
    ------
    ModelError
        If an argument is not one of these.

    Notes
    -----
    Diggle & Kenward (1994); the indicator is a column ``missing_<variable>`` (1 missing) of the model and of completed data, and
    its coefficients are named ``missing_<variable>__…``. With slope 0 the variable is missing at random given the formula.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.SelfMasking("~ age", slope=bmi.Prior("Normal", 0, 0.1))
    SelfMasking('~ age', slope=Normal(mu=0, sigma=0.1))
    """

    slope: Prior | None

    def __init__(
        self, formula: str = "~ 1", *, link: str = "logit", slope: Prior | None = None, dropout: Any = None
    ) -> None:
        if slope is not None and (not isinstance(slope, Prior) or slope.support != "real"):
            raise ModelError(
                f"SelfMasking(slope={slope!r}): slope is a prior on the real line, such as Prior('Normal', 0, 0.1)"
            )
        self._set(formula, link, dropout, slope=slope)

    def formula_of(self, variable: str) -> str:
        """Return the right-hand side of the indicator's model.

        Parameters
        ----------
        variable : str
            The incomplete variable.

        Returns
        -------
        str

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.SelfMasking("~ age").formula_of("weight")
        '~ age + weight'
        """
        if variable in self.selection.variables:
            return self.formula
        return f"{self.formula} + {Column(variable)}"

    def priors_of(self, variable: str) -> dict[str, Prior]:
        """Return the priors that it gives, by name.

        Parameters
        ----------
        variable : str
            The incomplete variable.

        Returns
        -------
        dict of str to Prior

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.SelfMasking("~ age", slope=bmi.Prior("Normal", 0, 0.1)).priors_of("weight")
        {'missing_weight__weight': Normal(mu=0, sigma=0.1)}
        """
        return {} if self.slope is None else {f"{indicator_name(variable)}__{variable}": self.slope}

    @property
    def words(self) -> str:
        """How it reads in a printout."""
        slope = "" if self.slope is None else f", slope ~ {self.slope}"
        return f"self-masking: missing by its own value and '{self.formula}' ({self.link}){slope}{self._dropout_words}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a model file.

        Returns
        -------
        dict
            Of strings, numbers, lists and dicts.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.SelfMasking("~ age").to_dict()["mechanism"]
        'selfmasking'
        """
        return {
            "mechanism": "selfmasking",
            "formula": self.formula,
            "link": self.link,
            "slope": None if self.slope is None else self.slope.to_dict(),
            "dropout": self.dropout,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SelfMasking:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What `to_dict` returned.

        Returns
        -------
        SelfMasking

        Examples
        --------
        >>> import bayesmi as bmi
        >>> mechanism = bmi.SelfMasking("~ age")
        >>> bmi.SelfMasking.from_dict(mechanism.to_dict()) == mechanism
        True
        """
        slope = None if data["slope"] is None else Prior.from_dict(dict(data["slope"]))
        return cls(data["formula"], link=data["link"], slope=slope, dropout=data["dropout"])

    def __repr__(self) -> str:
        parts = [repr(self.formula), *self._parts()]
        return (
            f"SelfMasking({', '.join(parts + ([f'slope={self.slope}'] if self.slope is not None else []))})"
        )


@dataclass(frozen=True, init=False, repr=False)
class SharedEffects(_Indicator):
    """Whether a value is missing depends on the group effects behind it, not on the value: shared random effects.

    Parameters
    ----------
    formula : str
        Predictors of being missing, ``"~ visit + arm"``.
    grouping : str
        The grouping whose effects in the variable's own model are predictors of being missing: a patient's intercept and slopes.
    link : {"logit", "probit"}
        Of the probability of being missing.
    dropout : str or (str, str), optional
        As in `SelfMasking`.

    Raises
    ------
    ModelError
        If an argument is not one of these.

    Notes
    -----
    Wu & Carroll (1988). The coefficients are named ``missing_<variable>__between(<variable>|<grouping>)``; given the group
    effects a value is missing at random, so that imputations move with what is known of its group.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.SharedEffects("~ visit", "id")
    SharedEffects('~ visit', 'id')
    """

    grouping: str

    def __init__(self, formula: str, grouping: str, *, link: str = "logit", dropout: Any = None) -> None:
        if not isinstance(grouping, str):
            raise ModelError(
                f"SharedEffects({formula!r}, {grouping!r}): the grouping is a column, such as 'id'"
            )
        self._set(formula, link, dropout, grouping=grouping)

    def formula_of(self, variable: str) -> str:
        """Return the right-hand side of the indicator's model, without the group effects.

        Parameters
        ----------
        variable : str
            The incomplete variable.

        Returns
        -------
        str

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.SharedEffects("~ visit", "id").formula_of("weight")
        '~ visit'
        """
        return self.formula

    def priors_of(self, variable: str) -> dict[str, Prior]:
        """It gives none.

        Parameters
        ----------
        variable : str
            The incomplete variable.

        Returns
        -------
        dict of str to Prior

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.SharedEffects("~ visit", "id").priors_of("weight")
        {}
        """
        return {}

    @property
    def words(self) -> str:
        """How it reads in a printout."""
        what = f"missing by its effects of {self.grouping} and '{self.formula}' ({self.link})"
        return f"shared group effects: {what}{self._dropout_words}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a model file.

        Returns
        -------
        dict
            Of strings, numbers, lists and dicts.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.SharedEffects("~ visit", "id").to_dict()["mechanism"]
        'sharedeffects'
        """
        return {
            "mechanism": "sharedeffects",
            "formula": self.formula,
            "grouping": self.grouping,
            "link": self.link,
            "dropout": self.dropout,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SharedEffects:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What `to_dict` returned.

        Returns
        -------
        SharedEffects

        Examples
        --------
        >>> import bayesmi as bmi
        >>> mechanism = bmi.SharedEffects("~ visit", "id")
        >>> bmi.SharedEffects.from_dict(mechanism.to_dict()) == mechanism
        True
        """
        return cls(data["formula"], data["grouping"], link=data["link"], dropout=data["dropout"])

    def __repr__(self) -> str:
        return f"SharedEffects({', '.join([repr(self.formula), repr(self.grouping), *self._parts()])})"


def indicators_of(mechanisms: Mapping[str, Any]) -> dict[str, Any]:
    """Return the models of indicators among the mechanisms, by variable."""
    return {name: own for name, own in mechanisms.items() if isinstance(own, _Indicator)}


def with_indicator_columns(data: Any, mechanisms: Mapping[str, Any]) -> Any:
    """Return the table with a column that says where each variable is missing; the given one is not changed.

    Raises
    ------
    ModelError
        If the table has another column of that name, or a variable of the mechanism is not in the table.
    """
    made = {}
    for name, own in indicators_of(mechanisms).items():
        if name not in data.columns:
            continue  # refused where mechanisms are read
        values = np.where(_missing(data, name), 1.0, 0.0)
        if not values.any():
            raise ModelError(f"mechanisms[{name!r}]: {name!r} has no missing value: leave the mechanism out")
        values[~_at_risk(data, name, own)] = np.nan
        column = indicator_name(name)
        if column in data.columns:
            raise ModelError(
                f"mechanisms[{name!r}] makes a column {column!r}, which the table has already: rename it"
            )
        made[column] = values
    if not made:
        return data
    if type(data).__module__.startswith("polars"):
        import polars as pl

        return data.with_columns(
            pl.Series(name, values).fill_nan(None).alias(name) for name, values in made.items()
        )
    return data.assign(**made)


def indicator_masks(data: Any, mechanisms: Mapping[str, Any]) -> dict[str, NDArray[np.bool_]]:
    """Return which cells of each indicator with drop-out are imputed: none, those after drop-out are left missing."""
    return {
        indicator_name(name): np.zeros(len(data), dtype=bool)
        for name, own in indicators_of(mechanisms).items()
        if own.dropout is not None and name in data.columns
    }


def _missing(data: Any, name: str) -> NDArray[np.bool_]:
    column = data[name]
    if hasattr(column, "isna"):
        return np.asarray(column.isna(), dtype=bool)
    missing = column.is_null()
    return np.asarray(missing | column.is_nan() if column.dtype.is_float() else missing, dtype=bool)


def _at_risk(data: Any, name: str, own: _Indicator) -> NDArray[np.bool_]:
    """Rows in which the variable could have been seen: not after drop-out."""
    if own.dropout is None:
        return np.ones(len(data), dtype=bool)
    label = f"mechanisms[{name!r}]"
    columns = (own.dropout,) if isinstance(own.dropout, str) else own.dropout
    for column in columns:
        if column not in data.columns:
            raise ModelError(f"{label}: dropout names {column!r}, which is not a column of the table")
    if isinstance(own.dropout, str):
        return ~_missing(data, own.dropout)
    patient, visit = own.dropout
    long = pd.DataFrame({name: _pandas(data[name]) for name in own.dropout})
    try:
        order = occasion_order(long[visit], visit, None)
        codes, patients = unit_codes(long, patient)
        rows = place_rows(long, patient, visit, codes, len(patients), order)
    except DataError as problem:
        raise ModelError(f"{label}: {problem}") from None
    there = rows >= 0
    missing = there & _missing(data, name)[rows]
    after = np.cumsum(missing, axis=1) - missing > 0
    back = (after & there & ~missing).any(axis=1)
    if back.any():
        raise ModelError(
            f"{label}: {patient} {patients[int(np.argmax(back))]!r} is seen again after a missing visit: drop-out is monotone; "
            "leave dropout= out for intermittent missingness"
        )
    out = np.ones(len(data), dtype=bool)
    out[rows[after & there]] = False
    return out


def _pandas(column: Any) -> Any:
    return column if isinstance(column, pd.Series) else column.to_pandas()
