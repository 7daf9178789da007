"""scikit-sundae's CVODE (BDF), restarted at every dose.

Right-hand side and Jacobian are the functions of our plain back end, compiled by numba and called through Python.
"""

from __future__ import annotations

import numpy as np
from sksundae.cvode import CVODE

from benchmarks.peers import Run, Solver
from benchmarks.peers.compiled import Compiled, Stretch
from benchmarks.problems import Task

MAX_STEPS = 1_000_000


def prepare(task: Task) -> Solver:
    """Compile the right-hand side and the Jacobian."""
    compiled, states = Compiled(task), task.initial.shape[0]
    by_time = np.empty((states, 1))

    def rates(t: float, y: np.ndarray, dy: np.ndarray, stretch: Stretch) -> None:
        compiled.rhs(t, y, stretch.p, stretch.k, dy)

    def jacobian(t: float, y: np.ndarray, dy: np.ndarray, slopes: np.ndarray, stretch: Stretch) -> None:
        compiled.jacobian(t, y, stretch.p, stretch.k, slopes[np.newaxis], by_time)

    def at(rtol: float) -> Run:
        atol = task.atol(rtol)

        def solve(stretch: Stretch) -> np.ndarray:
            solver = CVODE(rates, jacfn=jacobian, userdata=stretch, rtol=rtol, atol=atol, max_num_steps=MAX_STEPS)
            times = stretch.times
            # Two times would ask for every internal step.
            asked = times if len(times) > 2 else np.array([times[0], 0.5 * (times[0] + times[1]), times[1]])
            course: np.ndarray = solver.solve(asked, stretch.y).y
            return course if len(times) > 2 else course[[0, -1]]

        return lambda: np.array([compiled.member(member, solve) for member in range(task.count)])

    return at
