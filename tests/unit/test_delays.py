"""What is said of delays in models: read and written, refused where they are not known, times before the start."""

from __future__ import annotations

import numpy as np
import pytest
from equations import formula, model

import bonesim
from bonesim.codegen.program import arrange
from bonesim.errors import InputError, SimulationError, UnsupportedModelError
from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import OdeModel, TimedEvent
from bonesim.model.past import Past
from bonesim.model.text import expression_text
from bonesim.sbml.antimony_write import write_antimony
from bonesim.sbml.build import initial_values
from bonesim.sbml.read import read_antimony, read_sbml
from bonesim.sbml.write import write_sbml

GROWTH = model({"x": (0.5, "r*x*(1 - delay(x, tau))")}, {"r": 1.0, "tau": 1.0})


def antimony(*lines: str) -> OdeModel:
    return read_antimony("model m()\n" + "\n".join(lines) + "\nend\n", file="m.ant")


def test_a_delay_is_read_and_printed() -> None:
    read = antimony("x = 1; k = 2; x' = -k*delay(x, 0.5 + k);")
    delay = Call("delay", (Sym("x"), Call("add", (Num(0.5), Sym("k")))))
    assert read.states[0].rate == Call("mul", (Call("neg", (Sym("k"),)), delay))
    assert expression_text(delay) == "delay(x, 0.5 + k)"


def test_what_is_written_of_delays_is_read_again() -> None:
    read = antimony(
        "x = 1; x' = -delay(x, 2); y := delay(x*time, 3) + delay(y0, 1); y0 := sin(time);",
        "at (delay(x, 1) > 3): x = delay(y, 0.5);",
    )
    assert read_sbml(write_sbml(read), file="m.xml") == read


def test_delays_in_antimony() -> None:
    read = antimony("x = 1; x' = -delay(x, 2); y := delay(x, 3);")
    assert "x' = -delay(x, 2);" in write_antimony(read).replace("(-delay(x, 2))", "-delay(x, 2)")
    with pytest.raises(InputError, match=r"^the rate of change of 'x' would be delayed by its formula"):
        write_antimony(antimony("x = 1; x' = -x; y := delay(rateOf(x), 3);"))


def test_rates_with_a_past_are_written_as_rates() -> None:
    """Before the start the rate of x was 0, though x' = -0.5 x gives -1."""
    read = antimony("x = 2; x' = -0.5*x; y := delay(rateOf(x), 1);")
    again = read_sbml(write_sbml(read), file="m.xml")
    for one in (read, again):
        found = bonesim.simulate(one, [0.0, 0.9, 1.0, 2.0], ["y"])["y"].values
        np.testing.assert_allclose(found, [0.0, 0.0, -1.0, -np.exp(-0.5)], rtol=1e-6)


@pytest.mark.parametrize(
    ("expr", "before"),
    [
        ("x", "x"),  # a plain initial value: always
        ("z", "cos(t)"),  # an initial assignment of time
        ("r", "2*cos(t) + k"),  # a rule of both
        ("delay(r, 3)", "2*cos(t - 3) + k"),
        ("delay(z, x)", "cos(t - x)"),
        ("t*x", "t*x"),
    ],
)
def test_expressions_before_the_start(expr: str, before: str) -> None:
    ode = model({"x": (0.5, 1), "z": ("cos(t)", 0)}, {"k": 2.0}, {"r": "2*z + k"})
    time = formula("t")
    assert Past(ode).at(formula(expr), time) == formula(before)


def test_values_at_the_start_are_those_of_the_past() -> None:
    read = antimony("x := sin(time); p = 0; p = delay(x, 2); z = p + 1; z' = 0;")
    assert initial_values(read) == pytest.approx({"x": 0.0, "p": np.sin(-2), "z": np.sin(-2) + 1})
    found = bonesim.simulate(read, [0, 1], ["p", "z"])
    np.testing.assert_allclose(found["z"] - found["p"], 1.0)
    np.testing.assert_allclose(found["p"], np.sin(-2))


