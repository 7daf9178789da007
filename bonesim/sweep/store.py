"""A sweep on disk: one Zarr store with the chunks of all members, and a manifest that says which of them are done.

Whoever opens the store with `xarray.open_zarr` alone finds units, meanings, the scenario and the versions that made it.
`manifest.json` beside the arrays is replaced as a whole after each chunk; until the last, the store calls itself
incomplete, and members that were not run have the status `not_run`.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.errors import InputError, Place
from bonesim.results.dataset import CONVENTIONS, OutputInfo
from bonesim.solve.status import Status
from bonesim.sweep.chunk import SUMMARIES, Chunk
from bonesim.sweep.manifest import (
    COMPLETE,
    DONE,
    INCOMPLETE,
    MANIFEST,
    check_place,
    new_manifest,
    note_chunk,
    read_manifest,
    resumed_manifest,
    solved_attributes,
)
from bonesim.sweep.plan import Plan

if TYPE_CHECKING:
    import xarray as xr
    import zarr

NOT_RUN = -1
"""Status of a member that has not been run."""

TO_GO_ON = "make room for it there; --resume then goes on with it"
"""What remedies a disk that became full."""


class StudyStore:
    """The store of one sweep, new or to be gone on with."""

    def __init__(self, folder: Path, plan: Plan, outputs: list[OutputInfo], dtype: str) -> None:
        self.folder, self.plan, self.outputs, self.dtype = folder, plan, outputs, dtype
        self.manifest: dict[str, Any] = {}

    def create(self, attrs: Mapping[str, Any], versions: Mapping[str, str]) -> None:
        """A new store in which nothing has been run; one that was reopened and has nothing in it is made again.

        Raises
        ------
        InputError
            If there is something else at that place, or it cannot be written.
        """
        if not self.manifest:
            check_place(self.folder)
        self.manifest = new_manifest(self.plan, [info.name for info in self.outputs], self.dtype, versions)
        with self._writing("another place"):
            self._write_manifest()
            self._create_arrays(attrs)

    def reopen(self) -> None:
        """Go on with a store of the same sweep.

        Raises
        ------
        InputError
            If it is none, or one of another scenario or design.
        """
        self.manifest = resumed_manifest(self.folder, self.plan, self.dtype)

    @property
    def empty(self) -> bool:
        """Whether no chunk is done; what made the store may then have been stopped before its arrays were there."""
        return all(one["state"] != DONE for one in self.manifest.get("chunks", ()))

    @property
    def missing(self) -> list[slice]:
        """The chunks that are still to be run."""
        return [slice(one["start"], one["stop"]) for one in self.manifest["chunks"] if one["state"] != DONE]

    def keep(self, chunk: Chunk) -> None:
        """Write the arrays of one chunk, then its state; InputError where that cannot be done."""
        digest = hashlib.sha256()
        with self._writing(TO_GO_ON):
            group = _open(self.folder)
            for name, values in _arrays(chunk):
                group[name][chunk.members] = values
                digest.update(values.astype(str).tobytes() if values.dtype == object else values.tobytes())
            note_chunk(self.manifest, chunk, digest.hexdigest())
            self._write_manifest()

    def finish(self) -> None:
        """Say that every chunk is done, and how; InputError where that cannot be written."""
        with self._writing(TO_GO_ON):
            _open(self.folder).update_attributes({**solved_attributes(self.manifest), "state": COMPLETE})
            _consolidate(self.folder)
            self.manifest["state"] = COMPLETE
            self._write_manifest()

    @property
    def complete(self) -> bool:
        """Whether `finish` was reached."""
        return bool(self.manifest["state"] == COMPLETE)

    @contextmanager
    def _writing(self, remedy: str) -> Iterator[None]:
        """InputError in the place of what the system says."""
        try:
            yield
        except OSError as error:
            problem = f"the store cannot be written: {error.strerror or error}"
            raise InputError(problem, place=Place(str(self.folder)), remedy=remedy) from None

    def _write_manifest(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{MANIFEST}"
        draft.write_text(json.dumps(self.manifest, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(draft, self.folder / MANIFEST)

    def _create_arrays(self, attrs: Mapping[str, Any]) -> None:
        import zarr

        plan, base = self.plan, self.plan.variants.base
        group = zarr.open_group(self.folder, mode="a", zarr_format=3, use_consolidated=False)
        group.attrs.put({**_attributes(plan), **attrs})
        _coordinate(group, "time", "time", np.array(base.t_out), {"units": "day", "long_name": "time"})
        _coordinate(group, "arm", "arm", np.array(base.arms, dtype=object), {"long_name": "arm of the run"})
        _coordinate(group, "member", "member", np.arange(plan.members), {"long_name": "member of the sweep"})
        for axis, values in zip(plan.axes, plan.matrix.T, strict=True):
            numbers = values.astype(np.int64) if axis.whole else values
            about = {"units": axis.unit, "long_name": axis.label, "role": "varied", "scale": axis.scale}
            _coordinate(group, axis.path, "member", numbers, about)
        for info in self.outputs:
            self._member_array(group, info.name, ("arm", "time"), self.dtype, np.nan, info.attrs)
            for kind, meaning in SUMMARIES.items():
                unit = {"final": info.unit, "largest_against_vehicle_time": "day"}.get(kind, "%")
                about = {"units": unit, "long_name": f"{info.label}, {meaning}", "role": "summary", "of": info.name}
                self._member_array(group, f"{info.name}_{kind}", ("arm",), "float64", np.nan, about)
        self._member_array(group, "status", ("arm",), "int8", NOT_RUN, _status_attributes())
        about = {"units": "day", "long_name": "time reached"}
        self._member_array(group, "stop_time", ("arm",), "float64", np.nan, about)
        self._member_array(group, "cause", ("arm",), "str", "", {"long_name": "why it ended early"})
        _consolidate(self.folder)

    def _member_array(
        self, group: zarr.Group, name: str, dims: tuple[str, ...], dtype: str, fill: Any, attrs: Mapping[str, Any]
    ) -> None:
        base = self.plan.variants.base
        sizes = {"arm": len(base.arms), "time": len(base.t_out)}
        rest = tuple(sizes[dim] for dim in dims)
        group.create_array(
            name,
            shape=(self.plan.members, *rest),
            chunks=(self.plan.chunk, *rest),
            dtype=dtype,
            fill_value=fill,
            dimension_names=["member", *dims],
            attributes={**attrs, "coordinates": " ".join(axis.path for axis in self.plan.axes)},
            overwrite=True,
        )


def read_study(folder: Path | str) -> xr.Dataset:
    """The dataset of a sweep, read from its store as it is used.

    Raises
    ------
    InputError
        If there is no sweep.
    """
    import xarray as xr

    outputs = read_manifest(Path(folder))["outputs"]
    dataset: xr.Dataset = xr.open_zarr(folder, chunks=None, consolidated=True, decode_times=False)
    return dataset[[*outputs, *sorted(str(name) for name in dataset.data_vars if name not in outputs)]]


def _arrays(chunk: Chunk) -> Iterator[tuple[str, np.ndarray]]:
    """Names and values (member, ...) of everything that a chunk fills."""
    yield from chunk.courses.items()
    for name, summaries in chunk.summaries.items():
        yield from ((f"{name}_{kind}", values) for kind, values in summaries.items())
    yield from (("stop_time", chunk.stop_time), ("cause", chunk.cause), ("status", chunk.status))


def _attributes(plan: Plan) -> dict[str, Any]:
    return {
        "Conventions": CONVENTIONS,
        "time_units": "day",
        "state": INCOMPLETE,
        "title": plan.scenario.title,
        "scenario": plan.scenario.text,
        "scenario_hash": plan.scenario_hash,
        "model_hash": plan.variants.base.model.content_hash,
        "seed": plan.document["seed"],
        "design": json.dumps(plan.document),
    }


def _status_attributes() -> dict[str, Any]:
    codes = [NOT_RUN, *(status.value for status in Status)]
    words = ["not_run", *(status.word for status in Status)]
    return {"long_name": "how the run ended", "flag_values": codes, "flag_meanings": " ".join(words)}


def _coordinate(group: zarr.Group, name: str, dim: str, values: np.ndarray, attrs: Mapping[str, Any]) -> None:
    dtype: Any = str if values.dtype == object else values.dtype
    array = group.create_array(
        name, shape=values.shape, dtype=dtype, dimension_names=[dim], attributes=dict(attrs), overwrite=True
    )
    array[:] = values


def _open(folder: Path) -> Any:
    import zarr

    return zarr.open_group(folder, mode="r+", zarr_format=3, use_consolidated=False)


def _consolidate(folder: Path) -> None:
    """Gather all metadata in one file, as xarray wants it; zarr remarks that format 3 does not say how."""
    import zarr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(str(folder), zarr_format=3)
