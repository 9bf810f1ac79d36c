"""The compiled density: what NUTS evaluates. Structure and numbers of a model are its data."""

from bayesmi.kernel.native import compiled_density, evaluate, is_cached, pack

__all__ = ["compiled_density", "evaluate", "is_cached", "pack"]
