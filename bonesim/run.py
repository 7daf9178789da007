"""The story of `bonesim run`: a scenario becomes arms, batches of them, solutions, a dataset."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bonesim.accuracy import error_estimates, with_estimates
from bonesim.ensemble import Group, accepted, groups
from bonesim.errors import InputError, InternalError, Place
from bonesim.results.ledger import TOLERANCE, Delivery, balanced
from bonesim.results.provenance import how_solved, how_together
from bonesim.scenario.arms import Arm, Comparison, compared
from bonesim.scenario.draws import Draws, ranges
from bonesim.scenario.load import load_scenario
from bonesim.scenario.problem import VEHICLE, DoseMark, Problem
from bonesim.scenario.schema import Scenario
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings, default_atol
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status
from bonesim.system import Batch, Kernels

if TYPE_CHECKING:
    import xarray as xr

REST = 1e-9
"""Largest relative change a day with which the model may start: it begins in the healthy steady state."""


def run(scenario: Scenario | str | Path, *, backend: str = "auto", accuracy: bool = False) -> xr.Dataset:
    """Solve a scenario, or the file that holds one, with all its arms.

    Returns what `solve` returns, and raises besides

    InputError
        If the scenario cannot be read or resolved.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    return solve(compared(scenario), backend=backend, accuracy=accuracy)


def solve(comparison: Comparison, *, backend: str = "auto", accuracy: bool = False) -> xr.Dataset:
    """Solve all arms: kernels for each set of equations, the draws, a batch and a solution each, and one dataset.

    With `accuracy` it is solved again with a tighter tolerance, and each output has an `error_estimate`.

    Returns
    -------
    xarray.Dataset
        Dimensions (arm, time), or (arm, member, time) with `uncertainty`, arms `dosed`, `vehicle` and those of the
        scenario; outputs with units, exposure by compartment, status, ledger and provenance, under the convention of
        `results.dataset`.

    Raises
    ------
    InputError
        If no draws fit the ranges together.
    InternalError
        If what was delivered is not what was scheduled, or the healthy model does not start at rest.
    """
    from bonesim.results.arms import joined, with_vehicles
    from bonesim.results.dataset import as_attrs

    found = groups(comparison, backend)
    draws = accepted(comparison, found)
    parts = [_solved(group, draws, accuracy) for group in found]
    dataset = joined([part.dataset for part in parts], [arm.name for arm in comparison.solved])
    dataset = with_vehicles(dataset, {arm.name: arm.vehicle for arm in comparison.arms})
    return dataset.assign_attrs(as_attrs(_attrs(comparison, draws, parts)))


class _Part(NamedTuple):
    """The arms of one set of equations, solved: their results, their ledger, and how it was done."""

    dataset: xr.Dataset
    ledger: list[dict[str, Any]]
    how: dict[str, Any]


def _solved(group: Group, draws: Draws, accuracy: bool) -> _Part:
    batch = group.batch(draws)
    check_rest(group.kernels, batch, group.problem)
    chosen = settings(group.problem, batch, group.sizes(draws))
    solution = integrate(group.kernels, batch, chosen)
    lines = ledger(group, solution, draws)
    dataset = _dataset(group, solution, draws)
    if accuracy:
        names = [output.name for output in group.problem.outputs]
        dataset = with_estimates(dataset, names, error_estimates(group.kernels, batch, chosen, solution), chosen)
    return _Part(dataset, lines, how_solved(group.kernels, chosen, solution))


def settings(problem: Problem, batch: Batch, sizes: Mapping[str, np.ndarray] | None = None) -> Settings:
    """Solver settings of a problem; absolute tolerances follow from the size that each state is known to take.

    `sizes` has those in which members of the batch differ, (member,) by flat id.
    """
    known: dict[str, Any] = {**problem.sizes, **(sizes or {})}
    rtol, atol = problem.solver["rtol"], problem.solver.get("atol")
    if atol is None:
        size = np.abs(batch.initial)
        for row, state in enumerate(problem.model.states):
            size[row] = np.maximum(size[row], known.get(state.id, 0.0))
        atol = default_atol(rtol, size)
    return Settings(rtol, atol, problem.solver["method"], problem.solver["max_steps"])


def ledger(group: Group, solution: Solution, draws: Draws) -> list[dict[str, object]]:
    """The balanced dose ledger of every arm that arrived, with the stated values; the draws must balance, too."""
    last = dict(zip(group.problem.ledger_symbols, solution.y[-1, len(group.problem.outputs) :], strict=True))
    lines = []
    for number in range(len(group.problem.ledger)):
        for place, arm in enumerate(group.arms):
            column = place * (1 + draws.members)
            if Status(solution.status[column]).arrived:
                plan = arm.problem.ledger[number]
                arrived = float(last[plan.delivered][column]) / plan.per_unit
                retained = float(last[plan.retained][column]) / plan.per_unit if plan.retained else 0.0
                held = retained if retained > TOLERANCE * arrived else 0.0  # the solver leaves no carrier quite empty
                lines.append(Delivery(plan, arm.name, arm.scheduled(plan), arrived, held))
    if (lost := next(group.lost(solution, draws), None)) is not None:
        raise InternalError(f"dose ledger of {lost}: what was delivered is not what was scheduled")
    return balanced(lines)


