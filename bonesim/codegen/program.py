"""What a kernel computes, in which order: hoisting, common subexpressions, dead code. Knows no target language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bonesim.model.check import in_order, well_posed
from bonesim.model.derive import jacobian
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import TIME, Call, Expr, Num, Sym, Time, fold, free_name, rebuild, symbols, walk
from bonesim.model.ode import OdeModel
from bonesim.system import Layout

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


@dataclass(frozen=True)
class Program:
    """All blocks of one model. `firing` has one block for each timed event."""

    model: OdeModel
    layout: Layout
    initialise: Block
    constants: Block
    rhs: Block
    jacobian: Block
    observe: Block
    event_times: Block
    firing: tuple[Block, ...]


def arrange(model: OdeModel, observables: Iterable[str]) -> Program:
    """The program of a model; it is checked first.

    `observables` are ids of states, parameters or rules. What depends on parameters alone is taken out of every
    block and computed once a segment; what a block does not need is not in it; what it needs twice is named.

    Raises
    ------
    InputError
        If the model is not well posed (`model.check`).
    """
    model = numeric(well_posed(model))
    observables = tuple(observables)
    hoist = _Hoist(model)
    rules = [(rule.id, hoist(rule.expr)) for rule in model.rules if not hoist.claims(rule.id, rule.expr)]
    slopes = jacobian(model.with_(rules=tuple(r for r in model.rules if r.id not in hoist.named)))
    chain = [(name, hoist(expr)) for name, expr in slopes.chain]
    rates = [Store("dy", (row,), hoist(state.rate)) for row, state in enumerate(model.states)]
    entries = [Store("jacobian", index, hoist(expr)) for index, expr in sorted(slopes.by_state.items())]
    entries += [Store("by_time", (row,), hoist(expr)) for row, expr in sorted(slopes.by_time.items())]
    watched = [Store("out", (row,), hoist(Sym(name))) for row, name in enumerate(observables)]
    times = [Store("times", (row,), hoist(event.time)) for row, event in enumerate(model.events)]
    times += [Store("every", (row,), hoist(event.every or Num(0.0))) for row, event in enumerate(model.events)]
    blocks = {
        "rhs": _block(rules, rates),
        "jacobian": _block(rules + chain, entries),
        "observe": _block(rules, watched),
        "event_times": _block(rules, times),
    }
    firing = tuple(_firing(model, number, rules, hoist) for number in range(len(model.events)))
    kept, constants = _constants(hoist, [*blocks.values(), *firing])
    layout = Layout(
        states=tuple(state.id for state in model.states),
        parameters=tuple(parameter.id for parameter in model.parameters),
        observables=observables,
        constants=kept,
        events=tuple(event.count for event in model.events),
        pattern=tuple(sorted(slopes.by_state)),
        autonomous=not slopes.by_time,
        time_unit=model.time_unit,
    )
    return Program(model, layout, _initial(model), constants, firing=firing, **blocks)


def numeric(model: OdeModel) -> OdeModel:
    """The model with truth values that are used as numbers written as 1 and 0; array libraries add them as `or`."""

    def number(expr: Expr) -> Expr:
        return Call("piecewise", (Num(1.0), expr, Num(0.0))) if isinstance(expr, Call) and expr.op in TRUTHS else expr

    def call(old: Call, args: tuple[Expr, ...]) -> Expr:
        if old.op in {"and", "or", "not"}:
            new = args
        elif old.op == "piecewise":
            last = len(args) - 1
            new = tuple(arg if place % 2 and place < last else number(arg) for place, arg in enumerate(args))
        else:
            new = tuple(map(number, args))
        return old if all(a is b for a, b in zip(new, old.args, strict=True)) else Call(old.op, new)

    def of(expr: Expr) -> Expr:
        return number(fold(expr, lambda leaf: leaf, call))

    return model.with_(
        states=tuple(replace(state, initial=of(state.initial), rate=of(state.rate)) for state in model.states),
        parameters=tuple(replace(one, initial=one.initial and of(one.initial)) for one in model.parameters),
        rules=tuple(replace(rule, expr=of(rule.expr)) for rule in model.rules),
        events=tuple(
            replace(
                event,
                time=of(event.time),
                every=event.every and of(event.every),
                assignments=tuple((target, of(expr)) for target, expr in event.assignments),
            )
            for event in model.events
        ),
    )


class _Hoist:
    """Replaces subtrees that depend on parameters alone by names of constants."""

    def __init__(self, model: OdeModel) -> None:
        self.taken = set(model.by_id)
        self.fixed = {parameter.id for parameter in model.parameters}
        self.named: dict[str, Expr] = {}
        self._names: dict[Expr, str] = {}

    def claims(self, name: str, expr: Expr) -> bool:
        """Whether a rule depends on parameters alone; then it becomes a constant of the same name."""
        if not self._is_fixed(expr):
            return False
        self.fixed.add(name)
        self.named[name] = expr
        self._names.setdefault(expr, name)
        return True

    def __call__(self, expr: Expr) -> Expr:
        def leaf(node: Num | Sym | Time) -> tuple[Expr, bool]:
            return node, self._is_fixed(node)

        def call(node: Call, args: tuple[tuple[Expr, bool], ...]) -> tuple[Expr, bool]:
            if all(fixed for _, fixed in args):
                return node, True
            return Call(node.op, tuple(self._constant(arg) if fixed else arg for arg, fixed in args)), False

        hoisted, fixed = fold(expr, leaf, call)
        return self._constant(hoisted) if fixed else hoisted

    def _constant(self, expr: Expr) -> Expr:
        """The name of an expression of parameters alone, or its value if it is one of numbers alone."""
        if not isinstance(expr, Call):
            return expr
        if not symbols(expr):
            return Num(float(evaluate(expr, {})))
        if expr not in self._names:
            name = free_name(f"c{len(self._names) + 1}", self.taken)
            self._names[expr] = name
            self.named[name] = expr
        return Sym(self._names[expr])

    def _is_fixed(self, expr: Expr) -> bool:
        return all(node.name in self.fixed if isinstance(node, Sym) else node != TIME for node in walk(expr))


def _constants(hoist: _Hoist, blocks: list[Block]) -> tuple[tuple[str, ...], Block]:
    """The constants that some block reads, with the named ones they rest on."""
    read = set().union(*(block.used() for block in blocks)) & hoist.named.keys()
    kept = tuple(name for name in hoist.named if name in read)
    values = [(name, expr) for name, expr in hoist.named.items() if name in hoist.fixed]
    stores = []
    for row, name in enumerate(kept):
        stores.append(Store("k", (row,), Sym(name) if name in hoist.fixed else hoist.named[name]))
    return kept, _block(values, stores)


def _initial(model: OdeModel) -> Block:
    """Initial assignments in order of use; they may rest on parameters, initial values of states, and rules.

    Time is 0 in them, as SBML has it, wherever the simulation begins.
    """
    exprs: dict[str, Expr] = {rule.id: rule.expr for rule in model.rules}
    exprs |= {parameter.id: parameter.initial for parameter in model.parameters if parameter.initial is not None}
    exprs |= {state.id: state.initial for state in model.states}
    uses = {name: sorted(symbols(expr) & exprs.keys()) for name, expr in exprs.items()}
    order = in_order(uses, model, "initial values")
    values = [(name, rebuild(exprs[name], lambda leaf: Num(0.0) if leaf == TIME else leaf)) for name in order]
    stores = [
        Store("p", (row,), Sym(parameter.id))
        for row, parameter in enumerate(model.parameters)
        if parameter.initial is not None
    ]
    stores += [Store("y", (row,), Sym(state.id)) for row, state in enumerate(model.states)]
    return _block(values, stores)


def _firing(model: OdeModel, number: int, rules: list[tuple[str, Expr]], hoist: _Hoist) -> Block:
    """New values first, then the stores: an event's expressions all see the values before it."""
    homes = {state.id: ("y", (row,)) for row, state in enumerate(model.states)}
    homes |= {parameter.id: ("p", (row,)) for row, parameter in enumerate(model.parameters)}
    values, stores, taken = list(rules), [], set(model.by_id)
    for target, expr in model.events[number].assignments:
        name = free_name(f"{target}__after", taken)
        values.append((name, hoist(expr)))
        stores.append(Store(*homes[target], Sym(name)))
    return _block(values, stores)


def _block(available: list[tuple[str, Expr]], stores: list[Store]) -> Block:
    """The values that `stores` need, in order, with repeated subexpressions named."""
    needed: list[tuple[str, Expr]] = []
    wanted = set().union(*(symbols(store.expr) for store in stores)) if stores else set()
    for name, expr in reversed(available):
        if name in wanted:
            wanted |= symbols(expr)
            needed.append((name, expr))
    return _number_values(needed[::-1], stores)


def _number_values(values: list[tuple[str, Expr]], stores: list[Store]) -> Block:
    """Name each call that has more than one parent or is `DEEPEST` levels deep, before its first use.

    What rests on numbers alone becomes a number here, under the rules of `evaluate`, not those of a target language.
    """
    exprs = [expr for _, expr in values] + [store.expr for store in stores]
    taken = {name for name, _ in values}.union(*(symbols(expr) for expr in exprs))
    parents = _parents(exprs)
    known: dict[Expr, Expr] = {}
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
        return fold(expr, lambda leaf: (leaf, 0), rewritten)[0]

    for name, expr in values:
        new = rewrite(expr)
        result.append((name, new))
        if isinstance(expr, Call) and expr not in known:
            known[expr] = Sym(name)
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
