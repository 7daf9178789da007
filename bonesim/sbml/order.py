"""Whether plain events do what SBML asks for where several fall together.

Of events that fall together the one of highest priority happens next, and what it sets may make others due or take
back what is not persistent (SBML Level 3 Version 2 Core, section 4.12). With our plain events the order is that of the
model, those at known times first, and each sees what the one before it has left. That is the same where the order is
that of falling priority, and where nothing is taken back, drawn by lot or set from values before another one.

The answer must not rest on values of parameters, since the members of a batch have their own: events that fall together
for some values are taken to do so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from bonesim.model.derive import subtract
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import TIME, Call, Expr, Sym, rebuild, symbols, walk
from bonesim.model.linear import linear, negative, over
from bonesim.model.ode import OdeModel, Parameter, State
from bonesim.model.past import is_delayed
from bonesim.sbml.formulas import RawEvent

_COMPARISONS = {"ge", "gt", "le", "lt", "eq", "ne"}

_CLOCK = Sym("the time")
"""Stands for time where only a name will do; no id has a space."""

_NEAR = 1e-9
"""How near a turn must be to a time to be taken for one with it."""


@dataclass(frozen=True)
class Timed:
    """An event at a known time: `since` when its trigger is true, `when` it happens."""

    event: RawEvent
    since: Expr
    when: Expr


def rank(event: RawEvent) -> float:
    """Falling priority, which must be a number; events without one come after those with one."""
    return math.inf if event.priority is None else -float(evaluate(event.priority, {}))


def is_number(expr: Expr | None) -> bool:
    """Whether an expression is the same for all members at all times, as it is where there is none."""
    return expr is None or not (symbols(expr) or TIME in walk(expr))


def says_enough(model: OdeModel, timed: Sequence[Timed], moving: Sequence[RawEvent]) -> bool:
    """Whether plain events will do, `timed` and then `moving` ones, both by falling priority."""
    order = _Order(model, timed, moving)
    return not (
        order.priorities_are_crossed()
        or order.one_sees_what_another_left()
        or order.values_are_overtaken()
        or order.one_is_taken_back()
        or order.one_is_set_off_twice()
    )


class _Order:
    """The events of a model, and what is asked of their order.

    known : those at known times, by id
    at : the times that are numbers, by id
    targets, watched, used : what each event sets, and what its trigger and the values that it sets rest on, directly or
        through rules
    edges, risen : when the trigger of each moving event may turn, and what it compares
    """

    def __init__(self, model: OdeModel, timed: Sequence[Timed], moving: Sequence[RawEvent]) -> None:
        self.model, self.moving = model, moving
        self.events = [*(one.event for one in timed), *moving]
        self.known = {one.event.id: one for one in timed}
        self.at = {one.event.id: float(evaluate(one.when, {})) for one in timed if is_number(one.when)}
        self.targets = {event.id: frozenset(target for target, _ in event.assignments) for event in self.events}
        self.jumping = frozenset().union(*self.targets.values())
        self.watched = {event.id: self._with_rules(symbols(event.trigger)) for event in self.events}
        self.used = {event.id: self._with_rules(_read(event)) for event in self.events}
        self.edges = {event.id: self._edges(event) for event in moving}
        self.risen = {event.id: _risen(event.trigger) for event in moving}

    def priorities_are_crossed(self) -> bool:
        """Whether an event of a state would come before one at a known time."""
        lowest = max((rank(one.event) for one in self.known.values()), default=-math.inf)
        return any(rank(event) < lowest for event in self.moving)

    def one_sees_what_another_left(self) -> bool:
        """Whether two events may fall together, and then do otherwise than plain ones."""
        return any(self._clash(first, second) and self._meet(first, second) for first, second in self._pairs())

    def values_are_overtaken(self) -> bool:
        """Whether what one event may set off takes values from before another one that falls together with it."""
        for event in self.moving:
            if event.from_trigger_time:
                others = [other.id for other in self.events if other is not event]
                before = {other for other in others if self.targets[other] & self.watched[event.id]}
                after = {other for other in others if self.targets[other] & self.used[event.id]}
                for first, second in self._pairs() if before and after else ():
                    either = (first.id in before and second.id in after) or (second.id in before and first.id in after)
                    if either and self._meet(first, second):
                        return True
        return False

    def one_is_taken_back(self) -> bool:
        """Whether an event of a state is not persistent, and another one may turn its trigger to false."""
        return any(
            not event.persistent
            and any(self.targets[other.id] & self.watched[event.id] for other in self.events if other is not event)
            for event in self.moving
        )

    def one_is_set_off_twice(self) -> bool:
        """Whether events that come first may turn a trigger to false and to true again, and twice is not once."""
        for place, event in enumerate(self.events):
            if event.id in self.known or event.from_trigger_time or not self.targets[event.id] & self.used[event.id]:
                continue
            movers = [other for other in self.events[:place] if self.targets[other.id] & self.watched[event.id]]
            for first, second in combinations(movers, 2):
                if self._meet(first, second) and (
                    self._meet(first, event)
                    or any(self._meet(second, third) for third in movers if third not in (first, second))
                ):
                    return True
        return False

    def _pairs(self) -> Iterator[tuple[RawEvent, RawEvent]]:
        """Pairs of events in their order, without those at times that are different numbers."""
        earlier: list[RawEvent] = []
        loose: list[RawEvent] = []
        by_time: dict[float, list[RawEvent]] = {}
        for event in self.events:
            at = self.at.get(event.id)
            same = loose if at is None else by_time.setdefault(at, [])
            yield from ((other, event) for other in (earlier if at is None else (*loose, *same)))
            earlier.append(event)
            same.append(event)

    def _clash(self, first: RawEvent, second: RawEvent) -> bool:
        """Whether two events that fall together may do otherwise than plain ones, the second after the first."""
        here, there = self.targets[first.id], self.targets[second.id]
        if first.priority is not None and second.priority is not None and rank(first) == rank(second):
            same = {target for target, _ in set(first.assignments) & set(second.assignments)}
            return bool((here & there) - same or here & self.used[second.id] or there & self.used[first.id])
        return second.from_trigger_time and bool(here & self.used[second.id])

    def _meet(self, first: RawEvent, second: RawEvent) -> bool:
        """Whether two events may fall together, but for what states happen to be."""
        one, other = sorted((first, second), key=lambda event: event.id not in self.known)
        if one.id in self.at and other.id in self.at:
            return self.at[one.id] == self.at[other.id]
        if other.id in self.known:
            return _may_meet(self.known[one.id], self.known[other.id])
        if one.id in self.known:
            return self._turns_at(other, self.known[one.id])
        return self._turn_together(one, other)

    def _turns_at(self, event: RawEvent, one: Timed) -> bool:
        """Whether an event of a state turns when another one happens: at the start, or at its time."""
        at_start = self.at.get(one.event.id, 0.0) <= 0
        return (_may_begin(event) and at_start) or any(_coincide(edge, one.since) for edge in self.edges[event.id])

    def _turn_together(self, first: RawEvent, second: RawEvent) -> bool:
        """Of one trigger or comparison, at the start, at one time, or where a third event sets what turns both."""
        if first.trigger == second.trigger or self.risen[first.id] & self.risen[second.id]:
            return True
        if _may_begin(first) and _may_begin(second):
            return True
        if any(_coincide(*edges) for edges in product(self.edges[first.id], self.edges[second.id])):
            return True
        others = (self.targets[event.id] for event in self.events if event is not first and event is not second)
        return any(targets & self.watched[first.id] and targets & self.watched[second.id] for targets in others)

    def _edges(self, event: RawEvent) -> list[Expr | None]:
        """When a trigger may turn, whatever states do (`_edge`); None for any time."""
        edges: list[Expr | None] = []
        if is_delayed(event.trigger) or any(
            TIME in walk(rule.expr) for rule in self.model.rules if rule.id in self.watched[event.id]
        ):
            edges.append(None)
        for node in walk(event.trigger):
            if isinstance(node, Call) and node.op in _COMPARISONS and TIME in walk(node):
                kinds = {type(self.model.by_id.get(name)) for name in symbols(node)}
                if State not in kinds:
                    edges.append(_edge(node) if kinds <= {Parameter} and not symbols(node) & self.jumping else None)
        return edges

    def _with_rules(self, names: Iterable[str]) -> frozenset[str]:
        found = set(names)
        for rule in reversed(self.model.rules):
            if rule.id in found:
                found |= symbols(rule.expr)
        return frozenset(found)


def _risen(trigger: Expr) -> set[tuple[Expr, ...]]:
    """What a trigger compares, the greater side first, strictly or not; triggers with one in common turn at once."""
    calls = [node for node in walk(trigger) if isinstance(node, Call)]
    greater = {node.args for node in calls if node.op in {"ge", "gt"}}
    return greater | {node.args[::-1] for node in calls if node.op in {"le", "lt"}}


def _read(event: RawEvent) -> frozenset[str]:
    return frozenset(name for _, expr in event.assignments for name in symbols(expr))


def _may_begin(event: RawEvent) -> bool:
    """Whether an event of a state may happen at the start, for some values of parameters and states."""
    return not event.initially_true and (not is_number(event.trigger) or bool(evaluate(event.trigger, {})))


def _may_meet(first: Timed, second: Timed) -> bool:
    """Whether two events, of which one has no number for its time, fall together for some values of the parameters.

    At the start, which one with a trigger declared false does not miss, several times become one.
    """
    if not (first.event.initially_true and second.event.initially_true):
        return True
    return _coincide(first.since, second.since)


def _edge(comparison: Call) -> Expr:
    """The time at which a comparison turns, where it is affine in time; else what is 0 there, as a function of time."""
    gap = rebuild(subtract(*comparison.args), lambda leaf: _CLOCK if leaf == TIME else leaf)
    found = linear(gap, _CLOCK.name)
    return gap if found is None else over(negative(found[1]), found[0])


def _coincide(one: Expr | None, other: Expr | None) -> bool:
    """Whether two edges are one for some values; times are not where their difference is a number, but for 0."""
    if one is None or other is None or one == other:
        return True
    bent = [edge for edge in (one, other) if _CLOCK.name in symbols(edge)]
    if bent:
        return len(symbols(one) | symbols(other)) > 1 or (len(bent) == 1 and _is_zero_at(one, other))
    for name in sorted(symbols(one) | symbols(other)):
        here, there = linear(one, name), linear(other, name)
        if here is None or there is None or not _same(here[0], there[0]):
            return True
        one, other = here[1], there[1]
    return _same(one, other)


def _is_zero_at(one: Expr, other: Expr) -> bool:
    """Whether a function of time is 0 at a time, up to rounding; either may be the function."""
    gap, at = (one, other) if symbols(one) else (other, one)
    time = float(evaluate(at, {}))
    before, after = (float(evaluate(gap, {_CLOCK.name: time + shift})) for shift in (-_NEAR, _NEAR))
    return (before > 0) != (after > 0)


def _same(one: Expr, other: Expr) -> bool:
    """Whether two expressions are written alike, or are the same number."""
    return one == other or (is_number(one) and is_number(other) and evaluate(one, {}) == evaluate(other, {}))
