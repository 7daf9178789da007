"""Totals that a field conserves, found from its rates and slopes at a few points."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from bonesim.solve.controller import TINIEST

ROUNDING = 1e-11
"""Part of the largest singular value or rate below which one is 0."""

Slopes: TypeAlias = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(state, member) states -> rates (state, member) and Jacobian (member, state, state)."""


def conserved(at: Slopes, home: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Projectors (member, state, state) on the conserved totals, and a pull (member,) to them, 1/time.

    A total w^T y is conserved if w^T f = 0 everywhere: w stands in the left null space of J and f at several points,
    rows scaled to 1 so that slow states do not look like totals. The points are fixed multiples of the initial values.
    """
    n, members = home.shape
    size = _sizes(home)
    columns = []
    for turn in range(3):
        spread = 0.3 * np.mod((np.arange(n) + 1) * (turn + 1) * 0.6180339887498949, 1.0)[:, None]
        rates, jacobian = at(np.where(home == 0, size * spread, home * (1 + spread)))
        columns += [jacobian * size.T[:, None, :] / size.T[:, :, None], (rates / size).T[:, :, None]]
    stack = np.concatenate(columns, axis=2)
    good = np.isfinite(stack).all(axis=(1, 2))
    laws = np.zeros((members, n, n))
    laws[good] = _projectors(stack[good]) * size.T[good][:, :, None] / size.T[good][:, None, :]
    speed = np.abs(columns[0]).sum(axis=2).max(axis=1, initial=0.0)
    return laws, np.where(np.isfinite(speed) & (speed > 0), speed, 1.0)


def _projectors(stack: np.ndarray) -> np.ndarray:
    """(member, n, n) orthogonal projectors on the left null spaces of (member, n, columns).

    A row of zeros, a state that keeps its value, is a law by itself and stays out of the decomposition, whose rounding
    would tie it to the other states.
    """
    scale = np.abs(stack).max(axis=2, initial=0.0, keepdims=True)
    moves = scale > 0
    scale = np.where(moves, scale, 1.0)
    still = np.eye(stack.shape[1]) * ~moves
    left, values, _ = np.linalg.svd(np.concatenate([stack / scale, still], axis=2), full_matrices=False)
    null = values <= ROUNDING * np.maximum(values.max(axis=1, initial=0.0, keepdims=True), TINIEST)
    basis, _, _ = np.linalg.svd(left * null[:, None, :] * moves / scale)
    basis = basis * (np.arange(stack.shape[1]) < null.sum(axis=1, keepdims=True))[:, None, :]
    projectors: np.ndarray = np.matmul(basis, np.swapaxes(basis, 1, 2)) + still
    return projectors


def _sizes(y: np.ndarray) -> np.ndarray:
    """(state, member) sizes of states; one that starts empty gets the smallest of the others."""
    known = np.where(y != 0, np.abs(y), np.inf)
    smallest = known.min(axis=0, initial=np.inf)
    return np.where(y != 0, np.abs(y), np.where(np.isfinite(smallest), smallest, 1.0))
