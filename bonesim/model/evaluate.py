"""The plain interpreter: one expression, one set of values, one float. Slow, and the oracle of everything fast."""

from __future__ import annotations

from collections.abc import Mapping

from bonesim.model.expr import Expr, Num, Sym, Time, fold
from bonesim.model.ops import OPS


def evaluate(expr: Expr, values: Mapping[str, float], time: float = 0.0) -> float:
    """The value of `expr`.

    `values` holds every name the expression uses, in the model's units; `time` is in the model's time unit.
    Never raises on numbers: division by zero, overflow and the logarithm of a negative number give the IEEE
    results (inf or NaN). A name without a value raises `KeyError`.
    """

    def leaf(node: Num | Sym | Time) -> float:
        return node.value if isinstance(node, Num) else values[node.name] if isinstance(node, Sym) else time

    return fold(expr, leaf, lambda call, args: OPS[call.op].evaluate(*args))
