"""The order of operations: nothing is read before it is there, nothing is lost, and long ways begin first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bonesim.codegen.block import Block, Store
from bonesim.codegen.schedule import MOST_AT_HAND, Step, scheduled, single_operations
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Call, Expr, Num, Sym, symbols, walk

X, Y = Sym("x"), Sym("y")
GIVEN = {"x": 1.25, "y": 3.0}


def steps_of(block: Block) -> list[Step]:
    return [*block.values, *block.stores]


def replay(steps: list[Step]) -> dict[tuple[int, ...], float]:
    """What the steps store, each knowing only what is given and what came before it."""
    known, stored = dict(GIVEN), {}
    for step in steps:
        if isinstance(step, Store):
            stored[step.index] = float(evaluate(step.expr, known))
        else:
            known[step[0]] = float(evaluate(step[1], known))
    return stored


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """Values over each other, with expressions of several operations, of which some are stored."""
    names = [X, Y]
    values = []
    for number in range(draw(st.integers(1, 60))):
        a, b, c = (draw(st.sampled_from(names)) for _ in range(3))
        expr = draw(st.sampled_from([Call("add", (a, b)), Call("sub", (Call("mul", (a, Num(0.5))), b))]))
        if draw(st.booleans()):
            expr = Call("piecewise", (expr, Call("lt", (Call("add", (a, c)), b)), Call("div", (c, Num(3.0)))))
        values.append((f"v{number}", expr))
        names.append(Sym(f"v{number}"))
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=8))
    return Block(tuple(values), tuple(Store("dy", (row,), Call("neg", (name,))) for row, name in enumerate(chosen)))


@given(blocks())
def test_a_block_in_another_order_stores_the_same(block: Block) -> None:
    steps = steps_of(block)
    order = scheduled(steps)
    assert len(order) == len(steps)
    assert replay(order) == replay(steps)
    assert scheduled(steps) == order


@given(blocks())
def test_single_operations_store_the_same(block: Block) -> None:
    single = single_operations(block)
    assert replay(steps_of(single)) == replay(steps_of(block))
    for name, expr in single.values:
        inner = [node for node in walk(expr) if isinstance(node, Call)]
        numbers = [node for node in inner if node.op not in {"lt"}]
        assert len(numbers) <= 1, name


def test_equal_operations_are_done_once() -> None:
    half: Expr = Call("div", (X, Num(2.0)))
    block = Block((("a", Call("add", (half, Y))),), (Store("dy", (0,), Call("mul", (half, Sym("a")))),))
    single = single_operations(block)
    assert [expr for _, expr in single.values].count(half) == 1


def test_the_longest_way_begins_first() -> None:
    """A sum that nobody waits for is written before a power that a chain of others waits for."""
    values = [(f"sum{i}", Call("add", (X, Num(float(i))))) for i in range(4)]
    values += [("power", Call("pow", (X, Y))), ("twice", Call("mul", (Sym("power"), Num(2.0))))]
    stores = [Store("dy", (i,), Sym(f"sum{i}")) for i in range(4)] + [Store("dy", (4,), Sym("twice"))]
    order = scheduled([*values, *stores])
    assert order[0] == values[4]


def test_a_block_with_much_at_hand_is_followed_as_written() -> None:
    """A hundred products that all end in one sum each would otherwise all be begun before any is used."""
    steps: list[Step] = []
    for i in range(100):
        steps += [(f"part{i}", Call("mul", (X, Num(float(i))))), (f"sum{i}", Call("add", (Sym(f"part{i}"), Y)))]
        steps.append(Store("dy", (i,), Sym(f"sum{i}")))
    waiting, most = set[str](), 0
    for step in scheduled(steps):
        waiting -= symbols(step.expr if isinstance(step, Store) else step[1])
        if not isinstance(step, Store):
            waiting.add(step[0])
        most = max(most, len(waiting))
    assert MOST_AT_HAND <= most <= 2 * MOST_AT_HAND
