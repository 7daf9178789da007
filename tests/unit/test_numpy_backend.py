"""Generated NumPy: readable, stable, and safe against names."""

from __future__ import annotations

import numpy as np
import pytest
from equations import event, formula, kernels_of, model, solve

from bonesim.codegen.backends.numpy import source
from bonesim.codegen.program import arrange
from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import OdeModel, Parameter, Rule, State


def test_the_file_reads_like_the_model() -> None:
    ode = model({"x": (1, "1 - k*x/(1 + x)")}, {"k": 2.0}, events=[event(3, x="x + 1")])
    text, reads = source(arrange(ode, ["x"])), "def rhs(t, y, p, k, dy):\n    k_ = p[0]\n    x = y[0]\n"
    assert f"{reads}    dy[0] = 1.0 - k_ * x / (1.0 + x)\n" in source(arrange(ode, ["x"]), plain=True)
    kept = "subtract(1.0, divide(multiply(k_, x, w0_), add(1.0, x, w1_), w1_), dy[0])"
    assert f"{reads}    w0_, w1_, = kept(2, dy.shape[-1])\n    {kept}\n" in text
    assert "def fire_0(t, y, p, k):\n    x = y[0].copy()\n    x__after = x + 1.0\n    y[0] = x__after\n" in text
    assert source(arrange(ode, ["x"])) == text


@pytest.mark.parametrize(
    "name",
    ["lambda", "None", "def", "exp", "where", "abs", "log", "t", "y", "p", "k", "dy", "out", "inf", "nan", "jacobian",
     "times", "every", "by_time", "event", "fire", "FIRE", "rhs", "k_", "k__", "t_", "v1", "c1", "x_", "__name__",
     "add", "power", "kept", "w0_", "w0__"],
)  # fmt: skip
def test_any_plain_name_may_be_a_state_a_parameter_or_a_rule(name: str) -> None:
    state = State(name, Num(1.0), Call("mul", (Sym("rate"), Sym(name))))
    rule = Rule(name, Call("neg", (Sym("k2"),)))
    parameter, k2 = Parameter(name, -2.0), Parameter("k2", 2.0)
    decaying = State("x", Num(1.0), Call("mul", (Sym(name), Sym("x"))))
    for ode in (
        OdeModel("named", (state,), (k2,), (Rule("rate", formula("-k2")),)),
        OdeModel("named", (decaying,), (parameter,)),
        OdeModel("named", (decaying,), (k2,), (rule,)),
    ):
        assert solve(ode, [0.0, 1.0]).y[-1, 0, 0] == pytest.approx(np.exp(-2.0), rel=1e-5)


def test_names_that_differ_by_underscores_stay_apart() -> None:
    ode = model({"t_": (1, 0), "t__": (2, 0), "exp": (3, 0), "exp_": (4, 0), "k": (5, 0), "k_": (6, 0)})
    assert solve(ode, [0.0, 1.0]).y[-1, :, 0].tolist() == [1, 2, 3, 4, 5, 6]


def test_what_a_user_wrote_cannot_end_a_comment() -> None:
    evil = "m\nraise SystemExit\u2028raise SystemExit\r\x0craise SystemExit"
    kernels = kernels_of(OdeModel(evil, (State("x", Num(1.0), Num(0.0), unit=evil + " \u00b5g"),)))
    assert kernels.source_file is not None
    for line in kernels.source_file.read_text(encoding="utf-8").splitlines():
        assert "SystemExit" not in line or line.startswith("#")


def test_an_event_sees_the_values_before_it() -> None:
    swap = event(1, a="b", b="a", c="a + b")
    ode = model({"a": (1, 0), "b": (2, 0)}, {"c": 0.0}, events=[swap])
    assert solve(ode, [0.0, 1.0, 2.0], "a", "b", "c").y[:, :, 0].tolist() == [[1, 2, 0], [2, 1, 3], [2, 1, 3]]


def test_models_may_lack_any_part() -> None:
    assert solve(model({"x": (2, 0)}), [0.0, 1.0]).y[-1, 0, 0] == 2
    assert solve(model({}, {"k": 3.0}, {"r": "k*t"}), [0.0, 1.0, 2.0], "r", "k").y[:, :, 0].tolist() == [
        [0, 3], [3, 3], [6, 3]
    ]  # fmt: skip


def test_jacobian_entries_may_be_constants_and_by_time_too() -> None:
    kernels = kernels_of(model({"x": (1, "3*x - 2*y + 5*t"), "y": (1, "k*y")}, {"k": 7.0}))
    jacobian, by_time = np.zeros((2, 2, 2)), np.zeros((2, 2))
    y, p = np.ones((2, 2)), np.full((1, 2), 7.0)
    kernels.functions.jacobian(np.zeros(2), tuple(y), tuple(p), (), jacobian, by_time)
    assert jacobian.tolist() == [[[3, -2], [0, 7]]] * 2
    assert by_time.tolist() == [[5, 5], [0, 0]]


def test_constants_follow_a_parameter_that_an_event_sets() -> None:
    ode = model({"x": (0, "exp(k)*2*k")}, {"k": 0.0}, {"fixed": "exp(k)"}, [event(1, k="k + 1")])
    y = solve(ode, [0.0, 0.999, 1.0, 2.0], "x", "fixed").y[:, :, 0]
    np.testing.assert_allclose(y, [[0, 1], [0, 1], [0, np.e], [2 * np.e, np.e]], rtol=1e-12)
