"""What the solver needs of each lag: how long ago, and the delayed expression at a past time, with its slope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bonesim.codegen.lags import Lag, differentiable
from bonesim.model.derive import BY_TIME, ZERO, add, derivative, gradient, multiply, rule_gradients
from bonesim.model.expr import TIME, Call, Expr, Sym
from bonesim.model.ode import OdeModel

Named = list[tuple[str, Expr]]
"""Names with what they stand for, in order of use."""


@dataclass(frozen=True)
class Delayed:
    """Expressions of one lag, with the names that they rest on before them; see `system.Functions`.

    ago : how long ago, with conditions as they are held, from rules of the present
    ago_then : the same at a past time, with conditions as written
    past, before : the delayed expression and its derivative by time, after the start and before it
    """

    ago: Expr
    ago_then: Expr
    past: tuple[Expr, Expr]
    before: tuple[Expr, Expr]
    chain: Named


def delayed(
    model: OdeModel, held: OdeModel, lags: Sequence[Lag], rates: dict[str, str], taken: set[str]
) -> tuple[Delayed, ...]:
    """What is computed of each lag.

    model, held : the model with conditions as written, and held
    rates : of each state the name of its rate
    taken : names that derivatives of rules must not have; then theirs are among them
    """
    chain, gradients = rule_gradients(differentiable(model, lags), list(rates), taken)

    def slope(expr: Expr) -> Expr:
        total = ZERO
        for variable, part in gradient(expr, gradients).items():
            total = add(total, part if variable == BY_TIME else multiply(part, Sym(rates[variable])))
        return total

    agos = {
        rule.id: rule.expr.args[1] for rule in held.rules if isinstance(rule.expr, Call) and rule.expr.op == "delay"
    }
    return tuple(
        Delayed(
            ago=agos[lag.name],
            ago_then=lag.ago,
            past=(lag.value, slope(lag.value)),
            before=(lag.before, derivative(lag.before, TIME)),
            chain=list(chain),
        )
        for lag in lags
    )
