"""Delayed values against closed forms: polynomials of the method of steps, sines, and what is known of jumps."""

from __future__ import annotations

from dataclasses import replace
from math import factorial
from typing import cast

import numpy as np
import pytest
from equations import Formula, batch_of, event, formula, kernels_of, model, solve, when

from bonesim.model.ode import OdeModel
from bonesim.solve.driver import Lanes
from bonesim.solve.history import FIRST_ROOM
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status
from bonesim.system import Functions, Rows

TIGHT = Settings(rtol=1e-9)


def by_steps(t: np.ndarray, tau: np.ndarray | float) -> np.ndarray:
    """x' = -x(t - tau), 1 before the start: sum of (-1)^n (t - (n - 1) tau)^n / n! over n with t > (n - 1) tau."""
    x = np.zeros(np.broadcast_shapes(t.shape, np.shape(tau)))
    for n in range(int(np.max(t / tau)) + 2):
        late = np.maximum(t - (n - 1) * tau, 0.0)
        x += np.where(t > (n - 1) * tau, (-1) ** n * late**n / factorial(n), 0.0)
    return x


ONE_DELAY = model({"x": (1, "-delay(x, tau)")}, {"tau": 1.0})


@pytest.mark.parametrize("method", ["rodas5p", "rodas4", "rodas4p"])
def test_the_order_of_the_method_is_kept(method: str) -> None:
    """Where steps end on the times at which derivatives jump, errors fall as the steps' fifth or fourth power."""
    t = np.linspace(0.0, 10.0, 41)
    runs = [solve(ONE_DELAY, t, settings=Settings(rtol=rtol, method=method)) for rtol in (1e-6, 1e-8, 1e-10)]
    errors = [np.abs(run.y[:, 0, 0] - by_steps(t, 1.0)).max() for run in runs]
    slopes = -np.diff(np.log(errors)) / np.diff(np.log([run.steps[0] for run in runs]))
    assert np.all(slopes > (4.5 if method == "rodas5p" else 3.5)), (slopes, errors)


@pytest.mark.parametrize("rtol", [1e-3, 1e-6, 1e-9, 1e-12])
def test_a_polynomial_of_the_method_of_steps(rtol: float) -> None:
    t = np.linspace(0.0, 10.0, 101)
    error = np.abs(solve(ONE_DELAY, t, settings=Settings(rtol=rtol)).y[:, 0, 0] - by_steps(t, 1.0)).max()
    assert error < rtol


def test_a_cosine_whose_past_is_a_cosine() -> None:
    """x' = -x(t - pi/2) goes on as cos, if it was cos before: the initial value is a function of time."""
    ode = model({"x": ("cos(t)", "-delay(x, quarter)")}, {"quarter": np.pi / 2})
    t = np.linspace(0.0, 20.0, 81)
    assert np.abs(solve(ode, t, settings=TIGHT).y[:, 0, 0] - np.cos(t)).max() < 1e-7


@pytest.mark.parametrize("tau", [0.3, 0.03, 0.01])
def test_delays_shorter_than_steps(tau: float) -> None:
    t = np.linspace(0.0, 0.6, 7)
    assert np.abs(solve(ONE_DELAY, t, settings=TIGHT, tau=tau).y[:, 0, 0] - by_steps(t, tau)).max() < 1e-9


@pytest.mark.parametrize("tau", [0.0, 1e-300, 1e-17, 1e-12])
def test_no_delay_is_the_value_itself(tau: float) -> None:
    """x' = -x(t - tau) falls as exp(-t) but for terms of the size of tau."""
    t = np.linspace(0.0, 3.0, 13)
    assert np.abs(solve(ONE_DELAY, t, settings=TIGHT, tau=tau).y[:, 0, 0] - np.exp(-t)).max() < 1e-9


def test_a_stiff_equation_with_a_delay_of_0_is_solved_as_without() -> None:
    """The Jacobian knows that the delayed value is the state."""
    stiff, t = "-1e6*({} - cos(t))", [0.0, 1.0, 5.0]
    found, plain = (solve(model({"x": (1, stiff.format(x))}), t) for x in ("delay(x, 0)", "x"))
    np.testing.assert_allclose(found.y[:, 0, 0], plain.y[:, 0, 0], rtol=1e-12)
    assert found.steps[0] == plain.steps[0] < 20


