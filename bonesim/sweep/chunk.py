"""The members of one chunk of a sweep, solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np

from bonesim.errors import InputError, InternalError
from bonesim.model.ode import OdeModel
from bonesim.results.dataset import largest_difference
from bonesim.results.ledger import TOLERANCE
from bonesim.results.provenance import how_solved
from bonesim.run import restless, settings
from bonesim.scenario.problem import DOSED, VEHICLE, Problem
from bonesim.scenario.variants import Variation
from bonesim.simulate import build_kernels, members
from bonesim.solve.integrate import integrate
from bonesim.solve.solution import Memory, Solution
from bonesim.solve.status import Status
from bonesim.sweep.plan import Plan
from bonesim.system import Kernels

FAILED = [status.value for status in Status if not status.arrived]
"""Codes of the ends that are failures."""

SUMMARIES = {
    "final": "at the end of the run",
    "change_percent": "change since the start, percent",
    "against_vehicle_percent": "difference to vehicle at the end, percent",
    "largest_against_vehicle_percent": "largest difference to vehicle, percent",
    "largest_against_vehicle_time": "when the difference to vehicle is largest",
}
"""What is kept of each output, member and arm beside its course, with its meaning; names as in `summary.json`."""


@dataclass(frozen=True)
class Chunk:
    """What the members of one chunk did.

    courses : output -> (member, arm, time)
    summaries : output -> name of a summary -> (member, arm)
    status, stop_time, cause : (member, arm)
    restless : members that do not start at rest
    how : back end, method, tolerances, steps
    """

    members: slice
    courses: dict[str, np.ndarray]
    summaries: dict[str, dict[str, np.ndarray]]
    status: np.ndarray
    stop_time: np.ndarray
    cause: np.ndarray
    models: list[str] = field(default_factory=list)
    how: list[dict[str, Any]] = field(default_factory=list)
    restless: int = 0
    seconds: float = 0.0


def refuse_lots(model: OdeModel) -> None:
    """Lots are drawn by the number of a member, and a sweep solves members that agree in every number once."""
    for event in model.state_events:
        if event.priority is not None:
            raise InputError(
                f"event '{event.id}' has a priority, and lots may decide between equal ones; a sweep draws none",
                place=event.origin.place,
                remedy="leave priorities out, so that the order of the model decides",
            )


class Solver:
    """Solves chunks of a plan; kernels are made once for each set of equations."""

    def __init__(self, plan: Plan, *, backend: str, threads: int | None, dtype: str) -> None:
        self.plan, self.backend, self.threads, self.dtype = plan, backend, threads, dtype
        self.outputs = [output for output in plan.variants.base.outputs if output.role == "output"]
        self.kernels: dict[object, Kernels] = {}
        self.memory = Memory()

    def __call__(self, chunk: slice) -> Chunk:
        """The members of one chunk.

        Raises
        ------
        InternalError
            If what was delivered to a member is not what was scheduled.
        """
        started = perf_counter()
        done = self._empty(chunk)
        moving = 0
        for variation in self.plan.variants.variations(self.plan.matrix[chunk]):
            moving += self._solve(variation, done)
        return replace(done, restless=moving, seconds=perf_counter() - started)

    def _empty(self, chunk: slice) -> Chunk:
        base, count = self.plan.variants.base, chunk.stop - chunk.start
        shape = (count, len(base.arms))
        return Chunk(
            members=chunk,
            courses={one.name: np.full((*shape, len(base.t_out)), np.nan, self.dtype) for one in self.outputs},
            summaries={one.name: {kind: np.full(shape, np.nan) for kind in SUMMARIES} for one in self.outputs},
            status=np.zeros(shape, np.int8),
            stop_time=np.zeros(shape),
            cause=np.full(shape, "", dtype=object),
        )

    def _solve(self, variation: Variation, done: Chunk) -> int:
        """Solve members of one set of equations into `done`; returns how many of them do not start at rest.

        Members and arms that agree in every number are solved once: the vehicle arm is often the same for all. Their
        tolerances may differ, in states of the doses' kinetics alone, which stay empty there.
        """
        problem, arms = variation.problem, len(variation.problem.arms)
        values = _of_all_arms(variation)
        _, first, equal = np.unique(np.stack(list(values.values())), axis=1, return_index=True, return_inverse=True)
        kernels = self._kernels(variation)
        given = {name: numbers[first] for name, numbers in values.items()}
        batch = members(kernels, problem.model, problem.t_out, given)
        sizes = {name: np.tile(size, arms)[first] for name, size in variation.sizes.items()}
        chosen = settings(problem, batch, sizes)
        moving = np.asarray(restless(kernels, batch).any(axis=0))
        solution = integrate(kernels, batch, chosen, threads=self.threads, memory=self.memory)
        place = equal.reshape(arms, -1)
        self._check_ledger(variation, solution, place, done.members.start)
        for arm, columns in enumerate(place):
            self._keep(solution, columns, variation.rows, arm, done)
        self._summarise(problem, solution, place, variation.rows, done)
        done.models.append(problem.model.content_hash)
        done.how.append(how_solved(kernels, chosen, solution))
        return int(moving[place].any(axis=0).sum())

    def _kernels(self, variation: Variation) -> Kernels:
        if variation.shape not in self.kernels:
            problem = variation.problem
            refuse_lots(problem.model)
            symbols = [one.symbol for one in self.outputs] + [plan.delivered for plan in problem.ledger]
            self.kernels[variation.shape] = build_kernels(
                problem.model, symbols, self.backend, problem.solver["method"]
            )
        return self.kernels[variation.shape]

    def _keep(self, solution: Solution, columns: np.ndarray, rows: np.ndarray, arm: int, done: Chunk) -> None:
        """One arm's courses and ends."""
        for number, output in enumerate(self.outputs):
            done.courses[output.name][rows, arm] = solution.y[:, number, columns].T
        done.status[rows, arm] = solution.status[columns]
        done.stop_time[rows, arm] = solution.stop_time[columns]
        for row, column in zip(rows, columns, strict=True):
            if cause := solution.cause.get(int(column)):
                done.cause[row, arm] = cause

    def _summarise(
        self, problem: Problem, solution: Solution, place: np.ndarray, rows: np.ndarray, done: Chunk
    ) -> None:
        vehicle = problem.arms.index(VEHICLE)
        for number, output in enumerate(self.outputs):
            y = solution.y[:, number]
            for arm, columns in enumerate(place):
                found = summarised(solution.t, y[:, columns], y[:, place[vehicle]])
                for kind, numbers in found.items():
                    done.summaries[output.name][kind][rows, arm] = numbers

    def _check_ledger(self, variation: Variation, solution: Solution, place: np.ndarray, start: int) -> None:
        """What arrived in each member of the dosed arm is what was scheduled."""
        columns = place[variation.problem.arms.index(DOSED)]
        arrived = solution.status[columns] == Status.OK
        for number, plan in enumerate(variation.problem.ledger, start=len(self.outputs)):
            scheduled, delivered = variation.scheduled[plan.group], solution.y[-1, number, columns]
            gap = np.abs(delivered - scheduled) > TOLERANCE * np.where(scheduled > 0, scheduled, 1.0)
            if (wrong := np.flatnonzero(gap & arrived)).size:
                one = wrong[0]
                raise InternalError(
                    f"dose ledger of {plan.group}, member {start + variation.rows[one]}: "
                    f"{scheduled[one]:.12g} particles scheduled, {delivered[one]:.12g} delivered"
                )


