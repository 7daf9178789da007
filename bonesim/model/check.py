"""Well-posedness: each symbol defined once, nothing undefined, no circular rules."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from bonesim.errors import InputError, closest
from bonesim.model.expr import TIME, Expr, symbols, walk
from bonesim.model.ode import OdeModel, Origin, Rule, StateEvent, TimedEvent
from bonesim.model.past import is_delayed

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def well_posed(model: OdeModel) -> OdeModel:
    """The model with its rules put in order of use.

    Raises
    ------
    InputError
        If an id is no plain name, a symbol is defined twice, an expression uses a name that does not exist, rules
        are circular, an event sets what it cannot set, or its time moves with the states; faults are told together.
    """
    problems = [*_bad_names(model), *_defined_twice(model), *_undefined(model), *_bad_events(model)]
    if problems:
        raise InputError.together(problems)
    model = model.with_(rules=ordered(model.rules, model))
    if problems := _moving_events(model):
        raise InputError.together(problems)
    return model


def ordered(rules: tuple[Rule, ...], model: OdeModel) -> tuple[Rule, ...]:
    """Rules so that each uses only earlier ones; an order that is right already is kept."""
    by_id = {rule.id: rule for rule in rules}
    seen: set[str] = set()
    for rule in rules:
        if any(name in by_id and name not in seen for name in symbols(rule.expr)):
            break
        seen.add(rule.id)
    else:
        return rules
    uses = {rule.id: [name for name in sorted(symbols(rule.expr)) if name in by_id] for rule in rules}
    return tuple(by_id[rule_id] for rule_id in in_order(uses, model, "rules"))


def in_order(uses: Mapping[str, Iterable[str]], model: OdeModel, what: str) -> list[str]:
    """Keys of `uses` so that each comes after those it uses; InputError naming the circle if there is one."""
    try:
        return list(TopologicalSorter(uses).static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise InputError(
            f"{what} define each other in a circle: {circle}",
            place=model.by_id[error.args[1][0]].origin.place,
            remedy="break the circle, e.g. by giving one of them a rate of change",
        ) from None


def _bad_names(model: OdeModel) -> list[InputError]:
    return [
        InputError(
            f"{symbol.id!r} cannot be a name",
            place=symbol.origin.place,
            remedy="letters, digits and underscores, not beginning with a digit",
        )
        for symbol in model.symbols()
        if not _NAME.fullmatch(symbol.id)
    ]


def _defined_twice(model: OdeModel) -> list[InputError]:
    counts = Counter(symbol.id for symbol in model.symbols())
    return [
        InputError(
            f"'{symbol_id}' is defined {count} times",
            place=model.by_id[symbol_id].origin.place,
            remedy="keep one definition",
        )
        for symbol_id, count in counts.items()
        if count > 1
    ]


def _expressions(model: OdeModel) -> Iterable[tuple[str, Expr, Origin]]:
    for state in model.states:
        what = "constraint" if state.algebraic else "rate"
        yield f"the {what} of '{state.id}'", state.rate, state.origin
        yield f"the initial value of '{state.id}'", state.initial, state.origin
        if state.fast is not None:
            yield f"the fast rate of '{state.id}'", state.fast, state.origin
    for rule in model.rules:
        yield f"the rule for '{rule.id}'", rule.expr, rule.origin
    for parameter in model.parameters:
        if parameter.initial is not None:
            yield f"the initial assignment of '{parameter.id}'", parameter.initial, parameter.origin
    for event in model.events:
        yield f"the time of event '{event.id}'", event.time, event.origin
        if event.every is not None:
            yield f"the interval of event '{event.id}'", event.every, event.origin
    for state_event in model.state_events:
        yield f"the trigger of event '{state_event.id}'", state_event.trigger, state_event.origin
        if state_event.delay is not None:
            yield f"the delay of event '{state_event.id}'", state_event.delay, state_event.origin
        if state_event.priority is not None:
            yield f"the priority of event '{state_event.id}'", state_event.priority, state_event.origin
        for target, factor in state_event.factors:
            yield f"event '{state_event.id}', factor of '{target}'", factor, state_event.origin
    events: tuple[TimedEvent | StateEvent, ...] = (*model.events, *model.state_events)
    for either in events:
        for target, value in either.assignments:
            yield f"event '{either.id}', value of '{target}'", value, either.origin


def _undefined(model: OdeModel) -> list[InputError]:
    return [
        InputError(
            f"{where} uses '{name}', which is not defined", place=origin.place, remedy=closest(name, model.by_id)
        )
        for where, expr, origin in _expressions(model)
        for name in sorted(symbols(expr))
        if name not in model.by_id
    ]


def _bad_events(model: OdeModel) -> list[InputError]:
    rules = {rule.id for rule in model.rules}
    algebraic = {state.id for state in model.states if state.algebraic}
    problems = []
    events: tuple[TimedEvent | StateEvent, ...] = (*model.events, *model.state_events)
    for event in events:
        place, counts = event.origin.place, Counter(target for target, _ in event.assignments)
        for target, count in counts.items():
            setting = f"event '{event.id}' sets '{target}'"
            if target in rules or target not in model.by_id:
                problem = f"{setting}, which {'a rule defines' if target in rules else 'is not defined'}"
                problems.append(InputError(problem, place=place, remedy="let an event set a state or a parameter"))
            if target in algebraic:
                remedy = "let it set a state that has a rate, or a parameter of the constraints"
                problems.append(InputError(f"{setting}, which the constraints determine", place=place, remedy=remedy))
            if count > 1:
                remedy = "set it once, or write one event for each value"
                problems.append(InputError(f"{setting} {count} times", place=place, remedy=remedy))
    return problems


def _moving_events(model: OdeModel) -> list[InputError]:
    """Times of events are known before the start: they rest on parameters, and on rules of parameters, alone."""
    fixed = {parameter.id for parameter in model.parameters}
    for rule in model.rules:
        if _rests_on(rule.expr, fixed):
            fixed.add(rule.id)
    return [
        InputError(
            f"the time of event '{event.id}' depends on a state, on time itself or on a delayed value",
            place=event.origin.place,
            remedy="write the time with numbers and parameters alone",
        )
        for event in model.events
        if not (_rests_on(event.time, fixed) and _rests_on(event.every or event.time, fixed))
    ]


def _rests_on(expr: Expr, names: set[str]) -> bool:
    return symbols(expr) <= names and TIME not in walk(expr) and not is_delayed(expr)
