"""Events: those at known times (`time >= c` and its other spellings), and those of states.

SBML fires an event when its trigger turns from false to true. So one whose trigger is true at the start and declared
true before it never happens, and one that is declared false before the start happens at the start
(Level 3 Version 2 Core, section 4.12). Of events that fall together the one of highest priority happens next, and what
it sets may make others due or take back what is not persistent: with ours, whose order is that of the model, it is the
same where the order is that of falling priority, events at known times first, and where nothing is taken back. State
events that a third one sets off together take their values one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from bonesim.errors import InputError
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Call, Expr, Num, Time, substitute, symbols, walk
from bonesim.model.ode import OdeModel, Origin, Parameter, StateEvent, TimedEvent
from bonesim.model.past import is_delayed
from bonesim.sbml.formulas import RawEvent
from bonesim.sbml.supported import refuse

_ZERO = Num(0.0)
_MIRRORED = {"le": "ge", "lt": "gt", "ge": "le", "gt": "lt"}


def with_events(model: OdeModel, raw: Iterable[RawEvent], values: Mapping[str, float]) -> OdeModel:
    """The model with its events by falling priority, else in order of the file, without those that can never happen.

    `values` are those at the start.

    Raises
    ------
    UnsupportedModelError
        If events at one time depend on each other, or on their order, in a way that ours do not.
    """
    events = sorted(raw, key=lambda event: -event.priority)
    jumping = frozenset(target for event in events for target, _ in event.assignments)
    known = [(event, _known_time(event, model, jumping)) for event in events]
    timed = [
        (event, time)
        for event, since in known
        if since is not None and (time := _time(event, *since, values)) is not None
    ]
    moving = [event for event, since in known if since is None]
    problems = [
        *_conflicts(timed, model, values),
        *_state_conflicts(moving, model, values),
        *_misplaced(timed, moving),
        *_taken_back(moving, events, model),
    ]
    if problems:
        raise InputError.together(problems)
    return model.with_(
        events=tuple(TimedEvent(event.id, time, event.assignments, origin=_origin(event)) for event, time in timed),
        state_events=tuple(
            StateEvent(
                event.id, event.trigger, event.assignments, initially=event.initially_true, origin=_origin(event)
            )
            for event in moving
        ),
    )


def _origin(event: RawEvent) -> Origin:
    return Origin(event.where.place.file, event.where.place.line)


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


def _conflicts(
    timed: Sequence[tuple[RawEvent, Expr]], model: OdeModel, values: Mapping[str, float]
) -> Iterable[InputError]:
    """Events at one time of which one sets what another sets or uses, and that keep values from before both.

    Our events that fall together see what the one before has left.
    """
    for (first, when), (second, then) in combinations(timed, 2):
        if not (first.from_trigger_time or second.from_trigger_time):
            continue
        if float(evaluate(when, values)) != float(evaluate(then, values)):
            continue
        if _overlap(first, second, model):
            yield refuse("event_conflict", f"events '{first.id}' and '{second.id}'", second.where.place)


def _state_conflicts(moving: Sequence[RawEvent], model: OdeModel, values: Mapping[str, float]) -> Iterable[InputError]:
    """The same of state events that are known to fall together: with one trigger, or both at the start."""
    at_start = {event.id for event in moving if not event.initially_true and evaluate(event.trigger, values)}
    for first, second in combinations(moving, 2):
        together = first.trigger == second.trigger or {first.id, second.id} <= at_start
        if together and (first.from_trigger_time or second.from_trigger_time) and _overlap(first, second, model):
            yield refuse("event_conflict", f"events '{first.id}' and '{second.id}'", second.where.place)


def _misplaced(timed: Sequence[tuple[RawEvent, Expr]], moving: Sequence[RawEvent]) -> Iterable[InputError]:
    """State events that would come before an event at a known time."""
    lowest = min((event.priority for event, _ in timed), default=math.inf)
    for event in moving:
        if event.priority > lowest:
            yield refuse("state_event_priority", event.where.what, event.where.place)


def _taken_back(moving: Sequence[RawEvent], events: Sequence[RawEvent], model: OdeModel) -> Iterable[InputError]:
    """State events that are not persistent and whose trigger another event may turn to false."""
    for event in moving:
        used = _with_rules(symbols(event.trigger), model)
        if not event.persistent and any(_targets(other) & used for other in events if other is not event):
            yield refuse("event_persistence", event.where.what, event.where.place)


def _overlap(first: RawEvent, second: RawEvent, model: OdeModel) -> bool:
    """Whether one of two events sets what the other sets or uses."""
    return bool(_targets(first) & _touched(second, model) or _targets(second) & _touched(first, model))


def _targets(event: RawEvent) -> frozenset[str]:
    return frozenset(target for target, _ in event.assignments)


def _touched(event: RawEvent, model: OdeModel) -> frozenset[str]:
    """What an event sets, and what it uses directly or through rules."""
    return _with_rules(_targets(event).union(*(symbols(expr) for _, expr in event.assignments)), model)


def _with_rules(names: Iterable[str], model: OdeModel) -> frozenset[str]:
    """Symbols, and what they rest on through rules."""
    found = set(names)
    for rule in reversed(model.rules):
        if rule.id in found:
            found |= symbols(rule.expr)
    return frozenset(found)
