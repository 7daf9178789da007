"""Events that wait: sequences worked out by hand, after SBML Level 3 Version 2 Core, sections 4.11 and 4.12."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from equations import Formula, Happening, batch_of, event, kernels_of, model, solve, when

from bonesim.errors import InputError, SimulationError, UnsupportedModelError
from bonesim.failure import explain_failure
from bonesim.model.document import from_document, to_document
from bonesim.model.ode import OdeModel
from bonesim.sbml.antimony_write import write_antimony
from bonesim.sbml.read import read_antimony, read_sbml
from bonesim.sbml.write import write_sbml
from bonesim.simulate import build_kernels, simulate
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.solve.status import Status
from bonesim.steady import steady_state
from bonesim.sweep.chunk import refuse_lots

RISING: dict[str, tuple[Formula, Formula]] = {"x": (0, 1)}
COUNTS: dict[str, float | str] = {"n": 0, "m": 0}


def course(name: str, times: list[float], events: list[Happening], **parameters: float) -> list[float]:
    """The values of one quantity of a model with the state x = t and the counters n and m."""
    solution = solve(model(RISING, {**COUNTS, **parameters}, events=events), times, name)
    assert solution.ok, solution.cause
    row: list[float] = solution.y[:, 0, 0].tolist()
    return row


def test_a_delay_passes_between_trigger_and_execution() -> None:
    late = when("t >= 1", delay=2, n="n + 1")
    assert course("n", [0.0, 1.0, 2.9, 3.0, 4.0], [late]) == [0, 0, 0, 1, 1]


def test_a_delay_is_that_of_the_time_of_the_trigger() -> None:
    events = [when("t >= 1", delay="wait", n="n + 1"), event(2, wait=7)]
    assert course("n", [0.0, 3.9, 4.0, 9.0], events, wait=3) == [0, 0, 1, 1]


def test_a_delay_of_0_and_none_are_the_same() -> None:
    events = [when("t >= 1", delay="x - x", priority=1, n="10*n + 1"), when("t >= 1", priority=2, n="10*n + 2")]
    assert course("n", [0.0, 1.0], events) == [0, 21]


@pytest.mark.parametrize(("early", "expected"), [(True, 1.0), (False, 3.0)])
def test_values_are_those_of_the_trigger_or_of_the_execution(early: bool, expected: float) -> None:
    values = course("n", [0.0, 2.9, 3.0, 5.0], [when("t >= 1", delay=2, early=early, n="x")])
    assert values == pytest.approx([0, 0, expected, expected], rel=1e-12)


def test_an_event_may_wait_many_times_at_once() -> None:
    pulses = when("(t >= 1 and t < 1.25 or t >= 1.5 and t < 1.75) or t >= 2", delay=10, early=True, n="n + 1", m="x")
    times = [0.0, 10.9, 11.0, 11.5, 11.9, 12.0, 13.0]
    # n is taken at the time of each trigger, when nothing has happened yet
    assert course("n", times, [pulses]) == [0, 0, 1, 1, 1, 1, 1]
    assert course("m", times, [pulses]) == pytest.approx([0, 0, 1, 1.5, 1.5, 2, 2], rel=1e-12)


@pytest.mark.parametrize(("delay", "expected"), [(0.75, 1), (1.25, 0)])
def test_what_is_not_persistent_is_taken_back(delay: float, expected: float) -> None:
    once = when("t >= 1 and t < 2", delay=delay, persistent=False, n="n + 1")
    assert course("n", [0.0, 5.0], [once])[-1] == expected
    assert course("n", [0.0, 5.0], [replace(once, persistent=True)])[-1] == 1


def test_what_was_taken_back_waits_anew_from_the_next_trigger_on() -> None:
    twice = when("t >= 1 and t < 2 or t >= 3", delay=1.5, persistent=False, n="n + 1")
    assert course("n", [0.0, 2.5, 4.4, 4.5, 9.0], [twice]) == [0, 0, 0, 1, 1]


def test_an_event_takes_back_another_that_is_due_with_it() -> None:
    first = when("m < 1 and t >= 1", priority=2, m=1, n="n + 1")
    second = when("m < 1 and t >= 1", priority=1, persistent=False, m=2, n="n + 10")
    assert course("n", [0.0, 2.0], [second, first])[-1] == 1
    assert course("n", [0.0, 2.0], [replace(second, persistent=True), first])[-1] == 11


def test_priorities_are_taken_anew_after_each_event() -> None:
    """Of the second and the third, with 2m and 2n, the second is ahead before the first event and behind after it."""
    events = [
        when("t >= 1", priority=10, n=1, m=0),
        when("t >= 1", priority="2*m", n=2, m=1),
        when("t >= 1", priority="2*n", n=3, m=2),
    ]
    ode = model({}, {"n": 0, "m": 1}, events=events)
    assert solve(ode, [0.0, 2.0], "n", "m").y[-1, :, 0].tolist() == [2, 1]


def test_events_without_priority_come_last_in_the_order_of_the_model() -> None:
    digits = [when("t >= 1", priority=p, n=f"10*n + {d}") for d, p in enumerate([None, -5, None, 3], start=1)]
    assert course("n", [0.0, 1.0], list(digits))[-1] == 4213


def test_triggers_are_looked_at_after_each_event() -> None:
    """What eight others turn to true and back between counts five times if it is persistent, else once."""
    flips: list[Happening] = [when("t >= 1", priority=20 - turn, switch=2 if turn % 2 == 0 else 0) for turn in range(9)]
    counters = [when("switch > 1", priority=2, n="n + 1"), when("switch > 1", priority=1, persistent=False, m="m + 1")]
    assert course("n", [0.0, 2.0], [*counters, *flips], switch=0)[-1] == 5
    assert course("m", [0.0, 2.0], [*counters, *flips], switch=0)[-1] == 1


def test_events_of_one_time_with_values_from_before_all_of_them() -> None:
    swap = [when("t >= 1", early=True, priority=2, a="b"), when("t >= 1", early=True, priority=1, b="a")]
    late = [when("t >= 1", priority=2, a="b"), when("t >= 1", priority=1, b="a")]
    for events, expected in ((swap, [2, 1]), (late, [2, 2])):
        ode = model({}, {"a": 1, "b": 2}, events=events)
        assert solve(ode, [0.0, 1.0], "a", "b").y[-1, :, 0].tolist() == expected


def test_what_falls_together_but_for_rounding_falls_together() -> None:
    """0.1 + 0.2 is 0.30000000000000004, and 0.15 + 0.15 is 0.3."""
    events = [when("t >= 0.1", delay=0.2, priority=1, n="10*n + 1"), when("t >= 0.15", delay=0.15, n="10*n + 2")]
    assert course("n", [0.0, 0.3, 1.0], list(events)) == [0, 12, 12]
    ahead = [*events, when("t >= 0.3", priority=2, n="10*n + 3")]
    assert course("n", [0.0, 0.3, 1.0], list(ahead)) == [0, 312, 312]


@pytest.mark.parametrize(
    ("trigger", "initially", "expected"),
    [
        ("t >= 0", True, [0, 0]),
        ("t >= 0", False, [1, 1]),
        ("t > 0", True, [1, 1]),  # false at 0 alone
        ("t > 0 and m < 1", True, [1, 1]),
        ("m < 1", True, [0, 0]),
        ("m < 1", False, [1, 1]),
    ],
)
def test_triggers_at_the_start(trigger: str, initially: bool, expected: list[float]) -> None:
    assert course("n", [0.0, 1.0], [when(trigger, initially=initially, priority=1, n="n + 1")]) == expected


def test_events_that_set_each_other_off_after_delays() -> None:
    """On after 1, off after 0.5: m turns at 1, 1.5, 2.5, 3, 4, 4.5, ..."""
    events = [when("m < 0.5", initially=False, delay=1, m=1, n="n + 1"), when("m > 0.5", delay=0.5, m=0)]
    times = [0.0, 0.9, 1.0, 1.4, 1.5, 2.4, 2.5, 2.9, 3.0, 4.0, 4.5]
    assert course("m", times, list(events)) == [0, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0]
    assert course("n", times, list(events)) == [0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3]


def test_what_is_due_after_the_end_or_never_does_not_happen() -> None:
    late = [when("t >= 1", delay=9, n=1), when("t >= 1", delay="1/m", m=1)]
    assert course("n", [0.0, 5.0], list(late))[-1] == 0
    assert course("n", [0.0, 10.0], list(late))[-1] == 1
    assert course("m", [0.0, 10.0], list(late))[-1] == 0


def test_a_window_of_minutes_between_outputs_that_are_weeks_apart() -> None:
    minute = 1 / 1440
    dose = when(f"t >= 3 and t < 3 + 2*{minute}", delay=4, priority=1, n="n + 1")
    fleeting = when(f"t - 10 >= 0 and t - 10 < 2*{minute}", delay=minute, persistent=False, m="m + 1")
    low = when(f"x > 11 and x < 11 + {minute}", delay=0.5, early=True, n="n + 10")
    events: list[Happening] = [dose, fleeting, low]
    assert course("n", [0.0, 14.0, 28.0], events) == [0, 11, 11]
    assert course("m", [0.0, 14.0, 28.0], events) == [0, 1, 1]


def test_doses_of_known_times_come_before_events_that_wait() -> None:
    events: list[Happening] = [when("t >= 1", priority=5, n="10*n + 1"), event(1, n="10*n + 2")]
    assert course("n", [0.0, 1.0], events)[-1] == 21


def test_outputs_before_and_after_an_event_that_waited() -> None:
    assert course("n", [0.0, 1.0, 3.0, 3.0, 4.0], [when("t >= 1", delay=2, n="n + 1")]) == [0, 0, 0, 1, 1]


def test_a_terminal_event_ends_what_waits() -> None:
    ode = model(RISING, COUNTS, events=[when("t >= 1", delay=2, n=1), when("t >= 2", priority=1, terminal=True)])
    solution = solve(ode, [0.0, 4.0], "n")
    assert (solution.status[0], solution.stop_time[0]) == (Status.ENDED_BY_EVENT, 2.0)


def contest(wins: int = 1) -> OdeModel:
    """Every 128th of a day one of two events happens and takes the other back, by lot."""
    pair = [
        when("t - last >= 1/128", priority=wins, persistent=False, last="t", **{name: f"{name} + 1"}) for name in "nm"
    ]
    return model(RISING, {**COUNTS, "last": 0.0}, events=pair)


def test_equal_priorities_are_decided_by_lot() -> None:
    n, m = solve(contest(), [0.0, 1.0], "n", "m").y[-1, :, 0]
    assert n + m == 128
    assert abs(n - m) <= 5 * 128**0.5  # 5 standard deviations


def test_lots_follow_the_seed_and_the_number_of_the_member_alone() -> None:
    times, kernels = np.linspace(0, 1, 11), kernels_of(contest(), "n")
    batch = batch_of(kernels, contest(), times, x=[0.0, 1.0, 0.0, 2.0, 0.0])
    together = integrate(kernels, batch)
    few = integrate(kernels, batch, lanes=2)
    shared = integrate(kernels, batch, lanes=2, threads=2)
    np.testing.assert_array_equal(together.y, few.y)
    np.testing.assert_array_equal(together.y, shared.y)
    for member in range(5):
        alone = integrate(kernels, batch.part(slice(member, member + 1)))
        np.testing.assert_array_equal(alone.y[:, 0, 0], together.y[:, 0, member])
    assert len({tuple(together.y[:, 0, member]) for member in range(5)}) == 5
    other = integrate(kernels, batch, Settings(seed=1))
    assert (other.y != together.y).any()


def test_simulate_takes_a_seed() -> None:
    first, again, other = (simulate(contest(), [0.0, 1.0], ["n"], seed=seed) for seed in (3, 3, 4))
    assert first["n"].values.tolist() == again["n"].values.tolist() != other["n"].values.tolist()
    assert first.attrs["seed"] == 3
    with pytest.raises(InputError, match=r"^seed -1 is out of range\n  try: a whole number from 0 on$"):
        simulate(contest(), [0.0, 1.0], seed=-1)


def test_members_wait_each_for_itself() -> None:
    ode = model(RISING, {"n": 0, "at": 1, "wait": 1}, events=[when("x >= at", delay="wait", n="n + t")])
    solution = solve(ode, [0.0, 2.0, 4.0, 6.0], "n", lanes=2, at=[1.0, 2.0, 3.0, 5.0], wait=[1.0, 2.0, 0.5, 3.0])
    exact = [[0, 2, 2, 2], [0, 0, 4, 4], [0, 0, 3.5, 3.5], [0, 0, 0, 0]]
    np.testing.assert_allclose(solution.y[:, 0].T, exact, rtol=1e-12)


def test_a_delay_that_is_no_time_ends_a_member_with_a_name() -> None:
    ode = model(RISING, {"n": 0, "wait": 1}, events=[when("x >= 2", delay="wait - 2", n=1)])
    solution = solve(ode, [0.0, 4.0], "n", wait=[1.0, 3.0, np.nan])
    assert solution.status.tolist() == [Status.UNDEFINED_EVENT, Status.OK, Status.UNDEFINED_EVENT]
    assert solution.y[-1, 0, 1] == 1
    assert solution.cause[0].startswith("stopped at t = 2 day: undefined_event (event 'when_n'); the delay of an event")
    with pytest.raises(SimulationError, match="undefined_event") as caught:
        simulate(ode, [0.0, 4.0])
    assert caught.value.result is not None
    found = explain_failure(ode, caught.value.result)
    assert str(found) == (
        "the simulation stopped at t = 2 day: undefined_event\n"
        "  the delay of event 'when_n' gives -1: wait - 2\n"
        "  with wait = 1"
    )


def test_a_priority_that_is_no_number_ends_a_member_with_a_name() -> None:
    ode = model(RISING, COUNTS, events=[when("x >= 2", priority="ln(n - 1)", n=1), when("x >= 2", priority=1, m=1)])
    solution = solve(ode, [0.0, 4.0], "n")
    assert solution.cause[0].startswith("stopped at t = 2 day: undefined_event (event 'when_n')")


def test_events_that_set_each_other_off_without_end_are_a_failure() -> None:
    ode = model(RISING, COUNTS, events=[when("n < 1 and x >= 1", delay=0, n=1), when("n > 0", priority=1, n=0)])
    solution = solve(ode, [0.0, 4.0], "n")
    assert solution.cause[0].startswith("stopped at t = 1 day: events_without_end (event 'when_n')")


def test_the_compiled_back_end_has_no_queue() -> None:
    ode = contest()
    assert build_kernels(ode, ["n"]).backend == "numpy"
    with pytest.raises(InputError) as caught:
        simulate(ode, [0.0, 1.0], backend="llvm")
    assert str(caught.value) == (
        "backend: the back end llvm has no queue, in which event 'when_last' waits\n  try: leave it out, or numpy"
    )


def test_what_does_not_know_events_leaves_or_refuses_them() -> None:
    ode = model({"x": (0, "k - x")}, {"k": 2}, events=[when("x > 0.5", delay=1, k=4)])
    assert float(steady_state(ode)["x"]) == pytest.approx(2, rel=1e-8)
    rested = simulate(ode, [0.0, 1.0, 20.0], equilibrate=True, rtol=1e-9)["x"].values
    assert rested == pytest.approx([2, 2, 2], rel=1e-8)  # it is true before the start
    with pytest.raises(UnsupportedModelError, match="the event 'when_k', which a state triggers"):
        simulate(ode, [0.0, 1.0], sensitivities=["k"])


def test_a_sweep_draws_no_lots() -> None:
    refuse_lots(model(RISING, COUNTS, events=[when("x > 2", delay=1, n=1)]))
    with pytest.raises(InputError, match=r"^event 'when_last' has a priority, and lots may decide between equal ones"):
        refuse_lots(contest())


def test_a_model_with_a_queue_goes_through_documents_and_files_unchanged() -> None:
    events = [
        when("x > 2", initially=False, delay="m + 1", priority="n*2", persistent=False, early=True, n="n + 1", m="x"),
        when("x > 3 and n < 5", priority=-2, m=3),
        when("t >= 4", n=0),
    ]
    ode = model(RISING, COUNTS, events=[replace(one, id=f"E{place}") for place, one in enumerate(events)])
    assert from_document(to_document(ode)) == ode
    assert read_antimony(write_antimony(ode), file="m.ant").state_events == ode.state_events
    text = write_sbml(ode)
    assert read_sbml(text, file="m.xml") == ode
    assert write_sbml(read_sbml(text, file="m.xml")) == text


def test_waiting_is_part_of_what_a_model_says() -> None:
    plain = model(RISING, COUNTS, events=[when("x > 2", n=1)])
    hashes = {plain.content_hash}
    for change in ({"delay": 1}, {"priority": 1}, {"persistent": False}, {"early": True}):
        hashes.add(model(RISING, COUNTS, events=[when("x > 2", n=1, **change)]).content_hash)  # type: ignore[arg-type]
    assert len(hashes) == 5


def test_a_concentration_from_the_time_of_the_trigger_meets_the_size_of_the_execution() -> None:
    """2 is set where 1/(1 + t) was, in a size of 1 + t; so the amount is 2 (1 + 3) from 3 on, not 2 (1 + 1)."""
    lines = [
        "compartment c; c = 1; c' = 1; species S in c; S = 1; k = 1;",
        "E: at 2 after (time >= 1), fromTrigger=true: S = 2*k;",
        "F: at (time >= 2): k = 5;",
    ]
    ode = read_antimony("model m()\n" + "\n".join(lines) + "\nend\n", file="m.ant")
    result = simulate(ode, [0.0, 1.0, 2.9, 3.0, 7.0], ["S", "c"])
    np.testing.assert_allclose(result["S"].values, [1, 1 / 2, 1 / 3.9, 2, 1], rtol=1e-9)
    assert from_document(to_document(ode)) == ode
    with pytest.raises(InputError, match="sets a concentration with a value from before and the size of then"):
        write_sbml(ode)


def test_doses_are_written_ahead_of_events_that_wait() -> None:
    ode = model(RISING, COUNTS, events=[when("t >= 1", priority=7, n="10*n + 1")])
    doses = [dose for dose in (event(1, n="10*n + 2"), event(1, n="10*n + 3")) if not hasattr(dose, "trigger")]
    back = read_sbml(write_sbml(ode, doses=doses), file="m.xml")
    assert solve(back, [0.0, 1.0], "n").y[-1, 0, 0] == 231
    calculated = model(RISING, COUNTS, events=[when("t >= 1", priority="n", n="10*n + 1")])
    with pytest.raises(InputError, match="a priority that is calculated, and doses have to come before it"):
        write_sbml(calculated, doses=doses)


def test_events_at_which_steps_end_are_no_reason_to_dwell() -> None:
    """One step for each of 199 events, of a clock that an event sets back."""
    reset = when("x >= 0.01", priority=1, x=0, n="n + 1")
    solution = solve(model(RISING, {**COUNTS}, events=[reset]), [0.0, 0.995, 1.995], "n")
    assert solution.y[:, 0, 0].tolist() == [0, 99, 199]
    assert solution.steps[0] == 200


CLOCK = model(
    {},
    {"n": 0, "m": 0, "last": 0, "wait": 0.5},
    events=[when("t - last >= wait", priority=1, n="n + 1", last="t"), when("t - last >= wait", priority=2, m="m + 1")],
)


def test_where_nothing_moves_time_goes_from_event_to_event() -> None:
    solution = solve(CLOCK, [0.0, 0.4, 0.5, 0.7, 0.9, 1.3, 9.7, 10.0], "n", "m", wait=[0.5, 0.125])
    assert solution.ok
    assert solution.y[:, 0, 0].tolist() == [0, 0, 1, 1, 1, 2, 19, 20]
    assert solution.y[:, 1, 1].tolist() == [0, 3, 4, 5, 7, 10, 77, 80]
    assert solution.steps.tolist() == [20, 80]


def test_a_model_without_states_gives_up_after_as_many_events_as_allowed() -> None:
    with pytest.raises(SimulationError, match=r"t = 5 .*: too_many_steps \(from one event or turn of a cond") as error:
        simulate(CLOCK, [0.0, 10.0], ["n"], max_steps=1)
    explained = explain_failure(CLOCK, error.value.result)
    assert str(explained.equation).startswith("the trigger of event 'when_n' gives 0: time - last >= wait")
    stairs = model({}, {}, {"n": "floor(10*t)"})
    with pytest.raises(SimulationError, match="too_many_steps") as error:
        simulate(stairs, [0.0, 10.0], ["n"], max_steps=3, backend="numpy")
    assert str(explain_failure(stairs, error.value.result).equation).startswith("the rule for 'n' gives 3")
