"""The batch loop: events, ends, limits."""

from __future__ import annotations

import numpy as np
import pytest
from equations import batch_of, event, kernels_of, model, solve

from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.solve.status import Status

pytestmark = pytest.mark.usefixtures("backend")

DECAY = model({"y": (1, "-k*y")}, {"k": 1.0})


def test_a_member_gives_up_after_as_many_steps_as_allowed() -> None:
    ode = model({"x": (2, "v"), "v": (0, "mu*(1 - x*x)*v - x")}, {"mu": 1000})
    solution = solve(ode, [0.0, 1.0, 2000.0], settings=Settings(max_steps=100), mu=[1000.0, 0.0])
    assert solution.status.tolist() == [Status.TOO_MANY_STEPS, Status.TOO_MANY_STEPS]
    assert solution.steps.tolist() == [100, 100]
    assert solution.cause[0].startswith(f"stopped at t = {solution.stop_time[0]:.6g} day: too_many_steps (step ")
    assert solution.cause[0].endswith("the step limit was reached; try a larger solver.max_steps or a larger rtol")
    assert np.isfinite(solution.y[1]).all()
    assert np.isnan(solution.y[2]).all()
    np.testing.assert_array_equal(np.isfinite(solution.end), True)


def test_a_singularity_stops_a_member_where_it_is() -> None:
    solution = solve(model({"y": ("a", "y*y")}, {"a": 1.0}), [0.0, 0.5, 0.999, 2.0], a=[1.0, 0.1])
    assert solution.status.tolist() == [Status.STEP_TOO_SMALL, Status.OK]
    # y = 1/(1 - t): the pole at t = 1 moves by the relative error
    assert solution.stop_time[0] == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(solution.y[:3, 0, 0], [1.0, 2.0, 1000.0], rtol=1e-2)
    np.testing.assert_allclose(solution.y[:, 0, 1], 1 / (10 - solution.t), rtol=1e-5)
    assert "; error " in solution.cause[0]
    assert "x tolerance, from y)" in solution.cause[0]


def test_an_event_may_break_a_member() -> None:
    ode = model({"y": (1, "ln(y)")}, events=[event(1, y="y - 5")])
    solution = solve(ode, [0.0, 0.5, 1.0, 2.0])
    assert solution.status.tolist() == [Status.NOT_FINITE_AT_START]
    assert solution.cause[0] == (
        "stopped at t = 1 day: not_finite_at_start (from y); a value or a rate was infinite or not a number at the "
        "start or after an event; try other initial values or parameters (a zero in a denominator?)"
    )
    assert solution.y[:, 0, 0].tolist()[:2] == [1.0, 1.0]
    assert np.isnan(solution.y[2:]).all()


def test_accuracy_is_kept_right_after_an_event() -> None:
    """A long rest makes steps long; the first ones after a dose are short again."""
    fast = model({"y": (0, "-k*y")}, {"k": 1e4}, events=[event(500, y="y + 1")])
    after = 10.0 ** np.arange(-8, -2.5, 0.5)
    solution = solve(fast, np.concatenate([[0.0], 500 + after, [1000.0]]), settings=Settings(rtol=1e-6))
    # 500 + s is known to half an ulp of 500, 6e-14, which is 1e4 times that in y
    exact = np.exp(-1e4 * (solution.t[1:-1] - 500))
    assert np.abs(solution.y[1:-1, 0, 0] - exact).max() < 5e-6


def test_states_that_stay_zero_cost_nothing() -> None:
    with_zero = model({"y": (1, "-y"), "zero": (0, "-1e6*zero")})
    for atol in (None, 0.0):
        settings = Settings(atol=atol)
        one, two = solve(DECAY, [0.0, 5.0], settings=settings), solve(with_zero, [0.0, 5.0], settings=settings)
        assert one.steps[0] == two.steps[0]
        assert (two.y[:, 1] == 0).all()


def test_absolute_tolerance_is_taken_by_state() -> None:
    ode = model({"a": (1, "-a"), "b": (1, "-30*b*cos(t)")})
    steps = [int(solve(ode, [0.0, 9.0], settings=Settings(atol=np.array(atol))).steps[0]) for atol in
             ([1e-9, 1e-9], [1e-9, 1e3], [1e3, 1e3])]  # fmt: skip
    assert steps[0] > steps[1] > steps[2]


def test_steps_end_on_outputs_only_where_something_happens() -> None:
    few, many = solve(DECAY, [0.0, 10.0]), solve(DECAY, np.linspace(0.0, 10.0, 1001))
    assert few.steps[0] == many.steps[0]
    assert few.end[0, 0] == many.end[0, 0] == many.y[-1, 0, 0]


def test_events_at_one_time_happen_in_the_order_of_the_model() -> None:
    ode = model({"y": (1, 0)}, events=[event(1, y="y + 1"), event(1, y="y*10"), event(1, y="y - 5")])
    assert solve(ode, [0.0, 1.0]).y[:, 0, 0].tolist() == [1.0, 15.0]


def test_many_events_at_one_time_keep_their_order_too() -> None:
    events = [event(1, y=f"y*2 + {bit}") for bit in [1, 0, 0, 1, 1, 0, 1] * 5]
    assert solve(model({"y": (0, 0)}, events=events), [0.0, 1.0]).y[-1, 0, 0] == int("1001101" * 5, 2)


def test_tolerance_follows_the_size_of_a_dose() -> None:
    # A course scaled by a power of two takes the same steps, whatever the unit of the amount.
    ode = model({"y": (0, "-y"), "z": (0, "y - 30*z")}, {"dose": 1.0}, events=[event(1, y="y + dose")])
    solution = solve(ode, [0.0, 0.9, 2.0, 9.0], dose=2.0 ** np.array([0, -60, 60]))
    assert len(set(solution.steps.tolist())) == 1
    np.testing.assert_array_equal(solution.y[:, :, 1] * 2.0**60, solution.y[:, :, 0])
    np.testing.assert_array_equal(solution.y[:, :, 2] * 2.0**-60, solution.y[:, :, 0])


def test_a_dose_at_an_output_time_but_for_rounding_is_in_that_output() -> None:
    ode = model({"y": (0, 0)}, events=[event(0.1, every=0.1, count=3, y="y + 1")])
    assert 0.1 + 2 * 0.1 != 0.3
    assert solve(ode, [0.0, 0.1, 0.2, 0.3, 0.4]).y[:, 0, 0].tolist() == [0, 1, 2, 3, 3]


def test_an_empty_batch_is_an_empty_solution() -> None:
    kernels = kernels_of(DECAY)
    solution = integrate(kernels, batch_of(kernels, DECAY, [0.0, 1.0], k=[]))
    assert solution.y.shape == (2, 1, 0)
    assert solution.ok
