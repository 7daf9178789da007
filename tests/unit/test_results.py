"""`results`: the convention of datasets, the summary, and a run on disk."""

from __future__ import annotations

import csv
import json
import math
import os
from tempfile import mkdtemp

import numpy as np
import pytest
import xarray as xr

from bonesim.errors import InputError
from bonesim.results.dataset import OutputInfo, quantities, structure, to_dataset
from bonesim.results.store import FIGURES, read_run, summary, write_run

WORDS = {0: "ok", 1: "step_too_small", 2: "too_many_steps"}
T = np.array([0.0, 0.1 + 0.2, 7.0])
OUTPUTS = (
    OutputInfo("plasma", "particles", "vesicles in plasma", "exposure", "macrophage_m2 intravenous", "plasma"),
    OutputInfo("bone_volume_fraction", "dimensionless", "bone volume per tissue volume"),
    OutputInfo("OBa", "pM", "active osteoblasts"),
)


def values(*, failed: bool = False) -> np.ndarray:
    """(time, output, arm): a dosed and a vehicle arm; the dosed one may end before the last time."""
    dosed = [[5e10, 0.25, 0.0], [1e10, 0.3, 1 / 3], [1e9, 0.2, 2e-3]]
    vehicle = [[0.0, 0.25, 0.0], [0.0, 0.2, 0.1], [0.0, 0.16, 1e-3]]
    y = np.array([dosed, vehicle]).transpose(1, 2, 0)
    if failed:
        y[2, :, 0] = np.nan
    return y


def result(**changed) -> xr.Dataset:
    given = {
        "outputs": OUTPUTS,
        "t": T,
        "y": values(),
        "arms": ("dosed", "vehicle"),
        "status": np.array([0, 0]),
        "stop_time": np.array([7.0, 7.0]),
        "cause": ("", ""),
        "status_words": WORDS,
        "attrs": {"title": "A test", "ledger": [{"scheduled": 100.0}], "provenance": {"seed": 0}},
    }
    return to_dataset(**(given | changed))


def failed_result() -> xr.Dataset:
    return result(
        y=values(failed=True),
        status=np.array([1, 0]),
        stop_time=np.array([5.5, 7.0]),
        cause=("step below 1e-12 day, from OCa", ""),
    )


def test_dimensions_and_coordinates():
    dataset = result()
    assert dict(dataset.sizes) == {"arm": 2, "time": 3}
    assert list(dataset["arm"].values) == ["dosed", "vehicle"]
    assert dataset["OBa"].dims == ("arm", "time")
    assert dataset["OBa"].sel(arm="vehicle").values.tolist() == [0.0, 0.1, 1e-3]


def test_everything_over_time_has_unit_and_label():
    dataset = result()
    for name in ("plasma", "bone_volume_fraction", "OBa", "time", "stop_time"):
        assert dataset[name].attrs["units"]
        assert dataset[name].attrs["long_name"]
    assert dataset["plasma"].attrs == {
        "units": "particles",
        "long_name": "vesicles in plasma",
        "role": "exposure",
        "group": "macrophage_m2 intravenous",
        "compartment": "plasma",
    }


def test_status_explains_itself():
    status = failed_result()["status"]
    assert status.dtype == np.int8
    assert status.values.tolist() == [1, 0]
    assert status.attrs["flag_values"].tolist() == [0, 1, 2]
    assert status.attrs["flag_meanings"] == "ok step_too_small too_many_steps"


def test_attributes_are_text_and_numbers():
    attrs = result(attrs={"flag": True, "none": None, "list": [1], "n": np.int64(3), "text": "x"}).attrs
    assert attrs == {
        "Conventions": "bonesim-1",
        "time_units": "day",
        "flag": "true",
        "list": "[1]",
        "n": 3,
        "text": "x",
    }
    assert type(attrs["n"]) is int


def test_structures_come_back_from_json():
    assert structure(result(), "ledger", []) == [{"scheduled": 100.0}]
    assert structure(result(), "doses", []) == []


def test_outputs_come_before_the_rest():
    assert quantities(result()) == ["bone_volume_fraction", "OBa", "plasma"]
    assert quantities(result(), role="exposure") == ["plasma"]


def test_members_are_numbered():
    dataset = result(arms=range(2), members_dim="member", time_unit="s")
    assert dict(dataset.sizes) == {"member": 2, "time": 3}
    assert dataset["member"].values.tolist() == [0, 1]
    assert dataset["time"].attrs["units"] == dataset.attrs["time_units"] == "s"


def test_a_single_simulation_has_time_alone():
    one = {"status": [0], "stop_time": [7.0], "cause": [""], "arms": [0], "y": values()[:, :, :1]}
    dataset = result(**one, members_dim="member", squeeze=True)
    assert dict(dataset.sizes) == {"time": 3}
    assert int(dataset["status"]) == 0


