"""The story of `bonesim sweep`: a scenario becomes a plan, chunks of members, one store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonesim.errors import InputError, Place, closest
from bonesim.results.dataset import RESERVED, OutputInfo
from bonesim.results.provenance import versions
from bonesim.run import does_not_rest
from bonesim.scenario.load import load_scenario
from bonesim.scenario.schema import Scenario
from bonesim.solve.settings import check_threads
from bonesim.sweep.chunk import SUMMARIES, Chunk, Solver
from bonesim.sweep.forecast import Forecast, check_room, forecast
from bonesim.sweep.manifest import check_place
from bonesim.sweep.plan import Plan, plan
from bonesim.sweep.store import StudyStore, read_study

if TYPE_CHECKING:
    import xarray as xr

EXECUTORS = ("local",)
LATER_EXECUTORS = ("dask",)
DTYPES = ("float32", "float64")
DECISIVE = ("bonesim", "numpy", "scipy", "llvmlite", "python-libsbml", "xarray", "zarr")
"""Packages that a study depends on."""

Starting = Callable[[Plan, Forecast], None]
Progress = Callable[[int, int], None]


def sweep(
    scenario: Scenario | str | Path,
    executor: str = "local",
    out: str | Path = "sweep.zarr",
    *,
    resume: bool = False,
    backend: str = "auto",
    threads: int | None = None,
    dtype: str = "float32",
    starting: Starting | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run every member of a scenario's sweep, each with its vehicle arm, into one Zarr store.

    Parameters
    ----------
    scenario : a scenario with a section `sweep`, or the file that holds one
    executor : `local`, all processors of this machine
    out : where the store is made
    resume : go on with a store of the same sweep that was stopped; a new one is begun
    backend : `auto`, `llvm` or `numpy`
    threads : how many share the members; by default one for each processor
    dtype : in which courses are kept, `float32` or `float64`; summaries are always `float64`
    starting : called with the plan and what it takes, before anything is written
    progress : called with how many members are done, and how many there are, at the start and after each chunk

    Returns
    -------
    xarray.Dataset
        Dimensions (member, arm, time), read from the store as it is used. The varied values are coordinates of
        `member`. A member that failed is NaN from its end on and has its status; it stops no other.

    Raises
    ------
    InputError
        If the scenario has no sweep, or has further arms or draws, or a member of it is no scenario, or `out` is taken
        or has not enough room.
    InternalError
        If doses were lost, or a healthy model does not start at rest though no parameter of it is varied.
    """
    _check_choices(executor, dtype)
    check_threads(threads)
    folder = Path(out)
    if not resume:
        check_place(folder)
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    _check_sections(scenario)
    run_plan(
        plan(scenario),
        folder,
        resume=resume,
        backend=backend,
        threads=threads,
        dtype=dtype,
        starting=starting,
        progress=progress,
    )
    return read_study(folder)


def run_plan(
    planned: Plan,
    folder: Path,
    *,
    resume: bool = False,
    backend: str = "auto",
    threads: int | None = None,
    dtype: str = "float32",
    starting: Starting | None = None,
    progress: Progress | None = None,
) -> None:
    """Run what is missing of a plan into its store. Parameters and errors as of `sweep`."""
    solver = Solver(planned, backend=backend, threads=threads, dtype=dtype)
    store = StudyStore(folder, planned, _output_infos(planned, solver), dtype)
    resumed = resume and folder.is_dir() and any(folder.iterdir())
    if resumed:
        store.reopen()
    missing = store.missing if resumed else planned.chunks
    needs = forecast(planned, missing, len(solver.outputs), dtype)
    check_room(planned, needs, folder)
    if starting:
        starting(planned, needs)
    if store.empty:
        store.create(_attributes(planned), versions(DECISIVE))
    done = planned.members - sum(chunk.stop - chunk.start for chunk in missing)
    progress = progress or _nothing
    progress(done, planned.members)
    for chunk in map(solver, missing):
        _check_rest(planned, chunk)
        store.keep(chunk)
        done += chunk.members.stop - chunk.members.start
        progress(done, planned.members)
    if not store.complete:
        store.finish()


def _nothing(done: int, members: int) -> None:
    """Progress that nobody watches."""


def _check_choices(executor: str, dtype: str) -> None:
    if executor in LATER_EXECUTORS:
        problem = f"the executor '{executor}' comes with a later version"
        raise InputError(problem, place=Place(key="executor"), remedy="local, which uses all processors")
    if executor not in EXECUTORS:
        raise InputError(f"unknown executor '{executor}'", place=Place(key="executor"), remedy="local")
    if dtype not in DTYPES:
        raise InputError(f"unknown dtype '{dtype}'", place=Place(key="dtype"), remedy=closest(dtype, DTYPES))


def _check_sections(scenario: Scenario) -> None:
    """A sweep runs each member with the stated values, beside its vehicle arm."""
    faults = []
    if scenario.uncertainty:
        problem = "a sweep runs each member with the stated values, and draws nothing"
        remedy = "--set uncertainty=null; numbers can be varied by name under 'sweep'"
        faults.append(InputError(problem, place=scenario.place("uncertainty"), remedy=remedy))
    if scenario.arms:
        problem = "a sweep runs the arms dosed and vehicle of each member, and no others"
        remedy = "--set arms={}; what an arm changes can be set likewise, for a sweep of its own"
        faults.append(InputError(problem, place=scenario.place("arms"), remedy=remedy))
    if faults:
        raise InputError.together(faults)


def _check_rest(planned: Plan, chunk: Chunk) -> None:
    """A model may start away from rest only where its own parameters are varied."""
    if chunk.restless and all(not isinstance(axis.target, str) for axis in planned.axes):
        raise does_not_rest(planned.variants.base, f"{chunk.restless} members move")


def _output_infos(planned: Plan, solver: Solver) -> list[OutputInfo]:
    """What is kept of each member; its names must not meet those of the axes.

    Raises
    ------
    InputError
        If they do.
    """
    infos = [OutputInfo(one.name, one.unit, one.label, one.role) for one in solver.outputs]
    taken = {*RESERVED, *(axis.path for axis in planned.axes)}
    for number, info in enumerate(infos):
        names = [info.name, *(f"{info.name}_{kind}" for kind in SUMMARIES)]
        if met := taken.intersection(names):
            place = planned.scenario.place(f"outputs[{number}]")
            problem = f"'{met.pop()}' would stand for two things in the result"
            raise InputError(problem, place=place, remedy="leave one of them out, or write it with its part in front")
        taken.update(names)
    return infos


def _attributes(planned: Plan) -> dict[str, Any]:
    base = planned.variants.base
    provenance = {"numbers": base.numbers, "edges_left_out": dict(base.left_out)}
    return {
        "doses": json.dumps([asdict(mark) for mark in base.marks]),
        "provenance": json.dumps(provenance | ({"own_modules": base.own} if base.own else {})),
    }
