"""What is hoisted, what is named, what is left out."""

from __future__ import annotations

import pytest
from equations import event, formula, model, solve

from bonesim.codegen.program import DEEPEST, Block, arrange
from bonesim.errors import InputError
from bonesim.model.expr import Call, Expr, Num, Sym, total
from bonesim.model.ode import State


def depth(expr: Expr) -> int:
    return 1 + max(map(depth, expr.args)) if isinstance(expr, Call) else 0


def shown(block: Block) -> dict[str, Expr]:
    return dict(block.values) | {f"{store.array}{list(store.index)}": store.expr for store in block.stores}


def test_what_depends_on_parameters_alone_is_computed_once_a_segment() -> None:
    program = arrange(model({"x": (1, "-exp(k)*x + a*2/4 + t")}, {"k": 1.0}, {"a": "k*k", "unused": "k + 1"}), ["x"])
    slope, inflow = program.layout.constants
    assert shown(program.rhs) == {"dy[0]": formula(f"{slope}*x + {inflow} + t")}
    assert shown(program.constants) == {"a": formula("k*k"), "k[0]": formula("-exp(k)"), "k[1]": formula("a*2/4")}


def test_numbers_alone_are_folded() -> None:
    program = arrange(model({"x": (1, "x*(1 + 2*3)")}), [])
    assert shown(program.rhs) == {"dy[0]": formula("x*7")}


def test_a_subexpression_used_twice_is_named_once() -> None:
    program = arrange(model({"x": (1, "exp(x*y)/(1 + exp(x*y))"), "y": (1, "x*y")}), [])
    assert shown(program.rhs) == {
        "v1": formula("x*y"),
        "v2": formula("exp(v1)"),
        "dy[0]": formula("v2/(1 + v2)"),
        "dy[1]": Sym("v1"),
    }


def test_rules_that_a_block_does_not_need_are_not_in_it() -> None:
    program = arrange(model({"x": (1, "-x")}, rules={"a": "x*2", "b": "a + 1", "c": "x*3"}), ["b"])
    assert set(shown(program.rhs)) == {"dy[0]"}
    assert set(shown(program.observe)) == {"a", "b", "out[0]"}


def test_generated_names_avoid_those_of_the_model() -> None:
    ode = model(
        {"v1": (1, "exp(v1*c1) + exp(v1*c1)*x__after"), "x": (0, 0)},
        {"c1": 1.0, "x__after": 5.0},
        events=[event(0.5, x="x__after + x", c1="c1*2")],
    )
    program = arrange(ode, ["v1"])
    assert "v1" not in dict(program.rhs.values)
    assert {name for name, _ in program.firing[0].values} >= {"x__after_", "c1__after"}
    assert solve(ode, [0.0, 0.6], v1=[-30.0]).y[-1, 1, 0] == 5.0


def test_no_expression_of_generated_code_is_deeper_than_allowed() -> None:
    nested: Expr = Sym("x")
    for number in range(500):
        nested = Call("add", (Num(float(number)), nested))
    summed = total([Call("mul", (Num(float(number)), Sym("x"))) for number in range(500)])
    ode = model({}).with_(states=(State("x", Num(1.0), nested), State("y", summed, summed)))
    program = arrange(ode, ["x"])
    for block in (program.rhs, program.jacobian, program.initialise):
        assert max(map(depth, shown(block).values())) <= DEEPEST
    assert solve(ode, [0.0, 1e-9]).y[0].ravel().tolist() == [1.0, 124750.0]


def test_truth_values_count_as_one_and_zero() -> None:
    ode = model({"x": (1, "(x > 0) + (x > -1) - (not (x < 30))")}, rules={"r": "-(t >= 1)"})
    y = solve(ode, [0.0, 0.5, 1.0], "x", "r").y[:, :, 0]
    assert y[:, 0] == pytest.approx([1.0, 2.0, 3.0])
    assert y[:, 1].tolist() == [0.0, 0.0, -1.0]


def test_the_pattern_is_that_of_the_jacobian_and_time_is_noticed() -> None:
    assert arrange(model({"x": (1, "-x"), "y": (0, "x")}), []).layout.pattern == ((0, 0), (1, 0))
    assert arrange(model({"x": (1, "-x")}), []).layout.autonomous
    assert not arrange(model({"x": (1, "-r*x")}, rules={"r": "sin(t)"}), []).layout.autonomous


def test_initial_values_are_computed_in_order_of_use_with_time_zero() -> None:
    ode = model({"x": ("q + 1", 0), "y": ("r*x + t", 0)}, {"k": 3.0, "q": "2*k", "z": "y"}, {"r": "x + t + k"})
    y = solve(ode, [5.0, 6.0], "x", "y", "q", "z", k=[3.0, 1.0]).y[0]
    assert y.T.tolist() == [[7.0, 70.0, 6.0, 70.0], [3.0, 12.0, 2.0, 12.0]]


def test_circular_initial_values_are_refused() -> None:
    with pytest.raises(InputError, match=r"^initial values define each other in a circle: "):
        arrange(model({"x": ("k", 0)}, {"k": "x"}), [])
