"""A user's own measurements: what a table may say, every fault at its place, and residuals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bonesim.errors import InputError
from bonesim.results.dataset import OutputInfo, to_dataset
from bonesim.results.measured import Measured, held_against, read_measured, with_measured

UNITS = {"OBa": "pM", "CTX": "dimensionless"}
ARMS = ("dosed", "vehicle", "low")


def read(tmp_path: Path, text: str) -> list[Measured]:
    file = tmp_path / "m.csv"
    file.write_text(text)
    return read_measured(file, UNITS, ARMS, end=100.0)


def test_the_arm_is_dosed_unless_it_is_named(tmp_path: Path) -> None:
    found = read(tmp_path, "time_day,OBa\n1,2.5\n")
    assert found == [Measured("OBa", "dosed", 1.0, 2.5)]
    found = read(tmp_path, "arm,time_day,OBa\nlow,1,2.5\n,2,3\n")
    assert [one.arm for one in found] == ["low", "dosed"]


def test_times_and_values_are_converted(tmp_path: Path) -> None:
    found = read(tmp_path, "time_week,OBa,OBa_sd\n#,nM,nM\n2,0.5,0.125\n")
    assert found == [Measured("OBa", "dosed", 14.0, 500.0, sd=125.0)]
    assert read(tmp_path, "time,CTX\n#h,\n48,1\n")[0].time_day == 2.0


def test_the_trajectories_of_a_run_are_a_table(tmp_path: Path) -> None:
    found = read(tmp_path, "arm,time,OBa,CTX\n#,day,pM,dimensionless\nvehicle,3.0,1.0,2.0\n")
    assert found == [Measured("OBa", "vehicle", 3.0, 1.0), Measured("CTX", "vehicle", 3.0, 2.0)]


def test_empty_cells_and_lines_are_no_measurements(tmp_path: Path) -> None:
    found = read(tmp_path, "time_day,OBa,CTX,CTX_low,CTX_high\n\n1,,2,1,3\n2,4,,,\n")
    assert found == [Measured("CTX", "dosed", 1.0, 2.0, low=1.0, high=3.0), Measured("OBa", "dosed", 2.0, 4.0)]


FAULTS = {
    "": "FILE: the table is empty\n  try: a first line with the names of columns",
    "time_day,OBa\n": "FILE: no measurement stands in it\n  try: lines with a time and values",
    "OBa\n1\n": "FILE:1: 0 columns of times\n  try: one column, e.g. time_day",
    "time,OBa\n1,2\n": "FILE:1: time: times without a unit\n  try: time_day, or a second line '#day,...'",
    "time_dya,OBa\n1,2\n": "FILE:1: time_dya: unknown unit 'dya'\n  try: did you mean 'day'?",
    "time_day,OBs\n1,2\n": "FILE:1: OBs: 'OBs' is no output of this run\n  try: did you mean 'OBa'?",
    "time_day,OBa,OBa\n1,2,3\n": "FILE:1: OBa: column 'OBa' stands twice\n  try: one column of each name",
    "time_day,OBa\n1,x\n": "FILE:2: OBa: 'x' is no number\n  try: a number, or an empty cell",
    "time_day,OBa\n1,nan\n": "FILE:2: OBa: 'nan' is no number\n  try: a number, or an empty cell",
    "time_day,OBa,OBa_sd\n1,,0.1\n": (
        "FILE:2: OBa_sd: no value stands beside it\n  try: the value under OBa, or nothing"
    ),
    "time_day,OBa\n,1\n": "FILE:2: time_day: no time\n  try: when it was measured",
    "time_day,OBa\n101,1\n": (
        "FILE:2: time_day: 101 day is outside the run, which ends at 100 day\n"
        "  try: times from the start of the run on, or a longer duration"
    ),
    "time_day,OBa\n1,2,3\n": "FILE:2: 3 cells, and 2 columns\n  try: one cell for each column",
    "arm,time_day,OBa\nveicle,1,2\n": "FILE:2: arm: unknown arm 'veicle'\n  try: did you mean 'vehicle'?",
    "time_day,OBa,OBa_sd\n1,2,-1\n": "FILE:2: OBa_sd: a standard deviation below 0\n  try: 0 or more, or an empty cell",
    "time_day,OBa,OBa_low\n1,2,3\n": "FILE:2: OBa_low: 3 is above the value, 2\n  try: the lower end of the bar",
    "time_day,OBa,OBa_high\n1,2,1\n": "FILE:2: OBa_high: 1 is below the value, 2\n  try: the upper end of the bar",
    "time_day,OBa\n#,day\n1,2\n": "FILE:1: OBa: 'day' does not convert to 'pM': ",
    "time_day,OBs\n1,x\n-1,1\n": (
        "FILE:1: OBs: 'OBs' is no output of this run\n  try: did you mean 'OBa'?\n"
        "FILE:3: time_day: -1 day is outside the run, which ends at 100 day\n"
    ),
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_told_with_line_and_column(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(FAULTS[text].replace("FILE", str(tmp_path / "m.csv")))


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file or directory"):
        read_measured(tmp_path / "none.csv", UNITS, ARMS, end=1.0)
    (tmp_path / "m.csv").write_bytes(b"time_day,OBa\n1,\xff\n")
    with pytest.raises(InputError, match="no text in UTF-8"):
        read_measured(tmp_path / "m.csv", UNITS, ARMS, end=1.0)


def run_of_a_line() -> xr.Dataset:
    """OBa rises from 0 to 10 in 10 days."""
    return to_dataset(
        outputs=(OutputInfo("OBa", "pM", "osteoblasts"),),
        t=np.array([0.0, 10.0]),
        y=np.array([[[0.0]], [[10.0]]]),
        arms=("dosed",),
        status=np.zeros(1),
        stop_time=np.full(1, 10.0),
        cause=[""],
        status_words={0: "ok"},
        attrs={},
    )


def test_a_residual_is_what_was_measured_less_the_course_at_that_time() -> None:
    dataset = with_measured(
        run_of_a_line(), [Measured("OBa", "dosed", 2.5, 4.0, sd=0.5), Measured("OBa", "dosed", 10.0, 9.0)]
    )
    first, second = held_against(dataset)
    assert (first["computed"], first["residual"], first["z"]) == (2.5, 1.5, 3.0)
    assert (second["residual"], second["z"]) == (-1.0, None)


def test_a_band_adds_to_the_sd_of_the_measurement() -> None:
    dataset = run_of_a_line()
    drawn = np.random.default_rng(1).normal(5.0, 4.0, 20_000)
    members = xr.DataArray(np.stack([drawn, drawn], axis=-1)[None], dims=("arm", "member", "time"))
    dataset = dataset.assign(OBa_stated=dataset["OBa"]).assign(OBa=members.assign_attrs(dataset["OBa"].attrs))
    (row,) = held_against(with_measured(dataset, [Measured("OBa", "dosed", 5.0, 10.0, sd=3.0)]))
    assert row["quantiles"]["50"] == pytest.approx(5.0, abs=0.1)
    assert row["z"] == pytest.approx(1.0, rel=0.03)  # 5 over the root of 3^2 + 4^2
