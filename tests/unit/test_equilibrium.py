"""Bringing a model to rest before it is simulated."""

from __future__ import annotations

import numpy as np
import pytest
from equations import event, model

from bonesim.errors import InputError, SimulationError
from bonesim.simulate import simulate
from bonesim.solve.status import Status

DOSED = model({"x": (1, "a - k*x")}, {"a": 2.0, "k": 0.5}, events=[event(3, x="x + 10"), event(0, x="x + 1")])


def test_the_course_begins_at_the_rest_of_each_member() -> None:
    k = np.array([0.1, 0.5, 3.0])
    result = simulate(DOSED, [0.0, 2.0, 3.0], parameters={"k": k}, equilibrate=True, backend="numpy")
    # The event at the start happens once, after the rest is found.
    np.testing.assert_allclose(result["x"][:, 0], 2 / k + 1, rtol=1e-9)
    np.testing.assert_allclose(result["x"][:, 1], 2 / k + np.exp(-2 * k), rtol=1e-5)
    np.testing.assert_allclose(result["x"][:, 2], 2 / k + np.exp(-3 * k) + 10, rtol=1e-5)


def test_initial_values_say_how_much_there_is_of_what_is_conserved() -> None:
    ode = model({"A": (1, "-A + 3*B"), "B": (0, "A - 3*B")})
    result = simulate(ode, [0.0, 5.0], initial={"A": 2.0, "B": 6.0}, equilibrate=True, backend="numpy")
    np.testing.assert_allclose([result["A"], result["B"]], [[6, 6], [2, 2]], rtol=1e-9)


def test_a_member_without_rest_fails_with_that_cause_and_no_other_does() -> None:
    ode = model({"x": (1, "a - k*x")}, {"a": 2.0, "k": 0.5})
    result = simulate(ode, [0.0, 1.0], parameters={"k": [0.5, 0.0, 1.0]}, equilibrate=True, backend="numpy")
    assert result["status"].values.tolist() == [Status.OK, Status.NO_REST, Status.OK]
    assert np.isnan(result["x"][1]).all()
    assert result["cause"].values[1].startswith("found no rest: no_rest (x still moves: 2 a day")
    np.testing.assert_allclose(result["x"][::2], [[4, 4], [2, 2]], rtol=1e-9)
    with pytest.raises(SimulationError, match="the simulation found no rest: no_rest") as caught:
        simulate(ode, [0.0, 1.0], parameters={"k": 0.0}, equilibrate=True, backend="numpy")
    assert caught.value.status == Status.NO_REST


def test_a_model_that_reads_the_clock_never_rests() -> None:
    ode = model({"x": (1, "r - x")}, {"a": 2.0}, {"r": "a*sin(t)"})
    with pytest.raises(InputError) as caught:
        simulate(ode, [0.0, 1.0], equilibrate=True, backend="numpy")
    assert str(caught.value) == (
        "the model never rests: the rule for 'r' depends on time itself\n"
        "  try: put a constant in the place of time, or simulate for as long as it matters"
    )


def test_a_running_total_is_held_and_so_are_its_slopes() -> None:
    ode = model({"x": (1, "a - k*x"), "out": (7, "k*x")}, {"a": 2.0, "k": 0.5})
    result = simulate(
        ode, [0.0, 3.0], equilibrate=True, hold=["out"], sensitivities=["a", "out"], rtol=1e-9, backend="numpy"
    )
    np.testing.assert_allclose(result["out"], [7, 7 + 3 * 2], rtol=1e-9)
    # At rest the loss is a, whatever k is.
    np.testing.assert_allclose(result["out_sensitivity"], [[0, 3], [1, 1]], rtol=1e-8, atol=1e-9)


def test_nothing_is_held_where_nothing_comes_to_rest() -> None:
    with pytest.raises(InputError) as caught:
        simulate(DOSED, [0.0, 1.0], hold=["x"], backend="numpy")
    problem = "hold: states are held while a model comes to rest, so this would change nothing"
    assert str(caught.value) == f"{problem}\n  try: leave it out, or equilibrate=True"
