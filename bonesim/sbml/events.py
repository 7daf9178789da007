"""Events: those at known times (`time >= c` and its other spellings), those of states, and those that wait in a queue.

SBML fires an event when its trigger turns from false to true. So one whose trigger is true at the start and declared
true before it never happens, and one that is declared false before the start happens at the start
(Level 3 Version 2 Core, section 4.12). Where the order of plain events does not say enough of what happens at one time
(`sbml.order`), all events of the model wait in a queue (`solve.queue`), which takes more time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Call, Expr, Num, Time, substitute, symbols, walk
from bonesim.model.ode import OdeModel, Origin, Parameter, StateEvent, TimedEvent
from bonesim.model.past import is_delayed
from bonesim.sbml.formulas import RawEvent
from bonesim.sbml.order import Timed, is_number, rank, says_enough

_ZERO = Num(0.0)
_MIRRORED = {"le": "ge", "lt": "gt", "ge": "le", "gt": "lt"}


def with_events(model: OdeModel, raw: Iterable[RawEvent]) -> OdeModel:
    """The model with its events.

    Plain events stand by falling priority, else in order of the file, without those that can never happen; events that
    have to wait in a queue stand in order of the file.
    """
    raw = tuple(raw)
    if any(event.delay not in {None, _ZERO} or not is_number(event.priority) for event in raw):
        return _queued(model, raw)
    events = sorted(raw, key=rank)
    jumping = frozenset(target for event in events for target, _ in event.assignments)
    known = [(event, _known_time(event, model, jumping)) for event in events]
    timed = [
        Timed(event, since[1], when)
        for event, since in known
        if since is not None and (when := _happening(event, *since)) is not None
    ]
    moving = [event for event, since in known if since is None]
    if not says_enough(model, timed, moving):
        return _queued(model, raw)
    return model.with_(
        events=tuple(
            TimedEvent(one.event.id, one.when, one.event.assignments, origin=_origin(one.event)) for one in timed
        ),
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


def _happening(event: RawEvent, relation: str, time: Expr) -> Expr | None:
    """When an event happens whose trigger is true since `time`; None for never."""
    if is_number(time):
        at = float(evaluate(time, {}))
        never = event.initially_true and (at < 0 or (at == 0 and relation == "ge"))
        return None if never else time if at >= 0 else _ZERO
    if event.initially_true:
        later = Call("gt" if relation == "ge" else "ge", (time, _ZERO))
        return Call("piecewise", (time, later, Num(math.inf)))
    return Call("max", (time, _ZERO))
