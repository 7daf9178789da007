"""Lanes that slide along a condition: it turns over again and again, and hardly any time passes between.

Such a lane takes every other step without looking at conditions, so small that no state changes by much more than its
tolerance. One whose conditions turn often, but that gets on, is none of them.
"""

from __future__ import annotations

import numpy as np

from bonesim.solve.columns import Columns
from bonesim.solve.controller import smallest_step
from bonesim.solve.settings import Settings
from bonesim.system import Kernels

PATIENCE = 8
"""Turns of conditions in a row, no whole step between them, before a lane may slide."""

DWELL = 10.0
"""By how many times rtol a state may change in a step of a sliding lane, in which conditions are not looked at."""

GETS_ON = 100.0
"""By how many times further than in such a step a lane gets from one turn to the next that does not slide."""


class Sliding:
    """Which lanes slide.

    turns : (lane,) turns in a row; gone : (lane,) how far the last step went
    culprit : (lane,) the located condition that turned last, of lanes that all but slide
    """

    def __init__(self, kernels: Kernels, settings: Settings, span: float, width: int) -> None:
        self.functions, self.still = kernels.functions, [*kernels.layout.algebraic, *kernels.layout.fast]
        self.rtol, self.span = settings.rtol, span
        self.turns, self.culprit, self.gone = np.zeros(width, np.int64), np.zeros(width, np.int64), np.zeros(width)

    def begin(self, lanes: np.ndarray) -> None:
        """New members for `lanes`."""
        self.turns[lanes] = 0

    def keep(self, lanes: np.ndarray) -> None:
        """Cut to `lanes`."""
        self.turns, self.culprit, self.gone = self.turns[lanes], self.culprit[lanes], self.gone[lanes]

    def steps(
        self, t: np.ndarray, h: np.ndarray, y: np.ndarray, p: np.ndarray, k: np.ndarray, atol: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(lane,) which lanes slide, and steps: h, but so small in these that they need not look at conditions.

        A state's size is its value, or that behind its absolute tolerance (`settings.default_atol`) if that is more.
        """
        sliding = self.turns >= PATIENCE
        lanes = sliding.nonzero()[0]
        if not lanes.size:
            return sliding, h
        t, y, dy, h = t[lanes], y[:, lanes], np.empty((len(y), lanes.size)), h.copy()
        self.functions.rhs(t, tuple(y), Columns(p, lanes), Columns(k, lanes), dy)
        dy[self.still] = 0.0
        change = DWELL * np.maximum(self.rtol * np.abs(y), 1e3 * atol[:, lanes])
        longest = np.min(change / np.abs(dy), axis=0, initial=np.inf)
        dwell = np.maximum(longest, 100 * smallest_step(t, self.span))
        gets_on = self.gone[lanes] > GETS_ON * dwell
        self.turns[lanes[gets_on]] = 0
        sliding[lanes], h[lanes] = ~gets_on, np.where(gets_on, h[lanes], np.minimum(h[lanes], dwell))
        return sliding, h

    def nearly(self, lanes: np.ndarray) -> np.ndarray:
        """Those of some lanes, in each of which a condition turns, that slide with one more turn."""
        nearly: np.ndarray = lanes[self.turns[lanes] >= PATIENCE - 2]
        return nearly

    def count(self, accepted: np.ndarray, turned: np.ndarray, sliding: np.ndarray, gone: np.ndarray) -> None:
        """Steps that were taken, (lane,); after a small one, one more turn shows that the lane still slides."""
        in_a_row = np.where(turned, self.turns + 1, np.where(sliding, PATIENCE - 1, 0))
        np.copyto(self.turns, in_a_row, where=accepted)
        np.copyto(self.gone, gone, where=accepted)

    def slides(self, lane: int) -> bool:
        """Whether a lane slides, or does so once its condition has turned once more."""
        return bool(self.turns[lane] >= PATIENCE - 1)