def test_a_stiff_equation_with_a_delay() -> None:
    """x follows (1 + x(t - 1))/2 at once: 1 - 2^(-n) after the n-th unit of time, from 0 on and before."""
    solution = solve(model({"x": (0, "-1e5*(x - 0.5 - 0.5*delay(x, 1))")}), [0.0, 0.9, 1.9, 2.9, 3.9])
    np.testing.assert_allclose(solution.y[1:, 0, 0], 1 - 2.0 ** -np.arange(1, 5), rtol=1e-5)


def test_a_delay_that_grows_with_time() -> None:
    """x' = x(t/2): the power series with coefficients 2^(-n(n-1)/2)/n!; the delay t/2 begins at 0."""
    t = np.linspace(0.0, 4.0, 17)
    exact = sum(2.0 ** (-n * (n - 1) / 2) * t**n / factorial(n) for n in range(30))
    solution = solve(model({"x": (1, "delay(x, t/2)")}), t, settings=TIGHT)
    np.testing.assert_allclose(solution.y[:, 0, 0], exact, rtol=1e-8)


def test_a_delay_that_depends_on_the_state() -> None:
    """x' = x x(ln x)/t from x(1) = 1, and 1 before: t up to e, then exp(t/e) up to e^2.

    Bellen & Zennaro, doi:10.1093/acprof:oso/9780198506546.001.0001, chapter 1.
    """
    t = np.linspace(1.0, 7.3, 64)
    solution = solve(model({"x": (1, "x*delay(x, t - ln(x))/t")}), t, settings=TIGHT)
    np.testing.assert_allclose(solution.y[:, 0, 0], np.where(t < np.e, t, np.exp(t / np.e)), rtol=1e-7)


def test_a_dose_comes_back_a_delay_later() -> None:
    """A dose of 5 at t = 1 into x' = -x; y gains what was in x two days before, as often as it is given."""
    ode = model({"x": (0, "-x"), "y": (0, "delay(x, 2)")}, events=[event(1, every=1.5, count=3, x="x + 5")])
    t = np.linspace(0.0, 9.0, 73)
    since = np.maximum(t[:, None] - 2 - np.array([1.0, 2.5, 4.0]), 0.0)
    solution = solve(ode, t, settings=TIGHT)
    np.testing.assert_allclose(solution.y[:, 1, 0], 5 * (1 - np.exp(-since)).sum(axis=1), atol=1e-8)
    assert solution.steps[0] < 400  # steps end where doses come back, so that none are refused over and over


def test_the_value_behind_a_jump_is_that_of_one_side_of_it() -> None:
    """A jump at t = 1 is seen at t = 3; an output at that very time has the value after it."""
    ode = model({"x": (0, 0)}, {"k": 1.0}, {"y": "delay(x + k, 2)"}, events=[event(1, x="x + 5", k=3)])
    seen = solve(ode, [0.0, 2.5, 3.0, 3.0, 3.5], "y").y[:, 0, 0]
    assert seen.tolist() == [1.0, 1.0, 8.0, 8.0, 8.0]


def test_parameters_that_events_set_have_a_past() -> None:
    """y' = k(t - 1), where k is 1, then 3 from t = 1 and 0 from t = 2 on."""
    ode = model({"y": (0, "delay(2*k, 1)")}, {"k": 1.0}, events=[event(1, k=3), event(2, k=0)])
    t = np.linspace(0.0, 4.0, 17)
    exact = 2 * (np.clip(t, 0, 2) + 3 * np.clip(t - 2, 0, 1))
    np.testing.assert_allclose(solve(ode, t).y[:, 0, 0], exact, atol=1e-12)


def test_conditions_in_the_past_are_those_of_their_time() -> None:
    """y' = the value that a step of time had a delay of 0.7 before."""
    step = "piecewise(1, t < 1, 4)"
    ode = model({"y": (0, "delay(r, 0.7)")}, {}, {"r": step})
    t = np.linspace(0.0, 4.0, 41)
    exact = np.minimum(t, 1.7) + 4 * np.maximum(t - 1.7, 0.0)
    np.testing.assert_allclose(solve(ode, t).y[:, 0, 0], exact, atol=1e-5)


