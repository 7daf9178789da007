"""The story of `bonesim run`: a scenario becomes a problem, a batch of arms, a solution, a dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.accuracy import error_estimates, with_estimates
from bonesim.errors import InternalError
from bonesim.results.ledger import TOLERANCE, Delivery, balanced
from bonesim.results.provenance import how_solved
from bonesim.scenario.load import load_scenario
from bonesim.scenario.problem import DOSED, Problem
from bonesim.scenario.resolve import resolve
from bonesim.scenario.schema import Scenario
from bonesim.simulate import build_kernels, members
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
    """Solve a scenario, or the file that holds one, with its vehicle arm.

    Returns what `solve` returns, and raises besides

    InputError
        If the scenario cannot be read or resolved.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    return solve(resolve(scenario), backend=backend, accuracy=accuracy)


def solve(problem: Problem, *, backend: str = "auto", accuracy: bool = False) -> xr.Dataset:
    """Solve a problem: kernels for its model, one batch of its arms, the solution with its ledger.

    With `accuracy` it is solved again with a tighter tolerance, and each output has an `error_estimate`.

    Returns
    -------
    xarray.Dataset
        Dimensions (arm, time), arms `dosed` and `vehicle`; outputs with units, exposure by compartment, status,
        ledger and provenance, under the convention of `results.dataset`.

    Raises
    ------
    InternalError
        If what was delivered is not what was scheduled, or the healthy model does not start at rest.
    """
    symbols = [output.symbol for output in problem.outputs] + ledger_symbols(problem)
    kernels = build_kernels(problem.model, symbols, backend, problem.solver["method"])
    times = sorted({*problem.t_out, *problem.t_early})
    batch = members(kernels, problem.model, times, problem.arm_values)
    batch = _with_arms(batch, len(problem.arms))
    check_rest(kernels, batch)
    chosen = settings(problem, batch)
    solution = integrate(kernels, batch, chosen)
    dataset = _dataset(problem, solution, ledger(problem, solution), how_solved(kernels, chosen, solution))
    if not accuracy:
        return dataset
    names = [output.name for output in problem.outputs]
    return with_estimates(dataset, names, error_estimates(kernels, batch, chosen, solution), chosen)


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


def ledger(problem: Problem, solution: Solution) -> list[dict[str, object]]:
    """The balanced dose ledger of every arm that arrived."""
    last = dict(zip(ledger_symbols(problem), solution.y[-1, len(problem.outputs) :], strict=True))
    lines = []
    for plan in problem.ledger:
        for arm, name in enumerate(problem.arms):
            if Status(solution.status[arm]).arrived:
                scheduled = plan.scheduled if name == DOSED else 0.0
                arrived = float(last[plan.delivered][arm]) / plan.per_unit
                retained = float(last[plan.retained][arm]) / plan.per_unit if plan.retained else 0.0
                held = retained if retained > TOLERANCE * arrived else 0.0  # the solver leaves no carrier quite empty
                lines.append(Delivery(plan, name, scheduled, arrived, held))
    return balanced(lines)


def ledger_symbols(problem: Problem) -> list[str]:
    """The symbols that the ledger needs at the end of a run: what arrived, group by group, then what carriers hold."""
    held = [plan.retained for plan in problem.ledger if plan.retained]
    return [*(plan.delivered for plan in problem.ledger), *held]


def check_rest(kernels: Kernels, batch: Batch) -> None:
    """Before any event the healthy model must not move.

    Raises
    ------
    InternalError
        If a state changes by more than `REST` of its size a day.
    """
    moving = restless(kernels, batch).any(axis=1)
    if moving.any():
        state = kernels.layout.states[np.argmax(moving)]
        raise InternalError(f"the healthy model does not start at rest: {state} moves")


def restless(kernels: Kernels, batch: Batch) -> np.ndarray:
    """(state, member) whether a state changes by more than `REST` of its size a day before any event."""
    dy = np.empty_like(batch.initial)
    with np.errstate(all="ignore"):
        k = kernels.constants(batch.parameters)
        start = np.full(batch.members, batch.t_out[0])
        kernels.functions.rhs(start, tuple(batch.initial), tuple(batch.parameters), tuple(k), dy)
    return np.asarray(~(np.abs(dy) <= REST * np.abs(batch.initial)))


def _with_arms(batch: Batch, arms: int) -> Batch:
    """The batch with one member an arm, also where no parameter tells them apart (nothing is dosed)."""
    if batch.members == arms:
        return batch
    return Batch(np.repeat(batch.parameters, arms, axis=1), np.repeat(batch.initial, arms, axis=1), batch.t_out)


def _dataset(
    problem: Problem, solution: Solution, lines: list[dict[str, object]], how: dict[str, object]
) -> xr.Dataset:
    from bonesim.results.dataset import OutputInfo, ends, to_dataset, with_early_exposure

    outputs = [
        OutputInfo(output.name, output.unit, output.label, output.role, output.group, output.compartment)
        for output in problem.outputs
    ]
    recorded, early = (np.searchsorted(solution.t, times) for times in (problem.t_out, problem.t_early))
    dataset = to_dataset(
        outputs=outputs,
        t=solution.t[recorded],
        y=solution.y[recorded, : len(outputs)],
        arms=problem.arms,
        **ends(solution),
        attrs={
            "title": problem.title,
            "scenario": problem.scenario_text,
            "model_hash": problem.model.content_hash,
            **how,
            "ledger": lines,
            "doses": [asdict(mark) for mark in problem.marks],
            "provenance": {
                "title": problem.title,
                "scenario": json.loads(problem.scenario_text),
                "model_hash": problem.model.content_hash,
                "versions": how["versions"],
                "numbers": problem.numbers,
                "edges_left_out": problem.left_out,
            },
        },
    )
    return with_early_exposure(dataset, outputs, solution.t[early], solution.y[early])
