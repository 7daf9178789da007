"""libRoadRunner runs what we write, doses included, and agrees with closed forms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import OdeModel, Parameter, Rule, State, TimedEvent
from bonesim.sbml.read import read_model, read_sbml
from bonesim.sbml.write import write_sbml

roadrunner = pytest.importorskip("roadrunner")

MODULES = sorted((Path(__file__).parents[2] / "models" / "sbml").rglob("*.ant"))
K = 0.7
PLASMA = OdeModel(
    id="plasma",
    states=(State("amount", Num(1.0), Call("neg", (Call("mul", (Sym("k"), Sym("amount"))),)), "item"),),
    parameters=(Parameter("k", K, "1/day"), Parameter("V", 2.0, "L"), Parameter("t_late", 3.0, "day")),
    rules=(Rule("level", Call("div", (Sym("amount"), Sym("V"))), "item/L"),),
)


def simulated(text: str, names: Sequence[str], end: float, points: int) -> np.ndarray:
    runner = roadrunner.RoadRunner(text)
    runner.integrator.absolute_tolerance = 1e-13
    runner.integrator.relative_tolerance = 1e-11
    runner.timeCourseSelections = ["time", *names]
    return np.array(runner.simulate(0, end, points))


def bolus(event_id: str, time: object, amount: float, **repeated: object) -> TimedEvent:
    return TimedEvent(event_id, time, (("amount", Call("add", (Sym("amount"), Num(amount)))),), **repeated)  # type: ignore[arg-type]


def test_doses_at_the_start_on_an_output_point_and_two_at_once() -> None:
    doses = [
        bolus("start", Num(0.0), 4.0),
        bolus("on_point", Num(1.0), 2.0),
        bolus("one", Num(1.7), 3.0),
        bolus("other", Num(1.7), 5.0),
        bolus("late", Sym("t_late"), 6.0, every=Num(0.5), count=2),
    ]
    text = write_sbml(PLASMA, doses=doses)
    given = [(0.0, 4.0), (1.0, 2.0), (1.7, 8.0), (3.0, 6.0), (3.5, 6.0)]
    got = simulated(text, ["amount", "level"], 4.0, 41)
    t = got[:, 0]
    exact = np.exp(-K * t) + sum(np.where(t >= at - 1e-12, dose * np.exp(-K * (t - at)), 0.0) for at, dose in given)
    # Largest value about 13; relative tolerance 1e-11 a step over some hundred steps leaves a margin of ten below 1e-8.
    np.testing.assert_allclose(got[:, 1], exact, rtol=1e-8)
    np.testing.assert_allclose(got[:, 2], exact / 2.0, rtol=1e-8)


@pytest.mark.parametrize("first", ["empty", "fill"])
def test_events_that_fall_together_happen_in_the_order_of_the_model(first: str) -> None:
    events = {"empty": TimedEvent("empty", Num(1.0), (("amount", Num(0.0)),)), "fill": bolus("fill", Num(1.0), 5.0)}
    order = sorted(events, key=lambda name: name != first)
    text = write_sbml(PLASMA, doses=[events[name] for name in order])
    assert [event.id for event in read_sbml(text, file="f").events] == order
    after = simulated(text, ["amount"], 1.5, 2)[-1, 1]
    assert after == pytest.approx(5.0 * np.exp(-0.5 * K) if first == "empty" else 0.0, rel=1e-8, abs=1e-12)


def test_one_event_takes_all_its_values_from_before_it() -> None:
    model = OdeModel("swap", (State("x", Num(1.0), Num(0.0)), State("y", Num(2.0), Num(0.0))))
    swap = TimedEvent("swap_xy", Num(1.0), (("x", Sym("y")), ("y", Sym("x"))))
    assert simulated(write_sbml(model, doses=[swap]), ["x", "y"], 2.0, 2)[-1].tolist() == [2.0, 2.0, 1.0]


def test_a_parameter_jumps() -> None:
    stop = TimedEvent("stop", Num(1.0), (("k", Num(0.0)),))
    got = simulated(write_sbml(PLASMA, doses=[stop]), ["amount"], 3.0, 4)
    np.testing.assert_allclose(got[:, 1], np.exp(-K * np.minimum(got[:, 0], 1.0)), rtol=1e-8)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_the_same_after_writing_and_reading(path: Path) -> None:
    model = read_model(path)
    assert read_sbml(write_sbml(model), file="written.xml") == model
