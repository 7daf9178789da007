"""Sensitivities: what may be asked for, what cannot be differentiated, how they stand in a result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from equations import batch_of, event, formula, kernels_of, model

from bonesim.errors import InputError, UnsupportedModelError
from bonesim.model.ode import NOWHERE, OdeModel, Origin, StateEvent
from bonesim.model.sensitivity import with_sensitivities
from bonesim.simulate import simulate

MODEL = model({"y": ("2*k", "-k*y"), "part__z": (0, "k")}, {"k": 1.0, "w": "k*3"}, {"r": "y + part__z"})


def test_they_are_variables_beside_the_outputs() -> None:
    result = simulate(MODEL, [0.0, 1.0], ["y", "r"], sensitivities=["k", "z"], backend="numpy")
    assert result["y_sensitivity"].dims == ("parameter", "time")
    assert result["parameter"].values.tolist() == ["k", "z"]
    assert result["parameter_unit"].values.tolist() == ["dimensionless", "dimensionless"]
    assert result["r_sensitivity"].attrs == {
        "units": "dimensionless per unit of parameter",
        "long_name": "derivative of r by a parameter or an initial value",
        "role": "sensitivity",
    }
    np.testing.assert_allclose(result["r_sensitivity"].sel(parameter="z"), 1.0, rtol=1e-9)
    batch = simulate(MODEL, [0.0, 1.0], ["y"], parameters={"k": [1, 2]}, sensitivities=["k"], backend="numpy")
    assert batch["y_sensitivity"].dims == ("parameter", "member", "time")


def test_the_course_itself_is_the_same_within_the_tolerance() -> None:
    plain = simulate(MODEL, [0.0, 0.5, 3.0], rtol=1e-8, backend="numpy")
    beside = simulate(MODEL, [0.0, 0.5, 3.0], rtol=1e-8, sensitivities=["k"], backend="numpy")
    # Each is within some tens of the tolerance of the truth.
    np.testing.assert_allclose(beside["y"], plain["y"], rtol=1e-6)
    assert beside.attrs["model_hash"] == plain.attrs["model_hash"]


def test_slopes_avoid_names_of_the_model() -> None:
    ode = model({"y": (1, "-k*y + d__y__d__k")}, {"k": 1.0, "d__y__d__k": 0.5})
    found = simulate(ode, [0.0, 30.0], sensitivities=["k", "d__y__d__k"], backend="numpy")
    # At rest y = d/k.
    np.testing.assert_allclose(found["y_sensitivity"][:, -1], [-0.5, 1.0], rtol=1e-5)


def test_the_jacobian_is_block_lower_triangular_with_one_block_repeated() -> None:
    ode = model({"x": (1, "-k*x*y"), "y": (1, "r - m*y**2")}, {"k": 1.5, "m": 2.0}, {"r": "k*x*y"})
    slopes = with_sensitivities(ode, ["k", "x"]).model
    assert [state.id for state in slopes.states] == ["x", "y", "d__x__d__k", "d__y__d__k", "d__x__d__x", "d__y__d__x"]
    kernels = kernels_of(slopes)
    batch = batch_of(kernels, slopes, [0.0, 1.0])
    y = np.array([0.7, 1.1, 0.3, -0.4, 0.9, -0.2])[:, None]
    jacobian, by_time = np.zeros((1, 6, 6)), np.zeros((6, 1))
    constants = tuple(kernels.constants(batch.parameters))
    kernels.functions.jacobian(np.zeros(1), tuple(y), tuple(batch.parameters), constants, jacobian, by_time)
    base = jacobian[0, :2, :2]
    np.testing.assert_allclose(base, [[-1.5 * 1.1, -1.5 * 0.7], [1.5 * 1.1, 1.5 * 0.7 - 4 * 1.1]], rtol=1e-14)
    for block in (2, 4):
        np.testing.assert_array_equal(jacobian[0, block : block + 2, block : block + 2], base)
    assert not any(column // 2 > row // 2 or 0 < column // 2 < row // 2 for row, column in kernels.layout.pattern)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["kk"], "the model has no quantity 'kk'\n  try: did you mean 'k'?"),
        (["r"], "'r' is no parameter and no state, so nothing has a sensitivity to it\n  try: "),
        (
            ["w"],
            "'w' is computed by an initial assignment, so nothing can be changed by it\n"
            "  try: take the sensitivity to what it is computed from",
        ),
        (["k", "k"], "sensitivities to 'k' are asked for twice\n  try: name it once"),
        ("k", "sensitivities: sensitivities is one text\n  try: a list, e.g. ['k']"),
    ],
)
def test_names_that_cannot_be_asked_for(names: list[str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate(MODEL, [0.0, 1.0], sensitivities=names, backend="numpy")
    assert str(caught.value).startswith(message)


REMEDY = "\n  try: write the model so that both branches meet there, or compare two simulations"


@pytest.mark.parametrize(
    ("rate", "condition"),
    [
        ("piecewise(2, y > 1, 1)", "y > 1"),
        ("(y < k)*3", "y < k"),
        ("piecewise(k, y > 1 and t < 2, y)", "y > 1"),
        ("floor(y)", "floor(y)"),
        ("piecewise(1, t < k, 2)", "time < k"),
        ("piecewise(1, t < y, 2)", "time < y"),
        ("piecewise(y - 1, y > 1.1, 0)", "y > 1.1"),
        ("piecewise(1e-12, y > 1, 0)", "y > 1"),
    ],
)
def test_a_jump_that_a_state_or_the_parameter_moves_is_refused(rate: str, condition: str) -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        with_sensitivities(model({"y": (1, rate)}, {"k": 2.0}), ["k"])
    assert str(caught.value) == f"sensitivities across the rate of 'y', which jumps at a condition: {condition}{REMEDY}"


def test_a_jump_in_a_rule_is_named_with_its_place() -> None:
    ode = model({"y": (1, "-r")}, {"k": 2.0}, {"r": "piecewise(2, s > 1, 1)", "s": "2*y"})
    placed = ode.with_(rules=(replace(ode.rules[0], origin=Origin("cells.ant", 7)), ode.rules[1]))
    with pytest.raises(UnsupportedModelError) as caught:
        with_sensitivities(placed, ["k"])
    problem = "sensitivities across the rule for 'r', which jumps at a condition: s > 1"
    assert str(caught.value) == f"cells.ant:7: {problem}{REMEDY}"


def test_a_published_model_with_a_jump_is_refused_at_its_place() -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        simulate("peterson_riggs2010", [0.0, 1.0], sensitivities=["k_OC"])
    problem = "sensitivities across the rule for 'r_RUNX2', which jumps at a condition: BCL2 > BCL2_threshold"
    place, _, said = str(caught.value).partition(": ")
    assert said == f"{problem}{REMEDY}"
    file, _, line = place.rpartition(":")
    assert file.endswith("peterson_riggs2010.xml")
    assert line.isdigit()


def test_an_event_that_a_state_triggers_is_refused() -> None:
    ode = model({"y": (1, "-y")}, {"k": 2.0})
    fired = StateEvent("low", formula("y < 0.5"), (("y", formula("1")),), origin=NOWHERE)
    with pytest.raises(UnsupportedModelError) as caught:
        with_sensitivities(ode.with_(state_events=(fired,)), ["k"])
    assert str(caught.value) == f"sensitivities across the event 'low', which a state triggers: y < 0.5{REMEDY}"


@pytest.mark.parametrize(
    "rate",
    [
        "piecewise(k*(y - 1), y > 1, 0)",
        "piecewise(0, 2*y <= 2*k, y - k)",
        "piecewise(y*y, y < 3, 6*y - 9)",
        "min(y, k) + max(y, 1) + abs(y - 1)",
        "piecewise(1, t < 2, 2)",
        "piecewise(1, t < m, 2)",
        "piecewise(1, k > 1, y)",
        "floor(t)",
        "piecewise(1, floor(t/7) > 2, 2)",
    ],
)
def test_kinks_and_jumps_that_do_not_move_are_not(rate: str) -> None:
    with_sensitivities(model({"y": (1, rate)}, {"k": 2.0, "m": 1.0}), ["k"])


def test_what_no_rate_reads_may_jump() -> None:
    ode: OdeModel = model({"y": (1, "-k*y")}, {"k": 2.0}, {"high": "piecewise(1, y > 0.5, 0)"}, [event(1, y="y + 1")])
    found = simulate(ode, [0.0, 0.1], ["high"], sensitivities=["k"], backend="numpy")
    assert found["high_sensitivity"].values.tolist() == [[0.0, 0.0]]
