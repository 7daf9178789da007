"""A ball whose bounces grow ever shorter uses up its steps. `explain_failure` then solved it in NumPy, whatever had
solved it before, up to five times over, and after many minutes named the rate of gravity."""

from __future__ import annotations

import math

import pytest
from equations import model, when

import bonesim.failure
from bonesim.errors import SimulationError
from bonesim.failure import explain_failure
from bonesim.simulate import simulate
from bonesim.solve.integrate import integrate
from bonesim.solve.solution import Solution
from bonesim.system import Kernels

KEPT = 0.8
BALL = model(
    {"h": (1.0, "v"), "v": (0.0, "-g")}, {"g": 9.81, "kept": KEPT}, events=[when("h < 0 and v < 0", v="-kept*v")]
)


def test_one_solve_by_the_same_back_end_names_the_trigger(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SimulationError) as caught:
        simulate(BALL, [0.0, 6.0], backend="llvm")
    solved = []

    def counted(kernels: Kernels, *arguments: object) -> Solution:
        assert kernels.backend == "llvm"
        solved.append(integrate(kernels, *arguments))  # type: ignore[arg-type]
        return solved[-1]

    monkeypatch.setattr(bonesim.failure, "integrate", counted)
    found = explain_failure(BALL, caught.value.result)
    assert len(solved) == 1
    assert (found.equation.what, found.equation.formula) == ("the trigger of event 'when_v'", "h < 0 and v < 0")
    assert (found.status, found.condition) == ("too_many_steps", "v < 0")
    assert str(found).splitlines()[-2:] == [
        "  'v < 0' turns over again and again, so that hardly any time passes between",
        "  try: let it turn back at another value than it turns at, or bring what it is about to rest",
    ]
    # A fall, then bounces of twice a fall, each shorter by the same factor: a few dozen of the steps come within a
    # thousandth of their limit. How far the others creep on beyond it, the rules of step sizes say.
    assert found.time >= 0.999 * math.sqrt(2 / 9.81) * (1 + 2 * KEPT / (1 - KEPT))


def test_a_condition_of_a_rate_along_which_a_state_slides() -> None:
    ode = model({"x": (1, "limit*2")}, {"k": 1.0}, {"limit": "piecewise(-k, x > 0, k)"})
    with pytest.raises(SimulationError) as caught:
        simulate(ode, [0.0, 1e4], backend="llvm")
    found = explain_failure(ode, caught.value.result)
    assert (found.equation.what, found.condition) == ("the rule for 'limit'", "x > 0")
