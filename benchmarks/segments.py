"""Timed events for engines that have none: the stretches between events, and the jumps that join them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.problems import Task
from bonesim.codegen.backends import numpy as backend
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Expr, symbols


@dataclass(frozen=True)
class Segment:
    """A stretch without events.

    fired : events that happen at its start, in order
    outputs : the output times inside it, as a slice of all output times; its end belongs to the next one
    """

    start: float
    end: float
    fired: tuple[int, ...]
    outputs: slice


def segments(task: Task) -> list[Segment]:
    """The stretches of a task; its events happen at the same times for every member.

    Raises
    ------
    ValueError
        If an event time depends on a varied parameter, or the model has events triggered by states.
    """
    if task.model.state_events:
        raise ValueError(f"{task.model.id} has events triggered by states")
    calendar = sorted(_happening(task))
    times = sorted({float(task.t_out[0]), *(time for time, _ in calendar)})
    ends = [*times[1:], float(task.t_out[-1])]
    found = []
    for start, end in zip(times, ends, strict=True):
        first, last = np.searchsorted(task.t_out, [start, end])
        fired = tuple(event for time, event in calendar if time == start)
        found.append(Segment(start, end, fired, slice(int(first), int(last) + (end == task.t_out[-1]))))
    return found


def _happening(task: Task) -> Iterator[tuple[float, int]]:
    """Time and number of every event before the end."""
    row = {parameter.id: task.parameters[number] for number, parameter in enumerate(task.model.parameters)}
    for number, event in enumerate(task.model.events):
        values = {name: float(column[0]) for name, column in row.items()}
        every = evaluate(event.every, values) if event.every is not None else 0.0
        first = evaluate(event.time, values)
        for name in _used(event.time, event.every):
            if np.ptp(row[name]) > 0:
                raise ValueError(f"the time of {event.id} differs between members")
        yield from (
            (first + turn * every, number) for turn in range(event.count) if first + turn * every < task.t_out[-1]
        )


def _used(*exprs: Expr | None) -> set[str]:
    return {name for expr in exprs if expr is not None for name in symbols(expr)}


class Jumps:
    """Applies events to arrays of members through the functions of our NumPy back end, as plain text."""

    def __init__(self, task: Task) -> None:
        self.kernels = backend.build(task.model, task.problem.outputs, plain=True)

    def __call__(self, segment: Segment, y: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Fire what happens at the start of a segment, in place on (state, member) and (parameter, member).

        Gives the constants (constant, member) that hold in the segment.
        """
        t = np.full(y.shape[1], segment.start)
        for event in segment.fired:
            self.kernels.functions.fire(event, t, y, p, tuple(self._constants(t, y, p)))
        return self._constants(t, y, p)

    def _constants(self, t: np.ndarray, y: np.ndarray, p: np.ndarray) -> np.ndarray:
        k = self.kernels.constants(p)
        if self.kernels.layout.switches:
            self.kernels.functions.settle(t, tuple(y), tuple(p), k)
        return k
