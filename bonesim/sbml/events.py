"""Events at known times: `time >= c` and its other spellings.

SBML fires an event when its trigger turns from false to true. So one whose trigger is true at the start and declared
true before it never happens, and one that is declared false before the start happens at the start
(Level 3 Version 2 Core, section 4.12).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from bonesim.errors import InputError
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Call, Expr, Num, Time, substitute, symbols, walk
from bonesim.model.ode import OdeModel, Origin, Parameter, TimedEvent
from bonesim.sbml.formulas import RawEvent
from bonesim.sbml.supported import refuse

_ZERO = Num(0.0)
_MIRRORED = {"le": "ge", "lt": "gt", "ge": "le", "gt": "lt"}


def timed_events(raw: Iterable[RawEvent], model: OdeModel, values: Mapping[str, float]) -> tuple[TimedEvent, ...]:
    """The events by falling priority, else in order of the file, without those that can never happen.

    `values` are those at the start.

    Raises
    ------
    UnsupportedModelError
        If a trigger is no comparison of the time with constants, or events at one time depend on each other.
    """
    events = sorted(raw, key=lambda event: -event.priority)
    jumping = frozenset(target for event in events for target, _ in event.assignments)
    problems: list[InputError] = []
    timed: list[tuple[RawEvent, Expr]] = []
    for event in events:
        try:
            time = _time(event, model, values, jumping)
        except InputError as error:
            problems.append(error)
        else:
            timed += [(event, time)] if time is not None else []
    problems += _conflicts(timed, model, values)
    if problems:
        raise InputError.together(problems)
    return tuple(
        TimedEvent(event.id, time, event.assignments, origin=Origin(event.where.place.file, event.where.place.line))
        for event, time in timed
    )


def _time(event: RawEvent, model: OdeModel, values: Mapping[str, float], jumping: frozenset[str]) -> Expr | None:
    """When the event happens; None for never."""
    relation, time = _comparison(event)
    for rule in reversed(model.rules):
        time = substitute(time, {rule.id: rule.expr})
    kinds = {name: model.by_id.get(name) for name in symbols(time)}
    if any(isinstance(node, Time) for node in walk(time)) or not all(isinstance(s, Parameter) for s in kinds.values()):
        raise refuse("state_event", event.where.what, event.where.place)
    if jumping & kinds.keys():
        raise refuse("moving_event", event.where.what, event.where.place)
    at = float(evaluate(time, values))
    if isinstance(time, Num):
        never = event.initially_true and (at < 0 or (at == 0 and relation == "ge"))
        return None if never else Num(max(at, 0.0))
    if event.initially_true:
        later = Call("gt" if relation == "ge" else "ge", (time, _ZERO))
        return Call("piecewise", (time, later, Num(math.inf)))
    return time if at >= 0 else Call("max", (time, _ZERO))


def _comparison(event: RawEvent) -> tuple[str, Expr]:
    """`ge` or `gt`, and what the time is compared with."""
    trigger = event.trigger
    if isinstance(trigger, Call) and trigger.op in _MIRRORED:
        left, right = trigger.args
        relation, other = (trigger.op, right) if isinstance(left, Time) else (_MIRRORED[trigger.op], left)
        if isinstance(left, Time) != isinstance(right, Time) and relation in {"ge", "gt"}:
            return relation, other
    raise refuse("state_event", event.where.what, event.where.place)


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
        one, two = _touched(first, model), _touched(second, model)
        if _targets(first) & two or _targets(second) & one:
            yield refuse("event_conflict", f"events '{first.id}' and '{second.id}'", second.where.place)


def _targets(event: RawEvent) -> frozenset[str]:
    return frozenset(target for target, _ in event.assignments)


def _touched(event: RawEvent, model: OdeModel) -> frozenset[str]:
    """What an event sets, and what it uses directly or through rules."""
    names = set(_targets(event)).union(*(symbols(expr) for _, expr in event.assignments))
    for rule in reversed(model.rules):
        if rule.id in names:
            names |= symbols(rule.expr)
    return frozenset(names)
