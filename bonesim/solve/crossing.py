"""Where within a step a condition turns over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bonesim.system import Rows

SAMPLES = (0.25, 0.5, 0.75, 1.0)
"""Parts of a step after which conditions are looked at: one that turns over twice within a step is seen by the middle
ones, unless it is shorter than a quarter of the step."""

PARTS = np.arange(1, 16).reshape(-1, 1) / 16
"""Where to look between two places, all at once: 15 looks narrow down a turn 16 times, as halving does in 4 rounds."""

ROUNDS = 15
"""Of looking so in a quarter of a step: fewer bring it down to what a time can be told apart by, but near time 0."""

Some: TypeAlias = np.ndarray | slice
"""Numbers of lanes, or all of them."""

Wrong: TypeAlias = Callable[[Some, np.ndarray, Rows], np.ndarray]
"""(condition, lane) which conditions are not what they are held to be, of lanes, their times and their states."""


@dataclass(frozen=True)
class Columns:
    """Rows of an array at some of its lanes, each taken when it is read."""

    array: np.ndarray
    lanes: Some

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, row: int, /) -> np.ndarray:
        column: np.ndarray = self.array[row][self.lanes]  # in one index it would take twice as long
        return column

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self.__getitem__, range(len(self)))


@dataclass(frozen=True)
class Course:
    """The states between both ends of a step, by the method's continuous extension.

    y(theta) = y + theta ((y_next - y) + (1 - theta) (D_1 + theta (D_2 + theta (...)))), theta in [0, 1]

    t, h, t_next : (lane,) ; y, y_next : (state, lane)
    dense : (row, place, lane) the rows D_r of the states that are asked for; place : of such a state
    """

    t: np.ndarray
    h: np.ndarray
    t_next: np.ndarray
    y: np.ndarray
    y_next: np.ndarray
    dense: np.ndarray
    place: Mapping[int, int]

    def time(self, lanes: Some, theta: np.ndarray) -> np.ndarray:
        """(lane,) the time that far into the step; the end of the step is where the clock will stand."""
        return np.where(theta == 1, self.t_next[lanes], self.t[lanes] + theta * self.h[lanes])

    def states(self, lanes: Some, theta: np.ndarray) -> Between:
        """The states that far into the step, lanes as often as they are asked for."""
        return Between(self, lanes, theta, theta == 1)


@dataclass(frozen=True)
class Between:
    """States within a step, each computed when it is read."""

    course: Course
    lanes: Some
    theta: np.ndarray
    at_end: np.ndarray

    def __len__(self) -> int:
        return len(self.course.y)

    def __getitem__(self, row: int, /) -> np.ndarray:
        course, lanes, place = self.course, self.lanes, self.course.place[row]
        return self._between(
            course.y[row][lanes], course.y_next[row][lanes], [one[place][lanes] for one in course.dense]
        )

    def all(self) -> np.ndarray:
        """(state, lane) every state, where the rows D_r of all are known."""
        course = self.course
        lanes = np.arange(course.t.size)[self.lanes]
        return self._between(*(rows.take(lanes, axis=-1) for rows in (course.y, course.y_next, course.dense)))

    def _between(self, y: np.ndarray, y_next: np.ndarray, dense: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        theta = self.theta
        value: np.ndarray = theta * dense[-1]
        for row in dense[-2:0:-1]:
            value += row
            value *= theta
        value += dense[0]
        # In this form a state that does not move keeps its bits.
        value *= 1 - theta
        value += y_next - y
        value *= theta
        value += y
        np.copyto(value, y_next, where=self.at_end)
        return value

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self.__getitem__, range(len(self)))


def first_turn(course: Course, looked_at: np.ndarray, wrong: Wrong) -> np.ndarray:
    """(lane,) how far into the step a condition first turns over, in lanes `looked_at`; infinity where none does.

    The point just behind the turn: the next time before it that can be told apart is still in front of it.
    """
    before, behind, everyone = np.zeros(course.t.size), np.full(course.t.size, np.inf), slice(None)
    for part in SAMPLES:
        theta = np.full(course.t.size, part)
        turned = wrong(everyone, course.time(everyone, theta), course.states(everyone, theta)).any(axis=0)
        behind[turned & looked_at & np.isinf(behind)] = part
        before[np.isinf(behind)] = part
    active = np.flatnonzero(np.isfinite(behind))
    for _ in range(ROUNDS):
        if not active.size:
            break
        low, high = before[active], behind[active]
        theta = low + PARTS * (high - low)
        lanes = np.tile(active, len(PARTS))
        t = course.time(lanes, theta.ravel())
        turned = wrong(lanes, t, course.states(lanes, theta.ravel())).any(axis=0)
        t, turned = t.reshape(theta.shape), turned.reshape(theta.shape)
        wide = (t > course.time(active, low)) & (t < course.time(active, high))
        behind[active] = high = np.min(np.where(wide & turned, theta, high), axis=0)
        before[active] = np.max(np.where(wide & (theta < high), theta, low), axis=0)
        active = active[wide.any(axis=0)]
    return behind
