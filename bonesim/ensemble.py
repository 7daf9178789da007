"""Arms and their members as batches: arms with the same equations side by side, each with all its draws.

A batch has the arms one after the other; of each arm first the member with the stated values, then the draws. Arms that
need other equations (another source, core or module) are batches of their own, with the same draws.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bonesim.errors import InputError
from bonesim.model.ode import OdeModel
from bonesim.results.ledger import TOLERANCE
from bonesim.scenario.arms import Arm, Comparison
from bonesim.scenario.draws import Draws, drawn_values, lot_factors
from bonesim.scenario.problem import Problem
from bonesim.simulate import build_kernels, members
from bonesim.solve.solution import Solution
from bonesim.system import Batch, Kernels

MOST_ROUNDS = 100
"""How often a member is drawn before its ranges are given up."""

ROUNDING = 1e-12
"""Part of its stated value, or of 1 where that is 0, below which a computed number counts as 0."""


@dataclass(frozen=True)
class Group:
    """Arms that share their equations, with the code of these.

    t_early : times of the first two days after the first dose of the first arm that has one, day
    """

    arms: tuple[Arm, ...]
    kernels: Kernels
    t_early: tuple[float, ...]

    @property
    def problem(self) -> Problem:
        """Of the first arm, whose model stands for all; the others differ in the values of parameters."""
        return self.arms[0].problem

    def batch(self, draws: Draws) -> Batch:
        """All members of all arms."""
        values = self._values(draws)
        columns = len(self.arms) * (1 + draws.members)
        times = sorted({*self.problem.t_out, *self.t_early})
        batch = members(self.kernels, self.problem.model, times, values)
        if batch.members == columns:
            return batch
        # No parameter tells the arms apart: nothing is dosed.
        parameters, initial = (np.repeat(rows, columns, axis=1) for rows in (batch.parameters, batch.initial))
        return Batch(parameters, initial, batch.t_out)

    def _values(self, draws: Draws) -> dict[str, np.ndarray]:
        """(column,) values of every parameter in which columns differ, by flat id."""
        drawn = [drawn_values(arm, draws) for arm in self.arms]
        values = {}
        for parameter in self.problem.model.parameters:
            own = [arm.held.get(parameter.id, arm.problem.stated(parameter.id)) for arm in self.arms]
            moved = [more[parameter.id] for more in drawn if parameter.id in more]
            if parameter.initial is None and (moved or any(value != parameter.value for value in own)):
                rows = np.repeat(np.array(own)[:, None], 1 + draws.members, axis=1)
                for row, more in zip(rows, drawn, strict=True):
                    row[1:] = more.get(parameter.id, row[0])
                values[parameter.id] = rows.reshape(-1)
        return values

    def sizes(self, draws: Draws) -> dict[str, np.ndarray]:
        """(column,) the size that each state is known to take, by flat id."""
        found: dict[str, list[np.ndarray]] = defaultdict(list)
        for arm in self.arms:
            largest: dict[str, np.ndarray] = {}
            for lot, more in lot_factors(arm, draws):
                largest[lot.group] = np.maximum(largest.get(lot.group, 0.0), lot.size * more)
            for state, size in arm.problem.sizes.items():
                own = largest.get(state.rpartition("__")[0], np.full(draws.members, size))
                found[state].append(np.concatenate([[size], own]))
        return {state: np.concatenate(rows) for state, rows in found.items()}

    def refused(self, batch: Batch, draws: Draws) -> np.ndarray:
        """(member,) whether a draw is no body: a computed number has another sign than with the stated values.

        Shares of a whole, for example: what is left of it once all drawn shares are taken off must not be negative.
        """
        computed = [row for row, one in enumerate(self.problem.model.parameters) if one.initial is not None]
        rows = batch.parameters[computed].reshape(len(computed), len(self.arms), -1)
        stated, drawn = rows[:, :, :1], rows[:, :, 1:]
        turned = np.where(stated < 0, drawn, -drawn) > ROUNDING * np.where(stated == 0, 1.0, np.abs(stated))
        return np.asarray((turned | ~np.isfinite(drawn)).any(axis=(0, 1)))

    def lost(self, solution: Solution, draws: Draws) -> Iterator[str]:
        """Draws, in words, to which not all arrived that was scheduled for them."""
        first = len(self.problem.outputs)
        for place, arm in enumerate(self.arms):
            columns = slice(place * (1 + draws.members) + 1, (place + 1) * (1 + draws.members))
            factors = list(lot_factors(arm, draws))
            for number, plan in enumerate(arm.problem.ledger, start=first):
                scheduled = np.full(draws.members, arm.scheduled(plan) * plan.per_unit)
                for lot, more in factors:
                    scheduled += lot.given * (more - 1.0) if lot.group == plan.group else 0.0
                gap = np.abs(solution.y[-1, number, columns] - scheduled)
                # What has not arrived at the end of the run is not a number, and no gap.
                for member in np.flatnonzero(gap > TOLERANCE * np.maximum(scheduled, plan.per_unit)):
                    yield f"{plan.group}, arm {arm.name}, member {member}"


def groups(comparison: Comparison, backend: str) -> list[Group]:
    """Arms by their equations, in order of the first of each; all are recorded at the same times."""
    early = next((arm.problem.t_early for arm in comparison.solved if arm.problem.t_early), ())
    return [Group(arms, _kernels(arms[0].problem, backend), early) for arms in alike(comparison.solved)]


def alike(arms: Iterable[Arm]) -> list[tuple[Arm, ...]]:
    """Arms by their equations, in order of the first of each."""
    known: dict[int, str] = {}  # of a model that many arms share, the equations are told once
    found: dict[str, list[Arm]] = defaultdict(list)
    for arm in arms:
        model = arm.problem.model
        if id(model) not in known:
            known[id(model)] = _equations(model)
        found[known[id(model)]].append(arm)
    return [tuple(arms) for arms in found.values()]


def accepted(comparison: Comparison, found: Sequence[Group]) -> Draws:
    """Draws of which every member is a body in every arm.

    Raises
    ------
    InputError
        If a member cannot be had: the ranges hardly fit together.
    """
    draws = Draws(comparison.uncertainty)
    for _ in range(MOST_ROUNDS):
        refused = np.zeros(draws.members, bool)
        for group in found if draws.members else ():
            refused |= group.refused(group.batch(draws), draws)
        if not refused.any():
            return draws
        draws.renew(refused)
    problem = (
        f"{refused.sum()} of {draws.members} members were drawn {MOST_ROUNDS} times, and a computed number is negative"
    )
    raise InputError(problem, remedy="narrower ranges of the numbers that it is computed from")


def _kernels(problem: Problem, backend: str) -> Kernels:
    symbols = [*(output.symbol for output in problem.outputs), *problem.ledger_symbols]
    return build_kernels(problem.model, symbols, backend, problem.solver["method"])


def _equations(model: OdeModel) -> str:
    """What two models share that differ in values of parameters alone."""
    plain = (replace(one, value=0.0, label="") for one in model.parameters)
    return model.with_(parameters=tuple(plain)).content_hash
