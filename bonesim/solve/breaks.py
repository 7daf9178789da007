"""Where what has jumped jumps again, a delay later: times at which steps end.

Each turn of a delay makes a jump smoother by one derivative; once no method sees it, it is forgotten. Only delays that
rest on parameters are followed; where others bring jumps back, error control meets them. Bellen & Zennaro, Numerical
Methods for Delay Differential Equations, doi:10.1093/acprof:oso/9780198506546.001.0001.
"""

from __future__ import annotations

import heapq

import numpy as np

SMOOTH = 6
"""Turns after which a jump is too smooth to matter: the highest order of a method, and one."""

CLOSE = 16.0
"""Units in the last place within which two times are one."""


class Breaks:
    """The times to come of each history; `next`, (history,), is the first."""

    def __init__(self, histories: int) -> None:
        self.next = np.full(histories, np.inf)
        self._coming: list[list[tuple[float, int]]] = [[] for _ in range(histories)]
        self._delays: list[list[float]] = [[] for _ in range(histories)]

    def begin(self, histories: np.ndarray, start: float, delays: np.ndarray) -> None:
        """Histories that start with a jump; delays are (lag, history), NaN where they are not followed."""
        for history, column in zip(histories, delays.T, strict=True):
            self._coming[history] = []
            self._delays[history] = sorted({float(delay) for delay in column if delay > 0})
            self._follow(int(history), start, 0)

    def jump(self, histories: np.ndarray, t: np.ndarray) -> None:
        """Something jumps at t, (history,)."""
        for history, time in zip(histories, t, strict=True):
            self._follow(int(history), float(time), 0)

    def passed(self, histories: np.ndarray, t: np.ndarray) -> None:
        """Times up to t, (history,), have come: they are followed in their turn."""
        for number in np.flatnonzero(self.next[histories] <= t + CLOSE * np.spacing(np.abs(t))):
            history, time = int(histories[number]), float(t[number])
            coming, turns = self._coming[history], []
            while coming and coming[0][0] <= time + CLOSE * np.spacing(abs(time)):
                turns.append(heapq.heappop(coming)[1])
            self._follow(history, time, min(turns))

    def _follow(self, history: int, time: float, turns: int) -> None:
        if turns < SMOOTH:
            for delay in self._delays[history]:
                heapq.heappush(self._coming[history], (time + delay, turns + 1))
        coming = self._coming[history]
        self.next[history] = coming[0][0] if coming else np.inf
