"""One Rosenbrock step of all lanes in NumPy: the plain form of what a compiled back end does in one call."""

from __future__ import annotations

import numpy as np

from bonesim.aligned import aligned
from bonesim.solve.controller import scaled_error
from bonesim.solve.linear import linear
from bonesim.solve.methods.rosenbrock import Rosenbrock
from bonesim.solve.sums import add_up
from bonesim.system import Kernels


class PlainStep:
    """A step of `kernels` by `tableau`; formulas in `methods.rosenbrock`.

    stages : (stage, state, lane) k_i of the last step; slopes : (entry, lane) rows of the Jacobian where it began

    The arrays of a step are kept for the next one: new ones of this size would be fetched from the system every time.
    """

    def __init__(self, kernels: Kernels, tableau: Rosenbrock) -> None:
        self.functions, self.layout, self.tableau = kernels.functions, kernels.layout, tableau
        self.algebraic = list(self.layout.algebraic)
        self.linear = linear(kernels.functions, kernels.layout)
        self._allot(0)

    def _allot(self, lanes: int) -> None:
        n, entries = len(self.layout.states), len(self.layout.pattern)
        self.stages = aligned(self.tableau.stages, n, lanes)
        self.slopes, self._by_time = aligned(entries, lanes), np.zeros((n, lanes))
        self._at, self._sum = aligned(n, lanes), aligned(n, lanes)

    def begin(self, t: np.ndarray, y: np.ndarray, p: np.ndarray, k: np.ndarray) -> None:
        """Rates and slopes at the start of a step: t is (lane,), the rest (state, parameter or constant, lane)."""
        if self._at.shape != y.shape:
            self._allot(t.size)
        rows_p, rows_k = tuple(p), tuple(k)
        self._from = t, y, rows_p, rows_k
        if y.size:
            self.functions.start(t, tuple(y), rows_p, rows_k, self.stages[0], self.slopes, self._by_time)

    def started(self, lanes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What `begin` found of some lanes: rates, rows of the Jacobian, slopes in time."""
        return self.stages[0].take(lanes, axis=1), self.slopes.take(lanes, axis=1), self._by_time.take(lanes, axis=1)

    def advance(self, h: np.ndarray, rtol: float, atol: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Next states and error over tolerance, both (state, lane), after steps h, (lane,), from where they begin.

        Once for each `begin`; `atol` is (state, lane).
        """
        t, y, p, k = self._from
        if not y.size:
            return y, y
        method, stages, total, per_time = self.tableau, self.stages, self._sum, 1.0 / h
        self.linear.factor(per_time / method.gamma, self.slopes)
        for i in range(method.stages):
            if i:
                self._stage_state(i, y)
                self.functions.rhs(t + method.c[i] * h, tuple(self._at), p, k, stages[i])
                add_up(np.multiply.outer(method.C[i], per_time), stages, out=total)
                total[self.algebraic] = 0.0
                stages[i] += total
            if method.d[i]:
                for row in self.layout.drifting:
                    stages[i, row] += (method.d[i] * h) * self._by_time[row]
            self.linear.solve(stages[i])
        y_next = self._at + stages[-1]
        return y_next, scaled_error(stages[-1], y, y_next, rtol, atol)

    def _stage_state(self, i: int, y: np.ndarray) -> None:
        """y + sum_j a_ij k_j; where a row only adds the last stage to the one before it, the sum goes on from there."""
        row, before = self.tableau.a[i], self.tableau.a[i - 1]
        if before and row == (*before, 1.0):
            self._at += self.stages[i - 1]
        else:
            add_up(row, self.stages, out=self._at)
            self._at += y
