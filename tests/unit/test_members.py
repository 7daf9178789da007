"""`results.members` and `results.arms`: draws in a dataset, what is said of them, and arms that were solved apart."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bonesim.results.arms import joined
from bonesim.results.dataset import OutputInfo, quantities, to_dataset
from bonesim.results.members import band_summary, quantiles, stated, with_members
from bonesim.results.store import read_run, summary, write_run
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status

T = np.array([0.0, 1.0, 2.0])
OUTPUTS = (OutputInfo("OBa", "pM", "osteoblasts"), OutputInfo("m2.bone", "particles", "bone", "exposure", "m2", "bone"))
MEMBERS = 4
WORDS = {status.value: status.word for status in Status}


def solution(failed: int | None = None) -> Solution:
    """Two arms of four draws: OBa is 1 + t of the member's number, twice that where dosed; one draw may fail."""
    columns = 2 * (1 + MEMBERS)
    found = Solution.empty(T, len(OUTPUTS), np.ones((1, columns)))
    for arm in range(2):
        for member in range(1 + MEMBERS):
            found.y[:, 0, arm * (1 + MEMBERS) + member] = (2 - arm) * (1 + member * T)
            found.y[:, 1, arm * (1 + MEMBERS) + member] = member
    found.stop_time[:] = T[-1]
    if failed is not None:
        found.status[failed], found.stop_time[failed] = Status.TOO_MANY_STEPS, 1.5
        found.cause[failed] = "stopped"
        found.y[2, :, failed] = np.nan
    return found


def result(failed: int | None = None) -> xr.Dataset:
    columns = np.arange(2 * (1 + MEMBERS)).reshape(2, -1)
    found = solution(failed)
    plain = to_dataset(
        outputs=OUTPUTS,
        t=T,
        y=found.y[:, :, columns[:, 0]],
        arms=("dosed", "vehicle"),
        status=np.zeros(2),
        stop_time=np.full(2, 2.0),
        cause=["", ""],
        status_words=WORDS,
        attrs={"title": "draws"},
    )
    return with_members(plain, OUTPUTS, found, np.arange(len(T)), columns[:, 1:])


def test_draws_have_a_dimension_and_the_stated_values_names_of_their_own() -> None:
    dataset = result()
    assert dataset["OBa"].dims == ("arm", "member", "time")
    assert dataset["OBa"].sel(arm="dosed", member=2).values.tolist() == [2.0, 8.0, 14.0]
    assert dataset["OBa_stated"].sel(arm="vehicle").values.tolist() == [1.0, 1.0, 1.0]
    assert dataset["m2.bone"].dims == ("arm", "time")
    assert dataset["status"].dims == ("arm", "member")
    assert quantities(dataset, role="output") == ["OBa"]
    assert quantities(dataset, role="stated") == ["OBa_stated"]


def test_the_stated_values_alone_are_a_result_without_draws() -> None:
    plain = stated(result())
    assert plain["OBa"].dims == ("arm", "time")
    assert plain["OBa"].attrs == {"units": "pM", "long_name": "osteoblasts", "role": "output"}
    assert set(plain.variables) == {"OBa", "m2.bone", "status", "stop_time", "cause", "arm", "time"}
    assert stated(plain) is plain


def test_quantiles_leave_out_what_is_not_a_number() -> None:
    values = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan], [2.0, 7.0, np.nan]])
    np.testing.assert_allclose(quantiles(values), [[1.1, 5.1, np.nan], [2.0, 6.0, np.nan], [2.9, 6.9, np.nan]])


def test_a_difference_is_that_of_a_member_to_its_own_vehicle() -> None:
    vehicle = xr.DataArray([[1.0, 10.0], [1.0, 100.0], [1.0, 1000.0]], dims=("member", "time"))
    row = {"against_vehicle_percent": 10.0, "largest_against_vehicle_percent": 10.0}
    found = band_summary(1.1 * vehicle, vehicle, row)
    assert found["against_vehicle_percent_quantiles"] == pytest.approx({"5": 10.0, "50": 10.0, "95": 10.0})
    assert found["quantiles"]["50"] == pytest.approx(110.0)
    assert found["change_percent_quantiles"]["50"] == pytest.approx(9900.0)


