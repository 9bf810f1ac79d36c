"""Group effects that were integrated out together, drawn back from their exact conditional with cells still integrated out.

u_g | y, theta ~ L N(Q_g^-1 L'h_g, Q_g^-1) with Q_g = I + L'H_g L, h and H as in kernel/jointly.py, for many posterior draws at
a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmi.build.gathered import gather
from bayesmi.build.joint_system import JointSystem, joint_systems
from bayesmi.build.pattern_groups import GroupTerm
from bayesmi.build.patterns import PatternBlock
from bayesmi.build.tables import Tables
from bayesmi.draw.gaussian import draw_by_precision
from bayesmi.draw.parameters import PosteriorDraws
from bayesmi.draw.predictor import chunks
from bayesmi.model.factor import Factor
from bayesmi.plan import Plan

__all__ = ["draw_back_jointly"]

Floats = NDArray[np.float64]


def draw_back_jointly(
    factors: tuple[Factor, ...], plan: Plan, tables: Tables, draws: PosteriorDraws, rng: np.random.Generator
) -> PosteriorDraws:
    """Return the draws with the effects of every set drawn back, one draw for each posterior draw."""
    systems = joint_systems(factors, plan)
    if not systems:
        return draws
    blocks = gather(factors, tables, plan)[1]
    for system in systems:
        own = [block for block in blocks if block.joint and block.joint.own_set is system.own_set]
        inner = np.empty((draws.n, system.own_set.n_groups, system.inner_width))
        outer = np.empty((draws.n, system.n_outer, system.width - system.inner_width))
        for piece in chunks(draws.n, 4 * system.own_set.n_groups * system.width**2):
            some = draws.take(piece)
            h, square = _what_blocks_say(system, own, factors, some)
            inner[piece], outer[piece] = _draw(system, _root(system, some), h, square, rng)
        for key, grouping, q in system.equations:
            first = system.first(key, grouping)
            if grouping == system.own_set.outer:
                effects = outer[:, :, first - system.inner_width :][:, :, :q]
            else:
                effects = inner[:, :, first : first + q]
            draws = draws.with_effects(key, grouping, effects)
    return draws


def _draw(
    system: JointSystem, root: Floats, h: Floats, square: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw the effects of groups (S, G, d) and of outer groups (S, G', d'), given their root, h (S, G, D) and H (S, G, D, D)."""
    d = system.inner_width
    standard = np.einsum("sai,sgab,sbj->sgij", root, square, root, optimize=True)
    w = np.einsum("sai,sga->sgi", root, h)
    q_inner, beside = standard[:, :, :d, :d] + np.eye(d), standard[:, :, :d, d:]
    outer = np.zeros((len(root), system.n_outer, system.width - d))
    w_inner = w[:, :, :d]
    if system.n_outer:
        left = np.linalg.solve(q_inner, beside)
        outer_of = system.own_set.outer_of
        rest = standard[:, :, d:, d:] - np.swapaxes(beside, -1, -2) @ left
        rest_w = w[:, :, d:] - np.einsum("sgio,sgi->sgo", left, w_inner)
        order = np.argsort(outer_of, kind="stable")
        first = np.searchsorted(outer_of[order], np.arange(system.n_outer))
        q_outer = np.add.reduceat(rest[:, order], first, axis=1) + np.eye(outer.shape[2])
        outer = draw_by_precision(q_outer, np.add.reduceat(rest_w[:, order], first, axis=1), rng)
        w_inner = w_inner - np.einsum("sgio,sgo->sgi", beside, outer[:, outer_of])
    inner = draw_by_precision(q_inner, w_inner, rng)
    return (
        np.asarray(np.einsum("sij,sgj->sgi", root[:, :d, :d], inner)),
        np.asarray(np.einsum("sij,sgj->sgi", root[:, d:, d:], outer)),
    )


def _root(system: JointSystem, draws: PosteriorDraws) -> Floats:
    root = np.zeros((draws.n, system.width, system.width))
    for key, grouping, q in system.equations:
        at = slice(system.first(key, grouping), system.first(key, grouping) + q)
        root[:, at, at] = draws.factors[key].root(grouping)
    return root


