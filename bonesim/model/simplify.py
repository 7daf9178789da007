"""A model with some of its symbols as plain numbers, and without the parameters that nothing uses then."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from bonesim.model.expr import Expr, Num, substitute, symbols
from bonesim.model.ode import OdeModel


def simplified(model: OdeModel, values: Mapping[str, float], kept: Collection[str] = ()) -> OdeModel:
    """The model with numbers in the place of these symbols, states among them, which lose their equations.

    Parameters that no equation uses any more go too, but for those in `kept`. For models without events.
    """
    numbers: dict[str, Expr] = {name: Num(value) for name, value in values.items()}
    model = model.with_(
        states=tuple(
            replace(state, initial=substitute(state.initial, numbers), rate=substitute(state.rate, numbers))
            for state in model.states
            if state.id not in numbers
        ),
        parameters=tuple(
            replace(one, initial=None if one.initial is None else substitute(one.initial, numbers))
            for one in model.parameters
            if one.id not in numbers
        ),
        rules=tuple(
            replace(rule, expr=substitute(rule.expr, numbers)) for rule in model.rules if rule.id not in numbers
        ),
    )
    while unused := {one.id for one in model.parameters} - {*kept, *_used(model)}:
        model = model.with_(parameters=tuple(one for one in model.parameters if one.id not in unused))
    return model


def _used(model: OdeModel) -> Iterator[str]:
    """Symbols that stand in an equation."""
    for state in model.states:
        yield from symbols(state.initial) | symbols(state.rate)
    for parameter in model.parameters:
        if parameter.initial is not None:
            yield from symbols(parameter.initial)
    for rule in model.rules:
        yield from symbols(rule.expr)
