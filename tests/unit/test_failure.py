"""`bonesim.explain_failure`: the equation that stopped a member, by name, with what it read."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from equations import event, formula, model

from bonesim.errors import InputError, SimulationError
from bonesim.failure import Failure, explain_failure
from bonesim.model.ode import OdeModel, Origin, StateEvent
from bonesim.simulate import load_model, simulate
from bonesim.solve.status import Status

TIMES = [0.0, 0.5, 2.0, 4.0]


def stopped(ode: OdeModel, times: list[float] = TIMES, **options: object) -> Failure:
    """What is said of a plain simulation that fails."""
    with pytest.raises(SimulationError) as caught:
        simulate(ode, times, backend="numpy", **options)  # type: ignore[arg-type]
    return explain_failure(ode, caught.value.result, **options)  # type: ignore[arg-type]


def test_the_logarithm_of_a_state_that_becomes_negative() -> None:
    ode = model({"x": ("a", "-1"), "y": (0, "2*b")}, {"a": 1.0}, {"b": "ln(x)"})
    found = stopped(ode)
    assert (found.equation.what, found.equation.formula) == ("the rule for 'b'", "ln(x)")
    assert math.isnan(found.equation.value)
    ((name, value),) = found.equation.reads
    assert name == "x"
    assert -1e-12 < value <= 0
    assert found.time == pytest.approx(1.0, abs=1e-9)
    assert found.status == "step_too_small"


def test_zero_over_zero_in_a_rule_that_others_use() -> None:
    rules = {"b": "y - y", "c": "a*(b/b) + 1", "d": "c + 1"}
    found = stopped(model({"y": ("a", "d*2")}, {"a": 1.0}, rules))
    assert str(found) == (
        "the simulation stopped at t = 0 day: not_finite_at_start\n"
        "  the rule for 'c' gives nan: a*(b/b) + 1\n"
        "  with a = 1, b = 0\n"
        "  because of b/b"
    )


def test_an_overflow() -> None:
    found = stopped(model({"x": (0.1, "0"), "z": (0, "exp(1000*x)")}, events=[event(1, x="2")]))
    assert (found.equation.what, found.equation.formula) == ("the rate of 'z'", "exp(1000*x)")
    assert found.equation.value == math.inf
    assert found.equation.reads == (("x", 2.0),)
    assert found.time == 1.0


def test_a_slope_that_overflows_before_its_rate_does() -> None:
    found = stopped(model({"x": (0, "1"), "z": (0, "exp(1000*x)")}))
    assert found.equation.what == "the derivative by 'x' of the rate of 'z'"
    assert found.equation.value == math.inf
    # No step goes over the place where 1000 e^1000x is more than the largest number.
    assert found.time == pytest.approx(math.log(np.finfo(float).max / 1000) / 1000, rel=1e-2)


def test_a_course_that_grows_beyond_all_bounds_in_finite_time() -> None:
    ode = model({"y": ("a", "y*y - y"), "z": (1, "-z")}, {"a": 2.0})
    found = stopped(ode)
    # y = 1/(1 - e^t/2): without end at ln 2.
    assert found.time == pytest.approx(math.log(2), rel=1e-5)
    assert (found.equation.what, found.equation.formula) == ("the rate of 'y'", "y*y - y")
    y = dict(found.equation.reads)["y"]
    assert y > 1e5
    assert [text for text, _ in found.terms] == ["y*y", "-y"]
    assert [value for _, value in found.terms] == [y * y, -y]
    assert [name for name, _ in found.fastest] == ["y", "z"]
    assert found.fastest[1][1] == pytest.approx(-1.0)
    assert "terms: y*y = " in str(found)


def test_an_event_that_sets_what_is_no_number() -> None:
    events = [event(0.3, y="y + 1"), event(0.7, y="sqrt(a - 3*y)")]
    ode = model({"y": ("a", "-y")}, {"a": 1.0}, events=events)
    placed = ode.with_(events=(events[0], replace(events[1], origin=Origin("cells.ant", 12))))
    found = stopped(placed)
    # The first dose has happened: y = (e^-0.3 + 1) e^-0.4.
    y = (math.exp(-0.3) + 1) * math.exp(-0.4)
    assert dict(found.equation.reads) == {"a": 1.0, "y": pytest.approx(y, rel=1e-5)}
    assert str(found) == (
        "the simulation stopped at t = 0.7 day: not_finite_at_start\n"
        "  event 'event_y', value of 'y', gives nan: sqrt(a - 3*y)   (cells.ant:12)\n"
        f"  with a = 1, y = {dict(found.equation.reads)['y']:.6g}"
    )


def test_an_event_after_which_a_rate_is_no_number() -> None:
    ode = model({"y": (1, "-y/k")}, {"k": 1.0}, events=[event(0.7, k="0", y="0")])
    found = stopped(ode)
    assert (found.equation.what, found.equation.formula) == ("the rate of 'y'", "-y/k")
    assert dict(found.equation.reads) == {"k": 0.0, "y": 0.0}


def test_a_constant_of_parameters_alone() -> None:
    found = stopped(model({"y": (1, "-y*c")}, {"a": 1.0}, {"c": "ln(a - 2)", "unused": "ln(-a)"}))
    assert (found.equation.what, found.equation.part) == ("the rule for 'c'", "ln(a - 2)")


def test_an_initial_assignment() -> None:
    found = stopped(model({"y": ("q", "-y")}, {"a": 1.0, "q": "0/(a - 1)"}))
    assert (found.equation.what, found.equation.formula) == ("the initial value of 'q'", "0/(a - 1)")
    assert dict(found.equation.reads) == {"a": 1.0}


def test_the_time_of_an_event() -> None:
    found = stopped(model({"y": (1, "-y")}, {"a": 1.0}, events=[event("0/(a - 1)", y="2")]))
    assert (found.equation.what, found.equation.formula) == ("the time of event 'event_y'", "0/(a - 1)")


def test_a_member_of_a_batch_is_replayed_with_its_own_values() -> None:
    ode = model({"x": ("a", "-1"), "y": (0, "ln(x) + k")}, {"a": 1.0, "k": 0.0})
    given = {"a": [9.0, 1.5, 0.5], "k": 7.0}
    result = simulate(ode, TIMES, parameters=given, backend="numpy")
    assert result["status"].values.tolist() == [Status.OK, Status.STEP_TOO_SMALL, Status.STEP_TOO_SMALL]
    first, other = explain_failure(ode, result, parameters=given), explain_failure(ode, result, 2, parameters=given)
    assert (first.member, other.member) == (1, 2)
    assert (first.time, other.time) == pytest.approx((1.5, 0.5), abs=1e-9)
    assert dict(other.equation.reads)["k"] == 7.0
    assert str(other).startswith("member 2 stopped at t = 0.5 day: step_too_small\n  the rate of 'y' gives nan")


def test_after_a_rest() -> None:
    ode = model({"x": (1, "a - x")}, {"a": 2.0}, events=[event(1, x="ln(1 - x)")])
    found = stopped(ode, equilibrate=True)
    assert dict(found.equation.reads) == {"x": pytest.approx(2.0, rel=1e-9)}


def test_a_formula_of_a_file_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "cells.ant"
    file.write_text(
        "model cells()\n  unit time_unit = 86400 second;\n  A = 1;\n  B := log(A);\n  A' = -1 + 0*B;\nend\n"
    )
    found = stopped(load_model(file))
    assert found.equation.place is not None
    assert found.equation.place.line == 4


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (0, "member 0 reached its end\n  try: leave `member` out"),
        (5, "member: the result has members 0 to 1\n  try: one of those"),
    ],
)
def test_a_member_that_did_not_fail(member: int, message: str) -> None:
    ode = model({"y": ("a", "y*y")}, {"a": 1.0})
    result = simulate(ode, TIMES, parameters={"a": [-1.0, 1.0]}, backend="numpy")
    with pytest.raises(InputError) as caught:
        explain_failure(ode, result, member, parameters={"a": [-1.0, 1.0]})
    assert str(caught.value) == message


def test_values_that_are_not_those_of_the_simulation() -> None:
    ode = model({"y": ("a", "y*y")}, {"a": 1.0})
    result = simulate(ode, TIMES, parameters={"a": [-1.0, 1.0]}, backend="numpy")
    with pytest.raises(InputError) as caught:
        explain_failure(ode, result, parameters={"a": [1.0, 2.0, 3.0]})
    assert str(caught.value) == "a: 3 values for 2 members\n  try: those that the simulation was given"


def test_events_that_set_each_other_off_without_end() -> None:
    ode = model({"y": (0, "1"), "z": (0, "0")}, {"k": 1.0})
    up = StateEvent("up", formula("y > 1 and z < 1"), (("z", formula("2")),))
    down = StateEvent("down", formula("z > 1"), (("z", formula("0")),))
    found = stopped(ode.with_(state_events=(up, down)))
    assert found.status == "events_without_end"
    assert found.equation.what in ("the trigger of event 'up'", "the trigger of event 'down'")
    assert found.time == pytest.approx(1.0, rel=1e-9)
