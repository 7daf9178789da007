"""A model with each of its expressions passed through a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bonesim.model.expr import Expr
from bonesim.model.ode import OdeModel


def rewritten(
    model: OdeModel, number: Callable[[Expr], Expr], condition: Callable[[Expr], Expr] | None = None
) -> OdeModel:
    """The model with `number` of every expression, and `condition`, if given, of triggers."""
    condition = condition or number
    return model.with_(
        states=tuple(replace(state, initial=number(state.initial), rate=number(state.rate)) for state in model.states),
        parameters=tuple(replace(one, initial=one.initial and number(one.initial)) for one in model.parameters),
        rules=tuple(replace(rule, expr=number(rule.expr)) for rule in model.rules),
        events=tuple(
            replace(
                event,
                time=number(event.time),
                every=event.every and number(event.every),
                assignments=tuple((target, number(expr)) for target, expr in event.assignments),
            )
            for event in model.events
        ),
        state_events=tuple(
            replace(
                event,
                trigger=condition(event.trigger),
                delay=event.delay and number(event.delay),
                priority=event.priority and number(event.priority),
                factors=tuple((target, number(expr)) for target, expr in event.factors),
                assignments=tuple((target, number(expr)) for target, expr in event.assignments),
            )
            for event in model.state_events
        ),
    )
