"""The factorial as a table of its values, in operators that every target language has."""

from __future__ import annotations

import math
from functools import reduce

from bonesim.model.expr import Call, Expr, Num, total
from bonesim.model.ops import LARGEST_FACTORIAL

TOGETHER = 30
"""Values that one choice holds: compilers bound how deep choices are nested."""


def factorial(x: Expr) -> Expr:
    """x! of a whole number, infinite where no number holds it, NaN elsewhere; its derivative is 0."""
    values = [(Num(float(math.factorial(n))), Call("eq", (x, Num(float(n))))) for n in range(LARGEST_FACTORIAL + 1)]
    parts = [_chosen(values[first : first + TOGETHER]) for first in range(0, len(values), TOGETHER)]
    whole = Call("and", (Call("eq", (x, Call("floor", (x,)))), Call("eq", (x, Call("abs", (x,))))))
    beyond = Call("eq", (x, Call("max", (x, Num(LARGEST_FACTORIAL + 1.0)))))
    return Call("piecewise", (Num(math.inf), Call("and", (whole, beyond)), total(parts), whole, Num(math.nan)))


def _chosen(values: list[tuple[Num, Call]]) -> Expr:
    """The value whose condition holds, 0 where none does."""
    parts: tuple[Expr, ...] = reduce(lambda sofar, pair: (*sofar, *pair), values, ())
    return Call("piecewise", (*parts, Num(0.0)))
