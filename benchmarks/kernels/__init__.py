"""Densities written by hand for one case each, with their gradients: what the general kernel is measured against.

Each file has `prepare(model, built, data)`, which returns the arguments of its `density`, and `density(x, gradient,
*arguments)`. Likelihoods, sums and derivatives are written anew and specialised to the case, rows in one pass where
that is possible; the parameters are those of the general kernel (`parameters.py`), so that values and gradients can be
compared at the same points.
"""
