"""The order of the operations of a block: what others wait for longest comes first.

A processor looks ahead a few hundred instructions, and fewer than a hundred of them may wait for numbers at a time. In
a block that is written expression by expression, most of what it sees waits for the logarithm, power or quotient just
begun. Here a simple machine is played through (list scheduling): each operation keeps it busy for some cycles and gives
its result after some more; of what could begin, what has the longest way to the end of the block does, unless so many
numbers are at hand already that they would have to be put aside.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from bonesim.codegen.block import TRUTHS, Block, Store
from bonesim.model.expr import Call, Expr, Num, Sym, Time, fold, free_name, symbols, walk

Value: TypeAlias = tuple[str, Expr]
Step: TypeAlias = Value | Store

MOST_AT_HAND = 16
"""Results that wait for a reader, from which on a block is followed as it is written: half of the registers.

The others hold coefficients of elementary functions.
"""

LATENCY = {"div": 16, "sqrt": 16, "pow": 45, "ln_or_nan": 90, "exp": 48, "ln": 95, "log10": 99, "tanh": 110}
"""Cycles until the result of an operator is there, where they are more than 4."""
BUSY = {"pow": 20, "ln_or_nan": 23, "exp": 21, "ln": 24, "log10": 24, "tanh": 28}
"""Cycles for which an operator keeps the vector units busy, where they are more than half a one."""
DIVIDER = 12
"""Cycles between two divisions."""


def single_operations(block: Block) -> Block:
    """The same block with one operation a value, equal ones once; relations and logic stay in the choice they make."""
    taken = {name for name, _ in block.values} | block.used()
    names: dict[Expr, Sym] = {}
    values: list[Value] = []

    def apart(expr: Call, args: tuple[Expr, ...]) -> Expr:
        new = Call(expr.op, args)
        if expr.op in TRUTHS:
            return new
        if new not in names:
            names[new] = Sym(free_name(f"part{len(names)}", taken))
            values.append((names[new].name, new))
        return names[new]

    def split(expr: Expr) -> Expr:
        """An expression as one operation on names."""
        if not isinstance(expr, Call) or expr.op in TRUTHS:
            return fold(expr, _same, apart)
        args = tuple(fold(arg, _same, apart) for arg in expr.args)
        return names.get(Call(expr.op, args), Call(expr.op, args))

    for name, expr in block.values:
        new = split(expr)
        values.append((name, new))
        if isinstance(new, Call):
            names.setdefault(new, Sym(name))
    stores = tuple(replace(store, expr=split(store.expr)) for store in block.stores)
    return Block(tuple(values), stores)


def _same(leaf: Num | Sym | Time) -> Expr:
    return leaf


def scheduled(steps: Sequence[Step]) -> list[Step]:
    """Steps in the order in which a machine would best begin them; each comes after those it reads."""
    exprs = [step.expr if isinstance(step, Store) else step[1] for step in steps]
    place = {step[0]: number for number, step in enumerate(steps) if not isinstance(step, Store)}
    reads = [sorted(place[name] for name in symbols(expr) & place.keys()) for expr in exprs]
    readers: list[list[int]] = [[] for _ in steps]
    for number, read in enumerate(reads):
        for other in read:
            readers[other].append(number)
    way = [0.0] * len(steps)
    for number in reversed(range(len(steps))):
        way[number] = _latency(exprs[number]) + max((way[reader] for reader in readers[number]), default=0.0)

    missing, unread = [len(read) for read in reads], [len(others) for others in readers]
    coming = [(0.0, number) for number, count in enumerate(missing) if not count]
    longest: list[tuple[float, int]] = []
    first: list[int] = []
    done, order, known = [False] * len(steps), list[int](), [0.0] * len(steps)
    clock = divider = 0.0
    at_hand = 0
    while len(order) < len(steps):
        while coming and coming[0][0] <= clock:
            _, number = heapq.heappop(coming)
            heapq.heappush(longest, (-way[number], number))
            heapq.heappush(first, number)
        chosen = _next(longest, first, done, by_way=at_hand < MOST_AT_HAND)
        if chosen is None:
            clock = coming[0][0]
            continue
        done[chosen] = True
        order.append(chosen)
        begun = clock
        if divisions := _divisions(exprs[chosen]):
            begun, divider = max(clock, divider), max(clock, divider) + DIVIDER * divisions
        clock += _busy(exprs[chosen])
        at_hand += bool(readers[chosen])
        for other in reads[chosen]:
            unread[other] -= 1
            at_hand -= not unread[other]
        for reader in readers[chosen]:
            missing[reader] -= 1
            known[reader] = max(known[reader], begun + _latency(exprs[chosen]))
            if not missing[reader]:
                heapq.heappush(coming, (known[reader], reader))
    return [steps[number] for number in order]


def _next(longest: list[tuple[float, int]], first: list[int], done: list[bool], *, by_way: bool) -> int | None:
    """Of the steps that could begin the one of the longest way, or the first as written; None if there is none."""
    while longest and done[longest[0][1]]:
        heapq.heappop(longest)
    while first and done[first[0]]:
        heapq.heappop(first)
    if not first:
        return None
    return longest[0][1] if by_way else first[0]


def _latency(expr: Expr) -> float:
    return fold(expr, lambda leaf: 0.0, lambda call, args: _weight(LATENCY, call, 4) + max(args, default=0.0))


def _busy(expr: Expr) -> float:
    return sum(_weight(BUSY, node, 0.5) for node in walk(expr) if isinstance(node, Call))


def _weight(table: dict[str, int], call: Call, usual: float) -> float:
    """Of an operator; a power that is given no logarithm is a few products."""
    return usual if call.op == "pow" and len(call.args) == 2 else table.get(call.op, usual)


def _divisions(expr: Expr) -> int:
    return Counter(node.op for node in walk(expr) if isinstance(node, Call))["div"]
