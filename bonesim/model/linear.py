"""Expressions that are linear in one name, taken apart."""

from __future__ import annotations

from bonesim.model.derive import ONE, ZERO, add, multiply, subtract
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Call, Expr, Num, Sym, Time, fold, with_args


def linear(expr: Expr, name: str) -> tuple[Expr, Expr] | None:
    """a and b of `a name + b`, neither with the name in it; None where an expression is not written so."""

    def leaf(node: Num | Sym | Time) -> tuple[Expr, Expr] | None:
        return (ONE, ZERO) if node == Sym(name) else (ZERO, node)

    def call(node: Call, parts: tuple[tuple[Expr, Expr] | None, ...]) -> tuple[Expr, Expr] | None:
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        if all(slope == ZERO for slope, _ in known):
            return ZERO, with_args(node, tuple(rest for _, rest in known))
        if node.op == "neg":
            return negative(known[0][0]), negative(known[0][1])
        if node.op in {"add", "sub"}:
            (slope, rest), (other_slope, other_rest) = known
            join = add if node.op == "add" else subtract
            return _number(join(slope, other_slope)), join(rest, other_rest)
        if node.op == "mul" and ZERO in (known[0][0], known[1][0]):
            factor, (slope, rest) = (known[0][1], known[1]) if known[0][0] == ZERO else (known[1][1], known[0])
            return multiply(factor, slope), multiply(factor, rest)
        if node.op == "div" and known[1][0] == ZERO:
            return over(known[0][0], known[1][1]), over(known[0][1], known[1][1])
        return None

    return fold(expr, leaf, call)


def _number(expr: Expr) -> Expr:
    """A sum or difference of numbers as one."""
    if not (isinstance(expr, Call) and all(isinstance(arg, Num) for arg in expr.args)):
        return expr
    return Num(evaluate(expr, {}))


def negative(expr: Expr) -> Expr:
    """-x, a sign that is there taken away and a difference turned round."""
    if isinstance(expr, Call) and expr.op == "neg":
        return expr.args[0]
    if isinstance(expr, Call) and expr.op == "sub":
        return Call("sub", (expr.args[1], expr.args[0]))
    return subtract(ZERO, expr)


def over(above: Expr, below: Expr) -> Expr:
    """a/b, zeros above and ones below left out."""
    return above if above == ZERO or below == ONE else Call("div", (above, below))
