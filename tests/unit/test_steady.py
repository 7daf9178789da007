"""`bonesim.steady_state`: names, members, what a result says."""

from __future__ import annotations

import numpy as np
import pytest
from equations import model

from bonesim.errors import InputError, SimulationError
from bonesim.solve.status import Status
from bonesim.steady import steady_state

MODEL = model({"x": ("a", "a - k*x"), "part__z": (0, "k*x - m*z2")}, {"a": 2, "k": 0.5, "m": 3}, {"z2": "part__z**2"})


def test_one_rest_has_no_dimension_and_says_how_it_was_found() -> None:
    rest = steady_state(MODEL, ["x", "z2", "m"])
    assert dict(rest.sizes) == {}
    assert [float(rest[name]) for name in ("x", "z2", "m")] == pytest.approx([4, 2 / 3, 3], rel=1e-9)
    assert rest["x"].attrs == {"units": "dimensionless", "long_name": "x", "role": "output"}
    assert rest["growth_rate"].attrs["units"] == "1/day"
    assert rest["stability"].attrs["flag_meanings"] == "unknown stable neutral unstable"
    assert rest["found_by"].attrs["flag_meanings"] == "newton continuation"
    assert float(rest["residual"]) <= 1
    assert bool(rest["stable"])
    assert int(rest["status"]) == Status.OK
    assert rest.attrs["model_hash"] == MODEL.content_hash


def test_values_by_member_make_a_batch() -> None:
    k = np.array([0.5, 1.0, 4.0])
    np.testing.assert_allclose(steady_state(MODEL, parameters={"k": k})["x"], 2 / k, rtol=1e-9)
    guessed = steady_state(MODEL, guess={"z": [1.0, 0.1]})
    np.testing.assert_allclose(guessed["part__z"], np.full(2, np.sqrt(2 / 3)), rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"outputs": ["xx"]}, "the model has no quantity 'xx'\n  try: did you mean 'x'?"),
        ({"guess": {"k": 1.0}}, "'k' is no state of the model\n  try: one of part__z, x"),
        (
            {"parameters": {"k": [1.0, 2.0]}, "guess": {"x": [1.0, 2.0, 3.0]}},
            "values for 2 and 3 members were given together\n  try: give each name one value, or one for each member",
        ),
        ({"rtol": 1.0}, "rtol 1 is out of range"),
    ],
)
def test_bad_input_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        steady_state(MODEL, **options)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


def test_what_is_said_of_a_rest_keeps_its_name() -> None:
    with pytest.raises(InputError, match="an output can not be named 'residual'"):
        steady_state(model({"residual": (1, "1 - residual")}))


def test_a_model_that_reads_the_clock_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        steady_state(model({"x": (1, "-x + t")}))
    assert str(caught.value).startswith("the model never rests: the rate of 'x' depends on time itself\n  try: ")


def test_a_clock_that_moves_no_rate_now_is_no_matter() -> None:
    ode = model({"x": (1, "piecewise(2, t < 50, 3) - x")}, rules={"days": "t"})
    assert float(steady_state(ode)["x"]) == pytest.approx(2, rel=1e-9)


def test_without_a_rest_one_member_raises_and_a_batch_does_not() -> None:
    ode = model({"x": (1, "a - k*x")}, {"a": 2, "k": 0.0})
    with pytest.raises(SimulationError, match=r"^the model found no rest: no_rest ") as caught:
        steady_state(ode)
    assert caught.value.status == Status.NO_REST
    assert np.isnan(caught.value.result["x"])
    batch = steady_state(ode, parameters={"k": [0.0, 1.0]})
    assert batch["status"].values.tolist() == [Status.NO_REST, Status.OK]
    assert batch["stability"].values.tolist() == [-1, 0]
    assert batch["cause"].values[1] == ""


def test_conditions_are_taken_as_they_are_at_each_point() -> None:
    ode = model({"x": ("x0", "piecewise(3, x > 2, 1) - x")}, {"x0": 0.0})
    np.testing.assert_allclose(steady_state(ode, parameters={"x0": [0.0, 5.0]})["x"], [1, 3], rtol=1e-9)


def test_a_running_total_is_held() -> None:
    ode = model({"x": (1, "a - k*x"), "out": (7, "k*x")}, {"a": 2, "k": 0.5})
    with pytest.raises(SimulationError, match=r"out still moves: 2 a day at .*, and no rate reads it: hold it"):
        steady_state(ode)
    rest = steady_state(ode, hold=["out"])
    assert [float(rest[name]) for name in ("x", "out")] == pytest.approx([4, 7], rel=1e-9)
    # What is held is no total that a disturbance could change.
    assert (bool(rest["stable"]), int(rest["conserved"])) == (True, 0)
    assert float(rest["growth_rate"]) == pytest.approx(-0.5, rel=1e-9)
    with pytest.raises(InputError) as caught:
        steady_state(ode, hold=["k"])
    assert str(caught.value) == "hold: 'k' is no state of the model\n  try: one of out, x"
