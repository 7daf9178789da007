"""Events that wait, in systems of which the course is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from equations import model, solve, when

from bonesim.solve.settings import Settings

TIGHT = Settings(rtol=1e-10)


def test_a_dose_that_comes_a_while_after_it_is_called_for() -> None:
    """x falls as exp(-k t) to 1, goes on to exp(-k wait), and is raised by the dose; then the same from there."""
    k, start, dose, wait = 0.7, 5.0, 4.0, 0.3
    ode = model({"x": (start, "-k*x")}, {"k": k, "wait": wait}, events=[when("x < 1", delay="wait", x=f"x + {dose}")])
    called = np.log(start) / k
    lowest = np.exp(-k * wait)
    period = np.log(lowest + dose) / k + wait
    t = np.linspace(0, 20, 97)
    turns = np.floor((t - called - wait) / period)
    since = t - called - wait - turns * period
    exact = np.where(turns < 0, start * np.exp(-k * t), (lowest + dose) * np.exp(-k * since))
    solution = solve(ode, t, settings=TIGHT)
    np.testing.assert_allclose(solution.y[:, 0, 0], exact, rtol=1e-7)


@pytest.mark.parametrize("early", [True, False])
def test_what_a_delayed_event_takes_from_the_time_of_its_trigger(early: bool) -> None:
    """At x = 1/2 a copy is ordered, of then or of when it comes."""
    ode = model({"x": (1, "-x"), "copy": (0, 0)}, events=[when("x < 0.5", delay=1, early=early, copy="x")])
    solution = solve(ode, [0.0, 1 + np.log(2) - 1e-6, 4.0], "copy", settings=TIGHT)
    expected = 0.5 if early else 0.5 * np.exp(-1)
    np.testing.assert_allclose(solution.y[:, 0, 0], [0, 0, expected], rtol=1e-8)


@pytest.mark.parametrize("wait", [0.05, 0.2, 0.45])
def test_a_ball_that_falls_for_long_enough(wait: float) -> None:
    """A ball that keeps `e` of its speed falls for v0 e^n/g before bounce n; only falls longer than `wait` are counted.

    It begins upwards with v0, so that the fall before bounce n lasts v0 e^n/g, n = 0, 1, ...
    """
    g, v0, e, end = 9.81, 5.0, 0.8, 4.0
    ode = model(
        {"h": (0, "v"), "v": (v0, "-g")},
        {"g": g, "count": 0, "wait": wait},
        events=[
            when("h < 0 and v < 0", h=0, v=f"-{e}*v"),
            when("v < 0", delay="wait", persistent=False, count="count + 1"),
        ],
    )
    flights = 2 * v0 * e ** np.arange(40) / g
    begun = np.concatenate([[0], np.cumsum(flights)])[:-1]
    counted = (flights / 2 > wait) & (begun + flights / 2 + wait < end)
    solution = solve(ode, [0.0, end], "count", settings=Settings(rtol=1e-9))
    assert solution.y[-1, 0, 0] == counted.sum()


def test_several_deliveries_are_under_way_at_once() -> None:
    """One is ordered every unit of time, takes 2.5 and fills a stock up to 10, from which 1 a unit of time is taken."""
    order = when("t - last >= 1", last="t")
    deliver = when("t - last >= 1", delay=2.5, early=True, stock=10)
    ode = model({"stock": (10, -1)}, {"last": 0.0}, events=[deliver, order])
    t = np.arange(0, 8, 0.25)
    stock = np.where(t < 3.5, 10 - t, 10 - (t - 3.5) % 1)
    solution = solve(ode, t, "stock", settings=TIGHT)
    np.testing.assert_allclose(solution.y[:, 0, 0], stock, rtol=1e-9)


def test_outputs_a_month_apart_lose_no_delayed_dose_of_minutes() -> None:
    """An infusion of 10 minutes that is ordered in a window of 2 minutes a day, 6 hours before; all of it arrives."""
    minute = 1 / 1440
    ode = model(
        {"given": (0, "rate"), "x": (0, "rate - 0.5*x")},
        {"rate": 0.0},
        {"day": "t - floor(t)"},
        [
            when(f"day >= 0.25 and day < 0.25 + 2*{minute}", delay=0.25, rate=1),
            when("rate > 0", delay=10 * minute, priority=1, rate=0),
        ],
    )
    solution = solve(ode, [0.0, 30.0, 60.0], "given")
    np.testing.assert_allclose(solution.y[:, 0, 0], [0, 300 * minute, 600 * minute], rtol=1e-9)
