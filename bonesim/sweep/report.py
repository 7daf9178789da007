"""What a sweep says, in a few numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.results.dataset import quantities
from bonesim.scenario.problem import DOSED
from bonesim.sweep.chunk import FAILED

if TYPE_CHECKING:
    import xarray as xr

QUANTILES = (5, 50, 95)
SPREAD = ("final", "against_vehicle_percent", "largest_against_vehicle_percent")
"""Summaries of which the quantiles over members are told."""

RANKED = ("against_vehicle_percent", "largest_against_vehicle_percent")
"""Summaries by which the highest and the lowest member are told, of the first output."""


def study_summary(study: xr.Dataset, timing: Mapping[str, float] | None = None) -> dict[str, Any]:
    """A sweep in a few numbers, ready for JSON; differences are those of the dosed arm to the vehicle.

    `outputs` has quantiles over the members that arrived, `extremes` the members with the highest and the lowest
    difference of the first output, `failed` every member of which an arm did not arrive.
    """
    names = quantities(study, role="output")
    dosed = study.sel(arm=DOSED)
    ends = study["status"].values
    failed = np.flatnonzero(np.isin(ends, FAILED).any(axis=1))
    failures = study[["status", "cause", "stop_time"]].isel(member=failed).load()
    return {
        "title": study.attrs["title"],
        "state": study.attrs["state"],
        "design": json.loads(study.attrs["design"]),
        "members": study.sizes["member"],
        "status": _counts(study, ends),
        "failed": list(_failed(failures, failed)),
        "outputs": {
            name: {"unit": study[f"{name}_final"].attrs["units"]}
            | {kind: _quantiles(dosed[f"{name}_{kind}"].values) for kind in SPREAD}
            for name in names
        },
        "extremes": {kind: _extremes(study, dosed[f"{names[0]}_{kind}"].values) for kind in RANKED},
        "timing": dict(timing or {}),
    }


def values_of(study: xr.Dataset, member: int) -> dict[str, str]:
    """The varied values of a member by path, as they would be written in the scenario."""
    written = {}
    for axis in json.loads(study.attrs["design"])["axes"]:
        value = study[axis["path"]].values[member].item()
        written[axis["path"]] = f"{value!r} {axis['unit']}".removesuffix(" dimensionless")
    return written


def _quantiles(values: np.ndarray) -> dict[str, float | None]:
    known = values[np.isfinite(values)]
    if not known.size:
        return {str(percent): None for percent in QUANTILES}
    return {str(p): float(value) for p, value in zip(QUANTILES, np.percentile(known, QUANTILES), strict=True)}


def _extremes(study: xr.Dataset, values: np.ndarray) -> dict[str, Any]:
    """The members with the highest and the lowest value, the first of equals; nothing where none is known."""
    if not np.isfinite(values).any():
        return {}
    best = {"highest": int(np.nanargmax(values)), "lowest": int(np.nanargmin(values))}
    return {
        word: {"member": member, "values": values_of(study, member), "percent": float(values[member])}
        for word, member in best.items()
    }


def _counts(study: xr.Dataset, status: np.ndarray) -> dict[str, int]:
    """How many members ended in which way; a member's end is that of the first arm that failed, else of the first."""
    arm = np.argmax(np.isin(status, FAILED), axis=1)
    ends, counts = np.unique(np.take_along_axis(status, arm[:, None], axis=1), return_counts=True)
    words = _words(study)
    return {words[code]: count for code, count in zip(ends.tolist(), counts.tolist(), strict=True)}


def _failed(part: xr.Dataset, members: np.ndarray) -> Iterator[dict[str, Any]]:
    """Of each of `members`, which `part` holds: its values, and the end of the first arm that failed."""
    words, arms = _words(part), part["arm"].values
    status, cause, stop = (part[name].values for name in ("status", "cause", "stop_time"))
    for row, member in enumerate(members.tolist()):
        arm = int(np.argmax(np.isin(status[row], FAILED)))
        yield {
            "member": member,
            "values": values_of(part, row),
            "arm": str(arms[arm]),
            "status": words[int(status[row, arm])],
            "stop_time": float(stop[row, arm]),
            "cause": str(cause[row, arm]),
        }


def _words(study: xr.Dataset) -> dict[int, str]:
    attrs = study["status"].attrs
    return dict(zip(map(int, attrs["flag_values"]), attrs["flag_meanings"].split(), strict=True))
