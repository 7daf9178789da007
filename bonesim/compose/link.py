"""Composition: modules joined by ports into one flat model.

Each symbol gets its module's name in front (`core__OBp`). A value joined to an in-port takes the place of the
parameter; activities joined to a process port multiply or divide the parameters that the card names, wherever the
module's rates and rules use them. Activities come from the signal network and from modules that drive processes of
others. The module's own equations stay as they were written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bonesim.compose.card import Port
from bonesim.compose.module import Module, flat
from bonesim.compose.switches import drive_name, switched, with_drives
from bonesim.errors import InputError, closest
from bonesim.model.check import well_posed
from bonesim.model.expr import Call, Expr, Sym, product, substitute, total
from bonesim.model.ode import OdeModel, Parameter, Rule
from bonesim.units import Unit

TIME_UNIT = "day"
"""Of every joined model."""


@dataclass(frozen=True)
class Activity:
    """Activity over basal activity of one process in one cell: 1 in health. `giver` is the module that drives it."""

    cell: str
    process: str
    symbol: str
    giver: str | None = None


def compose(
    model_id: str, modules: Sequence[Module], activities: Iterable[Activity], without: Container[str] = ()
) -> OdeModel:
    """One flat model of all modules, well posed.

    Out-ports are joined to the in-ports of the same name; `activities`, and what modules drive, to every process port
    of another module that takes them. Ports that give way to a module named in `without` are open.

    Raises
    ------
    InputError
        If a module does not count time in days, if two modules offer the same out-port to one in-port, if nothing
        fills an in-port that replaces a parameter, if the units of the two sides differ, or if nothing takes what a
        user's own module drives or gives; all problems at once.
    """
    activities = (*activities, *driven_processes(modules))
    offered = set(offers(modules, without))
    parts = [
        _drive(
            module,
            with_drives(module, _prefixed(module)),
            (*activities, *(Activity(*one) for one in module.own)),
            offered,
        )
        for module in modules
    ]
    problems = [
        InputError(f"{module.name} counts time in {module.model.time_unit}, not in day", remedy="write its rates a day")
        for module in modules
        if not alike(module.model.time_unit, TIME_UNIT)
    ]
    problems += [problem for module in modules if module.files for problem in _unheard(module, modules, offered)]
    for number, module in enumerate(modules):
        for port in module.ports:
            if port.replaces:
                problems += _join(number, port, modules, parts)
    if problems:
        raise InputError.together(problems)
    return well_posed(_merged(model_id, parts))


def offers(modules: Iterable[Module], without: Container[str] = ()) -> Iterator[str]:
    """Names of the out-ports of all modules but those named in `without`."""
    for module in modules:
        if module.name not in without:
            yield from (port.name for port in module.ports if port.direction == "out")


def driven_processes(modules: Iterable[Module]) -> Iterator[Activity]:
    """What each module drives by its out-ports."""
    for module in modules:
        for port in module.ports:
            for target in port.drives:
                cell, _, process = target.partition(".")
                yield Activity(cell, process, drive_name(module, port), module.name)


def _prefixed(module: Module) -> OdeModel:
    model = module.model
    names = {symbol_id: flat(module.name, symbol_id) for symbol_id in model.by_id}
    symbols = {old: Sym(new) for old, new in names.items()}

    def renamed(expr: Expr) -> Expr:
        return substitute(expr, symbols)

    return model.with_(
        states=tuple(
            replace(
                state,
                id=names[state.id],
                initial=renamed(state.initial),
                rate=renamed(state.rate),
                fast=None if state.fast is None else renamed(state.fast),
            )
            for state in model.states
        ),
        parameters=tuple(
            replace(p, id=names[p.id], initial=None if p.initial is None else renamed(p.initial))
            for p in model.parameters
        ),
        rules=tuple(
            replace(rule, id=names[rule.id], expr=renamed(rule.expr), rate_of=names.get(rule.rate_of, ""))
            for rule in model.rules
        ),
        events=tuple(
            replace(
                event,
                id=flat(module.name, event.id),
                time=renamed(event.time),
                every=None if event.every is None else renamed(event.every),
                assignments=tuple((names[target], renamed(expr)) for target, expr in event.assignments),
            )
            for event in model.events
        ),
        state_events=tuple(
            replace(
                event,
                id=flat(module.name, event.id),
                trigger=renamed(event.trigger),
                delay=None if event.delay is None else renamed(event.delay),
                priority=None if event.priority is None else renamed(event.priority),
                factors=tuple((names[target], renamed(expr)) for target, expr in event.factors),
                assignments=tuple((names[target], renamed(expr)) for target, expr in event.assignments),
            )
            for event in model.state_events
        ),
        species=tuple(
            replace(one, id=names[one.id], size=one.size and names[one.size], amount=one.amount and names[one.amount])
            for one in model.species
        ),
        annotations=tuple(replace(one, id=names[one.id]) for one in model.annotations if one.id in names),
    )


def _drive(module: Module, part: OdeModel, activities: Sequence[Activity], offered: Container[str]) -> OdeModel:
    """Multiply and divide the parameters behind process ports by the activities that act through them."""
    over: dict[str, list[str]] = defaultdict(list)
    under: dict[str, list[str]] = defaultdict(list)
    others = [activity for activity in activities if activity.giver != module.name]
    for port in module.ports:
        if port.unless in offered:
            continue
        acting = list(dict.fromkeys(one.symbol for one in others if port.takes(one.cell, one.process)))
        for sides, names in ((over, port.multiplies), (under, port.divides)):
            for name in names if acting else ():
                sides[flat(module.name, name)] += acting
    driven = {name: f"{name}_driven" for name in (*over, *under)}
    if not driven:
        return part
    symbols: dict[str, Expr] = {name: Sym(new) for name, new in driven.items()}
    rules = [replace(rule, expr=substitute(rule.expr, symbols)) for rule in part.rules]
    for name, new in driven.items():
        expr = product([Sym(name), *map(Sym, over[name])])
        if under[name]:
            expr = Call("div", (expr, product([Sym(symbol) for symbol in under[name]])))
        origin = part.by_id[name]
        rules.append(Rule(new, expr, origin.unit, f"{origin.label or name}, with what drives it", origin.origin))
    states = tuple(replace(state, rate=substitute(state.rate, symbols)) for state in part.states)
    return part.with_(states=states, rules=tuple(rules))


def _join(number: int, port: Port, modules: Sequence[Module], parts: list[OdeModel]) -> list[InputError]:
    """Put the value of the one out-port that is called like `port` in the place of its parameter of part `number`."""
    module, target = modules[number], flat(modules[number].name, port.replaces or "")
    found = [
        (giver, out)
        for giver, other in enumerate(modules)
        for out in other.ports
        if out.name == port.name and out.direction == "out"
    ]
    if port.optional and not found:
        return []
    if len(found) != 1:
        return [_wrong_number_of_offers(module, port.name, [modules[giver].name for giver, _ in found], modules)]
    giver, out = found[0]
    parts[giver], expr, unit = _given(parts[giver], modules[giver].name, out)
    part = parts[number]
    old = part.by_id[target]
    if not alike(unit, old.unit):
        problem = f"port '{port.name}' of {module.name} takes {old.unit}, {modules[giver].name} gives {unit}"
        return [InputError(problem, remedy="use the same unit")]
    remaining = tuple(parameter for parameter in part.parameters if parameter.id != target)
    if port.optional and modules[giver].removable and giver != number:
        parts[giver], own, expr = switched(modules[giver], out, parts[giver], old, expr)
        remaining = (*remaining, own)
    rules = (*part.rules, Rule(target, expr, old.unit, old.label, old.origin))
    parts[number] = parts[number].with_(parameters=remaining, rules=rules)
    return []


def _unheard(module: Module, modules: Sequence[Module], offered: Container[str]) -> Iterator[InputError]:
    """What a module drives and no other takes; and the module, if no port of it is joined to anything."""
    others = [port for other in modules if other is not module for port in other.ports if port.unless not in offered]
    taken = {port.name for port in others if port.replaces}
    given = {port.name for port in others if port.direction == "out"}
    joined = False
    for port in module.ports:
        heard = any(other.takes(*target.split(".")) for target in port.drives for other in others)
        if port.drives and not heard:
            known = sorted(name for other in others for name in other.targets)
            problem = f"port '{port.name}' of {module.name} drives {', '.join(port.drives)}, which nothing here takes"
            yield InputError(problem, remedy=closest(port.drives[0], known))
        fed = bool(port.multiplies or port.divides or port.jumps or port.sets) or (port.replaces and port.name in given)
        joined = joined or bool(port.drives or fed) or (port.direction == "out" and port.name in taken)
    if not joined:
        remedy = f"an out-port that drives a process, or one of these names: {', '.join(sorted(taken))}"
        yield InputError(f"no port of {module.name} is joined to anything", remedy=remedy)


def _given(part: OdeModel, name: str, out: Port) -> tuple[OdeModel, Expr, str]:
    """What an out-port gives: the part, with start values if the port is relative, the expression, and its unit."""
    symbols = [flat(name, symbol) for symbol in (out.sum or (out.symbol or "",))]
    now = total([Sym(symbol) for symbol in symbols])
    if not out.relative:
        return part, now, part.by_id[symbols[0]].unit
    starts: list[Expr] = []
    for symbol in symbols:
        part, start = _start_value(part, symbol)
        starts.append(Sym(start))
    return part, Call("div", (now, total(starts))), "dimensionless"


def alike(unit: str, other: str) -> bool:
    """Whether numbers in two units mean the same; a symbol without a unit counts as a plain number."""
    one, two = Unit.parse(unit or "dimensionless"), Unit.parse(other or "dimensionless")
    return one.same_dimension(two) and one.conversion_to(two) == 1


def _wrong_number_of_offers(module: Module, port: str, givers: list[str], modules: Sequence[Module]) -> InputError:
    if givers:
        return InputError(
            f"port '{port}' of {module.name} is offered by {' and '.join(givers)}", remedy="keep one of them"
        )
    known = sorted({out.name for other in modules for out in other.ports if out.direction == "out"})
    return InputError(f"nothing gives port '{port}' of {module.name} a value", remedy=closest(port, known))


def _start_value(part: OdeModel, symbol: str) -> tuple[OdeModel, str]:
    """The model with a parameter that holds the symbol's value at the start, and the name of that parameter."""
    name, original = f"{symbol}_start", part.by_id[symbol]
    if name in part.by_id:
        return part, name
    label = f"{original.label or symbol} at the start"
    parameter = Parameter(name, 0.0, original.unit, Sym(symbol), label, original.origin)
    return part.with_(parameters=(*part.parameters, parameter)), name


def _merged(model_id: str, parts: Iterable[OdeModel]) -> OdeModel:
    parts = tuple(parts)
    return OdeModel(
        id=model_id,
        states=tuple(state for part in parts for state in part.states),
        parameters=tuple(parameter for part in parts for parameter in part.parameters),
        rules=tuple(rule for part in parts for rule in part.rules),
        events=tuple(event for part in parts for event in part.events),
        state_events=tuple(event for part in parts for event in part.state_events),
        species=tuple(one for part in parts for one in part.species),
        annotations=tuple(one for part in parts for one in part.annotations),
        time_unit=TIME_UNIT,
    )
