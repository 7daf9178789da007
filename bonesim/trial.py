"""A scenario tried in several versions at once: the batches behind a profile and an explanation.

Versions that differ in parameters alone are members of one batch, and one compiled model serves them all; those that
need other equations are batches of their own. An edge of the catalogue is knocked out by a strength of 0, which leaves
exactly the rest: effects add on the scale of log odds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bonesim.ensemble import Group, accepted, alike
from bonesim.errors import SimulationError
from bonesim.run import check_rest, settings
from bonesim.scenario.arms import Arm, Comparison, Lot
from bonesim.scenario.comparison import UncertaintyChoice
from bonesim.scenario.draws import Draws
from bonesim.scenario.problem import DOSED, Problem
from bonesim.simulate import build_kernels
from bonesim.solve.integrate import integrate
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status
from bonesim.system import Kernels

Version = Mapping[str, float]
"""Values of parameters, by flat id, that differ from those of the dosed arm."""


@dataclass(frozen=True)
class Trial:
    """Courses of some symbols: `values` is (time, symbol, version, member); member 0 has the stated values."""

    times: np.ndarray
    symbols: tuple[str, ...]
    values: np.ndarray

    def course(self, symbol: str) -> np.ndarray:
        """(time, version) of one symbol with the stated values."""
        return np.asarray(self.values[:, self.symbols.index(symbol), :, 0])

    @property
    def draws(self) -> Iterator[Trial]:
        """The same for each draw that reached the end in all versions."""
        arrived = np.isfinite(self.values).all(axis=(0, 1, 2))
        for member in range(1, self.values.shape[-1]):
            if arrived[member]:
                yield Trial(self.times, self.symbols, self.values[..., member : member + 1])


def try_versions(
    problem: Problem,
    versions: Sequence[Version],
    symbols: Iterable[str],
    *,
    uncertainty: UncertaintyChoice | None = None,
    lots: tuple[Lot, ...] = (),
) -> Trial:
    """Solve a problem once for each version of it, and with `uncertainty` as often again with numbers drawn.

    Parameters
    ----------
    problem
        Its arm `dosed` is what versions change.
    versions
        The same draws for all of them.
    symbols
        Flat ids of what is kept.
    uncertainty
        How often every number that has a range is drawn.
    lots
        What the doses, where they are given, owe to a number that may be drawn.

    Raises
    ------
    SimulationError
        If a version does not reach the end with the stated values.
    """
    dosed = next(arm for arm in Comparison.of(problem).arms if arm.name == DOSED).held
    nothing = untreated(problem)
    arms = tuple(
        Arm(f"version {number}", problem, {**dosed, **one}, () if nothing.keys() <= one.keys() else lots)
        for number, one in enumerate(versions)
    )
    return try_arms(arms, symbols, uncertainty=uncertainty)


def try_arms(arms: Sequence[Arm], symbols: Iterable[str], *, uncertainty: UncertaintyChoice | None = None) -> Trial:
    """Solve arms of different names, which are recorded at the same times, as the versions of a trial, in their order.

    Raises
    ------
    SimulationError
        As `try_versions`.
    """
    names = tuple(dict.fromkeys(symbols))
    groups = [Group(some, _kernels(some[0].problem, names), ()) for some in alike(arms)]
    draws = accepted(Comparison(tuple(arms), uncertainty), groups)
    courses: dict[str, np.ndarray] = {}
    for group in groups:
        solution = _solved(group, draws)
        values = solution.y.reshape(*solution.y.shape[:2], len(group.arms), -1)
        courses |= {arm.name: values[:, :, place] for place, arm in enumerate(group.arms)}
    return Trial(solution.t, names, np.stack([courses[arm.name] for arm in arms], axis=2))


def _kernels(problem: Problem, symbols: Sequence[str]) -> Kernels:
    return build_kernels(problem.model, symbols, method=problem.solver["method"])


def _solved(group: Group, draws: Draws) -> Solution:
    batch = group.batch(draws)
    check_rest(group.kernels, batch, group.problem)
    solution = integrate(group.kernels, batch, settings(group.problem, batch, group.sizes(draws)))
    for member in range(0, batch.members, 1 + draws.members):
        if not (end := Status(solution.status[member])).arrived:
            raise SimulationError(solution.cause.get(member, end.text), status=end)
    return solution


def untreated(problem: Problem) -> Version:
    """The version in which nothing is given."""
    return {name: values[-1] for name, values in problem.arm_values.items()}


def knocked_out(problem: Problem, edges: Iterable[str]) -> Version:
    """The version without these edges; those that do not act in the problem change nothing."""
    acting = set(problem.acting)
    return {f"strength_{edge}": 0.0 for edge in edges if edge in acting}
