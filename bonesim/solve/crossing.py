"""Where within a step a condition turns over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bonesim.system import Rows

SAMPLES = np.arange(1, 5).reshape(-1, 1) / 4
"""Parts of a step after which conditions are looked at: one that turns over twice within a step is seen by the middle
ones, unless it is shorter than a quarter of the step."""

PARTS = np.arange(1, 16).reshape(-1, 1) / 16
"""Where to look between two places, all at once: 15 looks narrow down a turn 16 times, as halving does in 4 rounds."""

ASIDE = np.ldexp([[-1.0], [1.0]], [-6, -12, -18, -26, -36, -48]).reshape(-1, 1)
"""How far from where a straight line has its turn to look as well: most lines are all but straight in the end."""

ROUNDS = 15
"""Of looking so in a quarter of a step: fewer bring it down to what a time can be told apart by, but near time 0."""

Some: TypeAlias = np.ndarray | slice
"""Numbers of lanes, or all of them."""

Wrong: TypeAlias = Callable[[Some, np.ndarray, Rows], np.ndarray]
"""(condition, part, lane) how far conditions are on the wrong side, above 0 where they are not what they are held to
be, of lanes and (part, lane) times and states of theirs."""


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
    behind = np.full(course.t.size, np.inf)
    theta = np.repeat(SAMPLES, course.t.size, axis=1)
    amount = _furthest(course, slice(None), theta, wrong)
    turned = (amount > 0) & looked_at
    active = np.flatnonzero(turned.any(axis=0))
    if not active.size:
        return behind
    place = np.argmax(turned[:, active], axis=0)
    theta, amount = theta[:, active], amount[:, active]
    high, over = _at(place, theta), _at(place, amount)
    low, under = np.where(place > 0, _at(place - 1, theta), 0.0), np.where(place > 0, _at(place - 1, amount), np.nan)
    behind[active] = high
    for _ in range(ROUNDS):
        theta = np.concatenate([[low], low + _parts(under, over) * (high - low), [high]])
        t = course.time(active, theta)
        amount = np.concatenate([[under], _furthest(course, active, theta[1:-1], wrong, t[1:-1]), [over]])
        wide = (t > t[0]) & (t < t[-1])
        first = np.argmin(np.where(wide & (amount > 0), theta, high), axis=0)
        first = np.where(_at(first, wide & (amount > 0)), first, len(theta) - 1)
        high, over = _at(first, theta), _at(first, amount)
        last = np.argmax(np.where(wide & (theta < high), theta, low), axis=0)
        low, under = _at(last, theta), _at(last, amount)
        behind[active] = high
        going = wide.any(axis=0)
        if not going.any():
            break
        active, low, high, under, over = (each[going] for each in (active, low, high, under, over))
    return behind


def _furthest(
    course: Course, lanes: Some, theta: np.ndarray, wrong: Wrong, t: np.ndarray | None = None
) -> np.ndarray:
    """(part, lane) how far the condition that is furthest on the wrong side is there."""
    t = course.time(lanes, theta) if t is None else t
    furthest: np.ndarray = np.fmax.reduce(wrong(lanes, t, course.states(lanes, theta)), axis=0)
    return furthest


def _parts(under: np.ndarray, over: np.ndarray) -> np.ndarray:
    """(part, lane) where to look between two places, from how far conditions are on the wrong side at both."""
    straight = under / (under - over)
    straight = np.where(np.isfinite(straight), straight, 0.5)
    around = np.clip(straight + ASIDE, 0.0, 1.0)
    return np.concatenate([np.broadcast_to(PARTS, (len(PARTS), over.size)), around])


def _at(rows: np.ndarray, array: np.ndarray) -> np.ndarray:
    """(lane,) the entry of each lane in its row."""
    return array[rows, np.arange(array.shape[1])]
