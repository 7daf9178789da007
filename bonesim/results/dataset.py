"""The convention of results, and the one function that makes a dataset under it.

- Dimensions are `(arm, time)` for a scenario, `(arm, member, time)` for one with draws (see `results.members`) and
  `(member, time)` for a batch; a single simulation may be squeezed to `(time,)`. `arm` is a coordinate of names,
  `member` one of numbers, `time` is in the unit of its `units`.
- Every quantity is a variable of its own with `units`, `long_name` and `role`: `output` for what was asked for,
  `exposure` for vesicles in a `compartment` of a dose's `group`, `copies` for copies of a cargo in a cell, any other
  word for what figures need besides.
- `early_time` is a second time axis, over the first two days after the first dose, for `NAME_early` of each exposure
  and of copies: vesicles leave blood within minutes.
- `status` says how each member ended: `int8` with `flag_values` and `flag_meanings`. `stop_time` says when, `cause`
  why, empty where all went well. After a member's end its quantities are NaN, never 0.
- Where an output has a name that the convention needs for itself, `bonesim.simulate` appends `_` to its own: `time_`.
- Attributes are text and numbers; structures (ledger, provenance, dose marks) are JSON texts.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from bonesim.errors import InputError
from bonesim.model.expr import free_name
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status
from bonesim.units import Unit

if TYPE_CHECKING:
    import xarray as xr

CONVENTIONS = "bonesim-1"
"""Value of the attribute `Conventions`; the number grows when a reader of older files would stumble."""

ESTIMATE = "error_estimate"
"""Attribute of a variable: the largest difference to a tighter solution, over the largest size of the variable."""

ALMOST_NOTHING = 0.01
"""Share of its largest size below which the vehicle's course is not what the largest difference is taken of."""

OWN = "own_names"
"""Attribute of a dataset in which outputs have names of the convention."""

RESERVED = ("arm", "member", "time", "early_time", "status", "stop_time", "cause")
"""Names that the convention needs for itself."""


@dataclass(frozen=True)
class OutputInfo:
    """Name and meaning of one quantity of a result.

    Parameters
    ----------
    name
        Name of the variable.
    unit
        Its unit, as text.
    label
        What it is, in words; goes into legends and axes.
    role
        `output`, `exposure`, or another word for what only figures need.
    group, compartment
        Of an exposure: which preparation by which route, and where its vesicles are.
    """

    name: str
    unit: str
    label: str
    role: str = "output"
    group: str = ""
    compartment: str = ""

    @property
    def attrs(self) -> dict[str, str]:
        """Attributes of the variable."""
        named = {"units": self.unit, "long_name": self.label, "role": self.role}
        where = {"group": self.group, "compartment": self.compartment}
        return named | {key: text for key, text in where.items() if text}


def to_dataset(
    *,
    outputs: Sequence[OutputInfo],
    t: np.ndarray,
    y: np.ndarray,
    arms: Sequence[str] | Sequence[int],
    status: np.ndarray,
    stop_time: np.ndarray,
    cause: Sequence[str],
    status_words: Mapping[int, str],
    attrs: Mapping[str, Any],
    members_dim: str = "arm",
    time_unit: str = "day",
    squeeze: bool = False,
    yields: bool = False,
) -> xr.Dataset:
    """The result of a run under the convention above.

    Parameters
    ----------
    outputs : (output,)
        What the rows of `y` are.
    t : (time,) array
        Times, `time_unit`.
    y : (time, output, arm) array
        Values, each in the unit of its output.
    arms : (arm,)
        Names of the arms, or numbers of the members.
    status, stop_time, cause : (arm,)
        How, when (`time_unit`) and why each member ended.
    status_words
        Code of every status -> its word, such as `{0: "ok"}`.
    attrs
        Attributes of the dataset: text and numbers as they are, anything else as JSON; None is left out.
    members_dim
        `arm` or `member`.
    squeeze
        Drop the dimension of members; there must be one only.
    yields
        Leave outputs their names: those of the convention get `_` appended where they are taken (`own_names`).

    Raises
    ------
    InputError
        If an output has a name that the convention needs for itself, or two have the same.
    ValueError
        If the shapes do not fit together.
    """
    import xarray as xr

    names = [info.name for info in outputs]
    own = _own_names(names if yields else ())
    check_names(names, own.values())
    if y.shape != (len(t), len(outputs), len(arms)):
        raise ValueError(f"y is {y.shape}, not (time, output, {members_dim}) {(len(t), len(outputs), len(arms))}")
    quantities: dict[str, tuple[Any, ...]] = {
        info.name: ((own[members_dim], own["time"]), np.ascontiguousarray(y[:, row].T), info.attrs)
        for row, info in enumerate(outputs)
    }
    ends = {
        "status": (np.asarray(status, dtype=np.int8), flags(status_words, "how the run ended")),
        "stop_time": (np.asarray(stop_time, dtype=float), _named(time_unit, "time reached")),
        "cause": (np.array(cause, dtype=object), {"long_name": "why it ended early"}),
    }
    for name, (values, about) in ends.items():
        quantities[own[name]] = (own[members_dim], values, about)
    numbers = np.array(arms, dtype=object if members_dim == "arm" else np.int64)
    coordinates = {
        own[members_dim]: (own[members_dim], numbers, {"long_name": f"{members_dim} of the run"}),
        own["time"]: (own["time"], np.asarray(t, dtype=float), _named(time_unit, "time")),
    }
    changed = {name: new for name, new in own.items() if name != new}
    first = {"Conventions": CONVENTIONS, "time_units": time_unit} | ({OWN: json.dumps(changed)} if changed else {})
    dataset = xr.Dataset(quantities, coordinates, first | as_attrs(attrs))
    return dataset.isel({own[members_dim]: 0}, drop=True) if squeeze else dataset