def test_a_condition_on_a_delayed_value_is_met() -> None:
    """x = t; the delayed x passes 2 at t = 3.5: a rate turns over there, and an event happens."""
    ode = model(
        {"x": (0, 1), "y": (0, "piecewise(0, delay(x, 1.5) < 2, 1)"), "z": (0, 0)},
        events=[when("delay(x, 1.5) > 2", z="x + delay(x, 0.5)")],
    )
    t = np.linspace(0.0, 6.0, 25)
    solution = solve(ode, t, settings=TIGHT)
    np.testing.assert_allclose(solution.y[:, 1, 0], np.maximum(t - 3.5, 0), atol=1e-8)
    np.testing.assert_allclose(solution.y[:, 2, 0], np.where(t < 3.5, 0.0, 6.5), atol=1e-8)


@pytest.mark.parametrize(("early", "copied"), [(True, 2.0), (False, 2.75)])
@pytest.mark.parametrize(("rank", "last"), [(2.4, 2), (2.6, 1)])
def test_events_that_wait_by_delayed_values(early: bool, copied: float, rank: float, last: int) -> None:
    """x = t; where x(t - 1) passes 1, at 2, two events are set off that wait for x(2 - 0.5) = 1.5, until 3.5.

    One sets 4 + x(t - 2), which is 4 at 2 and 5.5 at 3.5, times x(3.5 - 3) = 0.5, and ranks as x(3.5 - 1) = 2.5.
    """
    trigger, wait = "delay(x, 1) > 1", "delay(x, 0.5)"
    one = when(trigger, delay=wait, priority="delay(x, 1)", early=early, copy="4 + delay(x, 2)", last=1)
    other = when(trigger, delay=wait, priority=rank, last=2)
    scaled = replace(one, factors=(("copy", formula("delay(x, 3)")),))
    ode = model({"x": (0, 1)}, {"copy": 0, "last": 0}, events=[scaled, replace(other, id="other")])
    y = solve(ode, [0.0, 3.499, 3.501, 5.0], "copy", "last", settings=TIGHT).y[:, :, 0]
    np.testing.assert_allclose(y, [[0, 0], [0, 0], [copied, last], [copied, last]], rtol=1e-9)


@pytest.mark.parametrize(
    "twice", ["delay(delay(x, 1), 0.5)", "delay(r, 0.5)", "delay(x, 1 + delay(half, 3))", "delay(x, delay(x, s))"]
)
def test_delays_of_delays(twice: str) -> None:
    """All of them are x = exp(-t), a time of 1.5 before; the last one by a delay of which the past is 1.5."""
    state: dict[str, tuple[Formula, Formula]] = {"x": ("exp(-t)", "-x")}
    rules: dict[str, Formula] = {"r": "delay(x, 1)", "half": "0.5", "y": twice, "s": "t + ln(1.5)"}
    t = np.linspace(0.0, 4.0, 17)
    found = solve(model(state, {}, rules), t, "y", settings=TIGHT).y[:, 0, 0]
    np.testing.assert_allclose(found, np.exp(1.5 - t), rtol=1e-8)


def hutchinson(history: str = "0.5") -> OdeModel:
    """Growth that yesterday's number holds back: x' = r x (1 - x(t - tau))."""
    return model({"x": (history, "r*x*(1 - delay(x, tau))")}, {"r": 1.8, "tau": 1.0})


def test_delayed_growth_as_a_chain_of_intervals() -> None:
    """The same as ordinary equations: in the interval n of length tau, x_n' = r x_n (1 - x_(n-1))."""
    intervals = 8
    states: dict[str, tuple[Formula, Formula]] = {"x1": (0.5, "1.8*x1*(1 - 0.5)")}
    result = [0.5]
    for n in range(1, intervals + 1):
        states[f"x{n}"] = (result[-1], f"1.8*x{n}*(1 - {f'x{n - 1}' if n > 1 else '0.5'})")
        result.append(float(solve(model(states), [0.0, 1.0], f"x{n}", settings=Settings(rtol=1e-12)).y[-1, 0, 0]))
    found = solve(hutchinson(), np.arange(intervals + 1.0), settings=TIGHT).y[:, 0, 0]
    np.testing.assert_allclose(found, result, rtol=1e-7)


