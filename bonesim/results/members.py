"""Draws in a result: every quantity by member, the run with the stated values beside it, and what bands are.

With draws a quantity `NAME` has the dimensions `(arm, member, time)`, and `NAME_stated`, of role `stated`, has the run
with the stated values, `(arm, time)`; `status`, `stop_time` and `cause` likewise. Exposures have no members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.results.dataset import OutputInfo, ends, largest_difference
from bonesim.solve.solution import Solution

if TYPE_CHECKING:
    import xarray as xr

STATED = "stated"
"""Role of the run with the stated values, and the end of its names."""

QUANTILES = (5, 50, 95)
"""Percent of the members below each quantile that is told."""

NO_DIFFERENCE = 1e-4
"""Percent below which a difference is not told from none: results are right to about a part in a million."""


def with_members(
    dataset: xr.Dataset, outputs: Sequence[OutputInfo], solution: Solution, times: np.ndarray, columns: np.ndarray
) -> xr.Dataset:
    """The dataset of the stated values with all draws.

    Parameters
    ----------
    dataset : dimensions (arm, time)
    outputs : (output,) what the first observables of the solution are
    solution : of all arms and draws
    times : (time,) positions of the recorded times
    columns : (arm, member) the column of each draw
    """
    shown = {info.name: row for row, info in enumerate(outputs) if info.role != "exposure"}
    courses = {name: solution.y[times, row][:, columns].transpose(1, 2, 0) for name, row in shown.items()}
    drawn = {name: (("arm", "member", "time"), np.ascontiguousarray(course)) for name, course in courses.items()}
    told = ends(solution, columns.reshape(-1))
    how = {key: (("arm", "member"), _like(told[key], columns)) for key in ("status", "stop_time", "cause")}
    twins = {f"{name}_{STATED}": dataset[name] for name in (*drawn, *how)}
    twins = {name: twin.assign_attrs(role=STATED) if "time" in twin.dims else twin for name, twin in twins.items()}
    found = {name: (*values, dataset[name].attrs) for name, values in (drawn | how).items()}
    number = ("member", np.arange(columns.shape[1]), {"long_name": "number of the draw"})
    return dataset.assign_coords(member=number).assign(found).assign(twins)


def stated(dataset: xr.Dataset) -> xr.Dataset:
    """The run with the stated values, dimensions (arm, time); a result without draws is one as it is."""
    if "member" not in dataset.dims or "arm" not in dataset.dims:
        return dataset
    names = [str(name) for name in dataset.data_vars if f"{name}_{STATED}" in dataset]
    plain = {name: dataset[f"{name}_{STATED}"].assign_attrs(dataset[name].attrs) for name in names}
    return dataset.drop_vars([f"{name}_{STATED}" for name in names]).assign(plain).drop_vars("member", errors="ignore")


def has_draws(dataset: xr.Dataset) -> bool:
    """Whether a result has members beside the run with the stated values."""
    return "member" in dataset.dims


def quantiles(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """(quantile, ...) the `QUANTILES` of members along an axis, each for itself; what is not a number is left out."""
    if np.isfinite(values).all():
        return np.asarray(np.quantile(values, np.array(QUANTILES) / 100.0, axis=axis))
    known = np.isfinite(values).any(axis=axis, keepdims=True)
    found = np.nanquantile(np.where(known, values, 0.0), np.array(QUANTILES) / 100.0, axis=axis)
    return np.where(known.squeeze(axis), found, np.nan)


def band(values: np.ndarray) -> dict[str, float]:
    """The `QUANTILES` of (member,) values by their percent."""
    return {str(percent): float(value) for percent, value in zip(QUANTILES, quantiles(values), strict=True)}


def band_summary(variable: xr.DataArray, vehicle: xr.DataArray | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the draws of one arm say of an output beside the stated values.

    A difference to the vehicle is that of a member to the vehicle of the same member. `sign_agreement` is the share of
    members whose difference at the end of the run has the sign that it has with the stated values,
    `largest_sign_agreement` the same of the largest difference on the way; None where that is nothing.

    Parameters
    ----------
    variable, vehicle : (member, time) of the arm, and of the vehicle where it is another
    row : what `summary` says of the arm with the stated values
    """
    values = variable.values
    with np.errstate(divide="ignore", invalid="ignore"):
        change = 100.0 * (values[:, -1] - values[:, 0]) / np.abs(values[:, 0])
    found: dict[str, Any] = {"quantiles": band(values[:, -1]), "change_percent_quantiles": band(change)}
    if vehicle is None:
        return found
    against, _, largest = largest_difference(values, vehicle.values)
    ends = {"against_vehicle": against[:, -1], "largest_against_vehicle": largest}
    for name, differences in ends.items():
        found[f"{name}_percent_quantiles"] = band(differences)
        found[f"{name.removesuffix('against_vehicle')}sign_agreement"] = _agreement(differences, row[f"{name}_percent"])
    return found


def bands_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of what `summary` says of an arm, the part that `band_summary` has put there."""
    return {key: said for key, said in row.items() if key.endswith(("quantiles", "sign_agreement"))}


def _agreement(differences: np.ndarray, stated: float | None) -> float | None:
    """The share of differences (percent) that have the sign of the stated one; None where that is no difference."""
    if stated is None or not abs(stated) >= NO_DIFFERENCE:
        return None
    same = (np.sign(differences) == np.sign(stated)) & (np.abs(differences) >= NO_DIFFERENCE)
    known = np.isfinite(differences)
    return float(same[known].mean()) if known.any() else None


def _like(values: object, columns: np.ndarray) -> np.ndarray:
    flat = np.array(values, dtype=object) if isinstance(values, list) else np.asarray(values)
    return flat.reshape(columns.shape)
