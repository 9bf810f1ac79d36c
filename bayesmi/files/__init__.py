"""Save and load."""

from bayesmi.files.fit_file import load_fit, save_fit
from bayesmi.files.load import load

__all__ = ["load", "load_fit", "save_fit"]
