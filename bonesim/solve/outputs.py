"""What is written of each lane: the quantities asked for at the output times, before, after and between events."""

from __future__ import annotations

import numpy as np

from bonesim.solve.columns import Some, rows_of, some_of
from bonesim.solve.course import Course
from bonesim.solve.solution import Solution
from bonesim.system import Kernels, Rows

AT_ONCE = 8
"""Outputs of a lane that are interpolated together: vectors as long as those of a step, whatever is asked for."""


class Outputs:
    """Where each lane stands among the output times.

    next : (lane,) the number of the output that comes next, as many as there are where none does
    """

    def __init__(self, kernels: Kernels, results: Solution, width: int) -> None:
        layout = kernels.layout
        self.functions, self.results, self.count = kernels.functions, results, len(layout.observables)
        self.times = np.append(results.t, [np.inf, np.inf])
        self.any_twice = bool(np.any(self.times[:-2] == self.times[1:-1]))
        self.next = np.zeros(width, np.int64)
        # Then outputs are interpolated in all states at once: fewer calls.
        self.all_states = layout.shows_all and len(layout.states) <= len(layout.observables)

    def begin(self, lanes: np.ndarray) -> None:
        """From the first output on."""
        self.next[lanes] = 0

    def keep(self, lanes: np.ndarray) -> None:
        """Cut to `lanes`."""
        self.next = self.next[lanes]

    def are_due(self, t: np.ndarray) -> np.ndarray:
        """(lane,) whether an output is at a lane's time, or before it."""
        due: np.ndarray = self.times[self.next] <= t
        return due

    def come_twice(self) -> np.ndarray:
        """(lane,) whether the next output is asked for twice: the first is the value before the events of its time."""
        twice: np.ndarray = self.times[self.next] == self.times[self.next + 1]
        return twice

    def write_now(
        self, lanes: np.ndarray, member: np.ndarray, t: np.ndarray, y: np.ndarray, p: np.ndarray, k: np.ndarray
    ) -> None:
        """Write one output for each of `lanes` with the values they have now; the rest are those of all lanes."""
        some = some_of(lanes, t.size)
        self._write(some, member, self.next[some], t[some], rows_of(y, some), p, k)
        self.next[some] += 1

    def take_back(self, lanes: np.ndarray, t: np.ndarray) -> None:
        """No output at the time of `lanes`, (lane,) of t, that cannot go on from there; one before its events stays."""
        last = np.searchsorted(self.times, t[lanes], side="right") - 1
        self.next[lanes] = np.where(self.times[last] == t[lanes], last, self.next[lanes])

    def write_between(
        self, course: Course, t_next: np.ndarray, member: np.ndarray, p: np.ndarray, k: np.ndarray
    ) -> None:
        """Outputs strictly inside steps that end at `t_next`, (lane,); p and k are those during them."""
        lanes = np.flatnonzero(self.times[self.next] < t_next)
        while lanes.size:
            left = np.searchsorted(self.times, t_next[lanes]) - self.next[lanes]
            count = np.minimum(left, AT_ONCE)
            each, first = np.repeat(lanes, count), np.repeat(np.cumsum(count) - count, count)
            places = self.next[each] + (np.arange(each.size) - first)
            at = self.times[places]
            theta = (at - course.t[each]) / course.h[each]
            states = course.all_states(each, theta) if self.all_states else course.states(each, theta)
            self._write(each, member, places, at, states, p, k)
            self.next[lanes] += count
            lanes = lanes[left > count]

    def close(self, lanes: np.ndarray, member: np.ndarray) -> None:
        """No number for the outputs that lanes whose members have ended do not reach."""
        for lane in lanes[self.next[lanes] < len(self.results.t)]:
            self.results.y[self.next[lane] :, :, member[lane]] = np.nan

    def _write(
        self,
        lanes: Some,
        member: np.ndarray,
        places: np.ndarray,
        t: np.ndarray,
        y: Rows,
        p: np.ndarray,
        k: np.ndarray,
    ) -> None:
        """Write outputs at `places`, one for each of `lanes`."""
        out = np.empty((self.count, t.size))
        self.functions.observe(t, y, rows_of(p, lanes), rows_of(k, lanes), out)
        self.results.y[places, :, member[lanes]] = out.T
