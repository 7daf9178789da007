"""Jumps in the rates, windows of time and events of states, against closed forms."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from equations import model, solve, when

from bonesim.solve.settings import Settings

pytestmark = pytest.mark.usefixtures("backend")

MINUTE = 1 / 1440
TIGHT = Settings(rtol=1e-8)
GRAVITY = 9.81


def test_a_bouncing_ball() -> None:
    """Dropped from 1 m it hits the ground at sqrt(2/g), and each flight takes as long as its two halves."""
    kept, first = 0.8, np.sqrt(2 / GRAVITY)
    ode = model({"x": (1, "v"), "v": (0, -GRAVITY)}, {"kept": kept}, events=[when("x < 0", v="-kept*v")])
    t = np.linspace(0.0, 3.0, 61)
    hits = first + np.concatenate([[0.0], np.cumsum(2 * first * kept ** np.arange(1, 12))])
    bounce = np.searchsorted(hits, t, side="right")
    up = np.sqrt(2 * GRAVITY) * kept**bounce
    since = t - hits[np.maximum(bounce - 1, 0)]
    flight = up * since - GRAVITY * since**2 / 2
    exact = np.where(bounce == 0, 1 - GRAVITY * t**2 / 2, flight)
    solution = solve(ode, t, settings=TIGHT)
    assert solution.ok, solution.cause
    assert np.abs(solution.y[:, 0, 0] - exact).max() < 1e-6


def test_a_thermostat_with_hysteresis() -> None:
    """T' = 10 - T + 15 on: towards 25 until 22, towards 10 until 18."""
    ode = model({"T": (20, "10 - T + 15*on")}, {"on": 1.0}, events=[when("T > 22", on=0), when("T < 18", on=1)])
    warm, cool = np.log(7 / 3), np.log(12 / 8)
    edges = np.cumsum([np.log(5 / 3), *[cool, warm] * 12])
    t = np.linspace(0.0, 12.0, 97)
    phase = np.searchsorted(edges, t, side="right")
    since = t - np.concatenate([[0.0], edges])[phase]
    heated = 25 - np.where(phase == 0, 5, 7) * np.exp(-since)
    exact = np.where(phase % 2, 10 + 12 * np.exp(-since), heated)
    solution = solve(ode, t, "T", "on", settings=TIGHT)
    assert np.abs(solution.y[:, 0, 0] - exact).max() < 1e-6 * 20
    np.testing.assert_array_equal(solution.y[:, 1, 0], np.where(phase % 2, 0.0, 1.0))


# `max(x - 1, 0) != 0` says the same as `x > 1` and is no condition that is held: so it is without this care.
HELD, STEPPED_OVER = "x > 1", "max(x - 1, 0) != 0"


def test_a_jump_in_the_rate_is_met_where_it_lies() -> None:
    """x' = 1 below 1 and 3 above: what a method does to straight lines is rounding, so that the jump alone errs."""
    starts, t = np.linspace(0.0, 0.9, 37), np.array([0.0, 1.15, 3.0])
    since = t[:, None] - (1 - starts)
    exact = np.where(since < 0, 1 + since, 1 + 3 * since)
    errors = []
    for condition in (HELD, STEPPED_OVER):
        y = solve(model({"x": (1, f"piecewise(3, {condition}, 1)")}), t, x=starts, settings=Settings(rtol=1e-5)).y[:, 0]
        errors.append(np.percentile(np.abs(y - exact), 95))
    assert errors[0] < 1e-12
    assert errors[1] > 1e-7


def test_a_jump_that_is_met_spares_steps_and_errors() -> None:
    """x' = x below 1 and 3 x above, where errors grow like x itself."""
    starts, t = np.linspace(0.1, 0.9, 37), np.array([0.0, 2.35, 3.0])
    since = t[:, None] + np.log(starts)
    exact = np.exp(np.where(since < 0, since, 3 * since))
    held, stepped_over = (
        solve(model({"x": (1, f"piecewise(3*x, {condition}, x)")}), t, x=starts, settings=Settings(rtol=1e-5))
        for condition in (HELD, STEPPED_OVER)
    )
    assert 1.5 * held.steps.mean() < stepped_over.steps.mean()
    errors = [np.percentile(np.abs(one.y[:, 0] / exact - 1), 95) for one in (held, stepped_over)]
    assert 2 * errors[0] < errors[1]