def own_names(dataset: xr.Dataset) -> dict[str, str]:
    """Name of the convention -> what it is called in this dataset; the same, unless an output has it."""
    return {name: name for name in RESERVED} | dict(structure(dataset, OWN, {}))


def with_own_names(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with the names of the convention as they are; outputs that have them are left out."""
    changed: dict[str, str] = structure(dataset, OWN, {})
    return dataset.drop_vars(list(changed)).rename({new: name for name, new in changed.items() if new in dataset})


def _own_names(taken: Collection[str]) -> dict[str, str]:
    used = {*taken, *RESERVED}
    return {name: free_name(f"{name}_", used) if name in taken else name for name in RESERVED}


class Ends(TypedDict):
    """The arguments of `to_dataset` that say how each member ended."""

    status: np.ndarray
    stop_time: np.ndarray
    cause: list[str]
    status_words: dict[int, str]


def ends(solution: Solution, members: np.ndarray | None = None) -> Ends:
    """How each member of a solution, or those of `members`, ended, as `to_dataset` takes it."""
    chosen = np.arange(len(solution.status)) if members is None else members
    return {
        "status": solution.status[chosen],
        "stop_time": solution.stop_time[chosen],
        "cause": [solution.cause.get(member, "") for member in chosen.tolist()],
        "status_words": {status.value: status.word for status in Status},
    }


def with_early_exposure(dataset: xr.Dataset, outputs: Sequence[OutputInfo], t: np.ndarray, y: np.ndarray) -> xr.Dataset:
    """The dataset with exposure and copies once more over `early_time`, the first two days after the first dose.

    `t` is (early_time,), `y` is (early_time, output or more, arm) with rows as `outputs`. The variables are called
    `NAME_early` and have the role `early_exposure`.
    """
    if not len(t):
        return dataset
    early = {
        f"{info.name}_early": (
            ("arm", "early_time"),
            np.ascontiguousarray(y[:, row].T),
            info.attrs | {"role": "early_exposure"},
        )
        for row, info in enumerate(outputs)
        if info.compartment or info.role == "copies"
    }
    label = "time, first two days after the first dose"
    coordinate = ("early_time", np.asarray(t, dtype=float), _named(dataset["time"].attrs["units"], label))
    return dataset.assign_coords(early_time=coordinate).assign(early)


def quantities(dataset: xr.Dataset, role: str | None = None) -> list[str]:
    """Names of the variables over time, those asked for first; with `role`, only those."""
    time = own_names(dataset)["time"]
    names = [str(name) for name, variable in dataset.data_vars.items() if time in variable.dims]
    if role is not None:
        return [name for name in names if dataset[name].attrs.get("role") == role]
    return sorted(names, key=lambda name: dataset[name].attrs.get("role") != "output")


def days_of(dataset: xr.Dataset, axis: str = "time") -> np.ndarray:
    """(time,) times of a result in days; `axis` is `time` or `early_time`."""
    time = dataset[axis]
    return np.asarray(time.values) * Unit.parse(time.attrs["units"]).conversion_to("day")


def largest_difference(
    values: np.ndarray, reference: np.ndarray, axis: int = -1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far `values` are from `reference` in percent of it, where they are farthest, and how far there.

    The difference is :math:`100 (x_k - v_k)/|v_k|` at the times :math:`k` of `axis`, NaN where it is not known. Where
    it is largest is asked of times at which the reference is more than `ALMOST_NOTHING` of its largest size: what grows
    from nothing would be farthest apart in its first hours. NaN, and the first time, where there is none.
    """
    size = np.abs(reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100.0 * (values - reference) / size
    percent[~np.isfinite(percent)] = np.nan
    largest = np.max(np.where(np.isnan(size), 0.0, size), axis=axis, keepdims=True)
    told = np.isfinite(percent) & (size > ALMOST_NOTHING * largest)
    at = np.argmax(np.where(told, np.abs(percent), -1.0), axis=axis)
    place = np.expand_dims(at, axis)
    farthest = np.take_along_axis(np.where(told, percent, np.nan), place, axis=axis)
    return percent, at, np.squeeze(farthest, axis=axis)


def structure(dataset: xr.Dataset, key: str, default: Any) -> Any:
    """The structure that the attribute `key` holds as JSON, or `default` where there is none."""
    return json.loads(dataset.attrs[key]) if key in dataset.attrs else default


def _named(unit: str, label: str) -> dict[str, str]:
    return {"units": unit, "long_name": label}


def flags(words: Mapping[int, str], label: str) -> dict[str, Any]:
    """Attributes of a variable of codes, from code to word."""
    codes = sorted(words)
    return {
        "long_name": label,
        "flag_values": np.array(codes, dtype=np.int8),
        "flag_meanings": " ".join(words[code] for code in codes),
    }


def as_attrs(attrs: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Attributes of a dataset: text and numbers as they are, anything else as JSON; None is left out."""
    return {key: _storable(value) for key, value in attrs.items() if value is not None}


def _storable(value: Any) -> str | int | float:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    return json.dumps(value)


def check_names(names: Sequence[str], reserved: Collection[str] = RESERVED) -> None:
    """Raise `InputError` if a name is one that the convention needs for itself, or stands twice."""
    for position, name in enumerate(names):
        if name in reserved:
            raise InputError(f"an output can not be named '{name}'", remedy="rename it in the model; results need it")
        if name in names[:position]:
            raise InputError(f"output '{name}' is asked for twice", remedy="name it once")
