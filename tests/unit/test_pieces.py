"""Blocks in pieces: every value is there when it is read, and no place of the pool holds two values at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bonesim.codegen.block import Block, Store
from bonesim.codegen.pieces import Piece, cut
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Call, Expr, Sym


def replay(pieces: list[Piece], given_values: dict[str, float]) -> dict[tuple[int, ...], float]:
    """What the pieces store, each knowing only what is given, what it computes, and the pool."""
    pool: dict[int, float] = {}
    home: dict[str, int] = {}
    stored = {}
    for piece in pieces:
        known = dict(given_values)
        for step in piece.steps:
            expr = step.expr if isinstance(step, Store) else step[1]
            read = {node.name for node in expr.args if isinstance(node, Sym)} if isinstance(expr, Call) else set()
            known |= {name: pool[home[name]] for name in read - known.keys()}
            value = evaluate(expr, known)
            if isinstance(step, Store):
                stored[step.index] = value
            else:
                known[step[0]] = value
        for name, place in piece.kept.items():
            pool[place], home[name] = known[name], place
    return stored


@given(data=st.data(), count=st.integers(1, 40), longest=st.integers(1, 60))
def test_pieces_store_what_the_block_does(data: st.DataObject, count: int, longest: int) -> None:
    names = ["x", "y"]
    values: list[tuple[str, Expr]] = []
    for number in range(count):
        read = data.draw(st.tuples(st.sampled_from(names), st.sampled_from(names)))
        values.append((f"v{number}", Call(data.draw(st.sampled_from(["add", "sub"])), (Sym(read[0]), Sym(read[1])))))
        names.append(f"v{number}")
    chosen = data.draw(st.lists(st.sampled_from(names[2:]), min_size=1))
    stores = tuple(Store("dy", (row,), Call("neg", (Sym(name),))) for row, name in enumerate(chosen))
    block = Block(tuple(values), stores)
    whole = replay(cut(block, 10**9, overwrites=False), {"x": 1.0, "y": 3.0})
    assert replay(cut(block, longest, overwrites=False), {"x": 1.0, "y": 3.0}) == whole
    assert replay(cut(block, longest, overwrites=True), {"x": 1.0, "y": 3.0}) == whole


@given(count=st.integers(2, 30), longest=st.integers(1, 30))
def test_a_piece_may_run_twice(count: int, longest: int) -> None:
    """Where a power meets an extraordinary number, its piece is computed once more by another form."""
    values = [("v0", Call("neg", (Sym("x"),)))]
    values += [(f"v{i}", Call("add", (Sym(f"v{i - 1}"), Sym(f"v{i // 2}")))) for i in range(1, count)]
    stores = (Store("dy", (0,), Call("neg", (Sym(f"v{count - 1}"),))),)
    pieces = cut(Block(tuple(values), stores), longest, overwrites=False)
    assert replay([piece for piece in pieces for _ in range(2)], {"x": 1.0}) == replay(pieces, {"x": 1.0})


def test_a_place_is_used_again() -> None:
    """A chain of sums crosses a border at every step with one number."""
    values = tuple((f"v{i + 1}", Call("add", (Sym(f"v{i}"), Sym("v0")))) for i in range(30))
    pieces = cut(Block(values, (Store("dy", (0,), Sym("v30")),)), 1, overwrites=False)
    assert len(pieces) == 31
    assert {place for piece in pieces for place in piece.kept.values()} <= {0, 1}


def test_what_a_block_overwrites_is_stored_last() -> None:
    swap = Block((("a", Sym("y")), ("b", Sym("x"))), (Store("y", (0,), Sym("a")), Store("y", (1,), Sym("b"))))
    steps = [step for piece in cut(swap, 1, overwrites=True) for step in piece.steps]
    assert [isinstance(step, Store) for step in steps] == [False, False, True, True]
