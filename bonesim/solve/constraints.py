"""Algebraic states at which the constraints hold: damped Newton, all other states held where they are."""

from __future__ import annotations

import numpy as np

from bonesim.solve.columns import Columns
from bonesim.solve.controller import TINIEST
from bonesim.solve.linear import linear
from bonesim.system import Kernels

HELD = 1e150
"""In place of 1/(h gamma): what has a rate moves by nothing then, and what has none by Newton's correction."""

NEWTON_TURNS = 60
SMALLEST_DAMPING = 1e-3


class Constraints:
    """Solves the constraints of `kernels`; no operation mixes lanes."""

    def __init__(self, kernels: Kernels) -> None:
        self.functions, self.layout = kernels.functions, kernels.layout
        self.rows = np.array(kernels.layout.algebraic)
        self.others = np.setdiff1d(np.arange(len(kernels.layout.states)), self.rows)
        self.linear = linear(kernels.functions, kernels.layout)

    def solve(self, t: np.ndarray, y: np.ndarray, p: Columns, k: Columns, rtol: float, atol: np.ndarray) -> np.ndarray:
        """Bring the algebraic rows of `y` to a solution; (lane,) the row that is farthest from one, -1 where none is.

        A trial is taken if the next correction by the same slopes is shorter than this one (natural monotonicity,
        Deuflhard, Newton Methods for Nonlinear Problems, doi:10.1007/978-3-642-23899-4), otherwise the damping is
        halved. A correction within the tolerance is taken and is the last. Where something is no number, nothing is
        done.
        """
        active, damping, culprit = np.arange(t.size), np.ones(t.size), np.full(t.size, -1)
        for _ in range(NEWTON_TURNS):
            here, z = y[:, active], y[np.ix_(self.rows, active)]
            some = t[active], of(p, active), of(k, active)
            size = np.maximum(atol[np.ix_(self.rows, active)] + rtol * np.abs(z), TINIEST)
            step, known = self._first(here, *some)
            length = np.max(np.abs(step) / size, axis=0)
            close = length <= 1
            factor = np.where(close, 1.0, damping[active])
            trial = here.copy()
            trial[self.rows] = z + factor * step
            better = np.max(np.abs(self._next(trial, *some)) / size, axis=0) <= (1 - factor / 4) * length
            y[:, active] = np.where(better | close, trial, here)
            damping[active] = np.where(better, np.minimum(1.0, 2 * factor), factor / 2)
            culprit[active] = np.where(close | ~known, -1, self.rows[np.argmax(np.abs(step) / size, axis=0)])
            active = active[known & ~close & np.isfinite(length) & (damping[active] >= SMALLEST_DAMPING)]
            if not active.size:
                break
        return culprit

    def _first(self, y: np.ndarray, t: np.ndarray, p: Columns, k: Columns) -> tuple[np.ndarray, np.ndarray]:
        """Newton's correction, (algebraic state, lane), and (lane,) whether states and rates are numbers."""
        rates, slopes = np.empty_like(y), np.empty((len(self.layout.pattern), t.size))
        self.functions.start(t, tuple(y), p, k, rates, slopes, np.empty_like(y))
        known = np.isfinite(y).all(axis=0) & np.isfinite(rates).all(axis=0)
        self.linear.factor(np.full(t.size, HELD), slopes)
        return self._solved(rates), known

    def _next(self, y: np.ndarray, t: np.ndarray, p: Columns, k: Columns) -> np.ndarray:
        """The correction by the slopes of the last one."""
        rates = np.empty_like(y)
        self.functions.rhs(t, tuple(y), p, k, rates)
        return self._solved(rates)

    def _solved(self, rates: np.ndarray) -> np.ndarray:
        rates[self.others] = 0.0
        self.linear.solve(rates)
        return rates.take(self.rows, axis=0)


def of(columns: Columns, chosen: np.ndarray) -> Columns:
    """The chosen among the lanes of `columns`."""
    numbers: np.ndarray = np.asarray(columns.lanes)[chosen]
    return Columns(columns.array, numbers)
