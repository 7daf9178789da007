"""Conditions that keep their value during a step, so that no step goes over a jump or a kink.

A right-hand side with a jump in it misleads every error estimate. So each relation in a condition becomes a *switch*,
a number (1 or 0) that is constant while the solver steps, and the solver sees to it that a step ends where a switch
turns over:

- *timed*, where the difference of both sides is affine in time, s t + b, with s and b made of parameters and of other
  switches: it turns at -b/s, which is known before the step. Its value from there on is the one it has after it, also
  where rounding would have the relation turn a little sooner or later: `time/24 >= 3` turns at 72.
- *located*, where states or other functions of time take part: the difference is a root function, whose sign the
  solver watches and whose zero it finds.

A condition of states at which both branches meet is no switch: a kink is harmless, error control sees it.

`floor` and `ceil` of time are staircases, switches that count: the next value of floor(a t + b) begins at
(n + 1 - b)/a. `min`, `max` and `abs` of time are choices with a timed condition; those of states stay as they are,
as do `eq` and `ne`.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import reduce

from bonesim.model.derive import BY_TIME, ONE, ZERO, gradient, subtract
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import TIME, Call, Expr, Num, Sym, Time, fold, free_name, rebuild, symbols, walk
from bonesim.model.ode import OdeModel
from bonesim.model.smooth import kinks
from bonesim.model.text import expression_text

RISING, FALLING = frozenset({"gt", "ge"}), frozenset({"lt", "le"})
LONGEST = 80
"""Letters of a condition in messages."""
NEVER = Num(math.nan)
"""In place of a slope that is 0: what stands still turns at no time, neither early nor late."""


@dataclass(frozen=True)
class Switch:
    """A value that is constant during a step, under the name by which expressions use it.

    text : the condition as written
    value : what it is at a time and state, from parameters, rules and the switches before it
    at_turn : of a timed one, whether the condition holds at the very time at which it turns, which only outputs ask
    root : of a located one, above 0 where the condition holds and below where it does not
    stop : of a timed one, when it turns next; in the past, infinite or NaN for never
    """

    name: str
    text: str
    value: Expr
    root: Expr | None = None
    stop: Expr | None = None
    at_turn: bool | None = None

    @property
    def at_instants(self) -> Expr:
        """The value for outputs, which at the time of a turn is that of the condition as written, not that after it."""
        if self.stop is None or self.at_turn is None:
            return Sym(self.name)
        return Call("piecewise", (Num(float(self.at_turn)), Call("eq", (TIME, self.stop)), Sym(self.name)))


@dataclass(frozen=True)
class Held:
    """A model whose conditions are names of switches.

    `chain` defines rules, switches and what they rest on, each by those before it; `triggers` are the conditions of
    its state events.
    """

    model: OdeModel
    switches: tuple[Switch, ...]
    chain: tuple[tuple[str, Expr], ...]
    triggers: tuple[Expr, ...]


def hold(model: OdeModel, late: Collection[str] = ()) -> Held:
    """The model with its conditions held; its rules stand in order of use and relations only in conditions.

    `late` are rules of delayed values, which change as states do.
    """
    holder = _Holder(model, late)
    rules = tuple(replace(rule, expr=holder.rule(rule.id, rule.expr)) for rule in model.rules)
    states = tuple(replace(state, rate=holder.held(state.rate)) for state in model.states)
    triggers = tuple(holder.held(event.trigger) for event in model.state_events)
    if not holder.switches:
        return Held(model, (), tuple((rule.id, rule.expr) for rule in model.rules), triggers)
    changed = model.with_(rules=rules, states=states)
    return Held(changed, tuple(holder.switches), tuple(holder.chain), triggers)


class _Holder:
    """Goes through a model once, in order of use, and collects its switches."""

    def __init__(self, model: OdeModel, late: Collection[str]) -> None:
        self.late = late
        self.switches: list[Switch] = []
        self.chain: list[tuple[str, Expr]] = []
        self.taken = set(model.by_id)
        self.moving = {state.id for state in model.states}  # what changes with the states
        self.clocked: set[str] = set()  # rules that change with time, but with no state
        self.slopes: dict[str, dict[str, Expr]] = {}  # of those that are affine in time, by rule
        self.starts: dict[str, Expr] = {}  # and what they are at time 0
        self.known: dict[Expr, Expr] = {}
        self.kinks = kinks(model) - {part for event in model.state_events for part in walk(event.trigger)}

    def rule(self, name: str, expr: Expr) -> Expr:
        """The expression of a rule, held; what follows may use its name."""
        expr = self.held(expr)
        self.chain.append((name, expr))
        if self._moves(expr) or name in self.late:
            self.moving.add(name)
        elif self._is_clocked(expr):
            self.clocked.add(name)
            if (slope := self._slope(expr)) is not None:
                self.slopes[name] = {BY_TIME: self._named(f"{name}__slope", slope)}
                self.starts[name] = self._named(f"{name}__start", self._start(expr))
        return expr

    def held(self, expr: Expr) -> Expr:
        """An expression with switches in place of its conditions, inner ones first."""

        def call(old: Call, args: tuple[Expr, ...]) -> Expr:
            new = old if all(a is b for a, b in zip(args, old.args, strict=True)) else Call(old.op, args)
            if old.op not in _HOLDS or (self._moves(new) and old.op not in RISING | FALLING):
                return new
            if not self._moves(new) and not self._is_clocked(new):
                return new
            if self._moves(new) and old in self.kinks:
                return new
            if new not in self.known:
                self.known[new] = _HOLDS[old.op](self, new, shown(old))
            return self.known[new]

        return fold(expr, lambda leaf: leaf, call)

    def relation(self, expr: Call, text: str) -> Expr:
        """A condition."""
        left, right = expr.args
        gap = Call("sub", (left, right))
        slope = None if self._moves(expr) else self._slope(gap)
        if slope is None:
            root = gap if expr.op in RISING else Call("sub", (right, left))
            return self._switch(Switch(self._free_name(), text, _number(expr), root=root))
        turn = _over(subtract(self._start(right), self._start(left)), slope)
        at_start = Call(expr.op, (self._start(left), self._start(right)))
        value = _number(_after(expr.op, slope, turn, at_start))
        holds = expr.op in {"ge", "le"}
        after = (slope.value > 0) == (expr.op in RISING) if isinstance(slope, Num) else None
        return self._switch(
            Switch(self._free_name(), text, value, stop=turn, at_turn=None if holds == after else holds)
        )

    def staircase(self, expr: Call, text: str) -> Expr:
        """`floor` of time: n where floor(s t + b) says so, but for rounding, from one turn to the next."""
        (inner,) = expr.args
        slope = self._slope(inner)
        if slope is None:
            return self._free_staircase(expr, inner, text)
        start = self._start(inner)
        up = _constant(_number(Call("ge", (slope, ZERO))))  # whether n + 1 or n is reached as time goes on
        down = _constant(subtract(ONE, up))
        stride = _constant(subtract(up, down))
        moving = slope if isinstance(slope, Num) else Call("piecewise", (slope, Call("ne", (slope, ZERO)), NEVER))

        def reaches(n: Expr, bound: Expr) -> Expr:
            return _over(subtract(n if bound == ZERO else Call("add", (n, bound)), start), moving)

        over, early = Call("ge", (TIME, reaches(expr, up))), Call("lt", (TIME, reaches(expr, down)))
        onward, back = Call("add", (expr, stride)), Call("sub", (expr, stride))
        name = self._free_name()
        value = Call("piecewise", (onward, over, back, early, expr))
        return self._switch(Switch(name, text, value, stop=reaches(Sym(name), up)))

    def _free_staircase(self, expr: Call, inner: Expr, text: str) -> Expr:
        """`floor` of another function of time, and a condition that holds while the function is on this step."""
        step = self._switch(Switch(self._free_name(), text, expr))
        room = Call("min", (Call("sub", (inner, step)), Call("sub", (Call("add", (step, ONE)), inner))))
        self._switch(Switch(self._free_name(), text, ONE, root=room))
        return step

    def ceiling(self, expr: Call, text: str) -> Expr:
        """ceil(x) = -floor(-x)."""
        return Call("neg", (self.staircase(Call("floor", (Call("neg", expr.args),)), text),))

    def choice(self, expr: Call, text: str) -> Expr:
        """`min`, `max` or `abs` of time."""
        left, right = (expr.args[0], ZERO) if expr.op == "abs" else expr.args
        relation = Call("lt" if expr.op == "min" else "gt", (left, right))
        other = Call("neg", (left,)) if expr.op == "abs" else right
        chosen = Call("piecewise", (left, self.relation(relation, text), other))
        parts = [part for side in (left, right) for part in self._makings(side)]
        unknown = [Call("ne", (part, part)) for part in parts if not _is_a_number(part)]
        # `min` and `max` are NaN where either side is, which no relation tells.
        return chosen if not unknown else Call("piecewise", (Call("add", (left, right)), _any(unknown), chosen))

    def _switch(self, switch: Switch) -> Expr:
        self.switches.append(switch)
        self.chain.append((switch.name, switch.value))
        return Sym(switch.name)

    def _free_name(self) -> str:
        return free_name(f"switch_{len(self.switches) + 1}", self.taken)

    def _named(self, name: str, expr: Expr) -> Expr:
        """The name of a new link of the chain; a number or a name is its own."""
        if not isinstance(expr, Call):
            return expr
        self.chain.append((free_name(name, self.taken), expr))
        return Sym(self.chain[-1][0])

    def _moves(self, expr: Expr) -> bool:
        return not self.moving.isdisjoint(symbols(expr))

    def _is_clocked(self, expr: Expr) -> bool:
        return any(node == TIME or (isinstance(node, Sym) and node.name in self.clocked) for node in walk(expr))

    def _slope(self, expr: Expr) -> Expr | None:
        """The slope of an expression without states that is affine in time; None for any other."""
        calls = (node for node in walk(expr) if isinstance(node, Call))
        if symbols(expr) & (self.clocked - self.starts.keys()):
            return None
        if any(call.op in {"eq", "ne"} and self._is_clocked(call) for call in calls):
            return None
        slope = gradient(expr, self.slopes).get(BY_TIME, ZERO)
        return None if self._is_clocked(slope) else _constant(slope)

    def _makings(self, expr: Expr) -> tuple[Expr, ...]:
        """What is NaN if an expression is: slope and start of one that is affine in time."""
        slope = self._slope(expr)
        return (expr,) if slope is None else (slope, self._start(expr))

    def _start(self, expr: Expr) -> Expr:
        """An affine expression at time 0."""

        def leaf(node: Num | Sym | Time) -> Expr:
            if isinstance(node, Sym):
                return self.starts.get(node.name, node)
            return ZERO if isinstance(node, Time) else node

        return _constant(rebuild(expr, leaf))


_HOLDS = {
    **dict.fromkeys(RISING | FALLING, _Holder.relation),
    **dict.fromkeys(("min", "max", "abs"), _Holder.choice),
    "floor": _Holder.staircase,
    "ceil": _Holder.ceiling,
}


def _after(op: str, slope: Expr, turn: Expr, at_start: Expr) -> Expr:
    """Whether left `op` right, where left - right has this slope and is 0 at `turn`; at a turn, as it is after it."""
    over, before = Call("ge", (TIME, turn)), Call("lt", (TIME, turn))
    rising, falling = (over, before) if op in RISING else (before, over)
    if isinstance(slope, Num):
        return rising if slope.value > 0 else falling if slope.value < 0 else at_start
    cases = ((rising, "gt"), (falling, "lt"), (at_start, "eq"))
    first, second, third = (Call("and", (Call(sign, (slope, ZERO)), holds)) for holds, sign in cases)
    return Call("or", (Call("or", (first, second)), third))


def _any(truths: list[Call]) -> Expr:
    """Whether one of some conditions holds."""
    return reduce(lambda one, other: Call("or", (one, other)), truths)


def _number(truth: Expr) -> Expr:
    return Call("piecewise", (ONE, truth, ZERO))


def _over(a: Expr, b: Expr) -> Expr:
    """a / b; times a whole number where that is what 1/b is, since `time/24` turns at whole times."""
    if isinstance(b, Num) and b.value and (1 / b.value).is_integer():
        return a if b == ONE else Call("mul", (a, Num(1 / b.value)))
    return Call("div", (a, b))


def _is_a_number(expr: Expr) -> bool:
    """Whether an expression is sure to be a number: one of numbers alone that is none else."""
    value = _constant(expr)
    return isinstance(value, Num) and not math.isnan(value.value)


def _constant(expr: Expr) -> Expr:
    """The expression, or its value if it is one of numbers alone."""
    return expr if symbols(expr) or any(node == TIME for node in walk(expr)) else Num(float(evaluate(expr, {})))


def shown(condition: Expr) -> str:
    """A condition as messages have it."""
    text = expression_text(condition)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
