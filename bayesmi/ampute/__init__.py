"""Making complete tables incomplete by a known mechanism, to see what a method does about it."""

from bayesmi.ampute.ampute import Amputed, ampute

__all__ = ["Amputed", "ampute"]
