"""Log prior density of all parameters and group effects of a model, by scipy: independent of kernel and PyMC."""

import numpy as np
from scipy import stats

from bayesmi.build.correlation import beta_shapes, partials_from_correlation
from bayesmi.predictive.distributions import scipy_distribution


def log_density(prior, value):
    if prior.name in ("Flat", "HalfFlat"):
        return 0.0
    return float(np.sum(scipy_distribution(prior, "it").logpdf(value)))


def log_prior(model, draws):
    """Return it at a single draw that has all group effects."""
    estimated = [part for f in model.factors if not f.is_observation for part in f.parts]
    return sum(of_parameters(f, draws) + of_effects(f, draws) for f in estimated)


def of_parameters(factor, draws):
    priors, total = factor.priors, 0.0
    for key in factor.keys:
        own = draws.factors[key]
        if priors.intercept is not None:
            at = own.centred_intercept(factor) if priors.intercept_at_means else own.intercept
            total += log_density(priors.intercept, at[0])
        for prior, value in zip(priors.coefficients, own.coefficients[0], strict=True):
            total += log_density(prior, value)
        for effect in factor.effects:
            grouping = effect.grouping
            for prior, sd in zip(priors.group_sds[grouping], own.sds[grouping][0], strict=True):
                total += log_density(prior, sd)
            for start, stop in effect.blocks:
                if stop - start > 1 and effect.known_correlation is None:
                    block = own.correlations[grouping][0, start:stop, start:stop]
                    half = (1 + partials_from_correlation(block)) / 2
                    shapes = beta_shapes(stop - start, priors.correlations[grouping])
                    total += stats.beta(shapes, shapes).logpdf(half).sum()
    first = draws.factors[factor.keys[0]]
    for parameter in factor.parameters:
        value = first.scales[parameter.name][0]
        if parameter.transform == "correlation":  # (correlation + 1) / 2 is Beta
            p = tuple(priors.scales[parameter.name].parameters.values())
            total += stats.beta(*(p if len(p) == 2 else 2 * p)).logpdf((1 + value) / 2)
            continue
        if parameter.per_level and priors.scales_at_means and factor.n_coefficients:
            value = value - first.coefficients[0] @ factor.centers
        total += log_density(priors.scales[parameter.name], value)
    return total


def of_effects(factor, draws):
    total = 0.0
    for key in factor.keys:
        own = draws.factors[key]
        for grouping, effects in own.effects.items():
            root = own.root(grouping)[0]
            q = len(root)
            total += stats.multivariate_normal(np.zeros(q), root @ root.T).logpdf(effects[0]).sum()
    return total