@pytest.mark.parametrize("rest", [0.0, 1.0, 33.3, 70.0, 125.9])
def test_an_infusion_of_minutes_into_a_system_at_rest(rest: float) -> None:
    k, rate, length = 0.1, 1000.0, 5 * MINUTE
    ode = model(
        {"x": (0, "inflow - k*x")}, {"k": k, "t0": rest, "t1": rest + length},
        {"inflow": f"piecewise({rate}, t >= t0 and t < t1, 0)"},
    )  # fmt: skip
    t = np.arange(0.0, 141.0, 14.0)
    solution = solve(ode, t, settings=TIGHT)
    given = rate / k * -np.expm1(-k * length)
    exact = np.where(t > rest, given * np.exp(-k * (t - rest - length)), 0.0)
    assert np.abs(solution.y[:, 0, 0] - exact).max() < 1e-6 * given


def test_a_window_that_comes_back_every_day() -> None:
    """An hour a day, in hours: `t - 24 floor(t/24) < 1`, and what is given in it and lost again."""
    ode = model({"given": (0, "open"), "x": (0, "open - x")}, rules={"clock": "t - 24*floor(t/24)",
        "open": "piecewise(1, clock >= 7 and clock < 8, 0)"})  # fmt: skip
    t = np.concatenate([np.arange(0.0, 24 * 5.0, 5.0), [24 * 40.0]])
    solution = solve(ode, t, settings=TIGHT)
    whole, hour = np.divmod(t, 24.0)
    np.testing.assert_allclose(solution.y[:, 0, 0], whole + np.clip(hour - 7, 0, 1), rtol=0, atol=1e-9 * 40)
    last = -np.expm1(-np.clip(hour - 7, 0, 1)) * np.exp(-np.maximum(hour - 8, 0))
    one_before = -np.expm1(-1.0) * np.exp(-(hour + 16)) * (whole > 0) / -np.expm1(-24.0)
    assert np.abs(solution.y[:, 1, 0] - last - one_before).max() < 1e-6


@pytest.mark.parametrize(
    ("rule", "exact"),
    [
        ("floor(3*t)", lambda t: np.floor(3 * t)),
        ("ceil(t/7)", lambda t: np.ceil(t / 7)),
        ("floor(5 - 2*t)", lambda t: np.floor(5 - 2 * t)),
        ("floor(rate*t)", lambda t: np.floor(t / 3)),
        ("floor(t*t/10)", lambda t: np.floor(t * t / 10)),
        ("max(t - 3, 1)", lambda t: np.maximum(t - 3, 1)),
        ("min(t, 5)", lambda t: np.minimum(t, 5)),
        ("abs(t - 5)", lambda t: np.abs(t - 5)),
        ("piecewise(1, not (t > 3) or t*2 > 15, 4)", lambda t: np.where((t <= 3) | (t > 7.5), 1, 4)),
    ],
)
def test_the_area_under_functions_of_time_that_bend_and_jump(rule: str, exact: object) -> None:
    """Nothing else is in the model, so that a step would go as far as it may."""
    t = np.array([0.0, 2.9, 9.7])
    solution = solve(model({"x": (0, "r")}, {"rate": 1 / 3}, {"r": rule}), t, settings=TIGHT)
    fine = np.linspace(0.0, 1.0, 1_000_001)
    middle = (fine[1:] + fine[:-1]) / 2
    area = [float(np.mean(exact(end * middle)) * end) for end in t]  # type: ignore[operator]
    # the reference is off by a jump in one of its million cells, some jumps in all
    np.testing.assert_allclose(solution.y[:, 0, 0], area, rtol=0, atol=1e-4)


