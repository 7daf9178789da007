"""Every published value of every card, through our own reader and solver."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bonesim.compose.card import Doses, Published, load_card
from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import OdeModel, TimedEvent
from bonesim.resources import model_ids
from bonesim.sbml.library import read_library_model
from bonesim.simulate import simulate

SETTLED = 4000.0
"""Days; the slowest rate of the modules with a steady state is 0.01 1/day, so e^-40 of any start is left."""

COURSE = 20_001
"""Times at which a course is looked at: extremes are met far better than their times, which are met to 1 in 20,000."""

MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "value": lambda y, t: float(y[-1]),
    "largest": lambda y, t: float(y.max()),
    "least": lambda y, t: float(y.min()),
    "mean": lambda y, t: float(np.trapezoid(y, t) / (t[-1] - t[0])),
    "time_of_largest": lambda y, t: float(t[y.argmax()]),
    "time_of_least": lambda y, t: float(t[y.argmin()]),
}
"""What a card measures of a course, (time,)."""

ROWS = [
    pytest.param(model_id, row, id=f"{model_id}: {row.quantity}, {row.at}")
    for model_id in model_ids()
    for row in load_card(model_id).published
]


def value_of(model_id: str, row: Published) -> float:
    """The value that a row asks for; parameters of `set` jump at both ends of `window`, always hold without one."""
    model = read_library_model(model_id)
    end = _end(model, row)
    given = {} if row.window else row.set
    for number, doses in enumerate(row.doses):
        model = _with_doses(model, number, doses, load_card(model_id).port(doses.port).jumps or "")
    if row.window:
        model = _with_window(model, row, row.window)
    backend = "auto" if row.doses else "numpy"  # years of doses are worth compiling for
    # A hundred times below what the row asks for, as far as the solver goes.
    rtol = float(np.clip(1e-2 * row.tolerance, 1e-11, 1e-8))
    times = [0.0, end] if row.measure == "value" else np.linspace(0.0, end, COURSE)
    result = simulate(model, times, [row.symbol], parameters=given, initial=row.initial, rtol=rtol, backend=backend)
    return MEASURES[row.measure](result[row.symbol].values, result["time"].values)


def _end(model: OdeModel, row: Published) -> float:
    """The time that a row asks for, which it gives in the unit of the model."""
    if row.at == "steady_state":
        assert model.time_unit == "day"
        return SETTLED
    unit, number = row.at.split()
    assert unit == model.time_unit
    return float(number)


def _with_doses(model: OdeModel, number: int, doses: Doses, depot: str) -> OdeModel:
    """A first dose at 0 lies at the start itself."""
    filled = Call("add", (Sym(depot), Num(doses.amount)))
    dosing = ((depot, filled),)
    event = TimedEvent(f"dose{number}", Num(doses.first), dosing, every=Num(doses.every), count=doses.count)
    return model.with_(events=(*model.events, event))


def _with_window(model: OdeModel, row: Published, window: tuple[float, float]) -> OdeModel:
    """At an output on the end of the window the value is that just after it, which no state notices."""
    before = {parameter.id: parameter.value for parameter in model.parameters}
    on = tuple((name, Num(value)) for name, value in row.set.items())
    off = tuple((name, Num(before[name])) for name in row.set)
    events = (TimedEvent("on", Num(window[0]), on), TimedEvent("off", Num(window[1]), off))
    return model.with_(events=(*model.events, *events))


def test_every_module_has_published_values() -> None:
    assert [model_id for model_id in model_ids() if not load_card(model_id).published] == []


@pytest.mark.parametrize(("model_id", "row"), ROWS)
def test_published_value_is_met(model_id: str, row: Published) -> None:
    assert value_of(model_id, row) == pytest.approx(row.value, rel=row.tolerance, abs=row.absolute)
