"""Fast states where their rates lead them: the flow on the fast scale, followed to its rest.

With all states but the fast ones held, dz/ds = v(z) is followed by steps of the linearly implicit Euler method,

    (1/tau - dv/dz) d = v(z),    error = (1/tau - dv/dz)^-1 (v(z + d) - v(z)) / 2

(the error is the difference to the trapezoidal rule). The errors that a step may have are coarse: they matter only for
the question which of several rests the flow comes to. Where it rests, tau is so long that a step is Newton's. In the
generated rates v is multiplied by `system.FASTER`, so that the matrix of a step serves: other states are held by
1/(h gamma) = FASTER/tau.

At the very time at which a flow turns round, it vanishes. So it is followed as it is a moment later first.
"""

from __future__ import annotations

import numpy as np

from bonesim.solve.columns import Columns
from bonesim.solve.constraints import of
from bonesim.solve.controller import TINIEST
from bonesim.solve.linear import invert_shifted, linear
from bonesim.system import FASTER, Kernels, Rows

LONG, LONGEST = 1e8, 1e13
"""Lengths in times of the fast scale: that which the last step must have at least, and that of the longest."""

COARSE = 0.1
"""Part of itself by which a step may be wrong about a state."""

MOMENT = 1e-12
"""What is a moment later, as part of the time and of the span of times."""

FIRST = 0.01
"""Part of itself by which a state moves in the first step."""

TURNS = 3000


