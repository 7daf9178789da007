"""A run on disk: `result.nc`, `summary.json`, `trajectories.csv` and figures, all of them or none.

Everything is written into a hidden temporary folder and moved over when it is complete, so that a run that is stopped
half-way leaves nothing that looks like a result. The draft lies inside the folder asked for, or beside it where that
has to be made: a folder that exists may be a mount point, or the only place that can be written to. Files of others in
the folder are left alone; figures of an earlier run go, since they show another result.
"""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.errors import InputError, Place
from bonesim.results.arms import vehicle_of
from bonesim.results.dataset import days_of, largest_difference, quantities, structure
from bonesim.results.measured import held_against
from bonesim.results.members import QUANTILES, band_summary, has_draws, quantiles, stated
from bonesim.scenario.problem import VEHICLE
from bonesim.solve.status import Status

if TYPE_CHECKING:
    import xarray as xr

RESULT = "result.nc"
SUMMARY = "summary.json"
TRAJECTORIES = "trajectories.csv"
FIGURES = ("bone_volume.png", "cells.png", "healing.png", "exposure.png", "data.png")
"""Names of the figures of `bonesim.plot`."""

DRAFT = ".bonesim-"
"""How the names of temporary folders begin."""


def summary(dataset: xr.Dataset, timing: Mapping[str, float] | None = None) -> dict[str, Any]:
    """What a run says, in a few numbers, ready for JSON: no NaN and no infinity, null instead.

    With :math:`x_0` and :math:`x_1` the first and the last value of an arm and :math:`v_1` the last of the vehicle
    arm, `change_percent` is :math:`100 (x_1 - x_0)/|x_0|` and `against_vehicle_percent` is :math:`100 (x_1 -
    v_1)/|v_1|`. Of the same difference at every recorded time at which the vehicle arm is above a hundredth of its
    largest size, `largest_against_vehicle_percent` is the one largest in size, and `largest_against_vehicle_time`
    says when it is reached, in days: a course that ended weeks before the end shows there and no longer in `final`.
    `baseline` is the first value of the vehicle arm, or of the first arm where there is no vehicle.
    `error_estimate` stands at an output whose accuracy was checked. `copies_per_cell` has, by `CELL.CARGO` and arm,
    the most copies of a cargo that a cell holds at a recorded time.

    All this is of the stated values. With draws each arm has besides what `results.members.band_summary` says of them,
    and its status `members_failed`. Measurements stand under `data`, as `results.measured.held_against` has them.

    Parameters
    ----------
    dataset
        Result of a scenario, dimensions `(arm, time)` or `(arm, member, time)`.
    timing
        Seconds that each stage took.
    """
    arms = [str(arm) for arm in dataset["arm"].values]
    plain = stated(dataset)
    days = days_of(plain)
    own = structure(dataset, "own_vehicle", [])
    outputs = {name: _output_summary(plain, name, days, own) for name in quantities(plain, role="output")}
    status = _status_summary(plain, arms)
    if has_draws(dataset):
        for name, found in outputs.items():
            _add_bands(found, dataset[name], vehicle_of(dataset, name))
        failed = (~_arrived(dataset)).sum("member")
        for arm in arms:
            status[arm]["members_failed"] = int(failed.sel(arm=arm))
    return {
        "outputs": outputs,
        "copies_per_cell": {name: _peaks(plain, name, arms) for name in quantities(plain, role="copies")},
        "copies_not_known": structure(dataset, "copies_not_known", []),
        "status": status,
        **({"own_vehicle": own} if own else {}),
        "ledger": structure(dataset, "ledger", []),
        **({"data": _finite(held_against(dataset))} if "data" in dataset.attrs else {}),
        "timing": dict(timing or {}),
        "provenance": structure(dataset, "provenance", {}),
    }


