"""Selection: a value is seen where a second, correlated equation is positive (Heckman 1976)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayesmi.errors import ModelError
from bayesmi.formula import Formula, parse
from bayesmi.priors import Prior

__all__ = ["Heckman", "heckmans_of"]

ERRORS = ("normal", "student")
SYSTEMATIC = ("design", "selected")


@dataclass(frozen=True, init=False)
class Heckman:
    """Values of a variable are missing by a selection equation whose error is correlated with the variable's own.

    A value is seen where ``eta_s + e_s > 0``; ``corr(e, e_s) = rho``. With rho = 0 it is missing at random.

    Parameters
    ----------
    formula : str
        The selection equation, ``"~ age + time + (1 | cluster)"``: a probit model of being seen. It should hold at least one
        predictor that is not in the variable's own model (the exclusion restriction); without one rho rests on the normal
        shape of the errors and on its prior, which is said.
    rho : number or Prior, optional
        A number fixes it, for sensitivity. A prior is ``Prior("LKJ", eta)``, which is (rho + 1) / 2 ~ Beta(eta, eta), or
        ``Prior("Beta", a, b)`` of (rho + 1) / 2. By default LKJ(1): uniform on (-1, 1).
    group_rho : number, optional
        The correlation of the group effects of the two equations, where both have one intercept of the same grouping; 0 makes
        all of them independent. By default the effects of a grouping in both equations have one covariance, with the LKJ prior
        of the model. It is a second axis of sensitivity: a fixed `rho` leaves it to be estimated.
    errors : {"normal", "student"}
        ``"student"``: bivariate t with estimated degrees of freedom, for a continuous variable.
    systematic : {"design", "selected"}
        What a cluster in which the variable is wholly missing says. ``"design"``: nothing, it was not measured there, and its
        values are drawn from the population of clusters. ``"selected"``: each row there was not selected.
    matching : bool
        Impute by predictive mean matching: a cell gets the observed value of one of the five rows whose mean given that they
        are seen is nearest to the cell's mean given that it is not.

    Raises
    ------
    ModelError
        If an argument is not one of these.

    Notes
    -----
    Likelihood of Amemiya's (1984) type 2 Tobit model, in one step: seen rows log phi((y - eta) / sigma) - log sigma +
    log Phi((eta_s + rho z) / sqrt(1 - rho²)), others log Phi(-eta_s). Imputations are exact: the selection's error is drawn
    first, below -eta_s, then the value given that error; their variance is sigma² (1 - rho² d) with d = l (l - eta_s),
    l = phi(eta_s) / Phi(-eta_s). Two-step imputation that adds the whole sigma² (Galimard et al. 2018; Muñoz et al. 2023)
    over-disperses. Families: gaussian, lognormal (its logarithm), probit and ordinalprobit (the latent variable), student.

    Examples
    --------
    >>> import bayesmi as bmi
    >>> bmi.Heckman("~ age + time", rho=0.5)
    Heckman('~ age + time', rho=0.5)
    """

    formula: str
    rho: float | Prior | None
    group_rho: float | None
    errors: str
    systematic: str
    matching: bool

    def __init__(
        self,
        formula: str,
        *,
        rho: float | Prior | None = None,
        group_rho: float | None = None,
        errors: str = "normal",
        systematic: str = "design",
        matching: bool = False,
    ) -> None:
        if not isinstance(formula, str):
            raise ModelError(
                f"Heckman({formula!r}): the selection equation is a text, such as '~ age + time'"
            )
        parsed = parse(formula if "~" in formula else f"~ {formula}")
        if parsed.response is not None:
            raise ModelError(
                f"Heckman({formula!r}): the left-hand side is whether the variable is seen: write '~ …'"
            )
        if errors not in ERRORS:
            raise ModelError(f"Heckman(errors={errors!r}): errors is 'normal' or 'student'")
        if systematic not in SYSTEMATIC:
            raise ModelError(f"Heckman(systematic={systematic!r}): systematic is 'design' or 'selected'")
        if isinstance(rho, Prior):
            if rho.name not in ("LKJ", "Beta"):
                raise ModelError(
                    f"Heckman(rho={rho}): a prior of rho is Prior('LKJ', eta), or Prior('Beta', a, b) of (rho + 1) / 2"
                )
        elif rho is not None:
            rho = _correlation(rho, "rho")
        values = {
            "formula": formula if "~" in formula else f"~ {formula}",
            "rho": rho,
            "group_rho": None if group_rho is None else _correlation(group_rho, "group_rho"),
            "errors": errors,
            "systematic": systematic,
            "matching": bool(matching),
        }
        for key, value in values.items():
            object.__setattr__(self, key, value)

    @property
    def selection(self) -> Formula:
        """The selection equation."""
        return parse(self.formula)

    @property
    def fixed_rho(self) -> float | None:
        """A known rho, or None."""
        return None if isinstance(self.rho, Prior) else self.rho

    def fixed_at(self, *, rho: float | None = None, group_rho: float | None = None) -> Heckman:
        """Return the same with one or both correlations known.

        Parameters
        ----------
        rho, group_rho : float, optional
            Between -1 and 1; what is not given stays as it is.

        Returns
        -------
        Heckman

        Raises
        ------
        ModelError
            If a correlation is out of range.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.Heckman("~ age + time").fixed_at(rho=0.5)
        Heckman('~ age + time', rho=0.5)
        """
        return replace(
            self,
            rho=self.rho if rho is None else rho,
            group_rho=self.group_rho if group_rho is None else group_rho,
        )

    def matched(self) -> Heckman:
        """Return the same, imputing by predictive mean matching.

        Returns
        -------
        Heckman

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.Heckman("~ age + time").matched().matching
        True
        """
        return replace(self, matching=True)

    @property
    def prior(self) -> Prior:
        """Prior of rho where it is not known."""
        return self.rho if isinstance(self.rho, Prior) else Prior("LKJ", 1.0)

    @property
    def words(self) -> str:
        """How it reads in a printout."""
        if self.fixed_rho is not None:
            rho = f"rho fixed at {self.fixed_rho:g}"
        elif self.prior == Prior("LKJ", 1.0):
            rho = "rho uniform on (-1, 1)"
        else:
            rho = f"rho ~ {self.prior}" + (" of (rho + 1) / 2" if self.prior.name == "Beta" else "")
        parts = [f"selection by '{self.formula}'", rho]
        if self.group_rho is not None:
            parts.append(f"group effects of the two equations correlated {self.group_rho:g}")
        if self.errors == "student":
            parts.append("bivariate t errors")
        if self.systematic == "selected":
            parts.append("clusters without any value taken as not selected")
        if self.matching:
            parts.append("imputed by predictive mean matching")
        return f"Heckman: {', '.join(parts)}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a model file.

        Returns
        -------
        dict
            Of strings, numbers, lists and dicts.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.Heckman("~ age + time", rho=0.5).to_dict()["mechanism"]
        'heckman'
        """
        return {
            "mechanism": "heckman",
            "formula": self.formula,
            "rho": self.rho.to_dict() if isinstance(self.rho, Prior) else self.rho,
            "group_rho": self.group_rho,
            "errors": self.errors,
            "systematic": self.systematic,
            "matching": self.matching,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Heckman:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What `to_dict` returned.

        Returns
        -------
        Heckman

        Examples
        --------
        >>> import bayesmi as bmi
        >>> mechanism = bmi.Heckman("~ age + time", rho=0.5)
        >>> bmi.Heckman.from_dict(mechanism.to_dict()) == mechanism
        True
        """
        rho = data["rho"]
        return cls(
            data["formula"],
            rho=Prior.from_dict(dict(rho)) if isinstance(rho, Mapping) else rho,
            group_rho=data["group_rho"],
            errors=data["errors"],
            systematic=data["systematic"],
            matching=data["matching"],
        )

    def __repr__(self) -> str:
        parts = [repr(self.formula)]
        if self.rho is not None:
            parts.append(f"rho={self.rho:g}" if isinstance(self.rho, float) else f"rho={self.rho}")
        parts += [f"group_rho={self.group_rho:g}"] if self.group_rho is not None else []
        parts += [f"errors={self.errors!r}"] if self.errors != "normal" else []
        parts += [f"systematic={self.systematic!r}"] if self.systematic != "design" else []
        parts += ["matching=True"] if self.matching else []
        return f"Heckman({', '.join(parts)})"


def heckmans_of(mechanisms: Mapping[str, Any]) -> dict[str, Heckman]:
    """Return the selection models among the mechanisms, by variable."""
    return {name: own for name, own in mechanisms.items() if isinstance(own, Heckman)}


def _correlation(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ModelError(f"Heckman({what}={value!r}): {what} is a number between -1 and 1")
    if not -1.0 < value < 1.0:
        raise ModelError(f"Heckman({what}={value!r}): {what} lies between -1 and 1, both excluded")
    return float(value)
