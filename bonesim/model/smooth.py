"""Whether the rates of a model can be differentiated along its course: no jump where a state crosses a limit.

A kink is harmless. A jump at a time that is the same for all values of the parameters asked for is harmless too, since
the slopes go through it unchanged. At a jump that a state meets, the time of the crossing depends on the parameters,
which would need a term of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from bonesim.errors import UnsupportedModelError
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import TIME, Call, Expr, Num, symbols, walk
from bonesim.model.ode import OdeModel, Origin
from bonesim.model.text import expression_text

RELATIONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
TRIALS, NEEDED = 24, 4
"""Points at which two branches are compared, and how many of them must lie where both have a value."""

APART = 1e-6
"""Distance to where the branches cross of the nearest points at which they are compared."""


def refuse_jumps(model: OdeModel, moving: set[str]) -> None:
    """Raise `UnsupportedModelError` naming a condition at which a rate may jump, or an event that states trigger.

    `moving` are the parameters that depend on those asked for; rules stand in order of use.
    """
    if model.state_events:
        event = model.state_events[0]
        _refuse(f"the event '{event.id}', which a state triggers", event.trigger, event.origin)
    varying = _resting_on(model, {state.id for state in model.states})
    shifted = _resting_on(model, moving)
    usual = _usual(model)
    clocks = _resting_on(model, {rule.id for rule in model.rules if TIME in walk(rule.expr)})
    for what, expr, origin in read_by_rates(model):
        for jump, condition in _jumps(expr):
            used = symbols(condition)
            timed = TIME in walk(condition) or used & clocks
            if (used & varying or (used & shifted and timed)) and not _meets(jump, condition, usual):
                _refuse(f"{what}, which jumps at a condition", condition, origin)


def kinks(model: OdeModel) -> frozenset[Expr]:
    """Relations in conditions of rates and rules at which nothing jumps: both branches meet there.

    In the rates of fast states, whose flow may turn round at a kink, only those of these states themselves count.
    """
    sources = [state.rate for state in model.states] + [rule.expr for rule in model.rules]
    met: dict[Expr, bool] = {}
    usual = _usual(model)
    for jump, condition in dict.fromkeys(pair for source in sources for pair in _jumps(source)):
        met[condition] = met.get(condition, True) and _meets(jump, condition, usual)
    return frozenset(condition for condition, meets in met.items() if meets) - _of_fast_states(model)


def _of_fast_states(model: OdeModel) -> frozenset[Expr]:
    """Relations on which rates of fast states rest, but that do not rest on these states."""
    following = _resting_on(model, {state.id for state in model.states if state.fast is not None})
    sources = [state.fast for state in model.states if state.fast is not None]
    needed = frozenset().union(*map(symbols, sources))
    for rule in reversed(model.rules):
        if rule.id in needed:
            needed |= symbols(rule.expr)
            sources.append(rule.expr)
    pairs = (pair for source in sources for pair in _jumps(source))
    return frozenset(condition for _, condition in pairs if not symbols(condition) & following)


def _resting_on(model: OdeModel, roots: set[str]) -> set[str]:
    """`roots` and the rules that rest on one of them."""
    found = set(roots)
    for rule in model.rules:
        if symbols(rule.expr) & found:
            found.add(rule.id)
    return found


def _refuse(what: str, condition: Expr, origin: Origin) -> None:
    raise UnsupportedModelError(
        f"sensitivities across {what}: {expression_text(condition)}",
        place=origin.place,
        remedy="write the model so that both branches meet there, or compare two simulations",
    )


def read_by_rates(model: OdeModel) -> Iterator[tuple[str, Expr, Origin]]:
    """Expressions that rates rest on."""
    needed: set[str] = set()
    for state in model.states:
        needed |= symbols(state.rate)
        yield f"the rate of '{state.id}'", state.rate, state.origin
    for rule in reversed(model.rules):
        if rule.id in needed:
            needed |= symbols(rule.expr)
            yield f"the rule for '{rule.id}'", rule.expr, rule.origin


def _jumps(expr: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Parts of an expression that may jump, each with one relation (or staircase) at which it may."""
    inside: set[Expr] = set()
    for node in walk(expr):
        if not isinstance(node, Call):
            continue
        if node.op == "piecewise":
            for condition in node.args[1:-1:2]:
                for part in walk(condition):
                    inside.add(part)
                    if isinstance(part, Call) and part.op in RELATIONS:
                        yield node, part
        elif node.op in {"floor", "ceil"} or (node.op in RELATIONS and node not in inside):
            yield node, node


