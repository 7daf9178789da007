"""Delayed values as names of their own: the solver fills them in, equations read them.

Each different `delay(x, tau)` is a *lag*, a rule whose whole expression is that call. Beside its value the solver gives
its slope, dx/ds at the time s = t - tau, so that the derivative of the lag by a state or by time is slope times that of
s; and whether tau is 0: then the lag is x as it is now, with the derivatives of x.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from bonesim.model.check import ordered
from bonesim.model.expr import TIME, Call, Expr, Num, Sym, fold, free_name
from bonesim.model.ode import OdeModel, Rule
from bonesim.model.past import Past, has_delays
from bonesim.model.rewrite import rewritten


@dataclass(frozen=True)
class Lag:
    """One delayed value.

    name, slope, near : what stands for its value, its slope, and 1 where tau is 0, else 0
    value, ago : x and tau
    start : the value at the start; before : x at times before it, from parameters and initial values
    moved_before : whether it rests on initial assignments that depend on time
    """

    name: str
    slope: str
    near: str
    value: Expr
    ago: Expr
    start: Expr
    before: Expr
    moved_before: bool

    @property
    def surrogate(self) -> Expr:
        """An expression with the derivatives of the lag."""
        past = Call("mul", (Sym(self.slope), Call("sub", (TIME, self.ago))))
        present = Call("piecewise", (self.value, Call("ne", (Sym(self.near), Num(0.0))), Num(0.0)))
        return Call("add", (present, past))


def named_lags(model: OdeModel) -> tuple[OdeModel, tuple[Lag, ...]]:
    """The model with each delay as a rule of its own, and the lags in order of use; its rules stand in that order."""
    if not has_delays(model):
        return model, ()
    taken = set(model.by_id)
    names: dict[Expr, str] = {}

    def call(old: Call, args: tuple[Expr, ...]) -> Expr:
        new = old if all(a is b for a, b in zip(args, old.args, strict=True)) else Call(old.op, args)
        if not _is_delay(new):
            return new
        if new not in names:
            names[new] = free_name(f"lag_{len(names) + 1}", taken)
        return Sym(names[new])

    changed = rewritten(model, lambda expr: fold(expr, lambda leaf: leaf, call))
    changed = changed.with_(rules=(*changed.rules, *(Rule(name, expr) for expr, name in names.items())))
    changed = changed.with_(rules=ordered(changed.rules, changed))
    past, found = Past(changed), set(names.values())
    lags = []
    for rule in changed.rules:
        if rule.id in found and isinstance(rule.expr, Call):
            slope, near = (free_name(f"{rule.id}__{what}", taken) for what in ("slope", "near"))
            value, ago = rule.expr.args
            start, before = past.at(rule.expr, Num(0.0)), past.at(value, TIME)
            lags.append(Lag(rule.id, slope, near, value, ago, start, before, past.assigned(value)))
    return changed, tuple(lags)


def differentiable(model: OdeModel, lags: Collection[Lag]) -> OdeModel:
    """The model with lags, as its rules have them, as expressions that have their derivatives."""
    known = {lag.name: lag for lag in lags}

    def rule(old: Rule) -> Rule:
        if old.id not in known or not isinstance(old.expr, Call):
            return old
        value, ago = old.expr.args
        return replace(old, expr=replace(known[old.id], value=value, ago=ago).surrogate)

    return model.with_(rules=tuple(map(rule, model.rules)))


def _is_delay(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.op == "delay"
