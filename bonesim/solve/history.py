"""The courses of members behind them: the states at past times, by the continuous extension of the steps taken."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bonesim.solve.course import Course

FIRST_ROOM = 64
"""Steps that there is room for at first; more is made as it is needed."""


class History:
    """Steps of each member, oldest first, in a ring; steps that no delay reaches any more make room for others.

    Arrays are (..., step, history): a history is the column of one member; where there is no step, none ever begins. A
    state in a step of length h from t is y + theta (g + (1 - theta) (D_1 + theta (D_2 + ...))), g its change over the
    whole step, theta = (s - t)/h.
    """

    def __init__(self, states: int, jumping: int, rows: int, histories: int) -> None:
        self.first, self.count = np.zeros(histories, np.int64), np.zeros(histories, np.int64)
        self.begins, self.lengths = np.full((FIRST_ROOM, histories), np.inf), np.ones((FIRST_ROOM, histories))
        self.states = np.zeros((2 + rows, states, FIRST_ROOM, histories))
        self.jumping = np.zeros((jumping, FIRST_ROOM, histories))

    def clear(self, histories: np.ndarray) -> None:
        """Forget the steps of some histories."""
        self.first[histories] = self.count[histories] = 0
        self.begins[:, histories] = np.inf

    def keep(self, lanes: np.ndarray, histories: np.ndarray, course: Course, p: np.ndarray, reach: np.ndarray) -> None:
        """Add the steps that some lanes took; p are the parameters that may jump, (parameter, lane).

        What ended more than `reach`, (lane,), before the step began is forgotten.
        """
        self._forget(histories, course.t[lanes] - reach)
        room = len(self.begins)
        if np.any(self.count[histories] >= room):
            self._grow()
            room = len(self.begins)
        place = (self.first[histories] + self.count[histories]) % room
        self.begins[place, histories], self.lengths[place, histories] = course.t[lanes], course.h[lanes]
        self.states[0][:, place, histories] = course.y[:, lanes]
        self.states[1][:, place, histories] = course.y_next[:, lanes] - course.y[:, lanes]
        self.states[2:][:, :, place, histories] = course.extension(lanes)
        self.jumping[:, place, histories] = p
        self.count[histories] += 1

    def at(self, histories: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """States, their rates and jumping parameters, each (row, time), at one time s of each history.

        A time before the first step counts to that, one behind the last step to this.
        """
        place = self._place(histories, s)
        t, h = self.begins[place, histories], self.lengths[place, histories]
        parts = self.states[:, :, place, histories]
        return *between(parts[0], parts[1], parts[2:], (s - t) / h, h), self.jumping[:, place, histories]

    def rates(self, histories: np.ndarray, t: np.ndarray) -> np.ndarray:
        """(state, history) rates at the end of the last step; 0 where there is none."""
        rates = self.at(histories, t)[1]
        rates[:, self.count[histories] == 0] = 0.0
        return rates

    def _place(self, histories: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Where the last step stands that began at s or before; counted, since a loop of NumPy would take longer."""
        begun = np.count_nonzero(self.begins[:, histories] <= s, axis=0)
        place: np.ndarray = (self.first[histories] + np.maximum(begun, 1) - 1) % len(self.begins)
        return place

    def _forget(self, histories: np.ndarray, before: np.ndarray) -> None:
        """Let go of steps whose successor begins at `before` or earlier."""
        room = len(self.begins)
        while True:
            second = self.begins[(self.first[histories] + 1) % room, histories]
            old = (self.count[histories] > 1) & (second <= before)
            if not old.any():
                return
            self.begins[self.first[histories[old]], histories[old]] = np.inf
            self.first[histories[old]] = (self.first[histories[old]] + 1) % room
            self.count[histories[old]] -= 1

    def _grow(self) -> None:
        """Twice the room; the ring is laid out anew, each history from its first step on."""
        room = len(self.begins)
        order = (self.first + np.arange(room).reshape(-1, 1)) % room

        def doubled(old: np.ndarray, free: float = 1.0) -> np.ndarray:
            laid = np.take_along_axis(old, np.broadcast_to(order, old.shape), axis=-2)
            return np.concatenate([laid, np.full_like(laid, free)], axis=-2)

        self.begins, self.lengths = doubled(self.begins, np.inf), doubled(self.lengths)
        self.states, self.jumping = doubled(self.states), doubled(self.jumping)
        self.first[:] = 0


class Within:
    """The steps that are under way, one of each history, where they are `known`.

    Few are ever asked for, so what is known of them may be put in `later`, when it is.
    """

    def __init__(self, states: int, rows: int, histories: int) -> None:
        self.known = np.zeros(histories, bool)
        self._later: Callable[[], None] | None = None
        self._t, self._h = np.zeros(histories), np.ones(histories)
        self._parts = np.zeros((2 + rows, states, histories))

    def later(self, put: Callable[[], None]) -> None:
        """What to put here as soon as a course is asked for, in place of what was to be put so far."""
        self._later = put

    def guess(self, histories: np.ndarray, t: np.ndarray, h: np.ndarray, y: np.ndarray, rates: np.ndarray) -> None:
        """Straight courses with the rates that states had."""
        self._t[histories], self._h[histories] = t, h
        self._parts[0][:, histories], self._parts[1][:, histories] = y, h * rates
        self._parts[2:][:, :, histories] = 0.0

    def put(self, histories: np.ndarray, course: Course, lanes: np.ndarray) -> None:
        """Courses of some lanes; `histories` are those of all."""
        some = histories[lanes]
        self._t[some], self._h[some] = course.t[lanes], course.h[lanes]
        self._parts[0][:, some] = course.y[:, lanes]
        self._parts[1][:, some] = course.y_next[:, lanes] - course.y[:, lanes]
        self._parts[2:][:, :, some] = course.extension(lanes)

    def at(self, histories: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States and their rates, (state, time), at one time of each history."""
        if self._later is not None:
            put, self._later = self._later, None
            put()
        t, h, parts = self._t[histories], self._h[histories], self._parts[:, :, histories]
        return between(parts[0], parts[1], parts[2:], (s - t) / h, h)


def between(
    y: np.ndarray, change: np.ndarray, dense: np.ndarray, theta: np.ndarray, h: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """States within a step and their rates, (state, time); dense is (row, state, time)."""
    curve, bend = dense[-1], np.zeros_like(y)
    for row in dense[-2::-1]:
        bend = curve + theta * bend
        curve = row + theta * curve
    rest = 1 - theta
    states = y + theta * (change + rest * curve)
    rates = (change + (rest - theta) * curve + theta * rest * bend) / h
    return states, rates
