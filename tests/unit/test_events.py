"""What happens when: state events, their order, ends of simulations, outputs before and after."""

from __future__ import annotations

import numpy as np
import pytest
from equations import Formula, Happening, event, model, solve, when

from bonesim.errors import InputError, SimulationError
from bonesim.model.check import well_posed
from bonesim.model.ode import OdeModel
from bonesim.simulate import simulate
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status

RISING: dict[str, tuple[Formula, Formula]] = {"x": (0, 1)}


def last(ode: OdeModel, times: list[float], *names: str) -> list[float]:
    solution = solve(ode, times, *names)
    assert solution.ok, solution.cause
    row: list[float] = solution.y[-1, :, 0].tolist()
    return row


def test_a_terminal_event_ends_a_member_where_it_happens() -> None:
    ode = model({"x": (0, "slope")}, {"slope": 1.0}, events=[when("x >= 2", terminal=True, x="x + 10")])
    solution = solve(ode, [0.0, 1.0, 3.0, 4.0], slope=[1.0, 0.1, 4.0])
    assert solution.status.tolist() == [Status.ENDED_BY_EVENT, Status.OK, Status.ENDED_BY_EVENT]
    assert solution.ok
    np.testing.assert_allclose(solution.stop_time, [2.0, 4.0, 0.5], rtol=1e-12)
    np.testing.assert_allclose(solution.end[0], [12.0, 0.4, 12.0], rtol=1e-12)
    exact = np.array([[0, 1, np.nan, np.nan], [0, 0.1, 0.3, 0.4], [0, np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(solution.y[:, 0].T, exact)
    assert solution.cause == {
        0: "stopped at t = 2 day: ended_by_event ('when_x'); an event of the model that ends the simulation",
        2: "stopped at t = 0.5 day: ended_by_event ('when_x'); an event of the model that ends the simulation",
    }


def test_a_timed_event_may_end_a_member_and_what_is_due_with_it_later_does_not_happen() -> None:
    ends = [event(1, x="x + 1"), event(2, x="x*10", terminal=True), event(2, x="x + 1"), when("x > 5", x=0)]
    solution = solve(model({"x": (1, 0)}, events=ends), [0.0, 1.5, 2.0, 3.0])
    np.testing.assert_array_equal(solution.y[:, 0, 0], [1, 2, 20, np.nan])
    assert (solution.stop_time[0], solution.status[0]) == (2.0, Status.ENDED_BY_EVENT)


def test_a_plain_simulation_that_the_model_ends_is_no_failure() -> None:
    result = simulate(model({"x": (0, 1)}, events=[when("x > 1.5", terminal=True)]), [0.0, 1.0, 2.0])
    assert result["x"].values[1] == pytest.approx(1.0)
    assert np.isnan(result["x"].values[2])


def test_a_parameter_jumps_when_a_state_says_so() -> None:
    ode = model({"x": (1, "-k*x")}, {"k": 1.0}, {"double": "2*k"}, [when("x < 0.5", k="k/2")])
    t = np.array([0.0, 0.5, 2.0])
    solution = solve(ode, t, "x", "double", settings=Settings(rtol=1e-9))
    half = np.log(2)
    exact = np.where(t < half, np.exp(-t), 0.5 * np.exp(-(t - half) / 2))
    np.testing.assert_allclose(solution.y[:, 0, 0], exact, rtol=1e-8)
    assert solution.y[:, 1, 0].tolist() == [2.0, 2.0, 1.0]


def test_events_that_one_crossing_sets_off_happen_in_the_order_of_the_model() -> None:
    together = [when("x >= 1", y="y + 1"), when("x > 0.5 and x >= 1", y="y*10"), when("not (x < 1)", y="y - 5")]
    ode = model({"x": (0, 1), "y": (1, 0)}, events=together)
    assert last(ode, [0.0, 2.0], "y") == [15.0]


def test_an_event_takes_all_its_values_from_before_it() -> None:
    ode = model({"x": (0, 1), "a": (1, 0), "b": (2, 0)}, events=[when("x >= 1", a="b", b="a")])
    assert last(ode, [0.0, 2.0], "a", "b") == [2.0, 1.0]


def test_timed_events_come_before_those_of_states() -> None:
    both = [when("t >= 1", y="y*10"), event(1, y="y + 1")]
    assert last(model({"x": (0, 1), "y": (1, 0)}, events=both), [0.0, 2.0], "y") == [20.0]


def test_an_event_may_set_off_others_at_the_same_time() -> None:
    chain = [when("a > 0", b="b + 1"), when("b > 0", c="c + 1"), event(1, a=1)]
    ode = model({"a": (0, 0), "b": (0, 0), "c": (0, 0)}, events=chain)
    assert solve(ode, [0.0, 1.0, 2.0]).y[:, :, 0].tolist() == [[0, 0, 0], [1, 1, 1], [1, 1, 1]]


def test_events_that_set_each_other_off_without_end_are_a_failure_with_a_name() -> None:
    ode = model({"x": (1, "slope")}, {"slope": 1.0}, events=[when("x > 1.5", x=0), when("x < 0.5", x=2)])
    solution = solve(ode, [0.0, 0.25, 9.0], slope=[1.0, 0.0])
    assert solution.status.tolist() == [Status.EVENTS_WITHOUT_END, Status.OK]
    assert solution.cause[0].startswith("stopped at t = 0.5 day: events_without_end (event 'when_x'); events set each")
    np.testing.assert_allclose(solution.y[:, 0].T, [[1, 1.25, np.nan], [1, 1, 1]])


@pytest.mark.parametrize(("initially", "expected"), [(True, [0.0, 0.0, 1.0]), (False, [1.0, 1.0, 2.0])])
def test_a_trigger_that_is_true_at_the_start(initially: bool, expected: list[float]) -> None:
    """It turns to false at 1 and to true again at 3."""
    ode = model({"x": (0, 1), "n": (0, 0)}, events=[when("x < 1 or x > 3", initially=initially, n="n + 1")])
    assert solve(ode, [0.0, 2.0, 4.0], "n").y[:, 0, 0].tolist() == expected


def test_an_event_moves_its_own_time() -> None:
    ode = model({"n": (0, 0)}, {"due": 1.0}, events=[when("t >= due", n="n + 1", due="due + n + 1")])
    # at 1, 2, 4, 7, 11
    assert solve(ode, [0.0, 1.0, 1.9, 2.0, 4.0, 6.9, 7.0, 12.0], "n").y[:, 0, 0].tolist() == [0, 1, 1, 2, 3, 3, 4, 5]


def test_a_trigger_may_be_a_parameter_that_another_event_sets() -> None:
    ode = model({"x": (0, 0)}, {"on": 0.0, "k": 1.0}, events=[when("on > 0 and k > 1", x="x + 1"), event(2, on=1, k=2)])
    assert solve(ode, [0.0, 1.0, 3.0]).y[:, 0, 0].tolist() == [0.0, 0.0, 1.0]


def test_an_output_time_given_twice_is_the_value_before_and_the_value_after() -> None:
    happen = [event(0, x="x + 1"), event(2, x="x*10"), when("t >= 3", x="x + 5"), event(4, x=0)]
    ode = model({"x": (1, 0)}, rules={"late": "piecewise(1, t >= 3, 0)"}, events=happen)
    times = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 3.5, 4.0, 4.0]
    y = solve(ode, times, "x", "late").y[:, :, 0]
    assert y[:, 0].tolist() == [1, 2, 2, 2, 2, 20, 20, 25, 25, 25, 0]
    assert y[:, 1].tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]


def test_a_time_may_be_given_twice_but_not_three_times() -> None:
    ode = model(RISING)
    assert simulate(ode, [0.0, 0.0, 1.0, 1.0])["x"].values.tolist() == pytest.approx([0, 0, 1, 1])
    for times in ([0.0, 1.0, 1.0, 1.0], [0.0, 0.0], [0.0, 2.0, 1.0]):
        with pytest.raises(InputError, match="two or more finite numbers that increase, each at most twice"):
            simulate(ode, times)


def test_the_condition_that_a_member_cannot_leave_is_named() -> None:
    ode = model({"x": (1, "piecewise(-1, x > 0, 1)")})
    solution = solve(ode, [0.0, 0.5, 3.0], settings=Settings(rtol=1e-8, max_steps=150))
    assert solution.status.tolist() == [Status.TOO_MANY_STEPS]
    assert "('x > 0' turns over again and again); the step limit was reached" in solution.cause[0]
    assert abs(solution.end[0, 0]) < 1e-6


def test_a_plain_simulation_that_fails_at_events_says_why() -> None:
    ode = model({"x": (1, 1)}, events=[when("x > 1.5", x=0), when("x < 0.5", x=2)])
    with pytest.raises(SimulationError, match=r"^the simulation stopped at t = 0\.5 day: events_without_end"):
        simulate(ode, [0.0, 9.0])


def test_a_root_that_is_no_number_turns_nothing_over() -> None:
    """ln(x - 2) is no number until x = 2; the rate jumps there, and nothing else goes wrong."""
    ode = model({"x": (0, "1 + piecewise(1, ln(x - 2) > -1e300, 0)")})
    solution = solve(ode, [0.0, 1.0, 3.0])
    assert solution.ok, solution.cause
    assert solution.y[1, 0, 0] == pytest.approx(1.0)


def test_steps_stay_long_after_a_condition_has_turned_over() -> None:
    """A kink in a slow course costs a step or two, not a new start."""
    smooth, bent = (model({"x": (1, f"-0.01*x + {term}")}) for term in ("0", "piecewise(0.001, t > 50, 0)"))
    few: Solution = solve(smooth, [0.0, 100.0])
    assert solve(bent, [0.0, 100.0]).steps[0] <= few.steps[0] + 4


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (when("x > missing", x=0), "the trigger of event 'when_x' uses 'missing', which is not defined"),
        (when("x > 1", r=0), "event 'when_r' sets 'r', which a rule defines"),
        (when("x > 1", nothing=0), "event 'when_nothing' sets 'nothing', which is not defined"),
        (when("x > 1", x="gone"), "event 'when_x', value of 'x' uses 'gone', which is not defined"),
    ],
)
def test_a_state_event_must_fit_its_model(bad: Happening, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        well_posed(model({"x": (0, 1)}, rules={"r": "x"}, events=[bad]))
    assert caught.value.problem == problem


def test_models_that_differ_in_events_alone_hash_apart() -> None:
    plain = model(RISING, events=[event(1, x=0)])
    ends = model(RISING, events=[event(1, x=0, terminal=True)])
    states = [model(RISING, events=[event(1, x=0), when(trigger, x=0)]) for trigger in ("x > 1", "x > 2")]
    other = model(RISING, events=[event(1, x=0), when("x > 1", x=0, initially=False)])
    hashes = {ode.content_hash for ode in (plain, ends, *states, other)}
    assert len(hashes) == 5
