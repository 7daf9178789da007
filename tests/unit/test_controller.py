"""Step control: norms, factors and first steps by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bonesim.solve.controller import error_norm, first_step, scaled_error, smallest_step, step_factor, trial_step


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def test_error_is_measured_against_the_larger_end_of_the_step() -> None:
    for ends in ((-1.0, 2.0), (2.0, 1.0)):
        y, y_next = (column(end, 0.0) for end in ends)
        scaled = scaled_error(column(-3e-6, 1e-9), y, y_next, 1e-6, column(1e-6, 1e-9))
        np.testing.assert_allclose(scaled, column(1.0, 1.0))


def test_a_state_that_stays_zero_has_no_error() -> None:
    assert scaled_error(column(0.0), column(0.0), column(0.0), 1e-6, column(0.0)) == 0


def test_the_norm_is_the_worst_state_and_keeps_nan() -> None:
    np.testing.assert_array_equal(error_norm(np.array([[0.1, np.nan, 3.0], [0.7, 0.1, np.inf]])), [0.7, np.nan, np.inf])
    np.testing.assert_array_equal(error_norm(np.empty((0, 2))), [0, 0])


@pytest.mark.parametrize(
    ("norm", "refused", "factor"),
    [
        (0.5**4, False, 1.6),  # 0.8 * norm^(-1/4)
        (0.5**4, True, 1.0),  # no growth after a rejection
        (1.0, False, 0.8),
        (2.0**4, False, 0.4),
        (2.0, True, 0.4),  # a second rejection in a row: the error falls as the step does
        (1.0001, True, 0.8 / 1.0001),
        (9.0, True, 0.2),
        (1.0001, False, 0.8 * 1.0001**-0.25),
        (0.0, False, 6.0),
        (1e9, False, 0.2),
        (np.nan, False, 0.2),
        (np.inf, True, 0.2),
    ],
)
def test_factors(norm: float, refused: bool, factor: float) -> None:
    assert step_factor(np.array([norm]), 4, np.array([refused]))[0] == pytest.approx(factor, rel=1e-12)


def trial(y: np.ndarray, dy: np.ndarray, t: float = 0.0, span: float = 100.0) -> float:
    with np.errstate(all="ignore"):
        return float(trial_step(np.array([t]), y, dy, 1e-6, column(*[1e-9] * len(y)), span)[0])


def test_a_trial_step_changes_no_state_by_more_than_a_hundredth() -> None:
    assert trial(column(2.0, 5.0), column(-4.0, 0.0)) == pytest.approx(0.01 * 2.0 / 4.0, rel=1e-2)


@pytest.mark.parametrize(
    ("y", "dy", "step"),
    [
        (column(1.0), column(0.0), 1e-6 * 100),  # at rest
        (column(0.0), column(7.0), 1e-6 * 100),  # empty
        (column(1.0), column(1e-9), 0.01 * 100),  # slow
        (column(1e-13), column(1e6), 1e-10 * 0.01),  # all but empty, then a strong input
    ],
)
def test_a_trial_step_has_bounds(y: np.ndarray, dy: np.ndarray, step: float) -> None:
    t = 10.0 if y[0, 0] == 1e-13 else 0.0
    expected = 100 * float(smallest_step(np.array(t), 100.0)) if t else step
    assert trial(y, dy, t) == pytest.approx(expected, rel=1e-9)


def first(speed: float, trial: float, dy: float = -1.0, span: float = 1e6) -> float:
    """The first step for y' = dy, where the rate falls as exp(-speed t), with tolerance 1e-4."""
    with np.errstate(all="ignore"):
        bend = column(-speed * dy)
        return float(first_step(np.array([trial]), column(1.0), column(dy), bend, 1e-4, column(0.0), span, 5)[0])


@pytest.mark.parametrize("unit", [1.0, 2.0**-40, 2.0**40])
def test_a_first_step_errs_by_a_hundredth_of_the_tolerance(unit: float) -> None:
    h = first(3.0 / unit, 0.001 * unit, -2.0 / unit, 1e6 * unit)
    assert (3.0 / unit * h) ** 6 * (2.0 / 3.0) == pytest.approx(0.01 * 1e-4, rel=1e-9)


def test_a_compartment_that_fills_is_no_reason_to_crawl() -> None:
    """y' = 1 - 3 y from 0, absolute tolerance 1e-10: by the end of a step h the tolerance is rtol h."""
    rtol, order, trial = 1e-4, 5, 1e-7
    with np.errstate(all="ignore"):
        dy, bend = column(1.0), column(-3.0)
        h = float(first_step(np.array([trial]), column(0.0), dy, bend, rtol, column(1e-10), 1e6, order)[0])
    assert (3 * h) ** order == pytest.approx(rtol / 200, rel=1e-6)


def test_a_first_step_is_bounded_by_the_trial_and_the_span() -> None:
    assert first(1e-9, 0.001) == pytest.approx(0.01 * 1e6)  # hardly bent
    assert first(0.0, 0.001) == pytest.approx(0.1)  # not bent as far as one can tell: a hundred trial steps
    assert first(1e-9, 0.001, span=2.0) == pytest.approx(0.02)
    assert first(1e9, 0.001) == 0.001
    assert first(np.inf, 0.001) == 0.001


def test_the_smallest_step_is_relative_to_the_time_reached() -> None:
    np.testing.assert_allclose(smallest_step(np.array([0.0, -5.0, 1e6]), 100.0), [1e-24, 5e-14, 1e-8])
