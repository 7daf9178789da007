"""Draws in a result: every quantity by member, the run with the stated values beside it, and what bands are.

With draws a quantity `NAME` has the dimensions `(arm, member, time)`, and `NAME_stated`, of role `stated`, has the run
with the stated values, `(arm, time)`; `status`, `stop_time` and `cause` likewise. Exposures have no members.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bonesim.results.dataset import OutputInfo, ends
from bonesim.solve.solution import Solution

if TYPE_CHECKING:
    import xarray as xr

STATED = "stated"
"""Role of the run with the stated values, and the end of its names."""

QUANTILES = (5, 50, 95)
"""Percent of the members below each quantile that is told."""


def with_members(
    dataset: xr.Dataset, outputs: Sequence[OutputInfo], y: np.ndarray, solution: Solution, columns: np.ndarray
) -> xr.Dataset:
    """The dataset of the stated values with all draws.

    Parameters
    ----------
    dataset : dimensions (arm, time)
    outputs : (output,) what the rows of `y` are
    y : (time, output, column)
    solution : whose columns `y` has, for how each ended
    columns : (arm, member) the column of each draw
    """
    shown = {info.name: row for row, info in enumerate(outputs) if info.role != "exposure"}
    drawn = {name: (("arm", "member", "time"), y[:, row][:, columns].transpose(1, 2, 0)) for name, row in shown.items()}
    told = ends(solution, columns.reshape(-1))
    how = {key: (("arm", "member"), _like(told[key], columns)) for key in ("status", "stop_time", "cause")}  # type: ignore[literal-required]
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
    return dataset.drop_vars([f"{name}_{STATED}" for name in names]).assign(plain).drop_vars("member")


def has_draws(dataset: xr.Dataset) -> bool:
    """Whether a result has members beside the run with the stated values."""
    return "member" in dataset.dims


def quantiles(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """(quantile, ...) the `QUANTILES` of members along an axis, each for itself; what is not a number is left out."""
    if np.isfinite(values).all():
        return np.quantile(values, np.array(QUANTILES) / 100.0, axis=axis)
    known = np.isfinite(values).any(axis=axis, keepdims=True)
    found = np.nanquantile(np.where(known, values, 0.0), np.array(QUANTILES) / 100.0, axis=axis)
    return np.where(known.squeeze(axis), found, np.nan)


def _like(values: object, columns: np.ndarray) -> np.ndarray:
    flat = np.array(values, dtype=object) if isinstance(values, list) else np.asarray(values)
    return flat.reshape(columns.shape)
