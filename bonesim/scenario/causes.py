"""Contexts as parts of the model: a mediator leaves its healthy level when the context begins."""

from __future__ import annotations

from dataclasses import dataclass

from bonesim.catalog import Catalog
from bonesim.catalog.schema import Cause, Factor, Number
from bonesim.compose.card import Port
from bonesim.compose.module import Module
from bonesim.errors import InputError
from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import OdeModel, Parameter, State, TimedEvent
from bonesim.pharmacology.schedule import exact_days
from bonesim.scenario.schema import Scenario


@dataclass(frozen=True)
class Causes:
    """The levels of all mediators that the scenario's contexts move, and the mediators by the symbol of their level."""

    model: OdeModel
    factors: dict[str, Factor]
    numbers: dict[str, Number]

    @property
    def module(self) -> Module:
        """The part with its levels on offer, each under the mediator's id."""
        ports = (Port(name=factor.id, direction="out", symbol=level) for level, factor in self.factors.items())
        return Module("", self.model, offers=tuple(ports))


def causes(scenario: Scenario, catalog: Catalog) -> Causes:
    """The part of the model that holds the causes of the scenario's contexts.

    A level follows d(level)/dt = ln 2 / half_time (target - level); the target is the healthy level until the context
    begins, and again once the cause is over.

    Raises
    ------
    InputError
        If two contexts of the scenario move the same mediator.
    """
    parts: list[OdeModel] = []
    factors: dict[str, Factor] = {}
    numbers: dict[str, Number] = {}
    for position, use in enumerate(scenario.context):
        context = catalog.contexts[use.id]
        if context.causes or context.injuries:
            begin = float(exact_days(use.start))  # rounded as doses are, so that the two can fall together
            start = Parameter(f"{use.id}__start", begin, "day", label=f"begin of {use.id}")
            parts.append(OdeModel(use.id, (), (start,)))
        for cause in context.causes:
            level = f"{cause.factor}__level"
            if level in factors:
                raise InputError(
                    f"context '{use.id}' moves {cause.factor}, and so does another context",
                    place=scenario.place(f"context[{position}].id"),
                    remedy="keep one of them",
                )
            factors[level] = catalog.factors[cause.factor]
            numbers |= {f"{cause.factor}__{use.id}": cause.level, f"{cause.factor}__half_time": cause.half_time}
            if cause.lasts:
                numbers[f"{cause.factor}__lasts"] = cause.lasts
            parts.append(_course(use.id, cause, factors[level]))
    model = OdeModel(
        "causes",
        states=tuple(state for part in parts for state in part.states),
        parameters=tuple(parameter for part in parts for parameter in part.parameters),
        events=tuple(event for part in parts for event in part.events),
    )
    return Causes(model, factors, numbers)


def _course(context: str, cause: Cause, factor: Factor) -> OdeModel:
    """The level of one mediator, and the events with which it begins to leave health and to come back."""
    level, target = f"{cause.factor}__level", f"{cause.factor}__target"
    residual, half_time = f"{cause.factor}__{context}", f"{cause.factor}__half_time"
    gap = Call("sub", (Sym(target), Sym(level)))
    rate = Call("div", (Call("mul", (Call("ln", (Num(2.0),)), gap)), Sym(half_time)))
    days, label = cause.half_time.quantity.to("day"), factor.label
    healthy, start = float(factor.healthy), Sym(f"{context}__start")
    model = OdeModel(
        context,
        states=(State(level, Num(healthy), rate, "dimensionless", f"{label}, {factor.unit}"),),
        parameters=(
            Parameter(target, healthy, "dimensionless", label=f"{label}, where the level goes"),
            Parameter(
                residual, cause.level.quantity.to("dimensionless"), "dimensionless", label=f"{label} in {context}"
            ),
            Parameter(half_time, days, "day", label=f"half-time of {label}"),
        ),
        events=(TimedEvent(f"{context}__{cause.factor}", start, ((target, Sym(residual)),)),),
    )
    if cause.lasts is None:
        return model
    lasts = f"{cause.factor}__lasts"
    length = Parameter(lasts, cause.lasts.quantity.to("day"), "day", label=f"how long {label} stay changed")
    end = TimedEvent(f"{context}__{cause.factor}_end", Call("add", (start, Sym(lasts))), ((target, Num(healthy)),))
    return model.with_(parameters=(*model.parameters, length), events=(*model.events, end))
