"""Derivatives keep zeros out and names apart."""

from __future__ import annotations

import pytest
from equations import formula, model, solve

from bonesim.model.derive import ZERO, derivative, jacobian
from bonesim.model.expr import TIME, Num, Sym


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k", "0"),
        ("x", "1"),
        ("k*x", "k"),
        ("x*k", "k"),
        ("k - x", "-1"),
        ("x**2", "2*x"),
        ("x**1", "1"),
        ("x**n", "n*x**(n - 1)"),
        ("k/x", "-(k/x)/x"),
        ("floor(x)", "0"),
        ("x < k", "0"),
        ("piecewise(k, x < 1, t)", "0"),
        ("piecewise(x, x < 1, k)", "piecewise(1, x < 1, 0)"),
        ("min(x, k)", "piecewise(1, x < k, 0)"),
        ("max(k, x)", "piecewise(0, k > x, 1)"),
        ("abs(x)", "piecewise(-1, x < 0, 1)"),
        ("exp(k)", "0"),
    ],
)
def test_derivatives_by_a_name(text: str, expected: str) -> None:
    assert derivative(formula(text), Sym("x")) == formula(expected)


def test_time_is_a_variable_of_its_own() -> None:
    assert derivative(formula("k*t"), TIME) == Sym("k")
    assert derivative(formula("k*x"), TIME) == ZERO


def test_the_jacobian_has_no_entry_that_is_always_zero() -> None:
    slopes = jacobian(model({"x": (1, "-k*x + r"), "y": (0, "x - x + 3"), "z": (0, "t")}, {"k": 1.0}, {"r": "2*z"}))
    assert set(slopes.by_state) == {(0, 0), (0, 2), (1, 0)}
    assert slopes.by_time == {2: Num(1.0)}


def test_a_chain_of_rules_has_named_slopes() -> None:
    slopes = jacobian(model({"x": (1, "b*x")}, rules={"a": "x*x", "b": "exp(a)"}))
    assert [name for name, _ in slopes.chain] == ["d_a__d_x", "d_b__d_x"]
    assert dict(slopes.chain)["d_b__d_x"] == formula("exp(a)*d_a__d_x")


def test_names_of_slopes_avoid_names_of_the_model() -> None:
    # Both `d_a__d_b` and a state called `time` are names a model may use.
    ode = model({"time": (1, "-a"), "b": (1, "-d_a__d_b*b")}, {"d_a__d_b": 2.0}, {"a": "sin(t)*b*time"})
    slopes = jacobian(ode)
    names = [name for name, _ in slopes.chain]
    assert len(set(names)) == len(names) == 3
    assert "d_a__d_b" not in names
    assert set(slopes.by_state) == {(0, 0), (0, 1), (1, 1)}
    assert set(slopes.by_time) == {0}
    assert solve(ode, [0.0, 1.0]).ok