def write_run(
    dataset: xr.Dataset,
    folder: Path,
    summary: Mapping[str, Any],
    figures: Callable[[Path], Iterable[Path]] | None = None,
) -> list[Path]:
    """Write a run into `folder`, which is made if it is not there; returns the files, figures last.

    Parameters
    ----------
    dataset
        Result of a scenario, dimensions `(arm, time)` or `(arm, member, time)`.
    folder
        Where to; files of the same names are replaced, `FIGURES` that are not drawn anew are removed, others stay.
    summary
        As from `summary`.
    figures
        Draws into the folder it is given and returns the files it wrote.

    Raises
    ------
    InputError
        If `folder` is a file, or can not be written to.
    """
    try:
        return _write_run(dataset, folder, summary, figures)
    except OSError as error:
        raise InputError(
            f"the run can not be written there: {error.strerror or error}",
            place=Place(file=str(folder)),
            remedy="another output folder",
        ) from None


def read_run(folder: Path) -> xr.Dataset:
    """The result that `write_run` left in `folder`, in memory.

    Raises
    ------
    InputError
        If there is none, or the file is broken.
    """
    import xarray as xr

    path = folder / RESULT
    if not path.is_file():
        raise InputError(f"no {RESULT} here", place=Place(file=str(folder)), remedy="a folder that `bonesim run` wrote")
    try:
        with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as stored:
            return stored.load()
    except OSError as error:
        problem = f"not a netCDF4 file that can be read: {error}"
        raise InputError(problem, place=Place(file=str(path)), remedy="run the scenario again") from None


def _write_run(
    dataset: xr.Dataset,
    folder: Path,
    summary: Mapping[str, Any],
    figures: Callable[[Path], Iterable[Path]] | None,
) -> list[Path]:
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not nearest.is_dir():
        raise InputError("a file, not a folder", place=Place(file=str(nearest)), remedy="another output folder")
    place = folder if folder.exists() else folder.parent
    place.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=place))
    try:
        _write_netcdf(dataset, draft / RESULT)
        _write_json(summary, draft / SUMMARY)
        _write_csv(dataset, draft / TRAJECTORIES)
        drawn = [path.name for path in figures(draft)] if figures else []
        folder.mkdir(exist_ok=True)
        for name in {*FIGURES} - {*drawn}:
            (folder / name).unlink(missing_ok=True)
        names = [RESULT, SUMMARY, TRAJECTORIES, *drawn]
        for name in names:
            os.replace(draft / name, folder / name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return [folder / name for name in names]


def _write_netcdf(dataset: xr.Dataset, path: Path) -> None:
    packed = {name: {"zlib": True, "complevel": 4, "shuffle": True} for name in quantities(dataset)}
    dataset.to_netcdf(path, engine="h5netcdf", encoding=packed)


def _write_json(document: Mapping[str, Any], path: Path) -> None:
    text = json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def _write_csv(dataset: xr.Dataset, path: Path) -> None:
    plain = stated(dataset)
    names = quantities(plain)
    columns = {name: plain[name] for name in names} | (dict(_bands(dataset)) if has_draws(dataset) else {})
    times = plain["time"].values.tolist()
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["arm", "time", *columns])
        rows.writerow(["#", *(column.attrs["units"] for column in (plain["time"], *columns.values()))])
        for arm in plain["arm"].values:
            courses = [column.sel(arm=arm).values.tolist() for column in columns.values()]
            rows.writerows([arm, *map(repr, row)] for row in zip(times, *courses, strict=True))