def test_sign_agreement_counts_members_on_the_side_of_the_stated_values() -> None:
    vehicle = xr.DataArray(np.full((5, 3), 100.0), dims=("member", "time"))
    courses = [[100, 90, 101], [100, 110, 102], [100, 100, 99], [100, 100, 100], [100, 100, np.nan]]
    arm = xr.DataArray(np.array(courses, float), dims=("member", "time"))
    found = band_summary(arm, vehicle, {"against_vehicle_percent": 1.0, "largest_against_vehicle_percent": 10.0})
    assert found["sign_agreement"] == 2 / 4  # one is lower, one the same, one did not arrive
    assert found["largest_sign_agreement"] == 1 / 5
    nothing = {"against_vehicle_percent": 5e-5, "largest_against_vehicle_percent": None}
    found = band_summary(arm, vehicle, nothing)
    assert (found["sign_agreement"], found["largest_sign_agreement"]) == (None, None)


def test_the_summary_has_the_stated_values_and_the_band() -> None:
    found = summary(result())
    dosed = found["outputs"]["OBa"]["arms"]["dosed"]
    assert (dosed["final"], dosed["against_vehicle_percent"], dosed["sign_agreement"]) == (2.0, 100.0, 1.0)
    assert dosed["quantiles"] == pytest.approx({"5": 6.6, "50": 12.0, "95": 17.4})
    vehicle = found["outputs"]["OBa"]["arms"]["vehicle"]
    assert "quantiles" in vehicle
    assert "sign_agreement" not in vehicle
    assert found["status"]["dosed"] == {"status": "ok", "stop_time": 2.0, "members_failed": 0}


def test_a_draw_that_failed_is_counted_and_left_out() -> None:
    found = summary(result(failed=4))
    assert found["status"]["dosed"]["members_failed"] == 1
    assert found["outputs"]["OBa"]["arms"]["dosed"]["quantiles"]["95"] == pytest.approx(13.6)
    assert str(result(failed=4)["cause"].sel(arm="dosed", member=3).item()) == "stopped"


def test_a_run_with_draws_on_disk(tmp_path: Path) -> None:
    dataset = result()
    write_run(dataset, tmp_path, summary(dataset))
    xr.testing.assert_equal(read_run(tmp_path), dataset)
    with (tmp_path / "trajectories.csv").open() as file:
        names, units, *lines = list(csv.reader(file))
    assert names == ["arm", "time", "OBa", "m2.bone", "OBa_5", "OBa_50", "OBa_95"]
    assert units == ["#", "day", "pM", "particles", "pM", "pM", "pM"]
    assert lines[2] == ["dosed", "2.0", "2.0", "0.0", "6.6", "12.0", "17.4"]
    assert len(lines) == 6
    assert json.loads((tmp_path / "summary.json").read_text())["outputs"]["OBa"]["arms"]["dosed"]["quantiles"]


def plain(arms: tuple[str, ...], *outputs: OutputInfo, value: float, **attrs: object) -> xr.Dataset:
    return to_dataset(
        outputs=outputs,
        t=T,
        y=np.full((len(T), len(outputs), len(arms)), value),
        arms=arms,
        status=np.zeros(len(arms)),
        stop_time=np.full(len(arms), 2.0),
        cause=[""] * len(arms),
        status_words=WORDS,
        attrs=attrs,
    )


def test_arms_that_were_solved_apart_stand_in_the_order_asked_for() -> None:
    one = plain(("dosed", "vehicle", "low"), OUTPUTS[0], OUTPUTS[1], value=1.0, accuracy_members=3)
    two = plain(("other",), OUTPUTS[0], value=2.0, accuracy_members=1)
    one["OBa"].attrs["error_estimate"], two["OBa"].attrs["error_estimate"] = 1e-7, 1e-5
    whole = joined([one, two], ["dosed", "vehicle", "other", "low"])
    assert whole["arm"].values.tolist() == ["dosed", "vehicle", "other", "low"]
    assert whole["OBa"].values[:, 0].tolist() == [1.0, 1.0, 2.0, 1.0]
    assert whole["OBa"].attrs == {**OUTPUTS[0].attrs, "error_estimate": 1e-5}
    assert np.isnan(whole["m2.bone"].sel(arm="other")).all()
    assert whole["status"].dtype == np.int8
    assert whole.attrs["accuracy_members"] == 4
