"""Blocks as machine code wants them: what several quotients or powers have in common gets a name of its own."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from bonesim.codegen.block import Block
from bonesim.codegen.program import Program
from bonesim.model.expr import Call, Expr, Num, Sym, fold, free_name, walk

UNROLLED_POWER = 16  # largest whole power written as products


def one_less(program: Program) -> dict[Expr, Expr]:
    """Of each constant that is another number less 1, as exponents in derivatives are, that number.

    Only parameters and constants: other names of the block of constants mean nothing elsewhere.
    """
    names = [(store.expr, Sym(program.layout.constants[store.index[0]])) for store in program.constants.stores]
    known: dict[Expr, Sym] = {Sym(name): Sym(name) for name in program.layout.parameters}
    known.update(names)
    return {
        constant: known[expr.args[0]]
        for expr, constant in names
        if isinstance(expr, Call) and expr.op == "sub" and expr.args[1] == Num(1.0) and expr.args[0] in known
    }


def lowered(block: Block, higher: Mapping[Expr, Expr]) -> Block:
    """The block with three more forms of calls.

    A quotient whose denominator stands in others too is a product with its reciprocal: a division costs as much as
    five products. A power that is no small product takes the logarithm of its base, `ln_or_nan`, as third argument.
    Beside x^n, x^(n - 1) is `lower_power` of x, n - 1, ln x, x^n and 1/x; `higher` has n for n - 1.
    """
    shared = _shared_denominators(block)
    powers = {node.args for node in _calls(block) if node.op == "pow"}
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
            base, exponent = args
            log, more = named(Call("ln_or_nan", (base,))), _higher(exponent, higher)
            if (old.args[0], more) not in powers:
                return Call("pow", (base, exponent, log))
            whole, inverse = Call("pow", (base, more, log)), Call("div", (Num(1.0), base))
            return Call("lower_power", (base, exponent, log, named(whole), named(inverse)))
        return old if all(a is b for a, b in zip(args, old.args, strict=True)) else Call(old.op, args)

    for name, expr in block.values:
        new = fold(expr, lambda leaf: leaf, call)
        values.append((name, new))
    stores = tuple(replace(store, expr=fold(store.expr, lambda leaf: leaf, call)) for store in block.stores)
    return Block(tuple(values), stores)


def _higher(exponent: Expr, higher: Mapping[Expr, Expr]) -> Expr:
    """What is more than an exponent by 1, where that is known; an exponent that nothing has otherwise."""
    more = Num(exponent.value + 1.0) if isinstance(exponent, Num) else higher.get(exponent, Num(math.nan))
    return Num(math.nan) if _is_plain(more) else more


def _is_plain(exponent: Expr) -> bool:
    """Whether a power is a square root, or a product of a few factors."""
    if not isinstance(exponent, Num):
        return False
    return exponent.value == 0.5 or (abs(exponent.value) <= UNROLLED_POWER and exponent.value.is_integer())


def _shared_denominators(block: Block) -> frozenset[Expr]:
    """What more than one quotient of a block is divided by."""
    counts = Counter(node.args[1] for node in _calls(block) if node.op == "div")
    return frozenset(expr for expr, count in counts.items() if count > 1)


def _calls(block: Block) -> Iterator[Call]:
    """All calls in a block."""
    exprs = [expr for _, expr in block.values] + [store.expr for store in block.stores]
    return (node for expr in exprs for node in walk(expr) if isinstance(node, Call))
