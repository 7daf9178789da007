"""A model of the library under the conditions that its card names: a published experiment, or one line of a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bonesim.compose.card import Card, Conditions, Published, load_card
from bonesim.errors import InputError, closest
from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import OdeModel, Parameter, State, TimedEvent
from bonesim.sbml.library import read_library_model
from bonesim.simulate import simulate
from bonesim.units import Quantity

if TYPE_CHECKING:
    import xarray as xr

SETTLED = "4000 day"
"""After which a model counts as settled: the slowest rate of those with a steady state is 0.01 1/day, so e^-40 of any
start is left."""

LOOKS, CLOSER = 2001, 201
"""Times at which a course is looked at for its largest or least value, and again between the neighbours of that one."""


def experiment(model_id: str, conditions: Conditions) -> OdeModel:
    """The model with parameters, initial values and doses as the conditions say.

    Parameters of `set` jump at both ends of `window`, and hold throughout where there is none; those of a switch hold
    from its time on. A first dose at 0 lies at the start itself.

    Raises
    ------
    InputError
        If the conditions set what is no parameter, or give an initial value to what is no state.
    """
    model, card = read_library_model(model_id), load_card(model_id)
    _refuse_computed(model, conditions)
    events = [*model.events, *_window(model, conditions), *_switches(conditions), *_doses(card, conditions)]
    given = {} if conditions.window else conditions.set
    return model.with_(
        parameters=tuple(_with_value(parameter, given) for parameter in model.parameters),
        states=tuple(_with_start(state, conditions.initial) for state in model.states),
        events=tuple(events),
    )


def reproduced(model_id: str, rows: Sequence[Published]) -> list[float]:
    """Our values for published ones, each at most at a hundredth of its tolerance, as far as the solver goes.

    Values at times under the same conditions are those of one course.
    """
    together: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        key = row.conditions.model_dump_json() if row.measure == "value" else str(number)
        together.setdefault(key, []).append(number)
    found: dict[int, float] = {}
    for numbers in together.values():
        found |= zip(numbers, _reproduced(model_id, [rows[number] for number in numbers]), strict=True)
    return [found[number] for number in range(len(rows))]


def _reproduced(model_id: str, rows: Sequence[Published]) -> list[float]:
    """Values under the same conditions, or one measure of a course."""
    row, model = rows[0], experiment(model_id, rows[0])
    rtol = float(np.clip(1e-2 * min(map(_tolerance, rows)), 1e-11, 1e-8))
    # Years of doses, and models with events of their own, are worth compiling for.
    backend = "auto" if row.doses or model.state_events else "numpy"

    def course(times: np.ndarray, symbols: Sequence[str]) -> xr.Dataset:
        return simulate(model, times, list(dict.fromkeys(symbols)), rtol=rtol, backend=backend)

    settled = Quantity.parse(SETTLED).to(model.time_unit)
    ends = [settled if one.time is None else one.time for one in rows]
    if row.measure == "value":
        result = course(np.unique([0.0, *ends]), [one.symbol for one in rows])
        return [float(result[one.symbol].sel(time=end)) for one, end in zip(rows, ends, strict=True)]
    times = np.linspace(0.0, ends[0], LOOKS)
    values = course(times, [row.symbol])[row.symbol].values
    if row.measure == "mean":
        return [float(np.trapezoid(values, times) / ends[0])]
    sign = 1.0 if row.measure.endswith("largest") else -1.0
    place = int(np.argmax(sign * values))
    near = np.linspace(times[max(place - 1, 0)], times[min(place + 1, LOOKS - 1)], CLOSER)
    times = np.unique([0.0, *near])
    values = course(times, [row.symbol])[row.symbol].values
    place = int(np.argmax(sign * values))
    return [float(times[place] if row.measure.startswith("time") else values[place])]


def _tolerance(row: Published) -> float:
    """Relative, of a value that is not 0."""
    return max(row.tolerance, row.absolute / abs(row.value) if row.value else 0.0)


def _refuse_computed(model: OdeModel, conditions: Conditions) -> None:
    given = [*conditions.set, *(name for switch in conditions.switches for name in switch.set)]
    for names, kind, word in ((given, Parameter, "parameter"), (conditions.initial, State, "state")):
        for name in names:
            if not isinstance(model.by_id[name], kind):
                known = [symbol.id for symbol in model.symbols() if isinstance(symbol, kind)]
                raise InputError(f"'{name}' of '{model.id}' is no {word}", remedy=closest(name, known))


def _with_value(parameter: Parameter, given: dict[str, float]) -> Parameter:
    return replace(parameter, value=given[parameter.id], initial=None) if parameter.id in given else parameter


def _with_start(state: State, given: dict[str, float]) -> State:
    return replace(state, initial=Num(given[state.id])) if state.id in given else state


def _doses(card: Card, conditions: Conditions) -> list[TimedEvent]:
    events = []
    for number, doses in enumerate(conditions.doses):
        depot = card.port(doses.port).jumps or ""
        filled = Call("add", (Sym(depot), Num(doses.amount)))
        name = f"dose{number}" if number else "dose"
        events.append(TimedEvent(name, Num(doses.first), ((depot, filled),), every=Num(doses.every), count=doses.count))
    return events


def _window(model: OdeModel, conditions: Conditions) -> list[TimedEvent]:
    """At an output on the end of the window the value is that just after it, which no state notices."""
    if conditions.window is None:
        return []
    before = {parameter.id: parameter.value for parameter in model.parameters}
    start, end = conditions.window
    off = {name: before[name] for name in conditions.set}
    return [_jump("on", start, conditions.set), _jump("off", end, off)]


def _switches(conditions: Conditions) -> list[TimedEvent]:
    return [_jump(f"switch_{number}", switch.at, switch.set) for number, switch in enumerate(conditions.switches)]


def _jump(name: str, time: float, values: dict[str, float]) -> TimedEvent:
    return TimedEvent(name, Num(time), tuple((symbol, Num(value)) for symbol, value in values.items()))
