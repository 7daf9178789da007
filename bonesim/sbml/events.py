"""Events: those at known times (`time >= c` and its other spellings), those of states, and those that wait in a queue.

SBML fires an event when its trigger turns from false to true. So one whose trigger is true at the start and declared
true before it never happens, and one that is declared false before the start happens at the start
(Level 3 Version 2 Core, section 4.12). Of events that fall together the one of highest priority happens next, and what
it sets may make others due or take back what is not persistent: with our plain events, whose order is that of the
model, it is the same where the order is that of falling priority, events at known times first, and where nothing is
delayed, taken back, drawn by lot or set from values before another one. Else all events of the model wait in a queue
(`solve.queue`), which knows all of this and takes more time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from bonesim.model.evaluate import evaluate
from bonesim.model.expr import TIME, Call, Expr, Num, Time, substitute, symbols, walk
from bonesim.model.ode import OdeModel, Origin, Parameter, StateEvent, TimedEvent
from bonesim.model.past import is_delayed
from bonesim.sbml.formulas import RawEvent

_ZERO = Num(0.0)
_MIRRORED = {"le": "ge", "lt": "gt", "ge": "le", "gt": "lt"}


def with_events(model: OdeModel, raw: Iterable[RawEvent], values: Mapping[str, float]) -> OdeModel:
    """The model with its events, `values` being those at the start.

    Plain events stand by falling priority, else in order of the file, without those that can never happen; events that
    have to wait in a queue stand in order of the file.
    """
    raw = tuple(raw)
    if any(event.delay not in {None, _ZERO} or not _is_number(event.priority) for event in raw):
        return _queued(model, raw)
    events = sorted(raw, key=_rank)
    jumping = frozenset(target for event in events for target, _ in event.assignments)
    known = [(event, _known_time(event, model, jumping)) for event in events]
    timed = [
        (event, time)
        for event, since in known
        if since is not None and (time := _time(event, *since, values)) is not None
    ]
    moving = [event for event, since in known if since is None]
    if (
        _conflict(timed, model, values)
        or _moving_conflict(moving, events, model, values)
        or _misplaced(timed, moving)
        or _taken_back(moving, events, model)
    ):
        return _queued(model, raw)
    return model.with_(
        events=tuple(TimedEvent(event.id, time, event.assignments, origin=_origin(event)) for event, time in timed),
        state_events=tuple(
            StateEvent(
                event.id, event.trigger, event.assignments, initially=event.initially_true, origin=_origin(event)
            )
            for event in moving
        ),
    )


def _queued(model: OdeModel, raw: Iterable[RawEvent]) -> OdeModel:
    """The model with all its events as written."""
    return model.with_(
        state_events=tuple(
            StateEvent(
                event.id,
                event.trigger,
                event.assignments,
                initially=event.initially_true,
                origin=_origin(event),
                delay=None if event.delay == _ZERO else event.delay,
                priority=event.priority,
                persistent=event.persistent,
                from_trigger_time=event.from_trigger_time,
            )
            for event in raw
        )
    )


def _origin(event: RawEvent) -> Origin:
    return Origin(event.where.place.file, event.where.place.line)


def _is_number(priority: Expr | None) -> bool:
    """Whether a priority is known before the start, as it is where there is none."""
    return priority is None or not (symbols(priority) or TIME in walk(priority))


def _rank(event: RawEvent) -> float:
    """Falling priority; events without one come after those with one."""
    return math.inf if event.priority is None else -float(evaluate(event.priority, {}))


def _known_time(event: RawEvent, model: OdeModel, jumping: frozenset[str]) -> tuple[str, Expr] | None:
    """`ge` or `gt` and what the time is compared with, if that is made of constants."""
    trigger = event.trigger
    if not isinstance(trigger, Call) or trigger.op not in _MIRRORED:
        return None
    left, right = trigger.args
    relation, time = (trigger.op, right) if isinstance(left, Time) else (_MIRRORED[trigger.op], left)
    if isinstance(left, Time) == isinstance(right, Time) or relation not in {"ge", "gt"}:
        return None
    for rule in reversed(model.rules):
        time = substitute(time, {rule.id: rule.expr})
    constant = all(isinstance(model.by_id.get(name), Parameter) for name in symbols(time))
    if (
        not constant
        or jumping & symbols(time)
        or is_delayed(time)
        or any(isinstance(node, Time) for node in walk(time))
    ):
        return None
    return relation, time


def _time(event: RawEvent, relation: str, time: Expr, values: Mapping[str, float]) -> Expr | None:
    """When the event happens; None for never."""
    at = float(evaluate(time, values))
    if isinstance(time, Num):
        never = event.initially_true and (at < 0 or (at == 0 and relation == "ge"))
        return None if never else Num(max(at, 0.0))
    if event.initially_true:
        later = Call("gt" if relation == "ge" else "ge", (time, _ZERO))
        return Call("piecewise", (time, later, Num(math.inf)))
    return time if at >= 0 else Call("max", (time, _ZERO))


def _conflict(timed: Sequence[tuple[RawEvent, Expr]], model: OdeModel, values: Mapping[str, float]) -> bool:
    """Whether the order of two events at one time matters, and is not that of plain events.

    Of these the second sees what the first has left, and equal priorities keep the order of the file.
    """
    return any(
        float(evaluate(when, values)) == float(evaluate(then, values)) and _clash(first, second, model)
        for (first, when), (second, then) in combinations(timed, 2)
    )


def _moving_conflict(
    moving: Sequence[RawEvent], events: Sequence[RawEvent], model: OdeModel, values: Mapping[str, float]
) -> bool:
    """The same of state events: of one trigger, both at the start, or where what a third one sets may turn both."""
    at_start = {event.id for event in moving if not event.initially_true and evaluate(event.trigger, values)}
    watched = {event.id: _with_rules(symbols(event.trigger), model) for event in moving}

    def together(first: RawEvent, second: RawEvent) -> bool:
        if first.trigger == second.trigger or {first.id, second.id} <= at_start:
            return True
        others = (_targets(event) for event in events if event is not first and event is not second)
        return any(targets & watched[first.id] and targets & watched[second.id] for targets in others)

    return any(_clash(first, second, model) and together(first, second) for first, second in combinations(moving, 2))


def _clash(first: RawEvent, second: RawEvent, model: OdeModel) -> bool:
    """Whether one of two events uses, or sets otherwise, what the other sets, with values from before or by lot."""
    by_lot = first.priority is not None and second.priority is not None and _rank(first) == _rank(second)
    if not (first.from_trigger_time or second.from_trigger_time or by_lot):
        return False
    same = {target for target, _ in set(first.assignments) & set(second.assignments)}
    return bool(_targets(first) & _touched(second, same, model) or _targets(second) & _touched(first, same, model))


def _misplaced(timed: Sequence[tuple[RawEvent, Expr]], moving: Sequence[RawEvent]) -> bool:
    """Whether state events would come before an event at a known time."""
    lowest = max((_rank(event) for event, _ in timed), default=-math.inf)
    return any(_rank(event) < lowest for event in moving)


def _taken_back(moving: Sequence[RawEvent], events: Sequence[RawEvent], model: OdeModel) -> bool:
    """Whether a state event is not persistent, and another event may turn its trigger to false."""
    return any(
        not event.persistent
        and any(_targets(other) & _with_rules(symbols(event.trigger), model) for other in events if other is not event)
        for event in moving
    )


def _targets(event: RawEvent) -> frozenset[str]:
    return frozenset(target for target, _ in event.assignments)


def _touched(event: RawEvent, same: set[str], model: OdeModel) -> frozenset[str]:
    """What an event sets, but for the `same`, and what it uses directly or through rules."""
    targets = _targets(event) - same
    return _with_rules(targets.union(*(symbols(expr) for _, expr in event.assignments)), model)


def _with_rules(names: Iterable[str], model: OdeModel) -> frozenset[str]:
    """Symbols, and what they rest on through rules."""
    found = set(names)
    for rule in reversed(model.rules):
        if rule.id in found:
            found |= symbols(rule.expr)
    return frozenset(found)
