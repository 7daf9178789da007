"""OdeModel, the waist of the program: states, parameters, rules and events of one flat model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from bonesim.errors import InputError, Place, closest
from bonesim.model.expr import Expr


@dataclass(frozen=True)
class Origin:
    """Where a line of the model came from; carried along for messages, never part of a model's identity."""

    file: str | None = None
    line: int | None = None

    @property
    def place(self) -> Place | None:
        """The same for a message; None where no file is known."""
        return Place(self.file, self.line) if self.file else None


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

    A state with `fast` moves by that infinitely fast, beside its rate: from `initial`, and after each event, it goes to
    where `fast` leads it, and rests there while other states move.
    """

    id: str
    initial: Expr
    rate: Expr
    unit: str = ""
    label: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    algebraic: bool = field(default=False, repr=False)
    fast: Expr | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Rule:
    """An algebraic quantity: id = `expr` at every time.

    With `rate_of` it is the rate of change of that symbol, which matters to delayed values alone: before the start
    nothing moves by its rate.
    """

    id: str
    expr: Expr
    unit: str = ""
    label: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    rate_of: str = field(default="", repr=False)


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

    An event with one of the following *waits* in a queue from its trigger to its execution (`solve.queue`), and so do
    all state events of its model:

    delay : how long it waits, as it is when the trigger turns
    priority : of events that are due together the one with the highest happens next, as it is then; equal ones by
        lot, those without one last
    persistent : where it is not, the event does not happen if its trigger turns back to false before
    from_trigger_time : its expressions are taken when the trigger turns
    factors : of some of the symbols it sets, by what their values are multiplied when they are set, as it is just
        before: a concentration times the size of then is an amount
    """

    id: str
    trigger: Expr
    assignments: tuple[tuple[str, Expr], ...]
    terminal: bool = False
    initially: bool = True
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    delay: Expr | None = field(default=None, repr=False)
    priority: Expr | None = field(default=None, repr=False)
    persistent: bool = field(default=True, repr=False)
    from_trigger_time: bool = field(default=False, repr=False)
    factors: tuple[tuple[str, Expr], ...] = field(default=(), repr=False)

    @property
    def waits(self) -> bool:
        """Whether it says more of when it happens than its trigger does; without that, it has no factors."""
        return self.delay is not None or self.priority is not None or not self.persistent or self.from_trigger_time


@dataclass(frozen=True)
class Species:
    """What the symbol `id` says of a substance: its amount, or its concentration in a compartment.

    `size` is the symbol of the compartment's size, None where it has none; `other_unit` is the unit of what the
    symbol does not say, "" where it is not known. Where the size changes, the symbol of a concentration is a rule, and
    `amount` is the state or parameter that it rests on.
    """

    id: str
    is_amount: bool
    size: str | None = None
    other_unit: str = ""
    amount: str | None = None


@dataclass(frozen=True)
class Annotation:
    """What the symbol `id` is in the words of others; "" stands for the model itself.

    sbo : a term of the Systems Biology Ontology, `SBO:0000002`
    resources : (qualifier, URI), such as `bqbiol:is` and that of a protein
    """

    id: str
    sbo: str = ""
    resources: tuple[tuple[str, str], ...] = ()


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
    species: tuple[Species, ...] = field(default=(), repr=False, compare=False)
    """How symbols are read; the equations do not rest on it, so it is not part of a model's identity."""
    annotations: tuple[Annotation, ...] = field(default=(), repr=False, compare=False)
    """What the model and its symbols are in the words of others; no part of its identity either."""
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
        if fast := [(state.id, state.fast) for state in self.states if state.fast is not None]:
            text += f"fast {fast}"
        if self.queued:
            waiting = [
                (one.delay, one.priority, one.persistent, one.from_trigger_time, one.factors)
                for one in self.state_events
            ]
            text += f"queued {waiting}"
        if rates := [(rule.id, rule.rate_of) for rule in self.rules if rule.rate_of]:
            text += f"rates {rates}"
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def queued(self) -> bool:
        """Whether its state events wait in a queue, since one of them says more than the order of the model does."""
        return any(event.waits for event in self.state_events)

    def without_constraints(self, what: str) -> OdeModel:
        """The model, for `what` works with rates alone.

        Raises
        ------
        InputError
            If a state is algebraic or fast.
        """
        algebraic = [self.public_name(state.id) for state in self.states if state.algebraic or state.fast is not None]
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
