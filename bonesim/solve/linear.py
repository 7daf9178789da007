"""Linear systems with W = M/(h gamma) - J, one matrix a lane, many right-hand sides; M = I but for constraints."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from bonesim.aligned import aligned
from bonesim.system import Functions, Layout, Rows


class Linear(Protocol):
    """One factorisation a step, then a solve for each of its stages."""

    def factor(self, shift: np.ndarray, slopes: np.ndarray) -> None:
        """Take W with `shift` (lane,) = 1/(h gamma) and the rows of the Jacobian, (entry, lane)."""

    def solve(self, x: np.ndarray) -> None:
        """The right-hand side `x` (state, lane) becomes the solution."""


def linear(functions: Functions, layout: Layout) -> Linear:
    """The elimination that was generated for the model, or inverses where its matrix is too full for one."""
    return Eliminated(functions, layout) if layout.factors else Inverted(layout)


class Eliminated:
    """Sparse LU as generated (`codegen.backends.numpy_linear`)."""

    def __init__(self, functions: Functions, layout: Layout) -> None:
        self.functions, self.rows = functions, layout.factors
        self._lu: Rows = tuple(np.empty((layout.factors, 0)))
        self._slopes: Rows = ()

    def factor(self, shift: np.ndarray, slopes: np.ndarray) -> None:
        """As in `Linear`."""
        if self._lu[0].shape != shift.shape:
            self._lu = tuple(aligned(self.rows, shift.size))
        self._slopes = tuple(slopes)
        self.functions.factor(shift, self._slopes, self._lu)

    def solve(self, x: np.ndarray) -> None:
        """As in `Linear`."""
        self.functions.solve(self._slopes, self._lu, tuple(x))


class Inverted:
    """Dense inverses by batched LAPACK."""

    def __init__(self, layout: Layout) -> None:
        self.states, self.algebraic = len(layout.states), list(layout.algebraic)
        self.rows, self.columns = np.array(layout.pattern, int).reshape(-1, 2).T
        self._inverse = np.empty((0, self.states, self.states))

    def factor(self, shift: np.ndarray, slopes: np.ndarray) -> None:
        """As in `Linear`."""
        jacobian = np.zeros((shift.size, self.states, self.states))
        jacobian[:, self.rows, self.columns] = slopes.T
        unit = np.ones(self.states)
        unit[self.algebraic] = 0.0
        self._inverse = invert_shifted(jacobian, np.multiply.outer(shift, unit))

    def solve(self, x: np.ndarray) -> None:
        """As in `Linear`."""
        x[:] = apply(self._inverse, x)


def invert_shifted(jacobian: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """(lane, state, state) inverses of shift - J; NaN for a lane whose matrix is singular or not finite.

    `shift` is (lane,), or (lane, state): the diagonal of a matrix.
    """
    n = jacobian.shape[-1]
    matrix = -jacobian
    matrix[:, range(n), range(n)] += shift if shift.ndim == 2 else shift[:, None]
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.array([_invert_one(one) for one in matrix])


def _invert_one(matrix: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)


def apply(inverse: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """(state, lane) products of each lane's matrix with its vector.

    The vectors are made contiguous first: with a stride the library may add in another order, and a member's last
    bits would depend on how many lanes there are.
    """
    return np.ascontiguousarray(np.matmul(inverse, np.ascontiguousarray(rhs.T)[:, :, None])[:, :, 0].T)