class Equilibria:
    """Brings the fast states of `kernels` to rest, algebraic states with them; no operation mixes lanes."""

    def __init__(self, kernels: Kernels, span: float) -> None:
        self.span = span
        self.functions, self.layout = kernels.functions, kernels.layout
        self.rows = np.array(sorted({*kernels.layout.fast, *kernels.layout.algebraic}))
        self.fast = np.isin(self.rows, kernels.layout.fast)
        self.others = np.setdiff1d(np.arange(len(kernels.layout.states)), self.rows)
        self.linear = linear(kernels.functions, kernels.layout)

    def solve(self, t: np.ndarray, y: np.ndarray, p: Columns, k: Columns, rtol: float, atol: np.ndarray) -> np.ndarray:
        """Bring these rows of `y` to rest; (lane,) the row that moves most where there is none, -1 where there is."""
        ahead, moment, rates = y.copy(), MOMENT * (self.span + np.abs(t)), np.empty_like(y)
        self.functions.rhs(t, tuple(y), p, k, rates)
        ahead[self.others] += moment * rates[self.others]
        gone = self._follow(t + moment, ahead, p, k, rtol, atol) < 0
        y[self.rows] = np.where(gone & np.isfinite(ahead[self.rows]), ahead[self.rows], y[self.rows])
        return self._follow(t, y, p, k, rtol, atol)

    def refuse(
        self, scaled: np.ndarray, t: np.ndarray, y: np.ndarray, p: Rows, k: Rows, before: np.ndarray, rtol: float
    ) -> None:
        """Make the error of a step infinite where the fast flow leads away from its end: no rest to follow.

        There an eigenvalue of dv/dz has a positive real part, each row taken relative to what it is at both ends.
        """
        slopes = np.empty_like(before)
        self.functions.start(t, tuple(y), p, k, np.empty_like(y), slopes, np.empty_like(y))
        first, last = self._flow(before), self._flow(slopes)
        size = np.maximum(np.abs(first).sum(axis=2), np.abs(last).sum(axis=2))
        block = last / np.maximum(size, TINIEST)[:, :, None]
        known = np.isfinite(block).all(axis=(1, 2))
        growth = np.full(t.size, np.inf)
        growth[known] = np.linalg.eigvals(block[known]).real.max(axis=1)
        leaving = np.flatnonzero(growth > rtol)
        culprits = np.argmax(np.diagonal(block, axis1=1, axis2=2), axis=1)
        scaled[self.rows[self.fast][culprits[leaving]], leaving] = np.inf

    def _flow(self, slopes: np.ndarray) -> np.ndarray:
        """(lane, fast state, fast state) dv/dz, algebraic states following."""
        place = {row: number for number, row in enumerate(self.rows)}
        jacobian = np.zeros((slopes.shape[1], len(place), len(place)))
        for number, (row, column) in enumerate(self.layout.pattern):
            if row in place and column in place:
                jacobian[:, place[row], place[column]] = slopes[number]
        fast, bound = np.flatnonzero(self.fast), np.flatnonzero(~self.fast)
        flow = jacobian[:, fast[:, None], fast] / FASTER
        if bound.size:
            inverse = invert_shifted(-jacobian[:, bound[:, None], bound], np.zeros(slopes.shape[1]))
            flow -= (jacobian[:, fast[:, None], bound] / FASTER) @ inverse @ jacobian[:, bound[:, None], fast]
        return flow

    def _follow(
        self, t: np.ndarray, y: np.ndarray, p: Columns, k: Columns, rtol: float, atol: np.ndarray
    ) -> np.ndarray:
        """The same at one time; where something is no number at the start, nothing is done."""
        tau = self._first_step(t, y, p, k, rtol, atol)
        active, culprit = np.flatnonzero(np.isfinite(tau)), np.full(t.size, -1)
        for _ in range(TURNS):
            if not active.size:
                break
            here, some = y[:, active], (t[active], of(p, active), of(k, active))
            z, length = here[self.rows], tau[active]
            rates = self._rates(here, *some, length)
            step = self._solved(rates)
            trial = here.copy()
            trial[self.rows] = z + step
            after = np.empty_like(here)
            self.functions.rhs(some[0], tuple(trial), *some[1:], after)
            change = self._solved((after - rates) / 2)
            size = np.maximum(atol[np.ix_(self.rows, active)] + rtol * np.abs(z), TINIEST)
            error = np.max(np.abs(change) / (size + COARSE * np.abs(z)), axis=0, where=self.fast[:, None], initial=0.0)
            good = np.isfinite(trial).all(axis=0) & np.isfinite(after).all(axis=0) & (error <= 1)
            y[:, active] = np.where(good, trial, here)
            grown = length * np.where(good, np.clip(0.9 / np.sqrt(np.maximum(error, 1e-6)), 0.3, 10.0), 0.1)
            tau[active] = np.minimum(grown, LONGEST)
            moves = np.abs(step) / size
            rests = good & (length >= LONG) & (moves.max(axis=0) <= 1)
            culprit[active] = np.where(rests, -1, self.rows[np.argmax(moves, axis=0)])
            active = active[~rests & (tau[active] > TINIEST)]
        return culprit

    def _first_step(
        self, t: np.ndarray, y: np.ndarray, p: Columns, k: Columns, rtol: float, atol: np.ndarray
    ) -> np.ndarray:
        """(lane,) a length in which no fast state moves far; infinite where something is no number."""
        rates = np.empty_like(y)
        self.functions.rhs(t, tuple(y), p, k, rates)
        known = np.isfinite(y).all(axis=0) & np.isfinite(rates).all(axis=0)
        rows = self.rows[self.fast]
        size = np.maximum(FIRST * np.abs(y[rows]) + atol[rows] + rtol * np.abs(y[rows]), TINIEST)
        tau = np.min(size / np.maximum(np.abs(rates[rows]) / FASTER, TINIEST), axis=0)
        return np.where(known, np.clip(tau, 1e-100, LONG), np.inf)

    def _rates(self, y: np.ndarray, t: np.ndarray, p: Columns, k: Columns, tau: np.ndarray) -> np.ndarray:
        """Rates here, the matrix of a step of length `tau` taken with them."""
        rates, slopes = np.empty_like(y), np.empty((len(self.layout.pattern), t.size))
        self.functions.start(t, tuple(y), p, k, rates, slopes, np.empty_like(y))
        self.linear.factor(FASTER / tau, slopes)
        return rates

    def _solved(self, rates: np.ndarray) -> np.ndarray:
        right = rates.copy()
        right[self.others] = 0.0
        self.linear.solve(right)
        return right.take(self.rows, axis=0)
