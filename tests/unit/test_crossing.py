"""Where a step is cut: the first turn of a condition, to the last bit of the time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.solve.columns import EVERYONE, Some
from bonesim.solve.course import Course
from bonesim.solve.crossing import first_turn
from bonesim.system import Rows

STRAIGHT = ((0.0,), (0.0,))
"""Rows of a tableau in which stages do not bend a course."""


def straight(t: np.ndarray, h: np.ndarray) -> Course:
    """A state that goes from 0 to 1 in each lane's step, in a straight line."""
    lanes = t.size
    return Course(t, h, t + h, np.zeros((1, lanes)), np.ones((1, lanes)), np.zeros((1, 1, lanes)), STRAIGHT)


@given(st.floats(0.0, 1e6), st.floats(1e-6, 1e3), st.floats(1e-9, 0.999999))
def test_the_cut_lies_just_behind_the_turn(start: float, length: float, edge: float) -> None:
    course = straight(np.array([start]), np.array([length]))
    theta = first_turn(course, np.ones(1, bool), lambda lanes, t, y: np.array([y[0] - edge]))
    assert course.states(EVERYONE, theta)[0][0] > edge
    before = np.nextafter(course.time(EVERYONE, theta), -np.inf)
    # one time before it, but for the roundings of t + theta h and of theta, the condition holds
    slack = 4 * np.spacing(before) / length + 4 * np.spacing(1.0)
    assert (before - start) / length - slack <= edge


def test_the_first_of_several_turns_is_found_in_each_lane_by_itself() -> None:
    edges = np.array([[0.7, 0.2, 2.0, 0.9], [0.3, 0.6, 2.0, 1.5]])
    course = straight(np.zeros(4), np.ones(4))
    theta = first_turn(course, np.ones(4, bool), lambda lanes, t, y: y[0] - edges[:, None, lanes])
    np.testing.assert_allclose(theta, [0.3, 0.2, np.inf, 0.9], rtol=1e-12)


def test_lanes_that_are_not_looked_at_turn_nowhere() -> None:
    course = straight(np.zeros(2), np.ones(2))
    theta = first_turn(course, np.array([False, True]), lambda lanes, t, y: np.array([y[0] - 0.5]))
    assert np.isinf(theta[0])
    assert theta[1] == pytest.approx(0.5)


def test_a_condition_that_turns_twice_is_seen_if_a_sample_falls_between() -> None:
    course = straight(np.zeros(3), np.ones(3))
    low, high = np.array([0.4, 0.1, 0.26]), np.array([0.6, 0.9, 0.49])
    theta = first_turn(
        course, np.ones(3, bool), lambda lanes, t, y: np.array([np.minimum(y[0] - low[lanes], high[lanes] - y[0])])
    )
    np.testing.assert_allclose(theta, [0.4, 0.1, np.inf], rtol=1e-12)


def test_the_end_of_a_step_is_its_own_state_and_time() -> None:
    course = Course(
        np.array([0.1]), np.array([0.2]), np.array([0.3]), np.array([[0.1]]), np.array([[0.7]]), np.ones((1, 1, 1)),
        ((1.0,), (1.0,)),
    )  # fmt: skip
    one = np.ones(1)
    assert (course.time(EVERYONE, one)[0], course.states(EVERYONE, one)[0][0]) == (0.3, 0.7)
    assert 0.1 + 1.0 * 0.2 != 0.3
    assert (
        first_turn(course, np.ones(1, bool), lambda lanes, t, y: np.array([np.where(y[0] == 0.7, 1.0, -1.0)]))[0] == 1.0
    )


@pytest.mark.parametrize("theta", [0.0, 0.3])
def test_a_state_that_does_not_move_keeps_its_bits(theta: float) -> None:
    still = np.full((1, 1), 0.1)
    course = Course(np.zeros(1), np.zeros(1), np.ones(1), still, still, np.zeros((1, 1, 1)), STRAIGHT)
    assert course.states(EVERYONE, np.array([theta]))[0][0] == 0.1


def test_a_straight_course_is_aimed_at_where_it_turns() -> None:
    """Samples, both ends, and two looks: halving would take some twenty."""
    course, looks = straight(np.array([3.0]), np.array([0.7])), []

    def depth(lanes: Some, t: np.ndarray, y: Rows) -> np.ndarray:
        looks.append(t.shape)
        return np.array([y[0] - 0.3])

    assert first_turn(course, np.ones(1, bool), depth)[0] == pytest.approx(0.3, rel=1e-15)
    assert len(looks) <= 4


@given(st.floats(1e-3, 0.999), st.floats(0.1, 9.0))
def test_a_bent_course_is_cut_where_it_turns_too(edge: float, power: float) -> None:
    course = straight(np.zeros(1), np.ones(1))
    theta = first_turn(course, np.ones(1, bool), lambda lanes, t, y: np.array([y[0] ** power - edge**power]))
    assert theta[0] == pytest.approx(edge, rel=1e-13)
