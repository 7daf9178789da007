"""Blocks: what one generated function computes, what it needs twice under a name, what it does not need left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Call, Expr, Num, Sym, fold, free_name, symbols
from bonesim.model.ode import OdeModel

DEEPEST = 40
"""Levels of one expression in generated code; compilers bound them (Python: 200 brackets), and so do readers."""

TRUTHS = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"})
"""Operators whose value is true or false."""


@dataclass(frozen=True)
class Store:
    """A result of a block: element `index` of the array `array` becomes `expr`."""

    array: str
    index: tuple[int, ...]
    expr: Expr


@dataclass(frozen=True)
class Block:
    """One generated function: named intermediate values in order, then results."""

    values: tuple[tuple[str, Expr], ...]
    stores: tuple[Store, ...]

    def used(self) -> set[str]:
        """Every name that the block reads and does not define itself."""
        defined = {name for name, _ in self.values}
        exprs = [expr for _, expr in self.values] + [store.expr for store in self.stores]
        return set().union(*(symbols(expr) for expr in exprs)) - defined if exprs else set()


def block_of(model: OdeModel, available: list[tuple[str, Expr]], stores: list[Store]) -> Block:
    """The values that `stores` need, in order, with repeated subexpressions named as nothing in the model is.

    What a block does not read may be called `v1`, too: whoever looks at the whole program must not take it for a value.
    """
    needed: list[tuple[str, Expr]] = []
    wanted = set().union(*(symbols(store.expr) for store in stores)) if stores else set()
    for name, expr in reversed(available):
        if name in wanted:
            wanted |= symbols(expr)
            needed.append((name, expr))
    return _number_values(model, *_unique(needed[::-1], stores))


def _unique(values: list[tuple[str, Expr]], stores: list[Store]) -> tuple[list[tuple[str, Expr]], list[Store]]:
    """The same with equal calls as one object, and values that equal an earlier one read by the name of that."""
    leaves: dict[Expr, Expr] = {}
    calls: dict[tuple[str, tuple[int, ...]], Call] = {}
    names: dict[int, Expr] = {}
    overwrites = any(store.array in {"y", "p"} for store in stores)  # then what a name stands for may change

    def call(old: Call, args: tuple[Expr, ...]) -> Expr:
        return calls.setdefault((old.op, tuple(map(id, args))), Call(old.op, args))

    def unique(expr: Expr) -> Expr:
        return fold(expr, lambda leaf: leaves.setdefault(leaf, leaf), call)

    kept = []
    for name, expr in values:
        new = unique(expr)
        if id(new) in names or (isinstance(new, Sym) and not overwrites):
            leaves[Sym(name)] = names.get(id(new), new)
            continue
        if isinstance(new, Call):
            names[id(new)] = leaves.setdefault(Sym(name), Sym(name))
        kept.append((name, new))
    return kept, [replace(store, expr=unique(store.expr)) for store in stores]


def _number_values(model: OdeModel, values: list[tuple[str, Expr]], stores: list[Store]) -> Block:
    """Name each call that has more than one parent or is `DEEPEST` levels deep, before its first use.

    What rests on numbers alone becomes a number here, under the rules of `evaluate`, not those of a target language.
    """
    exprs = [expr for _, expr in values] + [store.expr for store in stores]
    taken = {*model.by_id, *(name for name, _ in values)}.union(*(symbols(expr) for expr in exprs))
    parents = _parents(exprs)
    known: dict[Expr, Expr] = {}
    aliases: dict[Expr, Expr] = {}
    result: list[tuple[str, Expr]] = []

    def rewritten(expr: Call, args: tuple[tuple[Expr, int], ...]) -> tuple[Expr, int]:
        if expr in known:
            return known[expr], 0
        if all(isinstance(arg, Num) for arg, _ in args):
            return Num(float(evaluate(Call(expr.op, tuple(arg for arg, _ in args)), {}))), 0
        new, depth = Call(expr.op, tuple(arg for arg, _ in args)), 1 + max(depth for _, depth in args)
        if parents[expr] < 2 and depth < DEEPEST:
            return new, depth
        name = free_name(f"v{len(known) + 1}", taken)
        result.append((name, new))
        known[expr] = Sym(name)
        return known[expr], 0

    def rewrite(expr: Expr) -> Expr:
        return fold(expr, lambda leaf: (aliases.get(leaf, leaf), 0), rewritten)[0]

    for name, expr in values:
        done = len(result)
        new = rewrite(expr)
        if isinstance(new, Sym) and isinstance(expr, Call):
            if len(result) == done:  # an earlier value has it as a part
                aliases[Sym(name)] = new
                continue
            new = result.pop()[1]  # it was named just now, as what is used twice
            known[expr] = Sym(name)
        result.append((name, new))
        if isinstance(expr, Call):
            known.setdefault(expr, Sym(name))
    final = tuple(Store(store.array, store.index, rewrite(store.expr)) for store in stores)
    return Block(tuple(result), final)


def _parents(roots: list[Expr]) -> Counter[Expr]:
    """How many distinct places use each call."""
    counts: Counter[Expr] = Counter()
    seen: set[Expr] = set()
    stack = list(roots)
    counts.update(root for root in roots if isinstance(root, Call))
    while stack:
        node = stack.pop()
        if isinstance(node, Call) and node not in seen:
            seen.add(node)
            for arg in node.args:
                if isinstance(arg, Call):
                    counts[arg] += 1
                    stack.append(arg)
    return counts
