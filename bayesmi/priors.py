"""Priors: what they are, what support they have, how they read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from bayesmi.errors import ModelError

__all__ = ["Prior"]

# distribution -> (argument names in order, support); "interval" takes its bounds from the arguments
_KNOWN: dict[str, tuple[tuple[str, ...], str]] = {
    "Normal": (("mu", "sigma"), "real"),
    "StudentT": (("nu", "mu", "sigma"), "real"),
    "Cauchy": (("alpha", "beta"), "real"),
    "Laplace": (("mu", "b"), "real"),
    "Logistic": (("mu", "s"), "real"),
    "HalfNormal": (("sigma",), "positive"),
    "HalfStudentT": (("nu", "sigma"), "positive"),
    "HalfCauchy": (("beta",), "positive"),
    "Exponential": (("lam",), "positive"),
    "Gamma": (("alpha", "beta"), "positive"),
    "InverseGamma": (("alpha", "beta"), "positive"),
    "LogNormal": (("mu", "sigma"), "positive"),
    "Weibull": (("alpha", "beta"), "positive"),
    "Flat": ((), "real"),
    "HalfFlat": ((), "positive"),
    "Beta": (("alpha", "beta"), "unit"),
    "LKJ": (("eta",), "correlation"),
}
_POSITIVE_ARGUMENTS = {"sigma", "nu", "beta", "alpha", "b", "s", "lam", "eta"}


@dataclass(frozen=True, init=False)
class Prior:
    """A prior distribution, named and parametrised as in PyMC.

    Parameters
    ----------
    name : str
        One of Normal, StudentT, Cauchy, Laplace, Logistic (the real line); HalfNormal, HalfStudentT, HalfCauchy,
        Exponential, Gamma, InverseGamma, LogNormal, Weibull (positive); Beta (0 to 1); Flat, HalfFlat (improper);
        LKJ (the correlation matrix of group effects).
    *args, **kwargs : float
        The distribution's parameters, positionally in PyMC's order or by name. Units are those of the parameter:
        the response's for an intercept or a residual standard deviation, response per predictor for a slope.

    Raises
    ------
    ModelError
        If the distribution or an argument is not known, or a scale is not positive.

    Notes
    -----
    A prior given for ``Intercept`` is on the intercept as the posterior reports it (all predictors at zero). The
    default one is on the linear predictor at the observed means of the predictors, and the printout says so.

    Examples
    --------
    >>> from bayesmi import Prior
    >>> Prior("Normal", 0, 10)
    Normal(mu=0, sigma=10)
    """

    name: str
    arguments: tuple[tuple[str, float], ...]

    def __init__(self, name: str, *args: float, **kwargs: float) -> None:
        if name not in _KNOWN:
            raise ModelError(f"prior {name!r} is not known; known are {', '.join(_KNOWN)}")
        order = _KNOWN[name][0]
        if len(args) > len(order):
            raise ModelError(
                f"prior {name} takes {len(order)} arguments ({', '.join(order)}), not {len(args)}"
            )
        given: dict[str, Any] = dict(zip(order, args, strict=False))
        for key, value in kwargs.items():
            if key not in order:
                raise ModelError(
                    f"prior {name} has no argument {key!r}; it takes {', '.join(order) or 'none'}"
                )
            if key in given:
                raise ModelError(f"prior {name} got {key!r} twice")
            given[key] = value
        absent = [key for key in order if key not in given]
        if name == "StudentT" and absent == ["mu"]:
            given["mu"], absent = 0.0, []
        if absent:
            raise ModelError(f"prior {name} needs {', '.join(absent)}")
        for key, value in given.items():
            try:
                number = float(value)
            except (TypeError, ValueError):
                raise ModelError(f"prior {name}: {key} must be a number, not {value!r}") from None
            positive = key in _POSITIVE_ARGUMENTS and not (name == "Cauchy" and key == "alpha")
            if not math.isfinite(number) or (positive and number <= 0):
                wanted = "positive" if positive else "finite"
                raise ModelError(f"prior {name}: {key} must be {wanted}, not {value!r}")
            given[key] = number
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "arguments", tuple((key, given[key]) for key in order))

    @property
    def support(self) -> str:
        """``real``, ``positive``, ``unit`` or ``correlation``."""
        return _KNOWN[self.name][1]

    @property
    def parameters(self) -> dict[str, float]:
        """The arguments by PyMC's names."""
        return dict(self.arguments)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a model file.

        Returns
        -------
        dict
            Of strings, numbers, lists and dicts.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.Prior("Normal", 0, 10).to_dict()
        {'name': 'Normal', 'mu': 0.0, 'sigma': 10.0}
        """
        return {"name": self.name, **self.parameters}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Prior:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        data : dict
            What `to_dict` returned.

        Returns
        -------
        Prior

        Raises
        ------
        ModelError
            If there is no such prior, or an argument does not fit it.

        Examples
        --------
        >>> import bayesmi as bmi
        >>> bmi.Prior.from_dict({"name": "Normal", "mu": 0, "sigma": 10})
        Normal(mu=0, sigma=10)
        """
        rest = {key: value for key, value in data.items() if key != "name"}
        return cls(data["name"], **rest)

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value:.4g}" for key, value in self.arguments)
        return f"{self.name}({inside})"

    __repr__ = __str__
