"""Blocks as machine code wants them: what several quotients or powers have in common gets a name of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from bonesim.codegen.program import Block
from bonesim.model.expr import Call, Expr, Num, Sym, fold, free_name, walk

UNROLLED_POWER = 16  # largest whole power written as products


def lowered(block: Block) -> Block:
    """The block with two more forms of calls.

    A quotient whose denominator stands in others too is a product with its reciprocal: a division costs as much as
    five products. A power that is no small product takes the logarithm of its base, `ln_or_nan`, as third argument.
    """
    shared = _shared_denominators(block)
    taken = {name for name, _ in block.values} | block.used()
    names: dict[Call, Sym] = {}
    values: list[tuple[str, Expr]] = []

    def named(expr: Call) -> Sym:
        if expr not in names:
            names[expr] = Sym(free_name("shared", taken))
            values.append((names[expr].name, expr))
        return names[expr]

    def call(old: Call, args: tuple[Expr, ...]) -> Expr:
        if old.op == "div" and old.args[1] in shared:
            return Call("mul", (args[0], named(Call("div", (Num(1.0), args[1])))))
        if old.op == "pow" and not _is_plain(args[1]):
            return Call("pow", (*args, named(Call("ln_or_nan", (args[0],)))))
        return old if all(a is b for a, b in zip(args, old.args, strict=True)) else Call(old.op, args)

    for name, expr in block.values:
        new = fold(expr, lambda leaf: leaf, call)
        values.append((name, new))
    stores = tuple(replace(store, expr=fold(store.expr, lambda leaf: leaf, call)) for store in block.stores)
    return Block(tuple(values), stores)


def _is_plain(exponent: Expr) -> bool:
    """Whether a power is a square root, or a product of a few factors."""
    if not isinstance(exponent, Num):
        return False
    return exponent.value == 0.5 or (abs(exponent.value) <= UNROLLED_POWER and exponent.value.is_integer())


def _shared_denominators(block: Block) -> frozenset[Expr]:
    """What more than one quotient of a block is divided by."""
    exprs = [expr for _, expr in block.values] + [store.expr for store in block.stores]
    quotients = (node for expr in exprs for node in walk(expr) if isinstance(node, Call) and node.op == "div")
    counts = Counter(quotient.args[1] for quotient in quotients)
    return frozenset(expr for expr, count in counts.items() if count > 1)