def check_rest(kernels: Kernels, batch: Batch, problem: Problem) -> None:
    """Before any event the healthy model must not move.

    Raises
    ------
    InputError
        If a state changes by more than `REST` of its size a day, and there are modules of the user's own.
    InternalError
        The same without any.
    """
    moving = restless(kernels, batch).any(axis=1)
    if moving.any():
        raise does_not_rest(problem, f"{kernels.layout.states[np.argmax(moving)]} moves")


def does_not_rest(problem: Problem, what: str) -> InputError | InternalError:
    """The error for a healthy model that moves; it is the user's where modules of the user's own are in it."""
    text = f"the healthy model does not start at rest: {what}"
    if not problem.own:
        return InternalError(text)
    files = ", ".join(next(iter(files)) for files in problem.own.values())
    remedy = "a start at which each rate is 0 and what drives a process is 1, until an event"
    return InputError(text, place=Place(files), remedy=remedy)


def restless(kernels: Kernels, batch: Batch) -> np.ndarray:
    """(state, member) whether a state changes by more than `REST` of its size a day before any event.

    A state that no rate reads, its own neither, only adds up what flows and has no rest: it is left out.
    """
    dy = np.empty_like(batch.initial)
    with np.errstate(all="ignore"):
        k = kernels.constants(batch.parameters)
        start, y, p = np.full(batch.members, batch.t_out[0]), tuple(batch.initial), tuple(batch.parameters)
        if kernels.layout.switching:
            kernels.functions.settle(start, y, p, k)
        kernels.functions.rhs(start, y, p, tuple(k), dy)
    moving = np.asarray(~(np.abs(dy) <= REST * np.abs(batch.initial)))
    read = {column for _, column in kernels.layout.pattern}
    moving[[row for row in range(len(moving)) if row not in read]] = False
    return moving


def _dataset(group: Group, solution: Solution, draws: Draws) -> xr.Dataset:
    from bonesim.results.dataset import OutputInfo, ends, to_dataset, with_early_exposure
    from bonesim.results.members import with_members

    outputs = [
        OutputInfo(output.name, output.unit, output.label, output.role, output.group, output.compartment)
        for output in group.problem.outputs
    ]
    recorded, early = (np.searchsorted(solution.t, times) for times in (group.problem.t_out, group.t_early))
    columns = np.arange(len(solution.status)).reshape(len(group.arms), -1)
    y = solution.y[:, : len(outputs)]
    stated, drawn = columns[:, 0], columns[:, 1:]
    dataset = to_dataset(
        outputs=outputs,
        t=solution.t[recorded],
        y=y[:, :, stated][recorded],
        arms=[arm.name for arm in group.arms],
        **ends(solution, stated),
        attrs={},
    )
    dataset = with_early_exposure(dataset, outputs, solution.t[early], y[:, :, stated][early])
    return with_members(dataset, outputs, solution, recorded, drawn) if draws.members else dataset


def _attrs(comparison: Comparison, draws: Draws, parts: Sequence[_Part]) -> dict[str, Any]:
    """What a dataset says of itself: what was asked, how it was solved, what arrived, where the numbers are from."""
    problem, how = comparison.arms[0].problem, how_together([part.how for part in parts])
    told = {arm.name for arm in comparison.arms}
    return {
        "title": problem.title,
        "scenario": problem.scenario_text,
        "model_hash": problem.model.content_hash,
        **how,
        "ledger": [line for part in parts for line in part.ledger if line["arm"] in told],
        "doses": _marks(comparison),
        "copies_not_known": sorted({name for arm in comparison.arms for name in arm.problem.uncounted}) or None,
        "own_vehicle": [arm.name for arm in comparison.arms if arm.has_own_vehicle] or None,
        "provenance": {
            "title": problem.title,
            "scenario": json.loads(problem.scenario_text),
            "model_hash": problem.model.content_hash,
            "versions": how["versions"],
            "numbers": problem.numbers,
            "edges_left_out": problem.left_out,
            **({"own_modules": problem.own} if problem.own else {}),
            "arms": {arm.name: _provenance(arm, problem) for arm in comparison.arms[2:]},
            "uncertainty": _drawn(comparison, draws),
        },
    }


def _marks(comparison: Comparison) -> list[dict[str, Any]]:
    """Every dose of any arm but the vehicle, with the arms that it belongs to."""
    arms: dict[DoseMark, list[str]] = defaultdict(list)
    for arm in comparison.arms:
        for mark in arm.problem.marks if arm.name != VEHICLE else ():
            arms[mark].append(arm.name)
    return [{**asdict(mark), "arms": names} for mark, names in arms.items()]


def _provenance(arm: Arm, base: Problem) -> dict[str, Any]:
    """What a further arm has that the scenario as it stands has not."""
    problem = arm.problem
    return {
        "model_hash": problem.model.content_hash,
        "held": dict(arm.held),
        "numbers": {name: said for name, said in problem.numbers.items() if said != base.numbers.get(name)},
        "edges_left_out": problem.left_out,
    }


def _drawn(comparison: Comparison, draws: Draws) -> dict[str, Any] | None:
    """How many members were drawn, and which numbers; None without draws."""
    if not draws.members:
        return None
    names = {name for arm in comparison.arms for name in ranges(arm.problem)}
    again = int(np.count_nonzero(draws.rounds))
    return {"members": draws.members, "seed": draws.seed, "drawn_again": again, "numbers": sorted(names)}
