"""What is kept of a measurement: one flat row, whole in itself, so that it can be read without its neighbours."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bonesim.resources import write_whole


@cache
def this_machine() -> str:
    """Processor, vector width, cores, system and Python; nothing that names this one machine."""
    return f"{processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


@cache
def processor() -> str:
    """The processor as LLVM knows it, with its widest registers."""
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    width = "AVX-512" if features.get("avx512f") else "AVX2" if features.get("avx2") else platform.machine()
    return f"{binding.get_host_cpu_name()}, {width}"


@dataclass(frozen=True)
class Row:
    """One measured number with its spread.

    part : which measurement it belongs to
    quantity : what the number is, with its unit
    median, least, largest : over `repeats`; NaN where there is no number, then `note` says why
    members, cores : how many were solved together, and on how many cores
    rtol, error : relative tolerance asked for, and the error that was reached with it
    bar, goal : what was to be reached, and what was hoped for
    """

    part: str
    problem: str
    engine: str
    quantity: str
    median: float
    least: float
    largest: float
    repeats: int
    members: int = 1
    cores: int = 1
    rtol: float | None = None
    error: float | None = None
    bar: float | None = None
    goal: float | None = None
    note: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: str = field(default_factory=this_machine)


def spread(samples: Sequence[float] | np.ndarray) -> dict[str, Any]:
    """Median, least, largest and number of some samples, as a row holds them."""
    values = np.asarray(samples, float)
    return {
        "median": float(np.median(values)),
        "least": float(values.min()),
        "largest": float(values.max()),
        "repeats": len(values),
    }


NO_NUMBER = {"median": float("nan"), "least": float("nan"), "largest": float("nan"), "repeats": 0}


def default_name() -> str:
    """A file name for this kind of machine."""
    return f"{processor()}-{os.cpu_count()}-cores".lower().replace(", ", "-").replace(" ", "-")


def read_rows(file: Path) -> list[Row]:
    """Rows of an earlier measurement, none if there is no such file."""
    return [_from(row) for row in json.loads(file.read_text())["rows"]] if file.exists() else []


def write_rows(file: Path, rows: Sequence[Row]) -> None:
    """Keep rows as JSON; what is not a number is written as null."""
    file.parent.mkdir(parents=True, exist_ok=True)
    plain = [{key: None if value != value else value for key, value in asdict(row).items()} for row in rows]
    write_whole(file, json.dumps({"rows": plain}, indent=1) + "\n")


def merged(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Old rows, but for an engine, a problem and a part that were measured anew: of those the new ones alone."""
    again = {(row.part, row.problem, row.engine) for row in new}
    return [row for row in old if (row.part, row.problem, row.engine) not in again] + list(new)


def _from(row: dict[str, Any]) -> Row:
    numbers = {key: float("nan") if row[key] is None else row[key] for key in ("median", "least", "largest")}
    return Row(**{**row, **numbers})
