"""The functions that our plain back end generates, compiled by numba for one member at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numba
import numpy as np

from benchmarks.problems import Task
from benchmarks.segments import Jumps, Segment, segments

Function = Callable[..., None]


@dataclass(frozen=True)
class Stretch:
    """What one member needs to be solved from one event to the next.

    y : (state,) values at the start, events applied; p, k : parameters and constants that hold
    times : the start, the output times inside, the end
    """

    segment: Segment
    y: np.ndarray
    p: np.ndarray
    k: np.ndarray
    times: np.ndarray


class Compiled:
    """Right-hand side and Jacobian as machine code, and the way through a member's events."""

    def __init__(self, task: Task) -> None:
        self.task, self.jumps, self.segments = task, Jumps(task), segments(task)
        kernels = self.jumps.kernels
        self.rhs: Function = numba.njit(kernels.functions.rhs)
        self.jacobian: Function = numba.njit(kernels.functions.jacobian)
        if kernels.layout.switches:
            settle = numba.njit(kernels.functions.settle)
            self.rhs, self.jacobian = _unheld(settle, self.rhs), _unheld(settle, self.jacobian)

    def member(self, number: int, solve: Callable[[Stretch], np.ndarray]) -> np.ndarray:
        """(output, time) of one member; `solve` gives (time, state) at the times of a stretch."""
        task = self.task
        out = np.empty((task.initial.shape[0], len(task.t_out)))
        y, p = task.initial[:, [number]].copy(), task.parameters[:, [number]].copy()
        for stretch in self._stretches(y, p):
            course = solve(stretch)
            inside = stretch.segment.outputs
            skipped = int(not (inside.start < inside.stop and task.t_out[inside.start] == stretch.segment.start))
            out[:, inside] = course[skipped : skipped + inside.stop - inside.start].T
            y[:, 0] = course[-1]
        return out

    def _stretches(self, y: np.ndarray, p: np.ndarray) -> Iterator[Stretch]:
        for segment in self.segments:
            k = self.jumps(segment, y, p)
            times = np.unique(np.concatenate([[segment.start], self.task.t_out[segment.outputs], [segment.end]]))
            yield Stretch(segment, y[:, 0].copy(), p[:, 0], k[:, 0], times)


def _unheld(settle: Function, function: Function) -> Function:
    """The function with conditions taken anew at every call: our own loop holds them during a step, others do not."""

    @numba.njit
    def whole(t: float, y: np.ndarray, p: np.ndarray, k: np.ndarray, *out: np.ndarray) -> None:
        settle(t, y, p, k)
        function(t, y, p, k, *out)

    checked: Function = whole
    return checked
