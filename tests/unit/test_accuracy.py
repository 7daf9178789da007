"""The accuracy check: the difference to a tighter solution."""

from __future__ import annotations

import numpy as np
import pytest
from equations import model

import bonesim
from bonesim.errors import InputError
from bonesim.resources import data_root
from bonesim.results.store import summary
from bonesim.simulate import simulate

SWING = model({"x": (1, "y"), "y": (0, "-x")}, {"a": 1.0}, {"none": "0*x", "twice": "2*x"})
TIMES = np.linspace(0, 30, 61)


@pytest.mark.parametrize("rtol", [1e-4, 1e-7])
def test_the_estimate_is_the_error(rtol: float) -> None:
    result = simulate(SWING, TIMES, ["x", "twice", "none"], rtol=rtol, accuracy=True, backend="numpy")
    error = np.abs(result["x"] - np.cos(TIMES)).max() / np.abs(np.cos(TIMES)).max()
    # The tighter solution has an error of its own: by the order of the method 100^(-5/6), 2.2 %, of the other.
    assert result["x"].attrs["error_estimate"] == pytest.approx(float(error), rel=0.03)
    assert result["twice"].attrs["error_estimate"] == pytest.approx(result["x"].attrs["error_estimate"], rel=1e-12)
    assert result["none"].attrs["error_estimate"] == 0.0
    assert result.attrs["accuracy_rtol"] == pytest.approx(rtol / 100)


def test_of_a_batch_it_is_the_largest_of_those_that_arrived() -> None:
    ode = model({"y": ("a", "y*y*b - y")}, {"a": 0.5, "b": 0.0})
    result = simulate(ode, [0, 1, 2, 3], parameters={"b": [0.0, 40.0, 1.0]}, accuracy=True, backend="numpy")
    alone = [simulate(ode, [0, 1, 2, 3], parameters={"b": b}, accuracy=True, backend="numpy") for b in (0.0, 1.0)]
    assert result.attrs["accuracy_members"] == 2
    assert result["y"].attrs["error_estimate"] == max(one["y"].attrs["error_estimate"] for one in alone)


def test_a_tolerance_of_the_user_is_tightened_too() -> None:
    loose = simulate(SWING, TIMES, rtol=1e-8, atol=1e-3, accuracy=True, backend="numpy")
    error = np.abs(loose["x"] - np.cos(TIMES)).max()
    assert loose["x"].attrs["error_estimate"] == pytest.approx(float(error), rel=0.03)


def test_at_the_tightest_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(InputError) as caught:
        simulate(SWING, TIMES, rtol=1e-12, accuracy=True, backend="numpy")
    told = "rtol: 1e-12 leaves no room for a tighter solution to compare with\n  try: an rtol of 1e-11 or more"
    assert str(caught.value) == told


def test_a_scenario_can_be_checked_too() -> None:
    scenario = bonesim.load_scenario(data_root() / "scenarios" / "ovx_m2.yaml", ["duration=6 week", "doses[0].count=1"])
    checked = bonesim.run(scenario, backend="numpy", accuracy=True)
    plain = bonesim.run(scenario, backend="numpy")
    for name, output in summary(checked)["outputs"].items():
        # Tolerances bound the error of each step; a course adds some of them up.
        assert 0 < output["error_estimate"] < 1e-5
        np.testing.assert_array_equal(checked[name], plain[name])
    assert "error_estimate" not in summary(plain)["outputs"]["OBa"]
