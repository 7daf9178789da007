"""One flat SBML Level 3 Version 2 file of a model and its doses, for other simulators.

States and jumping parameters become parameters that vary, so that no compartments and no choice between amount and
concentration come in. A jump is an event `time >= t` that is false before the start, so that one at t = 0 happens
(libRoadRunner 2.10 does fire it), and that takes its values when it is carried out: with values from the trigger time
SBML lets the second of two doses at one time overwrite the first, which libRoadRunner does. Falling priorities keep
events that fall together in the order of the model, those of states last; repeated ones are written out one by one.
Events that wait in a queue are written with all that they say themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias
from xml.sax.saxutils import quoteattr

from bonesim.errors import InputError, UnsupportedModelError
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import TIME, Call, Expr, Num, Sym, substitute, symbols, walk
from bonesim.model.ode import Annotation, OdeModel, Parameter, Rule, State, StateEvent, TimedEvent
from bonesim.model.past import has_delays
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

    Constraints are algebraic rules that are named after the state at which they are written. `doses` are added to the
    model's own events; where ids are taken, `_` is appended.

    Raises
    ------
    InputError
        If a unit of the model is none that we know, for what SBML has no word for (an event that ends the simulation, a
        fast state), or if a dose has to come before events whose priorities are calculated.
    """
    model = _with_rates_asked_for(model) if has_delays(model) else model
    events, units = exported_events(model, doses), unit_ids(model)
    about = {one.id: one for one in model.annotations}
    whole = about.get("", Annotation(""))
    inside = [
        *annotation_element(whole),
        *_list("UnitDefinitions", [line for text in units for line in _unit_definition(text, units[text])]),
        *_list("Parameters", _parameters(model, events, units, about)),
        *_list("InitialAssignments", _initial_assignments(model)),
        *_list("Rules", _rules(model)),
        *_list("Events", [line for event, rank in ranked(events, model.queued) for line in _event(event, rank)]),
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
        If one ends the simulation or mixes values of two times, or the model has fast states.
    """
    _refuse_ends((*model.events, *doses, *model.state_events))
    _refuse_fast(model)
    once = [single for event in (*model.events, *doses) for single in _single(event)]
    return _unique((*once, *model.state_events), {symbol.id for symbol in model.symbols()})


def _single(event: TimedEvent) -> list[TimedEvent]:
    """A repeated event as `count` events: `dose_1` at t, `dose_2` at t + every, `dose_3` at t + 2 every, ..."""
    if event.every is None:
        return [event]
    later = [Call("add", (event.time, Call("mul", (Num(float(turn)), event.every)))) for turn in range(1, event.count)]
    times: list[Expr] = [event.time, *later]
    return [TimedEvent(f"{event.id}_{turn}", time, event.assignments) for turn, time in enumerate(times, start=1)]


def _with_rates_asked_for(model: OdeModel) -> OdeModel:
    """The model whose rules of rates ask for them (`rateOf`): before the start they are not what their formulas say."""
    rates = {rule.id: rule for rule in model.rules if rule.rate_of}
    for rule in rates.values():
        if not isinstance(model.by_id[rule.rate_of], State):
            place = rule.origin.place
            problem = f"the rate of change of '{rule.rate_of}', which SBML does not ask of what a rule defines"
            raise UnsupportedModelError(problem, place=place, remedy="write its derivative as an assignment rule")
    formulas = {name: rule.expr for name, rule in rates.items()}
    asked = {name: Call("rate_of", (Sym(rule.rate_of),)) for name, rule in rates.items()}
    return model.with_(
        states=tuple(replace(state, rate=substitute(state.rate, formulas)) for state in model.states),
        rules=tuple(replace(rule, expr=asked.get(rule.id, rule.expr)) for rule in model.rules),
    )


def _refuse_ends(events: Iterable[Event]) -> None:
    for event in events:
        if isinstance(event, StateEvent) and event.factors:
            raise InputError(
                f"event '{event.id}' sets a concentration with a value from before and the size of then, for which a "
                "model without compartments has no word",
                place=event.origin.place,
                remedy='set useValuesFromTriggerTime="false", or use the file it came from',
            )
        if event.terminal:
            raise InputError(
                f"event '{event.id}' ends the simulation, which SBML has no word for",
                place=event.origin.place,
                remedy="leave it out, and end the simulation where it is run",
            )


def _refuse_fast(model: OdeModel) -> None:
    for state in model.states:
        if state.fast is not None:
            raise InputError(
                f"'{state.id}' follows fast reactions, which SBML Level 3 Version 2 has no word for",
                place=state.origin.place,
                remedy="give the reactions finite rate constants, or write the equilibrium as rules",
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
        _block(
            _tag("algebraicRule", name=s.id) if s.algebraic else _tag("rateRule", variable=s.id), math_element(s.rate)
        )
        for s in model.states
    ]
    return [line for rule in (*assignments, *rates) for line in rule]


def ranked(events: Sequence[Event], queued: bool) -> list[tuple[StateEvent, Expr | None]]:
    """Each event, those at known times as triggers, and its priority: its place in the model, or its own in a queue."""
    timed = [
        StateEvent(event.id, Call("ge", (TIME, event.time)), event.assignments, initially=False)
        for event in events
        if isinstance(event, TimedEvent)
    ]
    moving = [event for event in events if isinstance(event, StateEvent)]
    above = max((_known_priority(event) for event in moving), default=0.0) if queued and timed else 0.0
    falling = [Num(above + place) for place in range(len(timed) + (0 if queued else len(moving)), 0, -1)]
    own = [event.priority for event in moving] if queued else []
    return list(zip([*timed, *moving], [*falling, *own], strict=True))


def _known_priority(event: StateEvent) -> float:
    """The priority of an event above which a dose has to stand."""
    expr = event.priority
    if expr is None:
        return 0.0
    if symbols(expr) or TIME in walk(expr) or not math.isfinite(number := float(evaluate(expr, {}))):
        raise InputError(
            f"event '{event.id}' has a priority that is calculated, and doses have to come before it",
            place=event.origin.place,
            remedy="give it a number, or export the model without doses",
        )
    return number


def _event(event: StateEvent, priority: Expr | None) -> list[str]:
    initially, persistent = ("true" if is_true else "false" for is_true in (event.initially, event.persistent))
    trigger = _tag("trigger", initialValue=initially, persistent=persistent)
    changes = [
        line
        for target, expr in event.assignments
        for line in _block(_tag("eventAssignment", variable=target), math_element(expr))
    ]
    inside = [
        *_block(trigger, math_element(event.trigger)),
        *(_block("<priority>", math_element(priority)) if priority is not None else []),
        *(_block("<delay>", math_element(event.delay)) if event.delay is not None else []),
        *_list("EventAssignments", changes),
    ]
    early = "true" if event.from_trigger_time else "false"
    return _block(_tag("event", id=event.id, useValuesFromTriggerTime=early), inside)


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
