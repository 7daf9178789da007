"""One Rosenbrock step of all lanes in NumPy: the plain form of what a compiled back end does in one call."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bonesim.solve.controller import scaled_error
from bonesim.solve.linear import linear
from bonesim.solve.methods.rosenbrock import Rosenbrock
from bonesim.system import Kernels


class PlainStep:
    """A step of `kernels` by `tableau`; formulas in `methods.rosenbrock`.

    The arrays of a step are kept for the next one: new ones of this size would be fetched from the system every time.
    """

    def __init__(self, kernels: Kernels, tableau: Rosenbrock) -> None:
        self.functions, self.layout, self.tableau = kernels.functions, kernels.layout, tableau
        self.algebraic = list(self.layout.algebraic)
        self.linear = linear(kernels.functions, kernels.layout)
        self._allot(0)

    def _allot(self, lanes: int) -> None:
        n, entries = len(self.layout.states), len(self.layout.pattern)
        self._stages = np.empty((self.tableau.stages, n, lanes))
        self.slopes, self._by_time = np.empty((entries, lanes)), np.zeros((n, lanes))
        self._at, self._sum = np.empty((n, lanes)), np.empty((n, lanes))

    def advance(
        self,
        t: np.ndarray,
        h: np.ndarray,
        y: np.ndarray,
        p: np.ndarray,
        k: np.ndarray,
        rtol: float,
        atol: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Next states and error over tolerance, both (state, lane).

        t, h : (lane,); y, atol : (state, lane); p : (parameter, lane); k : (constant, lane)
        """
        if self._at.shape != y.shape:
            self._allot(t.size)
        if not y.size:
            return y, y
        method, rows_p, rows_k = self.tableau, tuple(p), tuple(k)
        stages, total, per_time = self._stages, self._sum, 1.0 / h
        self.functions.start(t, tuple(y), rows_p, rows_k, stages[0], self.slopes, self._by_time)
        self.linear.factor(per_time / method.gamma, self.slopes)
        for i in range(method.stages):
            if i:
                self._stage_state(i, y)
                self.functions.rhs(t + method.c[i] * h, tuple(self._at), rows_p, rows_k, stages[i])
                add_up(method.C[i], stages, out=total)
                total *= per_time
                total[self.algebraic] = 0.0
                stages[i] += total
            if method.d[i]:
                for row in self.layout.drifting:
                    stages[i, row] += (method.d[i] * h) * self._by_time[row]
            self.linear.solve(stages[i])
        y_next = self._at + stages[-1]
        return y_next, scaled_error(stages[-1], y, y_next, rtol, atol)

    def dense(self, states: Sequence[int]) -> np.ndarray:
        """(row, state, lane) the rows D_r of some states in the last step."""
        stages = self._stages if len(states) == len(self.layout.states) else self._stages.take(states, axis=1)
        rows = np.empty((len(self.tableau.H), *stages.shape[1:]))
        for number, factors in enumerate(self.tableau.H):
            add_up(factors, stages, out=rows[number])
        return rows

    def _stage_state(self, i: int, y: np.ndarray) -> None:
        """y + sum_j a_ij k_j; where a row only adds the last stage to the one before it, the sum goes on from there."""
        row, before = self.tableau.a[i], self.tableau.a[i - 1]
        if before and row == (*before, 1.0):
            self._at += self._stages[i - 1]
        else:
            add_up(row, self._stages, out=self._at)
            self._at += y


def add_up(factors: Sequence[float], stages: np.ndarray, out: np.ndarray) -> None:
    """sum_j factors_j k_j into `out`, in the order of the factors for every state and lane."""
    stages = stages[: len(factors)]
    if out.size > 1:
        np.einsum("j,jsl->sl", factors, stages, out=out)
    else:  # a single column is summed as a scalar product, in an order of its own
        out[:] = np.einsum("j,jsl->sl", factors, np.repeat(stages, 2, axis=2))[:, :1]
