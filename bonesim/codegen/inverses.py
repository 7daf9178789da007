"""Divisions by what depends on parameters alone, as products: one division a member instead of one an evaluation."""

from __future__ import annotations

from dataclasses import replace

from bonesim.codegen.block import Block, Store
from bonesim.codegen.program import Program
from bonesim.model.expr import Call, Expr, Num, Sym, fold, free_name, walk

_BLOCKS = ("rhs", "start", "observe", "roots")


def with_inverses(program: Program) -> Program:
    """The program with reciprocals of constants and parameters among its constants, where its blocks divide by them.

    A quotient x/c becomes x (1/c), which may differ in the last bit.
    """
    layout = program.layout
    divisors = dict.fromkeys(name for block in _BLOCKS for name in _divisors(getattr(program, block)))
    values: dict[str, Expr] = {name: Sym(name) for name in layout.parameters}
    values |= {layout.constants[store.index[0]]: store.expr for store in program.constants.stores}
    taken = {*layout.states, *layout.switches, *values, *_named(program)}
    inverses = {name: free_name(f"{name}__inverse", taken) for name in divisors if name in values}
    if not inverses:
        return program
    stores = [
        Store("k", (len(layout.constants) + place,), Call("div", (Num(1.0), values[name])))
        for place, name in enumerate(inverses)
    ]
    settle = tuple(replace(store, index=(store.index[0] + len(inverses),)) for store in program.settle.stores)
    changed = {name: _multiplied(getattr(program, name), inverses) for name in _BLOCKS}
    return replace(
        program,
        layout=replace(layout, constants=(*layout.constants, *inverses.values())),
        constants=Block(program.constants.values, (*program.constants.stores, *stores)),
        settle=Block(program.settle.values, settle),
        rhs=changed["rhs"],
        start=changed["start"],
        observe=changed["observe"],
        roots=changed["roots"],
    )


def _expressions(block: Block) -> list[Expr]:
    return [expr for _, expr in block.values] + [store.expr for store in block.stores]


def _divisors(block: Block) -> list[str]:
    """Names that something in a block is divided by."""
    calls = (node for expr in _expressions(block) for node in walk(expr) if isinstance(node, Call) and node.op == "div")
    return [call.args[1].name for call in calls if isinstance(call.args[1], Sym)]


def _named(program: Program) -> set[str]:
    return {name for block in _BLOCKS for name, _ in getattr(program, block).values}


def _multiplied(block: Block, inverses: dict[str, str]) -> Block:
    def call(old: Call, args: tuple[Expr, ...]) -> Expr:
        divisor = args[-1]
        if old.op == "div" and isinstance(divisor, Sym) and divisor.name in inverses:
            return Call("mul", (args[0], Sym(inverses[divisor.name])))
        return old if all(a is b for a, b in zip(args, old.args, strict=True)) else Call(old.op, args)

    def changed(expr: Expr) -> Expr:
        return fold(expr, lambda leaf: leaf, call)

    values = tuple((name, changed(expr)) for name, expr in block.values)
    return Block(values, tuple(replace(store, expr=changed(store.expr)) for store in block.stores))
