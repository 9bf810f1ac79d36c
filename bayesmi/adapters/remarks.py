"""What is worth saying about one fit: no convergence, and what the libraries below warned of."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from bayesmi.adapters.extract import Extract

__all__ = ["remarks_of"]

# of interest to those who write libraries, and hidden by Python itself
_HIDDEN = (DeprecationWarning, PendingDeprecationWarning)


def remarks_of(found: Extract, caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """Turn warnings into one remark per kind, what the adapter found first.

    Parameters
    ----------
    found : Extract
        What was read out of the fit.
    caught : sequence of WarningMessage
        Warnings raised while it was made.

    Returns
    -------
    tuple of str
    """
    by_kind: dict[str, list[str]] = {}
    for warning in caught:
        message = " ".join(str(warning.message).split())
        if issubclass(warning.category, _HIDDEN) or any(part in message for part in found.superseded):
            continue
        messages = by_kind.setdefault(warning.category.__name__, [])
        if message not in messages:
            messages.append(message)
    remarks = list(found.notes)
    convergence = by_kind.pop("ConvergenceWarning", [])
    if found.converged is False or (found.converged is None and convergence):
        remarks.append("did not converge" + (f" ({convergence[-1].rstrip('.')})" if convergence else ""))
    elif convergence:
        by_kind["ConvergenceWarning"] = convergence
    for kind, messages in by_kind.items():
        more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
        remarks.append(f"{kind}: {messages[0].rstrip('.')}{more}")
    return tuple(remarks)