@pytest.mark.parametrize("name", ["time", "status", "arm"])
def test_names_of_the_convention_are_not_for_outputs(name):
    with pytest.raises(InputError) as caught:
        result(outputs=(OutputInfo(name, "pM", "x"), *OUTPUTS[1:]))
    assert str(caught.value) == f"an output can not be named '{name}'\n  try: rename it in the model; results need it"


def test_an_output_is_named_once():
    with pytest.raises(InputError) as caught:
        result(outputs=(OUTPUTS[1], *OUTPUTS[1:]))
    assert str(caught.value) == "output 'bone_volume_fraction' is asked for twice\n  try: name it once"


def test_shapes_must_fit():
    with pytest.raises(ValueError, match=r"y is \(2, 3, 2\), not \(time, output, arm\) \(3, 3, 2\)"):
        result(y=values()[:2])


def test_summary_in_numbers():
    told = summary(result(), {"solve": 0.5})
    assert list(told) == ["outputs", "copies_per_cell", "copies_not_known", "status", "ledger", "timing", "provenance"]
    assert list(told["outputs"]) == ["bone_volume_fraction", "OBa"]
    bone = told["outputs"]["bone_volume_fraction"]
    assert (bone["unit"], bone["baseline"]) == ("dimensionless", 0.25)
    assert bone["arms"]["dosed"] == {
        "final": 0.2,
        "change_percent": pytest.approx(-20.0),
        "against_vehicle_percent": pytest.approx(25.0),
        "largest_against_vehicle_percent": pytest.approx(50.0),
        "largest_against_vehicle_time": 0.1 + 0.2,
    }
    assert bone["arms"]["vehicle"]["against_vehicle_percent"] == 0.0
    assert told["status"]["dosed"] == {"status": "ok", "stop_time": 7.0}
    assert (told["ledger"], told["timing"], told["provenance"]) == ([{"scheduled": 100.0}], {"solve": 0.5}, {"seed": 0})


def test_a_change_from_nothing_is_null():
    assert summary(result())["outputs"]["OBa"]["arms"]["dosed"]["change_percent"] is None


def test_a_failed_arm_is_null_and_named():
    told = summary(failed_result())
    assert told["outputs"]["bone_volume_fraction"]["arms"]["dosed"] == dict.fromkeys(
        ("final", "change_percent", "against_vehicle_percent")
    ) | {"largest_against_vehicle_percent": pytest.approx(50.0), "largest_against_vehicle_time": 0.1 + 0.2}
    assert told["status"]["dosed"] == {
        "status": "step_too_small",
        "stop_time": 5.5,
        "cause": "step below 1e-12 day, from OCa",
    }
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_the_largest_difference_keeps_its_sign_and_its_day():
    y = values()
    y[:, 1, :] = np.array([[0.25, 0.25], [0.1, 0.2], [0.21, 0.2]])
    arms = summary(result(y=y, t=24 * T, time_unit="h"))["outputs"]["bone_volume_fraction"]["arms"]
    assert arms["dosed"]["largest_against_vehicle_percent"] == pytest.approx(-50.0)
    assert arms["dosed"]["largest_against_vehicle_time"] == pytest.approx(0.3, rel=1e-15)
    assert arms["dosed"]["against_vehicle_percent"] == pytest.approx(5.0)
    assert arms["vehicle"]["largest_against_vehicle_percent"] is None
    assert arms["vehicle"]["largest_against_vehicle_time"] is None


def test_the_largest_difference_is_not_that_of_a_vehicle_that_is_almost_nothing():
    y = values()
    y[:, 1, :] = np.array([[0.0, 0.0], [0.009, 0.001], [0.25, 0.2]])
    dosed = summary(result(y=y))["outputs"]["bone_volume_fraction"]["arms"]["dosed"]
    assert dosed["largest_against_vehicle_percent"] == pytest.approx(25.0)


def test_a_difference_to_a_vehicle_of_zero_is_left_out():
    assert summary(result())["outputs"]["OBa"]["arms"]["dosed"]["largest_against_vehicle_time"] == 0.1 + 0.2


def test_arms_that_do_not_differ_have_no_day_of_the_largest_difference():
    y = np.repeat(values()[:, :, 1:], 2, axis=2)
    dosed = summary(result(y=y))["outputs"]["bone_volume_fraction"]["arms"]["dosed"]
    assert (dosed["largest_against_vehicle_percent"], dosed["largest_against_vehicle_time"]) == (0.0, None)


def test_without_a_vehicle_nothing_is_held_against_it():
    told = summary(result(arms=("low", "high")))["outputs"]["bone_volume_fraction"]
    assert told["baseline"] == 0.25
    assert told["arms"]["low"]["against_vehicle_percent"] is None
    assert told["arms"]["low"]["largest_against_vehicle_percent"] is None


def test_a_run_is_read_back_bit_for_bit(tmp_path):
    dataset = failed_result()
    folder = tmp_path / "some" / "where"
    files = write_run(dataset, folder, summary(dataset))
    assert [path.name for path in files] == ["result.nc", "summary.json", "trajectories.csv"]
    assert sorted(os.listdir(folder)) == sorted(path.name for path in files)
    assert os.listdir(folder.parent) == ["where"]
    xr.testing.assert_equal(read_run(folder), dataset)
    assert read_run(folder).attrs == dataset.attrs


