"""Arms that were solved apart, in one dataset, and what each of them is held against.

Where an arm has a vehicle of its own, which is no arm of the result, every output has besides `NAME_vehicle`, of role
`vehicle`: at each arm the course of what it is held against, which for other arms is the arm `vehicle`. Likewise
`status_vehicle`, `stop_time_vehicle` and `cause_vehicle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bonesim.results.dataset import ESTIMATE, quantities
from bonesim.results.members import STATED
from bonesim.scenario.problem import VEHICLE

if TYPE_CHECKING:
    import xarray as xr


def joined(parts: Sequence[xr.Dataset], arms: Sequence[str]) -> xr.Dataset:
    """One dataset with all arms of the parts, in the order of `arms`.

    Every variable begins with the dimension `arm`. What the equations of an arm do not have, such as the vesicles of a
    source that is not given in it, is not a number there.
    """
    import xarray as xr

    if len(parts) == 1:
        return parts[0]
    names = [str(name) for part in parts for name in part["arm"].values]
    order = [names.index(arm) for arm in arms]
    variables = {name: variable for part in reversed(parts) for name, variable in part.data_vars.items()}
    ordered = dict.fromkeys(name for part in parts for name in part.data_vars)
    data = {
        name: (variables[name].dims, _stacked(parts, str(name), variables[name])[order], _attrs(parts, str(name)))
        for name in ordered
    }
    whole = parts[0].attrs | {
        key: sum(part.attrs[key] for part in parts) for key in ("accuracy_members",) if key in parts[0].attrs
    }
    coordinates = parts[0].drop_vars("arm").coords
    arm = ("arm", np.array(arms, dtype=object), parts[0]["arm"].attrs)
    return xr.Dataset(data, {"arm": arm, **coordinates}, whole)


def with_vehicles(dataset: xr.Dataset, vehicles: Mapping[str, str]) -> xr.Dataset:
    """The arms named in `vehicles`, each with the vehicle that it is held against, as far as that is no arm itself."""
    arms = list(vehicles)
    told = dataset.sel(arm=arms)
    if all(vehicle in vehicles for vehicle in vehicles.values()):
        return told
    held = dataset.sel(arm=list(vehicles.values())).assign_coords(arm=told["arm"])
    found = {}
    for name in (*quantities(dataset, role="output"), "status", "stop_time", "cause"):
        for end in ("", f"_{STATED}"):
            if f"{name}{end}" in held:
                course = held[f"{name}{end}"]
                role = {"role": STATED if end else VEHICLE} if "time" in course.dims else {}
                found[f"{name}_{VEHICLE}{end}"] = course.assign_attrs(role)
    return told.assign(found)


def vehicle_of(dataset: xr.Dataset, name: str) -> xr.DataArray | None:
    """What each arm of an output is held against, of the output's dimensions; None where there is no vehicle."""
    if f"{name}_{VEHICLE}" in dataset:
        return dataset[f"{name}_{VEHICLE}"]
    arms = dataset["arm"]
    if VEHICLE not in arms.values:
        return None
    return dataset[name].sel(arm=[VEHICLE] * arms.size).assign_coords(arm=arms)


def _stacked(parts: Sequence[xr.Dataset], name: str, like: xr.DataArray) -> np.ndarray:
    blocks = [
        part[name].values if name in part else np.full((part.sizes["arm"], *like.shape[1:]), np.nan) for part in parts
    ]
    return np.concatenate(blocks)


def _attrs(parts: Sequence[xr.Dataset], name: str) -> dict[str, object]:
    """Attributes of the first that has the variable, with the largest error estimate of all."""
    attrs = [part[name].attrs for part in parts if name in part]
    largest = [one[ESTIMATE] for one in attrs if ESTIMATE in one]
    return attrs[0] | ({ESTIMATE: float(np.nanmax(largest))} if largest else {})