def _usual(model: OdeModel) -> dict[str, float]:
    """Numbers of the model by name, where it has one that is not 0: a jump may show near them alone."""
    numbers = {parameter.id: parameter.value for parameter in model.parameters}
    numbers |= {state.id: state.initial.value for state in model.states if isinstance(state.initial, Num)}
    return {name: value for name, value in numbers.items() if math.isfinite(value) and value}


def _meets(jump: Expr, condition: Expr, usual: dict[str, float]) -> bool:
    """Whether `jump` has the same value on both sides of where the two sides of `condition` are equal.

    Decided at fixed points of all symbols, in turn near 1 and near their `usual` values: one of them is moved to where
    the sides are equal, if they are linear in it, and the value is extrapolated to there from before and from after.
    """
    if not (isinstance(condition, Call) and condition.op in RELATIONS):
        return False
    names = sorted(symbols(jump) | symbols(condition))
    gap = Call("sub", condition.args)
    for moved in sorted(symbols(condition)):
        agreed = 0
        for trial in range(TRIALS):
            values = {name: _sample(place, trial) for place, name in enumerate(names)}
            if trial % 2:
                values |= {name: usual[name] * values[name] ** 0.5 for name in names if name in usual}
            time = _sample(len(names), trial)
            crossing = _crossing(gap, moved, values, time)
            if crossing is None:
                continue
            jumps = _jumps_there(jump, condition, values, moved, crossing, time)
            if jumps is None:
                continue
            if jumps:
                return False
            agreed += 1
        if agreed >= NEEDED:
            return True
    return False


def _jumps_there(
    jump: Expr, condition: Expr, values: dict[str, float], moved: str, crossing: float, time: float
) -> bool | None:
    """Whether `jump` jumps where one symbol passes `crossing`; None where that cannot be told."""
    step = APART * max(abs(crossing), 1.0)
    near_by = [values | {moved: crossing + turn * step} for turn in (-2, -1, 0, 1, 2)]
    far, near, there, beyond, farther = (evaluate(jump, point, time) for point in near_by)
    if not all(map(math.isfinite, (far, near, there, beyond, farther))):
        return None
    if evaluate(condition, near_by[1], time) == evaluate(condition, near_by[3], time):
        return None
    if far == near == there == beyond == farther:
        return None
    before, after = 2 * near - far, 2 * beyond - farther
    slopes = 1e-3 * max(abs(near - far), abs(farther - beyond)) + 1e-12 * max(abs(near), abs(beyond))
    return max(abs(before - there), abs(after - there)) > slopes


def _crossing(gap: Expr, moved: str, values: dict[str, float], time: float) -> float | None:
    """The value of one symbol at which `gap`, if linear in it, is 0."""
    low, middle, high = (evaluate(gap, values | {moved: x}, time) for x in (1.0, 2.0, 3.0))
    slope = high - low
    if not (math.isfinite(slope) and slope and abs(low + high - 2 * middle) <= 1e-9 * abs(slope)):
        return None
    return 1.0 - 2.0 * low / slope


def _sample(place: int, trial: int) -> float:
    """A number between 0.3 and 3, the same in every run."""
    share: float = ((place + 1) * 0.7548776662466927 + (trial + 1) * 0.5698402909980532 * (place + 2)) % 1.0
    return float(0.3 * 10.0**share)