def _bands(dataset: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    """Name and course of each quantile of each output over the members, (arm, time)."""
    for name in quantities(dataset, role="output"):
        variable = dataset[name]
        for percent, course in zip(QUANTILES, quantiles(variable.values, axis=1), strict=True):
            yield f"{name}_{percent}", variable.isel(member=0, drop=True).copy(data=course)


def _finite(value: Any) -> Any:
    """`value` with null for every number that JSON does not know."""
    if isinstance(value, Mapping):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _output_summary(dataset: xr.Dataset, name: str, days: np.ndarray, own: Collection[str]) -> dict[str, Any]:
    variable, against = dataset[name], vehicle_of(dataset, name)
    courses = {str(arm): variable.sel(arm=arm).values for arm in dataset["arm"].values}
    vehicles = {arm: None if against is None else against.sel(arm=arm).values for arm in courses}
    rows = {
        arm: {
            "final": float(course[-1]),
            "change_percent": _percent(course[-1], course[0]),
            **_against(course, vehicles[arm], arm, days),
            **(_own_vehicle(vehicles[arm]) if arm in own else {}),
        }
        for arm, course in courses.items()
    }
    baseline = float(courses.get(VEHICLE, next(iter(courses.values())))[0])
    found = {"unit": variable.attrs["units"], "baseline": baseline, "arms": rows}
    if "error_estimate" in variable.attrs:
        found["error_estimate"] = variable.attrs["error_estimate"]
    return _finite(found)  # type: ignore[no-any-return]


def _own_vehicle(vehicle: np.ndarray | None) -> dict[str, Any]:
    """That an arm is held against a vehicle of its own, with the first and the last value of that."""
    return {} if vehicle is None else {
        "vehicle": "own", "vehicle_baseline": float(vehicle[0]), "vehicle_final": float(vehicle[-1]),
    }  # fmt: skip


def _add_bands(found: dict[str, Any], variable: xr.DataArray, vehicles: xr.DataArray | None) -> None:
    """Put what the draws (arm, member, time) say of an output into its summary."""
    for arm, row in found["arms"].items():
        vehicle = None if vehicles is None or arm == VEHICLE else vehicles.sel(arm=arm)
        row |= _finite(band_summary(variable.sel(arm=arm), vehicle, row))


def _arrived(dataset: xr.Dataset) -> xr.DataArray:
    return dataset["status"].isin([status.value for status in Status if status.arrived])


def _against(course: np.ndarray, vehicle: np.ndarray | None, arm: str, days: np.ndarray) -> dict[str, float | None]:
    """The difference to the vehicle at the end, and the largest with its day; null where there is no vehicle.

    The vehicle itself has no largest difference, and none is reached on a day where nothing differs.
    """
    if vehicle is None:
        vehicle = np.full_like(course, math.nan)
    _, at, percent = largest_difference(course, vehicle)
    known = arm != VEHICLE and math.isfinite(percent)
    return {
        "against_vehicle_percent": _percent(course[-1], vehicle[-1]),
        "largest_against_vehicle_percent": float(percent) if known else None,
        "largest_against_vehicle_time": float(days[at]) if known and percent else None,
    }


def _peaks(dataset: xr.Dataset, name: str, arms: list[str]) -> dict[str, float | None]:
    """The largest value that is known in each arm but the vehicle, first hours included; null where none is."""
    courses = [dataset[one] for one in (name, f"{name}_early") if one in dataset]
    largest = {arm: max(float(one.sel(arm=arm).max()) for one in courses) for arm in arms if arm != VEHICLE}
    return _finite(largest)  # type: ignore[no-any-return]


def _status_summary(dataset: xr.Dataset, arms: list[str]) -> dict[str, Any]:
    attrs = dataset["status"].attrs
    words = dict(zip(map(int, attrs["flag_values"]), attrs["flag_meanings"].split(), strict=True))
    rows = {}
    for arm in arms:
        one = dataset.sel(arm=arm)
        end = {"status": words[int(one["status"])], "stop_time": float(one["stop_time"])}
        rows[arm] = _finite(end | ({"cause": cause} if (cause := str(one["cause"].item())) else {}))
        if f"status_{VEHICLE}" in one and (vehicle := words[int(one[f"status_{VEHICLE}"])]) != "ok":
            rows[arm][VEHICLE] = str(one[f"cause_{VEHICLE}"].item()) or vehicle
    return rows


def _percent(value: float, reference: float) -> float:
    """By how many percent `value` lies above `reference`; NaN where that means nothing."""
    return 100.0 * (value - reference) / abs(reference) if reference else math.nan
