"""A scenario tried in several versions at once, each with some numbers of its own: the batch behind a profile.

Versions differ in parameters alone, so that they are members of one batch and one compiled model serves them all. An
edge of the catalogue is knocked out by a strength of 0, which leaves exactly the rest: effects add on the scale of log
odds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bonesim.errors import SimulationError
from bonesim.run import check_rest, settings
from bonesim.scenario.problem import DOSED, Problem
from bonesim.simulate import build_kernels, members
from bonesim.solve.integrate import integrate
from bonesim.solve.status import Status

Version = Mapping[str, float]
"""Values of parameters, by flat id, that differ from those of the dosed arm."""


@dataclass(frozen=True)
class Trial:
    """Courses of some symbols: `values` is (time, symbol, version)."""

    times: np.ndarray
    symbols: tuple[str, ...]
    values: np.ndarray

    def course(self, symbol: str) -> np.ndarray:
        """(time, version) of one symbol."""
        return np.asarray(self.values[:, self.symbols.index(symbol)])


def try_versions(problem: Problem, versions: Sequence[Version], symbols: Iterable[str], backend: str = "auto") -> Trial:
    """Solve a problem once for each version of it.

    Raises
    ------
    SimulationError
        If one of them does not reach the end.
    """
    names = tuple(dict.fromkeys(symbols))
    kernels = build_kernels(problem.model, names, backend, problem.solver["method"])
    dosed = {name: values[problem.arms.index(DOSED)] for name, values in problem.arm_values.items()}
    changed = {name for version in versions for name in version}
    own = {name: problem.model.by_id[name].value for name in changed}  # type: ignore[union-attr]
    values = {name: [version.get(name, (own | dosed)[name]) for version in versions] for name in (own | dosed)}
    batch = members(kernels, problem.model, problem.t_out, values)
    check_rest(kernels, batch)
    solution = integrate(kernels, batch, settings(problem, batch))
    for member, code in enumerate(solution.status):
        if not Status(code).arrived:
            raise SimulationError(solution.cause.get(member, Status(code).text), status=Status(code))
    return Trial(solution.t, names, solution.y)


def untreated(problem: Problem) -> Version:
    """The version in which nothing is given."""
    return {name: values[-1] for name, values in problem.arm_values.items()}


def knocked_out(problem: Problem, edges: Iterable[str]) -> Version:
    """The version without these edges; those that do not act in the problem change nothing."""
    acting = set(problem.acting)
    return {f"strength_{edge}": 0.0 for edge in edges if edge in acting}
