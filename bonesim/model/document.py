"""A model as plain data and back, without loss: what a cache or another process reads."""

from __future__ import annotations

from typing import Any

from bonesim.model.expr import TIME, Call, Expr, Num, Sym
from bonesim.model.ode import (
    NOWHERE,
    Annotation,
    OdeModel,
    Origin,
    Parameter,
    Rule,
    Species,
    State,
    StateEvent,
    TimedEvent,
)


def to_document(model: OdeModel) -> dict[str, Any]:
    """The model as lists, texts and numbers. Expressions are `3.0`, `"name"`, `["time"]` or `["op", argument, ...]`."""
    return {
        "id": model.id,
        "name": model.name,
        "time_unit": model.time_unit,
        "remarks": list(model.remarks),
        "origin": _origin(model.origin),
        "states": [
            [
                *(s.id, _expr(s.initial), _expr(s.rate), s.unit, s.label, _origin(s.origin), s.algebraic),
                None if s.fast is None else _expr(s.fast),
            ]
            for s in model.states
        ],
        "parameters": [
            [p.id, p.value, p.unit, None if p.initial is None else _expr(p.initial), p.label, _origin(p.origin)]
            for p in model.parameters
        ],
        "rules": [[r.id, _expr(r.expr), r.unit, r.label, _origin(r.origin), r.rate_of] for r in model.rules],
        "events": [
            [
                e.id,
                _expr(e.time),
                [[target, _expr(expr)] for target, expr in e.assignments],
                None if e.every is None else _expr(e.every),
                e.count,
                _origin(e.origin),
                e.terminal,
            ]
            for e in model.events
        ],
        "state_events": [
            [
                e.id,
                _expr(e.trigger),
                [[target, _expr(expr)] for target, expr in e.assignments],
                e.terminal,
                e.initially,
                _origin(e.origin),
                None if e.delay is None else _expr(e.delay),
                None if e.priority is None else _expr(e.priority),
                e.persistent,
                e.from_trigger_time,
                [[target, _expr(expr)] for target, expr in e.factors],
            ]
            for e in model.state_events
        ],
        "species": [[s.id, s.is_amount, s.size, s.other_unit, s.amount] for s in model.species],
        "annotations": [[a.id, a.sbo, [list(resource) for resource in a.resources]] for a in model.annotations],
    }


def from_document(document: dict[str, Any]) -> OdeModel:
    """The model behind `to_document`; KeyError, TypeError or ValueError if it is not one."""
    return OdeModel(
        id=document["id"],
        name=document["name"],
        time_unit=document["time_unit"],
        remarks=tuple(document["remarks"]),
        origin=_place(document["origin"]),
        states=tuple(
            State(
                name,
                _tree(initial),
                _tree(rate),
                unit,
                label,
                _place(origin),
                algebraic,
                None if fast is None else _tree(fast),
            )
            for name, initial, rate, unit, label, origin, algebraic, fast in document["states"]
        ),
        parameters=tuple(
            Parameter(name, value, unit, None if initial is None else _tree(initial), label, _place(origin))
            for name, value, unit, initial, label, origin in document["parameters"]
        ),
        rules=tuple(
            Rule(name, _tree(expr), unit, label, _place(origin), rate_of)
            for name, expr, unit, label, origin, rate_of in document["rules"]
        ),
        events=tuple(
            TimedEvent(
                name,
                _tree(time),
                tuple((target, _tree(expr)) for target, expr in assignments),
                None if every is None else _tree(every),
                count,
                _place(origin),
                terminal,
            )
            for name, time, assignments, every, count, origin, terminal in document["events"]
        ),
        state_events=tuple(
            StateEvent(
                name,
                _tree(trigger),
                tuple((target, _tree(expr)) for target, expr in assignments),
                terminal,
                initially,
                _place(origin),
                None if delay is None else _tree(delay),
                None if priority is None else _tree(priority),
                persistent,
                early,
                tuple((target, _tree(expr)) for target, expr in factors),
            )
            for (
                name,
                trigger,
                assignments,
                terminal,
                initially,
                origin,
                delay,
                priority,
                persistent,
                early,
                factors,
            ) in document["state_events"]
        ),
        species=tuple(Species(*row) for row in document["species"]),
        annotations=tuple(
            Annotation(name, sbo, tuple((qualifier, uri) for qualifier, uri in resources))
            for name, sbo, resources in document["annotations"]
        ),
    )


def _origin(origin: Origin) -> list[Any]:
    return [origin.file, origin.line]


def _place(origin: list[Any]) -> Origin:
    return Origin(*origin) if origin != [None, None] else NOWHERE


def _expr(expr: Expr) -> Any:
    if isinstance(expr, Num):
        return expr.value
    if isinstance(expr, Sym):
        return expr.name
    if isinstance(expr, Call):
        return [expr.op, *map(_expr, expr.args)]
    return ["time"]


def _tree(data: Any) -> Expr:
    if isinstance(data, str):
        return Sym(data)
    if isinstance(data, list):
        return TIME if data == ["time"] else Call(data[0], tuple(map(_tree, data[1:])))
    return Num(float(data))
