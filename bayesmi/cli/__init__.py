"""The shell: `bayesmi describe`, `bayesmi impute`, `bayesmi demo`. Heavy imports wait until a command runs."""

from bayesmi.cli.app import main

__all__ = ["main"]
