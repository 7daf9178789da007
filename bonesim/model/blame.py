"""Which equation of a model is the first to give a value that is no number, by the plain interpreter."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bonesim.errors import Place
from bonesim.model.check import in_order
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import TIME, Call, Expr, Num, rebuild, symbols, walk
from bonesim.model.ode import OdeModel, Origin, StateEvent, TimedEvent
from bonesim.model.smooth import read_by_rates
from bonesim.model.text import expression_text

Values = dict[str, float]


@dataclass(frozen=True)
class Equation:
    """An equation at one point.

    what : `the rule for 'x'`, `the rate of 'x'`, ...
    formula, value : its right side as text, and what it gives
    reads : names in the formula with their values, time as `time`
    part : the innermost part of it that is no number although its arguments are; empty where all is well
    """

    what: str
    formula: str
    value: float
    reads: tuple[tuple[str, float], ...]
    part: str = ""
    place: Place | None = None

    def __str__(self) -> str:
        where = f"   ({self.place})" if self.place else ""
        lines = [f"{self.what} gives {self.value:.6g}: {self.formula}{where}"]
        if self.reads:
            lines.append(f"with {', '.join(f'{name} = {value:.6g}' for name, value in self.reads)}")
        if self.part and self.part != self.formula:
            lines.append(f"because of {self.part}")
        return "\n  ".join(lines)


def equation(what: str, expr: Expr, values: Mapping[str, float], time: float, origin: Origin) -> Equation:
    """An expression at one point, as a reader wants to see it."""
    reads = [(name, values[name]) for name in sorted(symbols(expr))]
    reads += [("time", time)] * (TIME in walk(expr))
    place = origin.place
    part = _innermost(expr, values, time)
    return Equation(what, expression_text(expr), evaluate(expr, values, time), tuple(reads), part, place)


def initial_values(model: OdeModel, given: Mapping[str, float]) -> tuple[Values, Equation | None]:
    """Parameters and states at the start, and the first equation among initial values that gives no number.

    `given` values of parameters hold before everything, those of states win last; rules stand in order of use.
    """
    states = {state.id for state in model.states}
    values = {one.id: given.get(one.id, one.value) for one in model.parameters if one.initial is None}
    exprs = {rule.id: (f"the rule for '{rule.id}'", rule.expr, rule.origin) for rule in model.rules}
    starts = [(one.id, one.initial, one.origin) for one in model.parameters if one.initial is not None]
    starts += [(one.id, one.initial, one.origin) for one in model.states]
    exprs |= {name: (f"the initial value of '{name}'", initial, origin) for name, initial, origin in starts}
    uses = {name: sorted(symbols(expr) & exprs.keys()) for name, (_, expr, _) in exprs.items()}
    wanted = _closure([name for name, _, _ in starts if name not in given], uses)
    bad = None
    for name in in_order(uses, model, "initial values"):
        what, expr, origin = exprs[name]
        expr = rebuild(expr, lambda leaf: Num(0.0) if leaf == TIME else leaf)
        values[name] = evaluate(expr, values)
        if bad is None and name in wanted and not math.isfinite(values[name]):
            bad = equation(what, expr, values, 0.0, origin)
    kept = {name: value for name, value in values.items() if name not in {rule.id for rule in model.rules}}
    return kept | {name: value for name, value in given.items() if name in states}, bad


def with_rules(model: OdeModel, values: Mapping[str, float], time: float) -> Values:
    """Values of states, parameters and rules from those of states and parameters."""
    known = dict(values)
    for rule in model.rules:
        known[rule.id] = evaluate(rule.expr, known, time)
    return known


def first_fault(model: OdeModel, values: Mapping[str, float], time: float) -> Equation | None:
    """The first rule that rates rest on, or else the first rate, that gives no number."""
    known = with_rules(model, values, time)
    read = list(read_by_rates(model))
    count = len(model.states)
    for what, expr, origin in (*reversed(read[count:]), *read[:count]):
        if not math.isfinite(evaluate(expr, known, time)):
            return equation(what, expr, known, time, origin)
    return None


def after_event(
    model: OdeModel, event: TimedEvent | StateEvent, values: Mapping[str, float], time: float
) -> tuple[Values, Equation | None]:
    """Values after an event, and its first assignment that gives no number."""
    known, new = with_rules(model, values, time), dict(values)
    bad = None
    for target, expr in event.assignments:
        new[target] = evaluate(expr, known, time)
        if bad is None and not math.isfinite(new[target]):
            bad = equation(f"event '{event.id}', value of '{target}',", expr, known, time, event.origin)
    return new, bad


def terms(expr: Expr) -> Iterator[Expr]:
    """The terms of a sum, each with its sign."""
    pending = [(expr, False)]
    while pending:
        node, negative = pending.pop()
        if isinstance(node, Call) and node.op in {"add", "sub"}:
            left, right = node.args
            pending += [(right, negative != (node.op == "sub")), (left, negative)]
        else:
            yield Call("neg", (node,)) if negative else node


def _innermost(expr: Expr, values: Mapping[str, float], time: float) -> str:
    for node in walk(expr):
        if isinstance(node, Call) and not math.isfinite(evaluate(node, values, time)):
            arguments = [evaluate(arg, values, time) for arg in node.args]
            if all(map(math.isfinite, arguments)):
                return expression_text(node)
    return ""


def _closure(roots: Iterable[str], uses: Mapping[str, Iterable[str]]) -> set[str]:
    found, pending = set(), list(roots)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += uses.get(name, ())
    return found
