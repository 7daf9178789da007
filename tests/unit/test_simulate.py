"""Plain simulation: names, batches, outputs, failures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from equations import event, model

from bonesim.errors import InputError, SimulationError
from bonesim.simulate import LATEST, SHORTEST, SHORTEST_SHARE, build_kernels, load_model, simulate
from bonesim.solve.status import Status

MODEL = model({"y": ("2*k", "-k*y"), "part__z": (0, "k")}, {"k": 1.0, "w": "k*3"}, {"r": "y + part__z"})


def test_a_single_simulation_has_time_alone() -> None:
    result = simulate(MODEL, [0.0, 0.5, 1.0], ["y", "r", "w"])
    assert result["y"].dims == ("time",)
    np.testing.assert_allclose(result["y"], 2 * np.exp(-result["time"]), rtol=1e-5)
    np.testing.assert_allclose(result["r"], 2 * np.exp(-result["time"]) + result["time"], rtol=1e-5)
    assert result["w"].values.tolist() == [3.0, 3.0, 3.0]
    assert int(result["status"]) == Status.OK
    assert result.attrs["model_hash"] == MODEL.content_hash


def test_values_by_member_make_a_batch_and_computed_values_follow() -> None:
    result = simulate(MODEL, [0.0, 1.0], ["y", "z", "w"], parameters={"k": [1.0, 2.0]}, initial={"z": 5.0})
    assert result["y"].dims == ("member", "time")
    np.testing.assert_allclose(result["y"][:, 0], [2.0, 4.0])
    np.testing.assert_allclose(result["y"][:, 1], [2 * np.exp(-1), 4 * np.exp(-2)], rtol=1e-5)
    np.testing.assert_allclose(result["z"], [[5, 6], [5, 7]], rtol=1e-9)
    np.testing.assert_allclose(result["w"][:, 0], [3, 6])


def test_a_simulation_ends_at_its_limit_of_steps() -> None:
    with pytest.raises(SimulationError, match="step limit was reached") as caught:
        simulate(MODEL, [0.0, 1.0], max_steps=3)
    assert caught.value.status is Status.TOO_MANY_STEPS


def test_one_member_and_a_batch_agree_to_the_bit() -> None:
    batch = simulate(MODEL, [0.0, 0.3, 1.0], parameters={"k": np.linspace(0.1, 3.0, 9)})
    single = simulate(MODEL, [0.0, 0.3, 1.0], parameters={"k": float(np.linspace(0.1, 3.0, 9)[4])})
    np.testing.assert_array_equal(batch["y"][4], single["y"])


def test_an_output_keeps_its_name_where_results_need_it_too() -> None:
    ode = model({"time": ("2*k", "-k*time"), "member": (1, 0), "status": (0, 1)}, {"k": 1.0})
    result = simulate(ode, [0.0, 1.0], parameters={"k": [1.0, 2.0]})
    assert result["time"].dims == ("member_", "time_")
    np.testing.assert_allclose(result["time"][:, 1], [2 * np.exp(-1), 4 * np.exp(-2)], rtol=1e-5)
    assert result["member"].values.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert (result["time_"].values.tolist(), result["status_"].values.tolist()) == ([0.0, 1.0], [0, 0])


NOT_NUMBERS = "k: not a finite number, nor a list with one for each member\n  try: k: 1.5, or k: [1.5, 2.0]"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"outputs": ["yy"]}, "the model has no quantity 'yy'\n  try: did you mean 'y'?"),
        ({"parameters": {"y": 1.0}}, "'y' is no parameter of the model\n  try: one of k, w"),
        ({"initial": {"k": 1.0}}, "'k' is no state of the model\n  try: one of part__z, y"),
        (
            {"parameters": {"w": 1.0}},
            "'w' is computed by an initial assignment, so a value for it would change nothing\n"
            "  try: set what it is computed from",
        ),
        (
            {"parameters": {"k": [1.0, 2.0]}, "initial": {"y": [1.0, 2.0, 3.0]}},
            "values for 2 and 3 members were given together\n  try: give each name one value, or one for each member",
        ),
        *(({"parameters": {"k": bad}}, NOT_NUMBERS) for bad in (np.nan, [], "abc", [[1.0]], None)),
        ({"outputs": "OBa"}, "outputs: outputs is one text\n  try: a list, e.g. ['OBa']"),
        ({"backend": "numpi"}, "unknown back end 'numpi'\n  try: did you mean 'numpy'?"),
        ({"method": "rk4"}, "unknown method 'rk4'"),
    ],
)
def test_what_cannot_be_simulated_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate(MODEL, [0.0, 1.0], **options)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "times",
    [["a", 1], [], [0.0], [0.0, 0.0], [1.0, 0.0], [0.0, np.inf], [np.nan, 1.0], [[0.0, 1.0]], [0, 10**400]],
)
def test_times_increase(times: list[float]) -> None:
    with pytest.raises(InputError) as caught:
        simulate(MODEL, times)
    told = "times: times must be two or more finite numbers that increase, each at most twice\n  try: e.g. range(101)"
    assert str(caught.value) == told


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("times", "way"),
    [
        ([-1e308, 1e308], "-1e+308 to 1e+308"),
        ([0.0, 1.1e300], "0.0 to 1.1e+300"),
        ([0.0, 5e-324], "0.0 to 5e-324"),
        ([1e17, 1e17 + 16], "1e+17 to 1.0000000000000002e+17"),
    ],
)
def test_times_too_far_or_too_near_for_steps(times: list[float], way: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate(MODEL, times)
    assert str(caught.value) == (
        f"times: no steps lead from {way}, which is too far or too near for numbers\n"
        "  try: begin at 0, or count in another unit of time"
    )


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@pytest.mark.parametrize(
    ("start", "end"), [(0.0, LATEST), (-LATEST, LATEST), (0.0, SHORTEST), (1e9, 1e9 * (1 + 2 * SHORTEST_SHARE))]
)
def test_steps_lead_to_every_time_that_is_allowed(start: float, end: float, backend: str) -> None:
    ode = model({"y": (1, "(2 - y)/tau"), "z": (0, "1/tau")}, {"tau": end - start})
    result = simulate(ode, [start, end], backend=backend)
    # The errors of some dozen steps, each below rtol; z is a straight line, in which the method makes none.
    assert result["y"].values[-1] == pytest.approx(2 - math.exp(-1), rel=1e-5)
    assert result["z"].values[-1] == pytest.approx(1.0, rel=1e-12)


def test_a_single_failure_raises_with_what_was_reached() -> None:
    ode = model({"y": ("a", "y*y")}, {"a": 1.0})
    with pytest.raises(SimulationError, match=r"^the simulation stopped at t = 1 day: step_too_small ") as caught:
        simulate(ode, [0.0, 0.5, 2.0])
    assert caught.value.status == Status.STEP_TOO_SMALL
    np.testing.assert_allclose(caught.value.result["y"], [1.0, 2.0, np.nan], rtol=1e-5)


def test_a_failure_in_a_batch_does_not_raise() -> None:
    result = simulate(model({"y": ("a", "y*y")}, {"a": 1.0}), [0.0, 0.5, 2.0], parameters={"a": [0.1, 1.0]})
    assert result["status"].values.tolist() == [Status.OK, Status.STEP_TOO_SMALL]
    assert result["cause"].values[0] == ""
    assert np.isfinite(result["y"][0]).all()


def test_rules_need_not_be_in_order_and_events_may_set_parameters() -> None:
    ode = model({"y": (1, "b*y")}, {"k": 1.0}, {"b": "-a", "a": "k*1"}, [event(1, k="0")])
    np.testing.assert_allclose(simulate(ode, [0.0, 1.0, 5.0])["y"], np.exp([0.0, -1.0, -1.0]), rtol=1e-5)


def test_a_library_model_is_found_by_its_id_and_a_misspelt_one_is_named() -> None:
    assert load_model("lemaire2004").states
    with pytest.raises(InputError) as caught:
        load_model("lemaire204")
    assert str(caught.value) == "the library has no model 'lemaire204'\n  try: did you mean 'lemaire2004'?"


def test_kernels_are_those_of_the_back_end_asked_for() -> None:
    assert build_kernels(MODEL, ["y"], "numpy").backend == "numpy"
