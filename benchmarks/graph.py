"""A model's equations on the numbers of another library: the expression tree folded with that library's operators."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bonesim.model.expr import Call, Expr, Num, Sym, Time, fold
from bonesim.model.ode import OdeModel
from bonesim.model.ops import OPS

Operators = Mapping[str, Callable[..., Any]]

ARITHMETIC: Operators = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "pow": operator.pow,
}


def rates(model: OdeModel, operators: Operators, states: Sequence[Any], parameters: Sequence[Any], t: Any) -> list[Any]:
    """Rates of change, state by state, as values of the library that `operators` and the arguments are of.

    Raises
    ------
    KeyError
        If the model uses an operator that `operators` has not.
    """
    known = dict(zip((state.id for state in model.states), states, strict=True))
    known |= dict(zip((parameter.id for parameter in model.parameters), parameters, strict=True))

    def leaf(node: Num | Sym | Time) -> Any:
        return node.value if isinstance(node, Num) else known[node.name] if isinstance(node, Sym) else t

    def call(node: Call, arguments: tuple[Any, ...]) -> Any:
        numbers = all(isinstance(argument, float) for argument in arguments)  # not every library takes them alone
        return (OPS[node.op].evaluate if numbers else operators[node.op])(*arguments)

    def value(expr: Expr) -> Any:
        return fold(expr, leaf, call)

    for rule in model.rules:
        known[rule.id] = value(rule.expr)
    return [value(state.rate) for state in model.states]
