"""The states between both ends of a step, by the method's continuous extension."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bonesim.solve.columns import Some
from bonesim.solve.sums import add_up

FEW = 2
"""A part of the lanes, as one in so many, below which rows are found for those asked for alone."""


@dataclass(frozen=True)
class Course:
    """A step of every lane.

    y(theta) = y + theta ((y_next - y) + (1 - theta) (D_0 + theta (D_1 + theta (...)))), theta in [0, 1],
    with D_r = sum_j H_rj k_j

    t, h, t_next : (lane,) ; y, y_next : (state, lane) ; stages : (stage, state, lane) ; H : rows of the tableau
    """

    t: np.ndarray
    h: np.ndarray
    t_next: np.ndarray
    y: np.ndarray
    y_next: np.ndarray
    stages: np.ndarray
    H: Sequence[Sequence[float]]
    _known: dict[int, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    def time(self, lanes: Some, theta: np.ndarray) -> np.ndarray:
        """(..., lane) the time that far into the step; the end of the step is where the clock will stand."""
        return np.where(theta == 1, self.t_next[lanes], self.t[lanes] + theta * self.h[lanes])

    def states(self, lanes: Some, theta: np.ndarray) -> Between:
        """The states that far into the step, theta (..., lane), lanes as often as they are asked for."""
        return Between(self, lanes, theta)

    def all_states(self, lanes: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """(state, lane) all of them, theta (lane,)."""
        return between(self.y.take(lanes, axis=1), self.y_next.take(lanes, axis=1), self.extension(lanes), theta)

    def extension(self, lanes: np.ndarray) -> np.ndarray:
        """(row, state, lane) the rows D_r of some lanes; where they are many, found once for all that ask."""
        if FEW * lanes.size < self.t.size:
            return _extension(self.H, self.stages.take(lanes, axis=2))
        return self._dense.take(lanes, axis=2)

    @cached_property
    def _dense(self) -> np.ndarray:
        return _extension(self.H, self.stages)

    def of_state(self, state: int) -> np.ndarray:
        """(row, lane) the rows D_r of one state, found when they are first asked for."""
        if state not in self._known:
            self._known[state] = _extension(self.H, self.stages[:, state : state + 1])[:, 0]
        return self._known[state]


@dataclass(frozen=True)
class Between:
    """States within a step, each computed when it is read."""

    course: Course
    lanes: Some
    theta: np.ndarray

    def __len__(self) -> int:
        return len(self.course.y)

    def __getitem__(self, row: int, /) -> np.ndarray:
        course, lanes = self.course, self.lanes
        dense = [one[lanes] for one in course.of_state(row)]
        return between(course.y[row][lanes], course.y_next[row][lanes], dense, self.theta)

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self.__getitem__, range(len(self)))


def between(
    y: np.ndarray, y_next: np.ndarray, dense: Sequence[np.ndarray] | np.ndarray, theta: np.ndarray
) -> np.ndarray:
    """States a part theta into steps with the rows D_r in `dense`; the end of a step is y_next itself."""
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
    np.copyto(value, y_next, where=theta == 1)
    return value


def _extension(H: Sequence[Sequence[float]], stages: np.ndarray) -> np.ndarray:
    rows = np.empty((len(H), *stages.shape[1:]))
    for number, factors in enumerate(H):
        add_up(factors, stages, out=rows[number])
    return rows
