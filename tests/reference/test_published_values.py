"""Every published value of every card, through our own reader and solver."""

from __future__ import annotations

import numpy as np
import pytest
from courses import measured, times_of

from bonesim.compose.card import Doses, Published, Switch, load_card
from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import OdeModel, TimedEvent
from bonesim.resources import model_ids
from bonesim.sbml.library import read_library_model
from bonesim.simulate import simulate

SETTLED = 4000.0
"""Days; the slowest rate of the modules with a steady state is 0.01 1/day, so e^-40 of any start is left."""

ROWS = [
    pytest.param(model_id, row, id=f"{model_id}: {row.quantity}, {row.at}")
    for model_id in model_ids()
    for row in load_card(model_id).published
]


def value_of(model_id: str, row: Published) -> float:
    """The value that a row asks for; parameters of `set` jump at both ends of `window`, always hold without one."""
    model = read_library_model(model_id)
    times = times_of(row.measure, _end(model, row))
    given = {} if row.window else row.set
    if row.doses:
        model = _with_doses(model, row.doses, load_card(model_id).port(row.doses.port).jumps or "")
    if row.window:
        model = _with_window(model, row, row.window)
    model = _with_switches(model, row.switches)
    backend = "auto" if row.doses else "numpy"  # years of doses are worth compiling for
    # A hundred times below what the row asks for, as far as the solver goes.
    tolerance = max(row.tolerance, row.absolute / abs(row.value) if row.value else 0.0)
    rtol = float(np.clip(1e-2 * tolerance, 1e-11, 1e-8))
    result = simulate(model, times, [row.symbol], parameters=given, initial=row.initial, rtol=rtol, backend=backend)
    return measured(times, result[row.symbol].values, row.measure)


def _end(model: OdeModel, row: Published) -> float:
    """The time that a row asks for, which it gives in the unit of the model."""
    if row.at == "steady_state":
        assert model.time_unit == "day"
        return SETTLED
    unit, number = row.at.split()
    assert unit == model.time_unit
    return float(number)


def _with_doses(model: OdeModel, doses: Doses, depot: str) -> OdeModel:
    """The first dose lies at the start itself."""
    filled = Call("add", (Sym(depot), Num(doses.amount)))
    event = TimedEvent("dose", Num(0.0), ((depot, filled),), every=Num(doses.every), count=doses.count)
    return model.with_(events=(*model.events, event))


def _with_window(model: OdeModel, row: Published, window: tuple[float, float]) -> OdeModel:
    """At an output on the end of the window the value is that just after it, which no state notices."""
    before = {parameter.id: parameter.value for parameter in model.parameters}
    on = tuple((name, Num(value)) for name, value in row.set.items())
    off = tuple((name, Num(before[name])) for name in row.set)
    events = (TimedEvent("on", Num(window[0]), on), TimedEvent("off", Num(window[1]), off))
    return model.with_(events=(*model.events, *events))


def _with_switches(model: OdeModel, switches: tuple[Switch, ...]) -> OdeModel:
    events = tuple(
        TimedEvent(f"switch_{number}", Num(switch.at), tuple((name, Num(value)) for name, value in switch.set.items()))
        for number, switch in enumerate(switches)
    )
    return model.with_(events=(*model.events, *events))


def test_every_module_has_published_values() -> None:
    assert [model_id for model_id in model_ids() if not load_card(model_id).published] == []


@pytest.mark.parametrize(("model_id", "row"), ROWS)
def test_published_value_is_met(model_id: str, row: Published) -> None:
    assert value_of(model_id, row) == pytest.approx(row.value, rel=row.tolerance, abs=row.absolute)