def test_several_conditions_turn_over_within_one_step() -> None:
    """x' = 1 makes steps as long as they may be; each of twenty thresholds adds to the slope of y."""
    thresholds = np.round(np.linspace(0.05, 0.95, 20) ** 2, 3)
    rate = " + ".join(f"piecewise(1, x > {edge}, 0)" for edge in thresholds)
    solution = solve(model({"x": (0, 1), "y": (0, rate)}), [0.0, 0.5, 1.0], settings=TIGHT)
    exact = [np.maximum(end - thresholds, 0).sum() for end in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(solution.y[:, 1, 0], exact, rtol=0, atol=1e-9)


def test_a_condition_over_a_rule_that_has_a_condition() -> None:
    """The level jumps from 1 to 3 as x passes 1, so that the outer condition turns over there, too, not at x = 2."""
    ode = model(
        {"x": (0, 1), "y": (0, "piecewise(piecewise(5, t > 3, 2), level > 2, 0)")},
        rules={"level": "piecewise(x + 2, x >= 1, x)"},
    )
    y = solve(ode, [0.0, 0.9, 1.0, 2.0, 4.0], settings=TIGHT).y[:, 1, 0]
    np.testing.assert_allclose(y, [0, 0, 0, 2, 9], rtol=0, atol=1e-9)


def test_a_trigger_that_is_true_between_two_outputs_alone() -> None:
    """By time for a minute, and by a state that rises and decays within hours."""
    ode = model(
        {"pulse": (0, "piecewise(1000, t >= 10 and t < 10.01, 0) - 30*pulse"), "by_time": (0, 0), "by_state": (0, 0)},
        events=[
            when(f"t > 20 and t < 20 + {MINUTE}", by_time="by_time + 1"),
            when("pulse > 5", by_state="by_state + 1"),
            when("pulse > 9", by_state="by_state + 100"),
        ],
    )
    # the pulse reaches (1 - exp(-0.3)) 1000/30 = 8.64
    np.testing.assert_array_equal(solve(ode, [0.0, 9.0, 100.0]).y[-1, 1:, 0], [1.0, 1.0])


@pytest.mark.parametrize("rtol", [1e-2, 1e-3])
def test_a_system_that_slides_along_a_condition_stays_on_it(rtol: float) -> None:
    """x falls above 0 and rises below, so that it stays at 0, while y, which sees the mean of both, goes on."""
    ode = model({"x": (1, "piecewise(-1, x > 0, 1)"), "y": (0, "piecewise(-1, x > 0, 1) + 2")})
    solution = solve(ode, [0.0, 0.5, 1.0, 2.0, 3.0], settings=Settings(rtol=rtol))
    assert solution.ok, solution.cause
    exact = np.array([[1.0, 0.5, 0.0, 0.0, 0.0], [0.0, 0.5, 1.0, 3.0, 5.0]]).T
    assert np.abs(solution.y[:, :, 0] - exact).max() < 30 * rtol


def test_times_between_events_do_not_drift() -> None:
    """A sawtooth of a hundred teeth, each as long as the first: x' = 1, and 0 again at 0.7."""
    solution = solve(model({"x": (0, 1)}, events=[when("x >= 0.7", x="x - 0.7")]), np.array([0.0, 70.35]))
    assert solution.y[-1, 0, 0] == pytest.approx(0.35, abs=1e-9)


def test_the_order_of_members_of_a_batch_with_their_own_crossings() -> None:
    ends = [0.1, 0.33, 0.9, 1.5, 5.0]
    ode = model({"x": (0, 1), "area": (0, "piecewise(0, x > edge, x)")}, {"edge": 1.0})
    area = solve(ode, [0.0, 2.0], edge=ends, settings=TIGHT).y[-1, 1]
    np.testing.assert_allclose(area, np.minimum(ends, 2.0) ** 2 / 2, rtol=0, atol=1e-9)
    assert all(a < b for a, b in pairwise(area))
