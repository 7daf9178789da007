"""Sums over the stages of a step: an entry has the same bits whatever lies beside it."""

from __future__ import annotations

import numpy as np
import pytest

from bonesim.solve.methods.rosenbrock import METHODS
from bonesim.solve.sums import add_up

STAGES = np.random.default_rng(0).normal(size=(8, 5, 67)) * 10.0 ** np.random.default_rng(1).uniform(-9, 9, (8, 5, 67))
ROWS = [row for method in METHODS.values() for row in (*method.a[1:], *method.C[1:], *method.H)]


def added(factors: tuple[float, ...] | np.ndarray, stages: np.ndarray) -> np.ndarray:
    out = np.empty(stages.shape[1:])
    add_up(factors, stages, out)
    return out


@pytest.mark.parametrize("states", [1, 2, 5])
@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 5, 7, 8, 9, 16, 31])
def test_no_entry_depends_on_the_others(states: int, lanes: int) -> None:
    part = np.ascontiguousarray(STAGES[:, -states:, -lanes:])
    for factors in ROWS:
        np.testing.assert_array_equal(added(factors, part), added(factors, STAGES)[-states:, -lanes:])


@pytest.mark.parametrize("factors", ROWS)
def test_every_stage_has_its_factor(factors: tuple[float, ...]) -> None:
    stages = np.eye(8)[:, :, None]
    np.testing.assert_array_equal(added(factors, stages)[: len(factors), 0], factors)


@pytest.mark.parametrize("states", [1, 2, 5])
@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 5, 7, 8, 9, 16, 31])
def test_nor_with_factors_of_each_lane(states: int, lanes: int) -> None:
    part, by_lane = np.ascontiguousarray(STAGES[:, -states:, -lanes:]), np.random.default_rng(2).normal(size=67)
    for factors in ROWS:
        every = np.multiply.outer(factors, by_lane)
        np.testing.assert_array_equal(added(every[:, -lanes:], part), added(every, STAGES)[-states:, -lanes:])


def test_each_lane_has_its_factors() -> None:
    stages, factors = np.ones((3, 2, 4)), np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(added(factors, stages), [[12.0, 15.0, 18.0, 21.0]] * 2)
