"""Where within a step a condition turns over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from bonesim.solve.columns import EVERYONE, Some
from bonesim.solve.course import Course
from bonesim.system import Rows

SAMPLES = (0.25, 0.5, 0.75, 1.0)
"""Parts of a step after which conditions are looked at: one that turns over twice within a step is seen by the middle
ones, unless it is shorter than a quarter of the step."""

EVEN = np.arange(1, 8).reshape(-1, 1) / 8
"""Where to look between two places, all at once."""

AIMS = 2.0 ** -np.array([2, 4, 7, 11, 16, 22, 29, 37, 46]).reshape(-1, 1)
"""How near to where a straight line has the turn it is looked for on both sides, as parts of what it may lie in."""

ROUNDS = 20
"""Of looking so in a quarter of a step: fewer bring it down to what a time can be told apart by, but near time 0."""

Depth: TypeAlias = Callable[[Some, np.ndarray, Rows], np.ndarray]
"""(condition, ..., lane) how far conditions are from being what they are held to be, 0 or less where they are.

Of lanes, (..., lane) times of each and the states there.
"""


def first_turn(course: Course, looked_at: np.ndarray, depth: Depth) -> np.ndarray:
    """(lane,) how far into the step a condition first turns over, in lanes `looked_at`; infinity where none does.

    The point just behind the turn: the next time before it that can be told apart is still in front of it. Of several
    turns in a quarter of a step it may be another one than the first.
    """
    places = np.array([0.0, *SAMPLES])
    seen = _looks(course, EVERYONE, places[1:, None], depth)[2] > 0
    turned = np.flatnonzero(seen.any(axis=0) & looked_at)
    behind = np.full(course.t.size, np.inf)
    if turned.size:
        first = np.argmax(seen[:, turned], axis=0)
        behind[turned] = _narrowed(course, turned, places[first], places[first + 1], depth)
    return behind


def _narrowed(course: Course, lanes: np.ndarray, low: np.ndarray, high: np.ndarray, depth: Depth) -> np.ndarray:
    """(lane,) the point just behind a turn between two places, (lane,) each."""
    ends = np.array(_looks(course, lanes, np.array([low, high]), depth))
    active = np.arange(lanes.size)
    for _ in range(ROUNDS):
        now = ends[:, :, active]
        (low, high), (begin, end), (before, behind) = now
        width = high - low
        there, near = low + width * (before / (before - behind)), AIMS * width
        theta = np.concatenate([low + EVEN * width, there - near, there + near])
        theta = np.minimum(np.maximum(theta, low), high)
        t = course.time(lanes[active], theta)
        wide = (t > begin) & (t < end)
        if not wide.any():
            break
        looks = np.concatenate([now, _looks(course, lanes[active], theta, depth, t)], axis=1)
        known = np.concatenate([np.ones((2, active.size), bool), wide])
        theta, column = looks[0], np.arange(active.size)
        first = np.argmin(np.where(known & (looks[2] > 0), theta, np.inf), axis=0)
        last = np.argmax(np.where(known & (theta < theta[first, column]), theta, -np.inf), axis=0)
        ends[:, 0, active], ends[:, 1, active] = looks[:, last, column], looks[:, first, column]
        active = active[wide.any(axis=0)]
    found: np.ndarray = ends[0, 1]
    return found


def _looks(
    course: Course, lanes: Some, theta: np.ndarray, depth: Depth, t: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(look, lane) each: how far into the step, the time there if it is not known, the largest depth of a condition."""
    t = course.time(lanes, theta) if t is None else t
    return theta, t, np.fmax.reduce(depth(lanes, t, course.states(lanes, theta)), axis=0)
