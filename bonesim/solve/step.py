"""One Rosenbrock step of all lanes in NumPy: the plain form of what a compiled back end does in one call."""

from __future__ import annotations

import numpy as np

from bonesim.solve.controller import scaled_error
from bonesim.solve.methods.rosenbrock import Rosenbrock
from bonesim.system import Kernels


class PlainStep:
    """A step of `kernels` by `tableau`; formulas in `methods.rosenbrock`.

    W = I/(h gamma) - J is inverted once a step by batched LAPACK, instead of factored once a stage, which is what
    NumPy offers for a stack of matrices.
    """

    def __init__(self, kernels: Kernels, tableau: Rosenbrock) -> None:
        self.functions, self.layout, self.tableau = kernels.functions, kernels.layout, tableau
        self.method = tableau.name

    def advance(
        self,
        t: np.ndarray,
        h: np.ndarray,
        y: np.ndarray,
        p: np.ndarray,
        k: np.ndarray,
        rtol: float,
        atol: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Next states and error over tolerance, both (state, lane), and the dense rows D_r, (row, state, lane).

        t, h : (lane,); y, atol : (state, lane); p : (parameter, lane); k : (constant, lane)
        """
        method, (n, lanes) = self.tableau, y.shape
        rows_p, rows_k = tuple(p), tuple(k)
        jacobian, by_time = np.zeros((lanes, n, n)), np.zeros((n, lanes))
        stages, dy = np.empty((method.stages, n, lanes)), np.empty((n, lanes))
        self.functions.jacobian(t, tuple(y), rows_p, rows_k, jacobian, by_time)
        inverse = invert_shifted(jacobian, 1.0 / (h * method.gamma))
        at = y
        for i in range(method.stages):
            at = combine(y, method.a[i], stages)
            self.functions.rhs(t + method.c[i] * h, tuple(at), rows_p, rows_k, dy)
            if i:
                dy += combine(None, method.C[i], stages) / h
            if method.d[i] and not self.layout.autonomous:
                dy += (method.d[i] * h) * by_time
            stages[i] = _apply(inverse, dy)
        y_next = at + stages[-1]
        scaled = scaled_error(stages[-1], y, y_next, rtol, atol)
        return y_next, scaled, np.array([combine(None, row, stages) for row in method.H])


def combine(y: np.ndarray | None, row: tuple[float, ...], stages: np.ndarray) -> np.ndarray:
    """y + sum_j row_j k_j, in the order of the row."""
    total = y
    for factor, stage in zip(row, stages, strict=False):
        if factor:
            total = factor * stage if total is None else total + factor * stage
    return np.zeros_like(stages[0]) if total is None else total


def invert_shifted(jacobian: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """(lane, state, state) inverses of shift I - J; NaN for a lane whose matrix is singular or not finite."""
    n = jacobian.shape[-1]
    matrix = -jacobian
    matrix[:, range(n), range(n)] += shift[:, None]
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.array([_invert_one(one) for one in matrix])


def _invert_one(matrix: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)


def _apply(inverse: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """(state, lane) products of each lane's matrix with its vector.

    The vectors are made contiguous first: with a stride the library may add in another order, and a member's last
    bits would depend on how many lanes there are.
    """
    return np.ascontiguousarray(np.matmul(inverse, np.ascontiguousarray(rhs.T)[:, :, None])[:, :, 0].T)