def test_xarray_alone_opens_the_file(tmp_path):
    write_run(result(), tmp_path / "run", {})
    with xr.open_dataset(tmp_path / "run" / "result.nc") as stored:
        assert stored["time"].values.tolist() == T.tolist()
        assert stored["OBa"].attrs["units"] == "pM"
        assert list(stored["arm"].values) == ["dosed", "vehicle"]


def test_trajectories_hold_every_digit(tmp_path):
    write_run(failed_result(), tmp_path / "run", {})
    with (tmp_path / "run" / "trajectories.csv").open(newline="") as file:
        header, units, *rows = csv.reader(file)
    assert header == ["arm", "time", "bone_volume_fraction", "OBa", "plasma"]
    assert units == ["#", "day", "dimensionless", "pM", "particles"]
    assert [row[0] for row in rows] == ["dosed"] * 3 + ["vehicle"] * 3
    assert [float(row[1]) for row in rows[:3]] == T.tolist()
    assert float(rows[1][3]) == 1 / 3
    assert all(math.isnan(float(cell)) for cell in rows[2][2:])


def test_json_has_no_nan(tmp_path):
    write_run(result(), tmp_path / "run", {"timing": {"solve": math.nan, "all": [math.inf, 1.0]}})
    text = (tmp_path / "run" / "summary.json").read_text()
    assert json.loads(text) == {"timing": {"solve": None, "all": [None, 1.0]}}


def test_files_of_others_stay_and_ours_are_replaced(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "summary.json").write_text("old")
    write_run(result(), tmp_path, {"new": 1})
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert json.loads((tmp_path / "summary.json").read_text()) == {"new": 1}


def draw(folder):
    path = folder / "bone_volume.png"
    path.write_bytes(b"a figure")
    return [path]


def test_a_folder_that_exists_is_all_that_is_written_to(tmp_path, monkeypatch):
    """Its parent may be another file system, or closed to us."""
    made = []
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix, dir: made.append(dir) or mkdtemp(prefix=prefix, dir=dir))
    folder = tmp_path / "run"
    folder.mkdir()
    files = write_run(result(), folder, {})
    assert made == [folder]
    assert sorted(os.listdir(folder)) == sorted(path.name for path in files)


def test_figures_that_are_not_drawn_anew_are_removed(tmp_path):
    for name in (*FIGURES, "mine.png"):
        (tmp_path / name).write_bytes(b"an old figure")
    write_run(result(), tmp_path, {}, draw)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["bone_volume.png", "mine.png"]
    assert (tmp_path / "bone_volume.png").read_bytes() == b"a figure"


def test_what_stops_half_way_leaves_the_earlier_run_as_it_was(tmp_path):
    def fail(folder):
        raise RuntimeError("out of ink")

    (tmp_path / "summary.json").write_text("old")
    (tmp_path / "cells.png").write_bytes(b"an old figure")
    with pytest.raises(RuntimeError, match="out of ink"):
        write_run(result(), tmp_path, {}, fail)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "summary.json": b"old",
        "cells.png": b"an old figure",
    }


def test_figures_come_with_it(tmp_path):
    files = write_run(result(), tmp_path / "run", {}, draw)
    assert files[-1] == tmp_path / "run" / "bone_volume.png"
    assert files[-1].read_bytes() == b"a figure"


def test_what_stops_half_way_leaves_nothing(tmp_path):
    def fail(folder):
        raise RuntimeError("out of ink")

    with pytest.raises(RuntimeError, match="out of ink"):
        write_run(result(), tmp_path / "run", {}, fail)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("below", [".", "run", "some/run"])
def test_a_file_is_no_folder(tmp_path, below):
    path = tmp_path / "notes.txt"
    path.write_text("")
    with pytest.raises(InputError) as caught:
        write_run(result(), path / below, {})
    assert str(caught.value) == f"{path}: a file, not a folder\n  try: another output folder"


def test_a_folder_that_can_not_be_written(tmp_path, monkeypatch):
    def refuse(*arguments, **named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(InputError) as caught:
        write_run(result(), tmp_path / "run", {})
    assert str(caught.value) == (
        f"{tmp_path / 'run'}: the run can not be written there: Permission denied\n  try: another output folder"
    )


def test_no_run_to_read(tmp_path):
    with pytest.raises(InputError) as caught:
        read_run(tmp_path)
    assert str(caught.value) == f"{tmp_path}: no result.nc here\n  try: a folder that `bonesim run` wrote"


def test_a_broken_result_is_said_to_be_broken(tmp_path):
    (tmp_path / "result.nc").write_bytes(b"not netCDF")
    with pytest.raises(InputError, match=r"result\.nc: not a netCDF4 file that can be read: ") as caught:
        read_run(tmp_path)
    assert caught.value.remedy == "run the scenario again"
