"""Trees of any depth, equal by what they say, the same in another process."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

from equations import formula

from bonesim.model.evaluate import evaluate
from bonesim.model.expr import (
    TIME,
    Call,
    Num,
    Sym,
    free_name,
    product,
    rebuild,
    substitute,
    symbols,
    total,
    walk,
)

TERMS = 3000  # three times the depth at which Python refuses to recurse


def long_sum() -> Call:
    """y + y + ... as nested as it gets."""
    return total([Call("mul", (Num(float(number)), Sym("y"))) for number in range(TERMS)])


def test_walk_gives_parents_before_their_arguments_from_left_to_right() -> None:
    assert list(walk(formula("a*t + 2"))) == [formula("a*t + 2"), formula("a*t"), Sym("a"), TIME, Num(2.0)]


def test_symbols_are_names_alone() -> None:
    assert symbols(formula("a*t + exp(b) - a")) == {"a", "b"}


def test_substitute_replaces_names_once_and_keeps_what_does_not_change() -> None:
    expr = formula("(a + b)*(c + t)")
    result = substitute(expr, {"a": formula("b + 1"), "b": formula("a")})
    assert result == formula("((b + 1) + a)*(c + t)")
    assert result.args[1] is expr.args[1]
    assert substitute(expr, {"z": Num(1.0)}) is expr


def test_rebuild_passes_every_leaf() -> None:
    assert rebuild(formula("a*2 + t"), lambda leaf: Num(1.0) if leaf == TIME else leaf) == formula("a*2 + 1")


def test_sums_and_products_of_lists() -> None:
    parts = [Sym("a"), Sym("b"), Sym("c")]
    assert total(parts) == formula("a + b + c")
    assert product(parts) == formula("a*b*c")
    assert total([]) == Num(0.0)
    assert product([]) == Num(1.0)
    assert product(parts[:1]) is parts[0]


def test_long_sums_do_not_exhaust_the_stack() -> None:
    one, other = long_sum(), long_sum()
    assert one == other
    assert hash(one) == hash(other)
    assert one != substitute(other, {"y": Sym("z")})
    assert one != total([Num(1.0), one])
    assert evaluate(one, {"y": 2.0}) == TERMS * (TERMS - 1)
    assert repr(one).count("mul") == TERMS


def test_equality_tells_operators_arguments_and_their_number_apart() -> None:
    assert formula("a - b") != formula("b - a")
    assert formula("a - b") != formula("a + b")
    assert Call("piecewise", (Sym("a"),) * 3) != Call("piecewise", (Sym("a"),) * 5)
    assert formula("a - b") != "a - b"
    assert formula("-a") != Sym("a")


def test_a_pickled_tree_equals_one_made_in_another_process() -> None:
    # Hashes of texts differ from process to process; one that travelled would make equal trees differ.
    program = (
        "import pickle, sys; from bonesim.model.expr import Call, Sym;"
        "e = pickle.loads(sys.stdin.buffer.read()); assert {e: 1}[Call('add', (Sym('a'), Sym('b')))] == 1"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    data = pickle.dumps(formula("a + b"))
    done = subprocess.run([sys.executable, "-c", program], input=data, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_free_names_never_repeat() -> None:
    taken = {"v1"}
    assert [free_name("v1", taken), free_name("v1", taken), free_name("w", taken)] == ["v1_", "v1__", "w"]
    assert taken == {"v1", "v1_", "v1__", "w"}