def _what_blocks_say(
    system: JointSystem, blocks: Sequence[PatternBlock], factors: tuple[Factor, ...], draws: PosteriorDraws
) -> tuple[Floats, Floats]:
    """Return h (S, G, d) and H (S, G, d, d)."""
    h = np.zeros((draws.n, system.own_set.n_groups, system.width))
    square = np.zeros((draws.n, system.own_set.n_groups, system.width, system.width))
    for block in blocks:
        joint = block.joint
        assert joint is not None
        w, member_of = _coefficients(block, factors, draws)
        m_matrix = _precision(block, factors, draws)
        slots = [system.slot(term) for term in joint.terms]
        slopes = [
            np.ones(draws.n)
            if term.coefficient < 0
            else _own(block, factors, draws, term.member).coefficients[:, term.coefficient]
            for term in joint.terms
        ]
        for term, slot, slope in zip(joint.terms, slots, slopes, strict=True):
            weighted = (slope[:, None] * m_matrix[:, term.member, :][:, member_of]) * w
            h[:, joint.groups, slot] += weighted @ joint.cross[:, term.column].T
            for other, second, own in zip(joint.terms, slots, slopes, strict=True):
                weight = slope * own * m_matrix[:, term.member, other.member]
                products = joint.cross[:, term.column, joint.columns[other.column]]
                square[:, joint.groups, slot, second] += weight[:, None] * products
    return h, square


def _own(block: PatternBlock, factors: tuple[Factor, ...], draws: PosteriorDraws, member: int):  # type: ignore[no-untyped-def]
    return draws.factors[factors[block.members[member].factor].keys[0]]


def _coefficients(
    block: PatternBlock, factors: tuple[Factor, ...], draws: PosteriorDraws
) -> tuple[Floats, NDArray[np.intp]]:
    """Return the coefficients on the block's columns, (S, width), effects of the set at zero, and the member of each column."""
    width = block.gram.shape[0]
    w, member_of = np.zeros((draws.n, width)), np.zeros(width, dtype=np.intp)
    for m, member in enumerate(block.members):
        factor = factors[member.factor]
        own = draws.factors[factor.keys[0]]
        start, p = member.start, factor.design.n_columns
        member_of[start:] = m
        if factor.priors.intercept is not None:
            w[:, start] = factor.location - own.centred_intercept(factor)
        w[:, start + 1 : start + 1 + p] = -own.coefficients[:, :p]
        w[:, start + p + 1] = 1.0
        for term in member.terms:
            slope = own.coefficients[:, term.coefficient] if term.coefficient >= 0 else 1.0
            w[:, start + term.column] -= slope * _effect(term, draws)
    return w, member_of


def _precision(block: PatternBlock, factors: tuple[Factor, ...], draws: PosteriorDraws) -> Floats:
    """Return T - T A (A'T A)^-1 A'T, (S, members, members)."""
    owns = [draws.factors[factors[member.factor].keys[0]] for member in block.members]
    t = np.stack([1.0 / own.scales["sigma"] ** 2 for own in owns], axis=1)
    m_matrix = t[:, :, None] * np.eye(len(owns))
    q = len(block.members[0].entries)
    if not q:
        return m_matrix
    a = np.empty((draws.n, len(owns), q))
    for m, (member, own) in enumerate(zip(block.members, owns, strict=True)):
        for v, entry in enumerate(member.entries):
            a[:, m, v] = entry.constant + own.coefficients[:, entry.columns] @ entry.weights
            for term, weight in entry.slopes:
                a[:, m, v] += weight * _effect(term, draws)
    scaled = t[:, :, None] * a
    inner = np.einsum("smv,smc->svc", a, scaled)
    return np.asarray(m_matrix - scaled @ np.linalg.solve(inner, np.swapaxes(scaled, 1, 2)))


def _effect(term: GroupTerm, draws: PosteriorDraws) -> Floats:
    """Return a sampled group effect, (S,)."""
    return np.asarray(draws.factors[term.source].effects[term.grouping][:, term.group, term.position])
