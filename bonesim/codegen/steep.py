"""Slopes that are infinite where the rate itself is a number: of x^n with n < 1, or of a square root, at 0.

A drug of which there is none yet and whose effect is C^0.8/(1 + C^0.8) has one, and a release as the square root of
time. Where a slope is no number the method goes on with 0: such a step is no better than an explicit one, which its
error tells, so it is short, and the next begins where the slope is a number.
"""

from __future__ import annotations

import sys

from bonesim.model.expr import Call, Expr, Num, symbols, walk
from bonesim.model.ode import OdeModel

_STEEP = frozenset({"sqrt", "asin", "acos"})


def steep_rates(model: OdeModel) -> set[int]:
    """Rows of the rates that may have such a slope; rules stand in order of use."""
    steep = set[str]()
    for rule in model.rules:
        if _is_steep(rule.expr, steep):
            steep.add(rule.id)
    return {row for row, state in enumerate(model.states) if _is_steep(state.rate, steep)}


def number_or_zero(expr: Expr) -> Expr:
    """An expression where it gives a number, else 0."""
    return Call("piecewise", (expr, Call("le", (Call("abs", (expr,)), Num(sys.float_info.max))), Num(0.0)))


def unguarded(expr: Expr) -> Expr | None:
    """What `number_or_zero` was given; None for an expression that is not its."""
    if isinstance(expr, Call) and expr.op == "piecewise" and expr == number_or_zero(expr.args[0]):
        return expr.args[0]
    return None


def _is_steep(expr: Expr, steep: set[str]) -> bool:
    calls = (node for node in walk(expr) if isinstance(node, Call))
    return any(map(_may_be_steep, calls)) or not symbols(expr).isdisjoint(steep)


def _may_be_steep(call: Call) -> bool:
    if call.op != "pow":
        return call.op in _STEEP
    exponent = call.args[1]
    return not (isinstance(exponent, Num) and exponent.value.is_integer())