def test_a_value_that_rests_on_its_own_past_is_refused() -> None:
    ode = model({"x": ("delay(y, 1)", 1), "y": ("2*x + t", 0)})
    with pytest.raises(InputError) as caught:
        arrange(ode, ["x"])
    assert str(caught.value) == (
        "'y' rests on its own past, at ever earlier times\n"
        "  try: give it an initial value, and let a rate or an event change it"
    )


def test_the_compiled_back_end_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        bonesim.simulate(GROWTH, [0, 1], backend="llvm")
    assert str(caught.value) == (
        "backend: the back end llvm knows no delayed values, which the model has\n  try: leave it out, or numpy"
    )
    assert bonesim.simulate(GROWTH, [0, 1]).attrs["backend"] == "numpy"


def test_a_past_that_initial_assignments_say_is_that_before_0() -> None:
    ode = model({"x": ("cos(t)", "-delay(x, 1)")})
    with pytest.raises(InputError) as caught:
        bonesim.simulate(ode, [5, 6])
    assert str(caught.value) == (
        "times: the past of initial assignments that depend on time is that before 0, not before 5\n  try: begin at 0"
    )
    # What a rule says at a time, it says at that time.
    ruled = model({"x": (0, "delay(r, 1)")}, {}, {"r": "cos(t)"})
    np.testing.assert_allclose(bonesim.simulate(ruled, [5, 7])["x"], [0, np.sin(6) - np.sin(4)], rtol=1e-5)


REMEDY = "compare simulations, or replace the delay by a chain of first-order steps with the same mean"


def test_sensitivities_and_starts_from_rest_are_refused() -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        bonesim.simulate(GROWTH, [0, 1], sensitivities=["r"])
    assert str(caught.value) == f"sensitivities of a model with delayed values\n  try: {REMEDY}"
    with pytest.raises(UnsupportedModelError) as caught:
        bonesim.simulate(GROWTH, [0, 1], equilibrate=True)
    assert str(caught.value) == f"a start from rest of a model with delayed values\n  try: {REMEDY}"


def test_no_failure_of_delays_is_explained() -> None:
    ode = model({"x": (1, "delay(x, 1)*x*x")})
    with pytest.raises(SimulationError) as failed:
        bonesim.simulate(ode, [0, 5])
    with pytest.raises(UnsupportedModelError, match=r"^an explanation of a model with delayed values"):
        bonesim.explain_failure(ode, failed.value.result)


def test_at_rest_a_delayed_value_is_the_value_and_stability_is_not_known() -> None:
    """Hutchinson's equation rests at 1, stable for r tau < pi/2 alone, which no Jacobian says."""
    rest = bonesim.steady_state(GROWTH, parameters={"r": [1.0, 2.0]})
    np.testing.assert_allclose(rest["x"], 1.0)
    assert rest["stability"].values.tolist() == [-1, -1]


def test_a_rest_that_conserved_totals_determine_is_refused() -> None:
    """What left x and is not yet in y belongs to the total, and the initial values do not say how much that is."""
    ode = model({"x": (1, "y - x"), "y": (0, "delay(x, 1) - y")})
    with pytest.raises(UnsupportedModelError, match=r"^a steady state that depends on what is conserved of a model"):
        bonesim.steady_state(ode)


def test_the_time_of_an_event_is_not_delayed() -> None:
    ode = GROWTH.with_(events=(TimedEvent("dose", formula("delay(tau, 1)"), (("x", Num(1.0)),)),))
    with pytest.raises(InputError, match=r"the time of event 'dose' depends on .* a delayed value"):
        arrange(ode, ["x"])
    read = antimony("x = 1; x' = 1; k = 3; at (time > delay(k, 1)): x = 0;")
    assert (len(read.events), len(read.state_events)) == (0, 1)
    np.testing.assert_allclose(bonesim.simulate(read, [0, 2.5, 4])["x"], [1, 3.5, 1])
