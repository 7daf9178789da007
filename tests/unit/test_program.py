"""What is hoisted, what is named, what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from equations import event, formula, kernels_of, model, solve, when

from bonesim.codegen.block import DEEPEST, Block
from bonesim.codegen.program import arrange
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


JUMPY = model(
    {"x": (1, "a*x + b*sin(x) + c")},
    {"k": 2.0, "m": 3.0, "s": 5.0},
    {"a": "exp(k)", "b": "k*m", "c": "s*s"},
    events=[event(1, k=4), event(2, x=0), event(3, m=7)],
)


def test_an_event_renews_the_constants_that_rest_on_what_it_sets() -> None:
    program = arrange(JUMPY, ["x"])
    rows = {name: f"k[{row}]" for row, name in enumerate(program.layout.constants)}
    first, second, third = map(shown, program.jumped)
    assert first.keys() == {"a", "b", rows["a"], rows["b"]}
    assert second == {}
    assert third.keys() == {"b", rows["b"]}


def test_what_is_renewed_is_what_all_constants_would_be() -> None:
    kernels = kernels_of(JUMPY)
    for number, name in enumerate(("k", "x", "m")):
        p = np.array([[2.0, 0.1], [3.0, 7.0], [5.0, 0.3]])
        k = kernels.constants(p)
        if name in kernels.layout.parameters:
            p[kernels.layout.parameters.index(name)] *= 1.7
        kernels.functions.jumped(number, p, k)
        np.testing.assert_array_equal(k, kernels.constants(p))


def test_events_that_renew_much_in_many_ways_share_one_block() -> None:
    """One for each of 20 events, of up to 20 constants each, would be 210; all of them are 20."""
    names = [f"p{number}" for number in range(20)]
    events = [event(1, **{name: 2}) for name in names]
    rules = {f"r{number}": "+".join(f"sin(p{n})" for n in range(number, 20)) for number in range(20)}
    ode = model({"x": (1, "+".join(rules))}, dict.fromkeys(names, 1.0), rules, events)
    blocks = arrange(ode, ["x"]).jumped
    assert len(blocks) == 20
    assert all(block is blocks[0] for block in blocks)


def test_what_is_asked_at_events_alone_is_computed_there() -> None:
    """Where it rests on what events set; otherwise it is a constant."""
    late = when("x > k", delay=1, n="exp(n)*exp(k)")
    program = arrange(model({"x": (0, 1)}, {"n": 0.0, "k": 1.0}, events=[late]), ["x"])
    assert program.waiting is not None
    (constant,) = program.layout.constants
    assert shown(program.waiting.values[0]) == {"values[0]": formula(f"exp(n)*{constant}")}
    assert shown(program.constants) == {"k[0]": formula("exp(k)")}


def test_triggers_of_a_queue_that_rest_on_parameters_alone_are_constants() -> None:
    events = [when("n > 3", priority=1, n=0), when("x > 1", n="n + 1")]
    program = arrange(model({"x": (0, 1)}, {"n": 0.0}, events=events), ["x"])
    first = program.layout.triggers.start
    assert f"k[{first}]" in shown(program.constants)
    assert f"k[{first}]" in shown(program.jumped[0])
    assert f"k[{first}]" not in shown(program.settle)
    assert f"k[{first + 1}]" in shown(program.settle)


def test_lags_are_followed_where_rates_or_conditions_rest_on_them() -> None:
    ode = model(
        {"x": (1, "-delay(x, 1)"), "y": (0, "piecewise(1, a > 2, 0)")},
        {"n": 0.0},
        {"a": "delay(x, 2)", "b": "delay(x, 3)", "c": "delay(b, 4)"},
        [when("x < 0", delay=1, n="delay(x, 5)")],
    )
    layout = arrange(ode, ["x", "c"]).layout
    assert (len(layout.lags), len(layout.followed)) == (5, 2)
    deeper = model({"x": (1, "-delay(b, 1)")}, {}, {"b": "delay(x, 3)", "c": "delay(x, 4)"})
    assert len(arrange(deeper, ["x", "c"]).layout.followed) == 2
