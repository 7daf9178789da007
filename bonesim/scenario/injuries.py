"""Injuries as events of a module: what happens to its states and parameters when a context begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bonesim.catalog import Catalog
from bonesim.catalog.schema import Injury, Number
from bonesim.compose.module import Module, flat
from bonesim.errors import InputError, closest
from bonesim.model.expr import Call, Expr, Num, Sym
from bonesim.model.ode import Parameter, TimedEvent
from bonesim.scenario.schema import Scenario


@dataclass(frozen=True)
class Injured:
    """A module with its injuries, and the numbers of these by flat id."""

    module: Module
    numbers: Mapping[str, Number]


def needed_modules(scenario: Scenario, catalog: Catalog) -> Iterator[str]:
    """Ids of the modules that the scenario's contexts bring along."""
    for use in scenario.context:
        yield from catalog.contexts[use.id].modules


def injured(module: Module, scenario: Scenario, catalog: Catalog) -> Injured:
    """The module, to which the injuries of the scenario's contexts happen as these begin.

    Times are the begins of the contexts, `ID__start`, which stand among their causes.

    Raises
    ------
    InputError
        If the module has no such port that jumps or sets, or if two contexts of the scenario injure one port.
    """
    events: dict[str, TimedEvent] = {}
    parameters: list[Parameter] = []
    numbers: dict[str, Number] = {}
    for position, use in enumerate(scenario.context):
        for injury in catalog.contexts[use.id].injuries:
            if injury.module != module.model.id:
                continue
            if injury.port in events:
                raise InputError(
                    f"context '{use.id}' injures {injury.port} of {injury.module}, and so does another context",
                    place=scenario.place(f"context[{position}].id"),
                    remedy="keep one of them",
                )
            amount: Expr
            if isinstance(injury.amount, Number):
                name = f"{injury.port}_{use.id}"
                parameters.append(_amount(module, injury, injury.amount, name))
                numbers[flat(module.name, name)] = injury.amount
                amount = Sym(name)
            else:
                amount = Num(injury.amount)
            start = Sym(f"{use.id}__start")
            events[injury.port] = TimedEvent(f"{use.id}_{injury.port}", start, (_change(module, injury, amount),))
    model = module.model
    model = model.with_(parameters=(*model.parameters, *parameters), events=(*model.events, *events.values()))
    return Injured(replace(module, model=model), numbers)


def _change(module: Module, injury: Injury, amount: Expr) -> tuple[str, Expr]:
    """What changes, and to what."""
    state, parameter = _behind(module, injury)
    return (state, Call("add", (Sym(state), amount))) if state else (parameter, amount)


def _amount(module: Module, injury: Injury, amount: Number, name: str) -> Parameter:
    """The parameter that holds the amount, in the unit of what changes."""
    state, parameter = _behind(module, injury)
    unit = module.model.by_id[state or parameter].unit
    return Parameter(name, amount.quantity.to(unit), unit, label=f"{injury.port} of the injury")


def _behind(module: Module, injury: Injury) -> tuple[str, str]:
    """The state that the port jumps, or else the parameter that it sets; the other is empty."""
    ports = {port.name: port for port in module.ports if port.jumps or port.sets}
    if injury.port not in ports:
        problem = f"an injury names port '{injury.port}', and {injury.module} has none of that name that jumps or sets"
        raise InputError(problem, remedy=closest(injury.port, ports))
    port = ports[injury.port]
    return port.jumps or "", port.sets or ""
