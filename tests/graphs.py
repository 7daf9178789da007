"""Random expressions over every operator, and how far rounding can move their values."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from bonesim.model.expr import TIME, Call, Expr, Num, Sym, Time, fold
from bonesim.model.ops import OPS

LOGIC = ("and", "or", "not")
RELATIONS = ("lt", "le", "gt", "ge", "eq", "ne")
BENT = ("abs", "min", "max", "floor", "ceil", "piecewise")
RARE = "factorial"  # whose table is long
LATE = "delay"  # which the interpreter does not know, and the compiled back end neither
SMOOTH = tuple(sorted(set(OPS) - {*LOGIC, *RELATIONS, *BENT, RARE, LATE}))
EXACT = frozenset({*LOGIC, *RELATIONS, *BENT, RARE, "neg"})
"""Operators that round nothing: their result is one of their arguments, a whole number or a truth value."""

LITERALS = (0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, 0.1, 1.5, 7.0, 17.0, 1e-3, 1e4)


class Trees:
    """Random expressions; `names` are the symbols that they may use."""

    def __init__(self, seed: int, names: Sequence[str], numbers: Sequence[str] = (*SMOOTH, *BENT)) -> None:
        self.random, self.names, self.numbers = random.Random(seed), list(names), numbers

    def number(self, depth: int) -> Expr:
        """An expression whose value is a number; now and then a truth value that is used as one."""
        chance = self.random.random()
        if depth == 0 or chance < 0.1:
            return self._leaf()
        if chance < 0.13 and "piecewise" in self.numbers:
            return self.truth(depth - 1)
        if chance > 0.99 and "piecewise" in self.numbers:
            return Call(RARE, (self.number(depth - 1),))
        op = self.random.choice(self.numbers)
        if op != "piecewise":
            return Call(op, tuple(self.number(depth - 1) for _ in range(OPS[op].arity[0])))
        pairs = [part for _ in range(self.random.choice((1, 1, 2))) for part in (self.number, self.truth)]
        return Call(op, (*(part(depth - 1) for part in pairs), self.number(depth - 1)))

    def truth(self, depth: int) -> Expr:
        """A condition."""
        op = self.random.choice((*RELATIONS, *LOGIC) if depth > 1 else RELATIONS)
        part = self.truth if op in LOGIC else self.number
        return Call(op, tuple(part(max(depth - 1, 0)) for _ in range(OPS[op].arity[0])))

    def _leaf(self) -> Expr:
        chance = self.random.random()
        if chance < 0.25:
            return Num(self.random.choice(LITERALS))
        return TIME if chance < 0.35 else Sym(self.random.choice(self.names))


def shaken(expr: Expr, values: Mapping[str, float], time: float, chance: random.Random) -> float:
    """The value of an expression in which every operation rounds at random.

    Each result that is not exact moves by up to eight units in the last place; a power, which may be taken as
    exp(b ln a), by |b ln a| times that. What is close to the smallest or largest number may become 0 or infinite, and
    a zero may change its sign; a power of minus infinity may be NaN, as it is in NumPy. (Monte Carlo arithmetic;
    Parker, Pierce & Eggert, Computing in Science & Engineering 2(4), 2000, doi:10.1109/5992.852391.)
    """

    def leaf(node: Num | Sym | Time) -> float:
        return node.value if isinstance(node, Num) else values[node.name] if isinstance(node, Sym) else time

    def call(node: Call, args: tuple[float, ...]) -> float:
        exact = float(OPS[node.op].evaluate(*args))
        if node.op == "pow" and args[0] == -math.inf:
            return chance.choice((exact, math.nan))
        if node.op in EXACT or not math.isfinite(exact):
            return exact
        if exact == 0 or (abs(exact) < 1e-290 and chance.random() < 0.5):
            return chance.choice((0.0, -0.0))
        if abs(exact) > 1e290 and chance.random() < 0.5:
            return math.copysign(math.inf, exact)
        stretch = 1.0
        if node.op == "pow" and args[0] not in (0.0, math.inf, -math.inf):
            stretch += abs(args[1] * math.log(abs(args[0])))
        return exact * (1 + 8 * 2.0**-52 * stretch * chance.uniform(-1, 1))

    return fold(expr, leaf, call)


def extended(expr: Expr, values: Mapping[str, np.ndarray], time: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """The value of an expression by NumPy in extended precision, and whether all numbers on the way are moderate.

    That is, neither large nor close to 0, nor to where the slope of an inverse function is infinite.
    """

    def leaf(node: Num | Sym | Time) -> tuple[np.ndarray, np.ndarray]:
        value = node.value if isinstance(node, Num) else values[node.name] if isinstance(node, Sym) else time
        return np.asarray(value, np.longdouble), np.asarray(True)

    def call(node: Call, args: tuple[tuple[np.ndarray, np.ndarray], ...]) -> tuple[np.ndarray, np.ndarray]:
        parts, tame = [value for value, _ in args], reduce(np.logical_and, [good for _, good in args])
        if node.op == "piecewise":
            value = np.select([part != 0 for part in parts[1::2]], parts[:-1:2], parts[-1])
        else:
            value = np.asarray(_UFUNCS.get(node.op, getattr(np, OPS[node.op].numpy, None))(*parts), np.longdouble)
        moderate = (np.abs(value) > 1e-3) & (np.abs(value) < 1e3)
        if node.op in {"asin", "acos"}:
            moderate = moderate & (np.abs(parts[0]) < 0.999)
        return value, tame & (moderate | (node.op in {*LOGIC, *RELATIONS}))

    with np.errstate(all="ignore"):
        return fold(expr, leaf, call)


_UFUNCS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative, "pow": np.power,
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
    "factorial": np.vectorize(OPS["factorial"].evaluate, otypes=[float]),
}  # fmt: skip
