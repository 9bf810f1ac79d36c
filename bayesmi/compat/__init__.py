"""Interfaces of other packages, so that code written for them runs with one changed import."""

from bayesmi.compat.mice_class import MICE

__all__ = ["MICE"]
