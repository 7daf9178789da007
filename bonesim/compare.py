"""Scenarios, arms and cores side by side: the same question put to several models, or several questions to one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonesim.errors import InputError, Place, quoted
from bonesim.results.members import NO_DIFFERENCE, bands_of
from bonesim.results.store import summary
from bonesim.run import run
from bonesim.scenario.load import load_scenario, settings_of
from bonesim.scenario.problem import DOSED, VEHICLE

if TYPE_CHECKING:
    import xarray as xr


ALWAYS = (DOSED, VEHICLE)
"""Arms that every scenario has."""


@dataclass(frozen=True)
class Entry:
    """One scenario with one core: its name, and what came of it."""

    name: str
    core: str
    result: xr.Dataset


def compare(
    scenarios: Sequence[str | Path], cores: Sequence[str] = (), set_: Mapping[str, str] | Sequence[str] = ()
) -> list[Entry]:
    """Run each scenario with all its arms, and with each of the cores where any are named.

    Parameters
    ----------
    scenarios
        Files.
    cores
        Ids of cores of the library, or model files with their cards; the scenario's own where it is left out.
    set_
        Changes of every scenario, as `load_scenario` takes them.

    Raises
    ------
    InputError
        If one cannot be read or resolved, or there is nothing to set side by side.
    """
    if repeated := [core for position, core in enumerate(cores) if core in cores[:position]]:
        raise InputError(f"{quoted(repeated[0])} is named twice", place=Place(key="--cores"), remedy="name it once")
    changes = settings_of(set_)
    if cores and "model.core" in changes:
        raise InputError("set twice, by --cores too", place=Place(key="--set model.core"), remedy="leave one out")
    entries = list(_entries(scenarios, cores, changes))
    if len(entries) == 1 and entries[0].result.sizes["arm"] <= len(ALWAYS):
        problem = "one scenario without further arms is nothing to compare"
        raise InputError(
            problem, place=Place(key="compare"), remedy="a second file, or --cores pivonka2008,lemaire2004"
        )
    return entries


def _entries(scenarios: Sequence[str | Path], cores: Sequence[str], changes: Mapping[str, str]) -> Iterator[Entry]:
    stems = [Path(path).stem for path in scenarios]
    for path in scenarios:
        for change in [{**changes, "model.core": core} for core in cores] or [{**changes}]:
            name = Path(path).stem if stems.count(Path(path).stem) == 1 else str(path)
            try:
                scenario = load_scenario(path, change)
                yield Entry(name, scenario.model.core, run(scenario))
            except InputError as error:
                raise InputError.together([_of_flag(part) if cores else part for part in error.parts]) from None


def _of_flag(error: InputError) -> InputError:
    """What is refused of a core, at the flag that named it."""
    if error.place is not None and error.place.key == "--set model.core":
        return type(error)(error.problem, place=Place(key="--cores"), remedy=error.remedy)
    return error


def rows(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """One row for each scenario, core, arm and output: what it was, what it became, and how far from the vehicle.

    With draws it has besides what `results.members.band_summary` says of them, and their number, `members`.
    """
    found = []
    for entry in entries:
        said = summary(entry.result)
        drawn = entry.result.sizes.get("member", 0)
        for output, about in said["outputs"].items():
            for arm, end in about["arms"].items():
                found.append(
                    {
                        "scenario": entry.name,
                        "core": entry.core,
                        "arm": arm,
                        "status": said["status"][arm]["status"],
                        "output": output,
                        "unit": about["unit"],
                        "baseline": end.get("vehicle_baseline", about["baseline"]),
                        "final": end["final"],
                        "change_percent": end["change_percent"],
                        "against_vehicle_percent": end["against_vehicle_percent"],
                        "largest_against_vehicle_percent": end["largest_against_vehicle_percent"],
                        **({"members": drawn, **bands_of(end)} if drawn else {}),
                    }
                )
    return found


def verdicts(found: Sequence[dict[str, Any]]) -> dict[str, str]:
    """For each output whether all arms that are dosed move it the same way, where the difference is largest."""
    said = {}
    for output in dict.fromkeys(row["output"] for row in found):
        sizes = [
            row["largest_against_vehicle_percent"]
            for row in found
            if row["output"] == output and row["arm"] != VEHICLE and row["status"] == "ok"
        ]
        signs = {size > 0 for size in sizes if size is not None and abs(size) >= NO_DIFFERENCE}
        said[output] = "none moves" if not signs else "all the same way" if len(signs) == 1 else "not all the same way"
    return said
