"""Group effects: their covariance's root and, where they are sampled, their values; priors and gradient on the way back."""

from __future__ import annotations

import math

import numpy as np

from bayesmi.kernel import layout as k
from bayesmi.kernel.centring import centred_backward, centred_forward, unseen_groups
from bayesmi.kernel.jit import kernel
from bayesmi.kernel.priors import log_prior
from bayesmi.kernel.room import shaped
from bayesmi.kernel.roots import group_sds, partials, root_backward, root_forward
from bayesmi.kernel.special import softplus

__all__ = ["effect_backward", "effect_forward"]

_LOG_2PI = math.log(2 * math.pi)


@kernel
def effect_forward(x, f, i, factor, at, roots, corrs, a, beta, n, u):  # type: ignore[no-untyped-def]
    """Root of one grouping's covariance, and its effects if they are sampled."""
    if i[at + k.E_TREATMENT] == k.SHARED:
        return
    q, n_groups = i[at + k.E_Q], i[at + k.E_GROUPS]
    root = shaped(roots[i[at + k.E_L] : i[at + k.E_L] + q * q], (q, q))
    corr = shaped(corrs[i[at + k.E_L] : i[at + k.E_L] + q * q], (q, q))
    sds = group_sds(x, f, i, at)
    for b in range(i[at + k.E_BLOCKS]):
        block = i[at + k.E_BLOCK_TABLE] + 4 * b
        start, stop = i[block], i[block + 1]
        pairs = (stop - start) * (stop - start - 1) // 2
        root_forward(start, stop, partials(x, f, i, block, pairs), sds, root, corr)
    if i[at + k.E_TREATMENT] == k.COLLAPSE:
        return
    raw, place, n_centred = i[at + k.E_EFFECTS_X], i[at + k.E_U], i[at + k.E_CENTRED]
    if n_centred > 0:
        centred_forward(x, f, i, factor, at, n, a, beta, u)
    if n_centred < q or i[at + k.E_UNSEEN] >= 0:
        size = n_groups * q
        own = shaped(u[place : place + size], (n_groups, q))
        _effects_from(shaped(x[raw : raw + size], (n_groups, q)), root, n_centred, unseen_groups(i, at), own)


@kernel
def effect_backward(x, f, i, factor, at, n, roots, corrs, u, d_u, d_roots, beta, d_a, d_beta, gradient):  # type: ignore[no-untyped-def]
    """Priors of one grouping's effects and covariance, and their gradient; returns the log priors."""
    total = 0.0
    if i[at + k.E_TREATMENT] == k.SHARED:
        return total
    q, n_groups = i[at + k.E_Q], i[at + k.E_GROUPS]
    place = i[at + k.E_L]
    root = shaped(roots[place : place + q * q], (q, q))
    corr = shaped(corrs[place : place + q * q], (q, q))
    d_root = shaped(d_roots[place : place + q * q], (q, q))
    if i[at + k.E_TREATMENT] != k.COLLAPSE:
        raw, first, size = i[at + k.E_EFFECTS_X], i[at + k.E_U], n_groups * q
        own = shaped(u[first : first + size], (n_groups, q))
        d_own = shaped(d_u[first : first + size], (n_groups, q))
        own_x, d_x = (
            shaped(x[raw : raw + size], (n_groups, q)),
            shaped(gradient[raw : raw + size], (n_groups, q)),
        )
        n_centred = i[at + k.E_CENTRED]
        unseen = unseen_groups(i, at)
        total += _effects_density(own_x, root, n_centred, unseen, own, d_own, d_x, d_root)
        total -= 0.5 * _LOG_2PI * size
        if n_centred > 0:
            centred_backward(x, f, i, factor, at, n, beta, u, d_own, d_x, d_a, d_beta, d_u, gradient)
    sds = group_sds(x, f, i, at)
    d_sds = np.zeros(q)
    for b in range(i[at + k.E_BLOCKS]):
        block = i[at + k.E_BLOCK_TABLE] + 4 * b
        start, stop = i[block], i[block + 1]
        pairs = (stop - start) * (stop - start - 1) // 2
        half = partials(x, f, i, block, pairs)
        d_half = np.zeros(pairs)
        root_backward(start, stop, half, sds, corr, d_root, d_half, d_sds)
        if i[block + 2] < 0:
            continue
        logits = x[i[block + 2] : i[block + 2] + pairs]
        for pair in range(pairs):
            shape = f[i[block + 3] + 2 * pair]
            constant = f[i[block + 3] + 2 * pair + 1]
            h = half[pair]
            # log h and log (1 - h) from the logit, which do not underflow
            log_h = -math.log1p(math.exp(-abs(logits[pair]))) + min(logits[pair], 0.0)
            log_rest = log_h - logits[pair]
            total += constant + shape * (log_h + log_rest)
            gradient[i[block + 2] + pair] += shape * (1.0 - 2.0 * h) + d_half[pair] * h * (1.0 - h)
    for a in range(q):
        record = i[at + k.E_SD_PRIORS] + a * k.P_SIZE
        value, slope = log_prior(f[record : record + k.P_SIZE], sds[a])
        place = i[at + k.E_SD_X] + a
        share = math.exp(-softplus(-x[place]))  # the logistic function of x
        total += value - softplus(-x[place])
        gradient[place] += (d_sds[a] + slope) * f[i[at + k.E_SD_SCALES] + a] * share + 1.0 - share
    return total


