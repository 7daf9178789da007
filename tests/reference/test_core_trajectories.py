"""Cores with doses of their own: the whole course against libRoadRunner on the SBML that we export."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import roadrunner

from bonesim.compose.card import load_card
from bonesim.errors import InputError
from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import OdeModel, Rule, TimedEvent
from bonesim.resources import scenario_files
from bonesim.sbml.library import read_library_model
from bonesim.sbml.write import write_sbml
from bonesim.scenario.load import load_scenario
from bonesim.scenario.resolve import resolve
from bonesim.simulate import simulate

RTOL = 1e-10
AGREEMENT = 1e-8
"""Of a state's largest value: a hundred steps' worth of RTOL on either side."""


@dataclass(frozen=True)
class Course:
    """A core, what is given through one of its ports, and when it is looked at, in the core's own time unit."""

    core: str
    end: float
    port: str = ""
    amount: float = 0.0
    first: float = 0.0
    every: float = 0.0
    count: int = 1

    @property
    def model(self) -> OdeModel:
        """The core with its doses as events."""
        model = read_library_model(self.core)
        if not self.port:
            return model
        depot = load_card(self.core).port(self.port).jumps or ""
        filled = Call("add", (Sym(depot), Num(self.amount)))
        every = Num(self.every) if self.every else None
        return model.with_(events=(TimedEvent("dose", Num(self.first), ((depot, filled),), every, self.count),))

    @property
    def times(self) -> np.ndarray:
        """(time,) from the start to the end, none of them a time of a dose."""
        return np.linspace(0.0, self.end, 42)


COURSES = {
    "one cycle": Course("komarova2003", 200.0, "osteoclasts_added", 10.0, first=1.0),
    "no drug, a year": Course("peterson_riggs2010", 8760.0),
    "denosumab 60 mg, twice": Course("peterson_riggs2010", 8000.0, "denosumab_dose", 6e4, 12.0, 4032.0, 2),
    "teriparatide 20 ug, five days": Course("peterson_riggs2010", 130.0, "teriparatide_dose", 4856.96, 12.0, 24.0, 5),
}


def theirs(course: Course) -> np.ndarray:
    """(time, state) by libRoadRunner from the exported file alone."""
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    engine = roadrunner.RoadRunner(write_sbml(course.model))
    engine.integrator.relative_tolerance = 0.1 * RTOL
    engine.integrator.absolute_tolerance = 1e-16
    engine.integrator.maximum_num_steps = 2_000_000
    names = [state.id for state in course.model.states]
    return np.asarray(engine.simulate(times=course.times.tolist(), selections=names))


@pytest.mark.parametrize("name", COURSES)
def test_every_state_runs_alike_in_libroadrunner(name: str) -> None:
    course = COURSES[name]
    ours, reference = simulate(course.model, course.times, rtol=RTOL), theirs(course)
    for column, state in enumerate(course.model.states):
        mine, other = ours[state.id].values, reference[:, column]
        difference = np.abs(mine - other).max() / (np.abs(other).max() or 1.0)
        assert difference < AGREEMENT, f"{state.id} differs by {difference:.1e}"


def test_the_course_under_teriparatide_crosses_the_jump_of_the_survival_signal() -> None:
    """Else the comparison above would not have to find it."""
    course = COURSES["teriparatide 20 ug, five days"]
    times = np.linspace(0.0, course.end, 1301)
    above = simulate(course.model, times, ["r_RUNX2"])["r_RUNX2"].values > 1.0
    assert np.count_nonzero(above[1:] != above[:-1]) == 5


def test_the_drugs_do_what_they_are_given_for() -> None:
    denosumab = COURSES["denosumab 60 mg, twice"]
    assert simulate(denosumab.model, [0.0, 1000.0], ["CTX"], backend="numpy")["CTX"].values[-1] < 0.3
    teriparatide = COURSES["teriparatide 20 ug, five days"]
    assert simulate(teriparatide.model, [0.0, 12.4], ["c_PTH"], backend="numpy")["c_PTH"].values[-1] > 25.0


def test_a_core_that_counts_hours_is_refused_in_a_scenario() -> None:
    (file,) = (file for file in scenario_files() if file.stem == "ovx_untreated")
    with pytest.raises(InputError, match="no core for scenarios: it counts time in hour, not in day"):
        resolve(load_scenario(file, {"model.core": "peterson_riggs2010"}))


def test_peterson_riggs_starts_near_rest() -> None:
    """The card says 8.5e-5 of a state an hour; what was lost in urine so far has no rest."""
    model = read_library_model("peterson_riggs2010")
    names = [state.id for state in model.states if state.id != "Ca_urine"]
    rates = tuple(Rule(f"rate_{state.id}", state.rate) for state in model.states)
    watched = model.with_(rules=(*model.rules, *rates))
    start = simulate(watched, [0.0, 1.0], [*names, *(f"rate_{name}" for name in names)], backend="numpy").isel(time=0)
    speed = {name: abs(float(start[f"rate_{name}"])) / (float(start[name]) or 1.0) for name in names}
    fastest = max(speed, key=speed.__getitem__)
    assert (fastest, speed[fastest]) == ("PO4", pytest.approx(8.5e-5, abs=5e-7))


def test_peterson_riggs_stays_near_its_start_without_drugs() -> None:
    """A year; the card says 0.07 percent."""
    course = COURSES["no drug, a year"]
    result = simulate(course.model, course.times)
    for state in course.model.states:
        values = result[state.id].values
        if state.id != "Ca_urine":
            assert np.abs(values - values[0]).max() <= 7e-4 * abs(values[0]), state.id