def summarised(t: np.ndarray, y: np.ndarray, vehicle: np.ndarray) -> dict[str, np.ndarray]:
    """The `SUMMARIES` of courses (time, member) against those of the vehicle arm, (member,) each.

    A member of which one arm stopped early has none: what it did until then is in its course.
    """
    against, at, largest = largest_difference(y, vehicle, axis=0)
    largest[np.isnan(y[-1] + vehicle[-1])] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        change = 100.0 * (y[-1] - y[0]) / np.abs(y[0])
    return {
        "final": y[-1],
        "change_percent": np.where(np.isfinite(change), change, np.nan),
        "against_vehicle_percent": against[-1],
        "largest_against_vehicle_percent": largest,
        "largest_against_vehicle_time": np.where(np.abs(np.nan_to_num(largest)) > 0, t[at], np.nan),
    }


def _of_all_arms(variation: Variation) -> Mapping[str, np.ndarray]:
    """Parameters in which members or arms differ, by flat id: (arm * member,), all members of an arm together."""
    problem, variants = variation.problem, len(variation.rows)
    values = {}
    for name in {**variation.values, **problem.arm_values}:
        rows = []
        for arm, word in enumerate(problem.arms):
            own = variation.values.get(name) if word == DOSED or name not in problem.arm_values else None
            rows.append(np.full(variants, problem.arm_values[name][arm]) if own is None else own)
        values[name] = np.concatenate(rows)
    return values