@kernel
def _effects_from(raw, root, n_centred, unseen, u):  # type: ignore[no-untyped-def]
    """Fill the non-centred effects u (G, q), those from the n_centred-th on, given the centred ones before them.

    u_g = L z_g; raw (G, q) holds z of the non-centred effects, that of the others follows from u. Of groups that are marked in
    `unseen` (G or none) no effect is centred.
    """
    n_groups, q = u.shape
    z = np.empty(q)
    for g in range(n_groups):
        centred = 0 if len(unseen) > 0 and unseen[g] == 1 else n_centred
        for i in range(q):
            value = 0.0
            for j in range(i):
                value += root[i, j] * z[j]
            if i < centred:
                z[i] = (u[g, i] - value) / root[i, i]
            else:
                z[i] = raw[g, i]
                u[g, i] = value + root[i, i] * z[i]


@kernel
def _effects_density(raw, root, n_centred, unseen, u, d_u, d_raw, d_root):  # type: ignore[no-untyped-def]
    """Return the log density of sampled effects without its constant, of u where centred, of z elsewhere.

    Adds to d_u of the centred effects, to d_raw of the others and to d_root (q, q).
    """
    n_groups, q = u.shape
    total = 0.0
    z, d_z = np.empty(q), np.empty(q)
    n_seen = n_groups
    for g in range(len(unseen)):
        n_seen -= unseen[g]
    for i in range(n_centred):
        total -= n_seen * math.log(root[i, i])
        d_root[i, i] -= n_seen / root[i, i]
    for g in range(n_groups):
        centred = 0 if len(unseen) > 0 and unseen[g] == 1 else n_centred
        for i in range(q):
            if i < centred:
                value = u[g, i]
                for j in range(i):
                    value -= root[i, j] * z[j]
                z[i] = value / root[i, i]
            else:
                z[i] = raw[g, i]
            total -= 0.5 * z[i] * z[i]
            d_z[i] = -z[i]
        for i in range(q - 1, -1, -1):
            if i < centred:
                d = d_z[i] / root[i, i]
                d_u[g, i] += d
                d = -d
            else:
                d = d_u[g, i]
                d_z[i] += d * root[i, i]
                d_raw[g, i] += d_z[i]
            for j in range(i):
                d_z[j] += d * root[i, j]
            for j in range(i + 1):
                d_root[i, j] += d * z[j]
    return total
