"""OdeModel, the waist of the program: states, parameters, rules and events of one flat model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from bonesim.errors import InputError, closest
from bonesim.model.expr import Expr


@dataclass(frozen=True)
class Origin:
    """Where a line of the model came from; carried along for messages, never part of a model's identity."""

    file: str | None = None
    line: int | None = None


NOWHERE = Origin()


@dataclass(frozen=True)
class Parameter:
    """A number that is constant between jumps. `initial` (an initial assignment) wins over `value`."""

    id: str
    value: float
    unit: str = ""
    initial: Expr | None = None
    label: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class State:
    """A quantity with a rate of change: d(id)/dt = `rate`, starting at `initial`.

    An `algebraic` state has no rate: it takes the value at which constraints hold, as many as there are such states.
    `rate` is one of them then, an expression that is 0 at every time, and `initial` a first guess.
    """

    id: str
    initial: Expr
    rate: Expr
    unit: str = ""
    label: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    algebraic: bool = field(default=False, repr=False)


@dataclass(frozen=True)
class Rule:
    """An algebraic quantity: id = `expr` at every time."""

    id: str
    expr: Expr
    unit: str = ""
    label: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class TimedEvent:
    """At `time` each symbol jumps to its expression; repeated `count` times, `every` apart.

    Times are expressions of parameters alone: a dose is known before the solver starts. All expressions of one
    event are taken with the values just before it. Events that fall together happen in the order of the model,
    each seeing what the one before it left, so that two doses into one compartment add up. A `terminal` event ends
    the simulation with the values after it.
    """

    id: str
    time: Expr
    assignments: tuple[tuple[str, Expr], ...]
    every: Expr | None = None
    count: int = 1
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    terminal: bool = field(default=False, repr=False)


@dataclass(frozen=True)
class StateEvent:
    """When `trigger` turns from false to true, each symbol jumps to its expression.

    The trigger is a condition over states, time, parameters and rules. With `initially` it counts as true before the
    start, so that one that is true there does not happen; without, it happens at the start. All expressions of one
    event are taken with the values just before it. Events that fall together happen in the order of the model, timed
    ones first, each seeing what the one before it left. A `terminal` event ends the simulation with the values after
    it.
    """

    id: str
    trigger: Expr
    assignments: tuple[tuple[str, Expr], ...]
    terminal: bool = False
    initially: bool = True
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class OdeModel:
    """One flat model. Rules stand in an order in which each uses only earlier ones (`model.check.ordered`).

    `remarks` say what was left aside of the file that the model came from.
    """

    id: str
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...] = ()
    rules: tuple[Rule, ...] = ()
    events: tuple[TimedEvent, ...] = ()
    name: str = ""
    time_unit: str = "day"
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    state_events: tuple[StateEvent, ...] = field(default=(), repr=False)
    remarks: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def symbols(self) -> Iterator[State | Parameter | Rule]:
        """States, parameters and rules, in this order."""
        yield from self.states
        yield from self.parameters
        yield from self.rules

    @cached_property
    def by_id(self) -> dict[str, State | Parameter | Rule]:
        """Every symbol by its id."""
        return {symbol.id: symbol for symbol in self.symbols()}

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of what the model says: equal models hash alike, whatever file they came from."""
        # What few models have is added where it is, so that stored results still know the others.
        rare = (self.state_events, [event.id for event in self.events if event.terminal])
        text = f"{self!r}{rare if any(rare) else ''}"
        if algebraic := [state.id for state in self.states if state.algebraic]:
            text += f"algebraic {algebraic}"
        return hashlib.sha256(text.encode()).hexdigest()

    def without_constraints(self, what: str) -> OdeModel:
        """The model, for `what` works with rates alone.

        Raises
        ------
        InputError
            If a state is algebraic.
        """
        algebraic = [self.public_name(state.id) for state in self.states if state.algebraic]
        if algebraic:
            names = ", ".join(f"'{name}'" for name in algebraic)
            raise InputError(
                f"{what} knows no constraints, and these determine {names}",
                remedy="write it as a rule where it can be written so, or leave this out",
            )
        return self

    def resolve(self, name: str) -> str:
        """The flat id behind a user's name: `core.OBp`, `core__OBp`, or its end, such as `OBp`, where one part has it.

        Raises
        ------
        InputError
            If nothing has that name (nearest names offered) or several parts have it (all are listed).
        """
        flat = name.replace(".", "__")
        if flat in self.by_id:
            return flat
        parts = self.short_names.get(flat) or tuple(one for one in self.by_id if one.endswith(f"__{flat}"))
        if len(parts) == 1:
            return parts[0]
        if parts:
            choices = ", ".join(part.replace("__", ".") for part in parts)
            raise InputError(f"'{name}' is the name of several quantities", remedy=f"write one of {choices}")
        raise InputError(f"the model has no quantity '{name}'", remedy=closest(name, sorted(self.short_names)))

    @cached_property
    def short_names(self) -> dict[str, tuple[str, ...]]:
        """Plain names (what stands after the last `__`) with the flat ids that carry them."""
        names: dict[str, list[str]] = {}
        for symbol_id in self.by_id:
            names.setdefault(_short(symbol_id), []).append(symbol_id)
        return {short: tuple(ids) for short, ids in names.items()}

    def public_name(self, symbol_id: str) -> str:
        """The name users see: plain where it is unique, otherwise with its part in front (`core.OBp`)."""
        short = _short(symbol_id)
        return short if len(self.short_names.get(short, ())) == 1 else symbol_id.replace("__", ".")

    def with_(self, **changes: Any) -> OdeModel:
        """A copy with some fields replaced."""
        return replace(self, **changes)


def _short(symbol_id: str) -> str:
    return symbol_id.rpartition("__")[2] or symbol_id
