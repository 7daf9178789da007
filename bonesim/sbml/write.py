"""One flat SBML Level 3 Version 2 file of a model and its doses, for other simulators.

States and jumping parameters become parameters that vary, so that no compartments and no choice between amount and
concentration come in. A jump is an event `time >= t` that is false before the start, so that one at t = 0 happens
(libRoadRunner 2.10 does fire it), and that takes its values when it is carried out: with values from the trigger time
SBML lets the second of two doses at one time overwrite the first, which libRoadRunner does. Falling priorities keep
events that fall together in the order of the model, those of states last; repeated ones are written out one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias
from xml.sax.saxutils import quoteattr

from bonesim.errors import InputError, Place
from bonesim.model.expr import TIME, Call, Expr, Num
from bonesim.model.ode import Annotation, OdeModel, Parameter, Rule, State, StateEvent, TimedEvent
from bonesim.sbml.annotations import annotation_element, meta_id
from bonesim.sbml.mathml_write import math_element, number_text
from bonesim.sbml.units import definition_id
from bonesim.units import Unit

_SBML = "http://www.sbml.org/sbml/level3/version2/core"
BUILT_IN = {"dimensionless", "item"}
"""Unit texts that are units of SBML themselves."""

Event: TypeAlias = TimedEvent | StateEvent


def write_sbml(model: OdeModel, *, doses: Sequence[TimedEvent] = ()) -> str:
    """The SBML text; the same model gives the same bytes, and reading it back gives the same model.

    Constraints are written as algebraic rules, which we do not read. `doses` are added to the model's own events; where
    ids are taken, `_` is appended.

    Raises
    ------
    InputError
        If a unit of the model is none that we know, or an event ends the simulation, which SBML has no word for.
    """
    events, units = exported_events(model, doses), unit_ids(model)
    about = {one.id: one for one in model.annotations}
    whole = about.get("", Annotation(""))
    inside = [
        *annotation_element(whole),
        *_list("UnitDefinitions", [line for text in units for line in _unit_definition(text, units[text])]),
        *_list("Parameters", _parameters(model, events, units, about)),
        *_list("InitialAssignments", _initial_assignments(model)),
        *_list("Rules", _rules(model)),
        *_list("Events", [line for place, event in enumerate(events) for line in _event(event, len(events) - place)]),
    ]
    opening = _tag(
        "model",
        metaid=meta_id("") if "" in about else "",
        sboTerm=whole.sbo,
        id=model.id,
        name=model.name,
        timeUnits=units[model.time_unit],
    )
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<sbml xmlns="{_SBML}" level="3" version="2">',
        *_indented(_block(opening, inside)),
        "</sbml>",
    ]
    return "\n".join(lines) + "\n"


def exported_events(model: OdeModel, doses: Sequence[TimedEvent]) -> list[Event]:
    """Events in the order in which they happen if they fall together, repeated ones written out, each with its own id.

    Raises
    ------
    InputError
        If one ends the simulation.
    """
    _refuse_ends((*model.events, *doses, *model.state_events))
    once = [single for event in (*model.events, *doses) for single in _single(event)]
    return _unique((*once, *model.state_events), {symbol.id for symbol in model.symbols()})


def _single(event: TimedEvent) -> list[TimedEvent]:
    """A repeated event as `count` events: `dose_1` at t, `dose_2` at t + every, `dose_3` at t + 2 every, ..."""
    if event.every is None:
        return [event]
    later = [Call("add", (event.time, Call("mul", (Num(float(turn)), event.every)))) for turn in range(1, event.count)]
    times: list[Expr] = [event.time, *later]
    return [TimedEvent(f"{event.id}_{turn}", time, event.assignments) for turn, time in enumerate(times, start=1)]


def _refuse_ends(events: Iterable[Event]) -> None:
    for event in events:
        if event.terminal:
            raise InputError(
                f"event '{event.id}' ends the simulation, which SBML has no word for",
                place=Place(event.origin.file, event.origin.line) if event.origin.file else None,
                remedy="leave it out, and end the simulation where it is run",
            )


def _unique(events: Iterable[Event], taken: set[str]) -> list[Event]:
    named: list[Event] = []
    for event in events:
        event_id = event.id
        while event_id in taken:
            event_id += "_"
        taken.add(event_id)
        named.append(replace(event, id=event_id))
    return named


def unit_ids(model: OdeModel) -> dict[str, str]:
    """Unit text -> its id; texts that would share an id (`1/(pM*day)`, `1/pM/day`) keep definitions of their own."""
    ids = {text: text for text in BUILT_IN}
    for text in sorted({model.time_unit, *(symbol.unit for symbol in model.symbols())} - {"", *BUILT_IN}):
        unit_id = definition_id(text)
        while unit_id in ids.values():
            unit_id += "_"
        ids[text] = unit_id
    return ids | {"": ""}


def _unit_definition(text: str, unit_id: str) -> list[str]:
    """The name keeps the text, which tells apart what SBML does not (cells and particles are both `item`)."""
    if unit_id == text and text in {"", *BUILT_IN}:
        return []
    units = [
        _tag(
            "unit",
            kind=factor.kind,
            exponent=number_text(factor.exponent),
            scale=str(factor.scale),
            multiplier=number_text(factor.multiplier),
            closed=True,
        )
        for factor in Unit.parse(text).sbml_factors()
    ]
    return _block(_tag("unitDefinition", id=unit_id, name=text), _list("Units", units))


def _parameters(
    model: OdeModel, events: Iterable[Event], units: Mapping[str, str], about: Mapping[str, Annotation]
) -> list[str]:
    jumping = {target for event in events for target, _ in event.assignments}
    lines = []
    for symbol in model.symbols():
        value, said = _value(symbol), about.get(symbol.id, Annotation(symbol.id))
        tag = _tag(
            "parameter",
            metaid=meta_id(symbol.id) if symbol.id in about else "",
            sboTerm=said.sbo,
            id=symbol.id,
            name=symbol.label,
            value="" if value is None else number_text(value),
            units=units[symbol.unit],
            constant="true" if isinstance(symbol, Parameter) and symbol.id not in jumping else "false",
            closed=not said.resources,
        )
        lines += _block(tag, annotation_element(said)) if said.resources else [tag]
    return lines


def _value(symbol: State | Parameter | Rule) -> float | None:
    if isinstance(symbol, Parameter):
        return symbol.value
    return symbol.initial.value if isinstance(symbol, State) and isinstance(symbol.initial, Num) else None


def _initial_assignments(model: OdeModel) -> list[str]:
    calculated: list[tuple[str, Expr]]
    calculated = [(state.id, state.initial) for state in model.states if not isinstance(state.initial, Num)]
    calculated += [(p.id, p.initial) for p in model.parameters if p.initial is not None]
    return [
        line for name, expr in calculated for line in _block(_tag("initialAssignment", symbol=name), math_element(expr))
    ]


def _rules(model: OdeModel) -> list[str]:
    assignments = [_block(_tag("assignmentRule", variable=r.id), math_element(r.expr)) for r in model.rules]
    rates = [
        _block("<algebraicRule>" if s.algebraic else _tag("rateRule", variable=s.id), math_element(s.rate))
        for s in model.states
    ]
    return [line for rule in (*assignments, *rates) for line in rule]


def _event(event: Event, priority: int) -> list[str]:
    reached: Expr = Call("ge", (TIME, event.time)) if isinstance(event, TimedEvent) else event.trigger
    initially = "true" if isinstance(event, StateEvent) and event.initially else "false"
    trigger = _tag("trigger", initialValue=initially, persistent="true")
    changes = [
        line
        for target, expr in event.assignments
        for line in _block(_tag("eventAssignment", variable=target), math_element(expr))
    ]
    inside = [
        *_block(trigger, math_element(reached)),
        *_block("<priority>", math_element(Num(float(priority)))),
        *_list("EventAssignments", changes),
    ]
    return _block(_tag("event", id=event.id, useValuesFromTriggerTime="false"), inside)


def _list(what: str, inside: list[str]) -> list[str]:
    return _block(f"<listOf{what}>", inside) if inside else []


def _block(opening: str, inside: list[str]) -> list[str]:
    name = opening[1:].partition(" ")[0].rstrip(">")
    return [opening, *_indented(inside), f"</{name}>"]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _tag(element: str, /, *, closed: bool = False, **attributes: str) -> str:
    """An opening tag; attributes without text are left out."""
    text = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value)
    return f"<{element}{text}{'/>' if closed else '>'}"