def test_a_member_has_the_same_bits_alone_and_among_others() -> None:
    """Members with delays of their own, of which some take steps again in their own place, and lanes change hands."""
    taus = np.concatenate([[0.0, 1e-3, 0.2], np.linspace(0.05, 2.0, 20)])
    t = np.linspace(0.0, 12.0, 25)
    together = solve(hutchinson(), t, tau=taus, lanes=7)
    assert together.ok
    for member in (0, 1, 2, 8, 22):
        alone = solve(hutchinson(), t, tau=taus[member : member + 1])
        np.testing.assert_array_equal(alone.y[:, 0, 0], together.y[:, 0, member])
        assert (alone.steps[0], alone.rejected[0]) == (together.steps[member], together.rejected[member])


def test_many_members_against_the_closed_form() -> None:
    taus, t = np.linspace(0.3, 1.5, 50), np.linspace(0.0, 5.0, 21)
    found = solve(ONE_DELAY, t, settings=TIGHT, tau=taus).y[:, 0, :]
    assert np.abs(found - by_steps(t[:, None], taus)).max() < 1e-8


def test_a_past_whose_slope_is_infinite() -> None:
    """y' = the root of x a unit of time before, where x is 0 until t = 1, then (t - 1)^2."""
    ode = model({"x": (0, "piecewise(0, t < 1, 2*(t - 1))"), "y": (0, "delay(sqrt(x), 1)")})
    t = np.linspace(0.0, 4.0, 17)
    found = solve(ode, t, "y", settings=TIGHT).y[:, 0, 0]
    np.testing.assert_allclose(found, np.maximum(t - 2, 0) ** 2 / 2, atol=1e-5)


def test_constraints_beside_delays() -> None:
    """z = x(t - 1) + 1 as a constraint: x' = -(z - 1) is the equation of one delay."""
    ode = model({"x": (1, "1 - z"), "z": (0, "z - 1 - delay(x, 1)")}, {}, {})
    ode = ode.with_(states=(ode.states[0], replace(ode.states[1], algebraic=True)))
    t = np.linspace(0.0, 5.0, 21)
    found = solve(ode, t, "x", "z", settings=TIGHT).y[:, :, 0]
    np.testing.assert_allclose(found[:, 0], by_steps(t, 1.0), atol=1e-8)
    np.testing.assert_allclose(found[1:, 1], 1 + by_steps(t[1:] - 1, 1.0), atol=1e-7)


def test_a_negative_delay_gives_no_number() -> None:
    solution = solve(ONE_DELAY, [0.0, 1.0], tau=[-1.0, 1.0])
    assert solution.status.tolist() == [Status.NOT_FINITE_AT_START, Status.OK]


def test_the_past_takes_no_more_room_than_the_delay_is_long() -> None:
    """A long run keeps the steps of one delay; without the bound it would keep all of them."""
    kernels = kernels_of(ONE_DELAY)
    batch = batch_of(kernels, ONE_DELAY, [0.0, 400.0], tau=[1.0, 1.3])
    solution = Solution.empty(batch.t_out, 1, np.full((1, 2), 1e-9))
    lanes = Lanes(kernels, batch, Settings(rtol=1e-6), solution, width=2)
    assert lanes.delayed is not None
    with np.errstate(all="ignore"):
        lanes.run()
    assert np.all(solution.steps > 4 * FIRST_ROOM)
    assert len(lanes.delayed.history.begins) == FIRST_ROOM


class Counted:
    """The functions of a model, lookups of delayed values counted."""

    def __init__(self, functions: Functions) -> None:
        self.functions, self.lookups = functions, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.functions, name)

    def past(self, lag: int, t: np.ndarray, y: Rows, p: Rows, k: Rows, dy: Rows, out: np.ndarray) -> None:
        """What a lag delays."""
        self.lookups += 1
        self.functions.past(lag, t, y, p, k, dy, out)


def test_a_delay_that_events_alone_ask_for_costs_no_steps_and_is_looked_up_at_events() -> None:
    reset = when("x >= 1", priority=1, x=0, n="n + delay(x, 0.25)")
    ode = model({"x": (0, 1)}, {"n": 0.0}, events=[reset])
    kernels = kernels_of(ode, "n")
    counted = Counted(kernels.functions)
    batch = batch_of(kernels, ode, [0.0, 2.5, 9.5, 100.5])
    solution = integrate(replace(kernels, functions=cast(Functions, counted)), batch)
    np.testing.assert_allclose(solution.y[:, 0, 0], [0, 2 * 0.75, 9 * 0.75, 75], rtol=1e-12)
    # one step to each event; the last stretch is cut in halves before the event in it is seen
    assert (solution.steps[0], counted.lookups) == (102, 100)
