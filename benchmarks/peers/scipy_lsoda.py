"""SciPy's LSODA (`odeint`, whose loop is Fortran), restarted at every dose.

Right-hand side and Jacobian are the functions of our plain back end, compiled by numba. `odeint` calls them through
Python, once a stage; that is how it is used from Python.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import odeint

from benchmarks.peers import Run, Solver
from benchmarks.peers.compiled import Compiled, Stretch
from benchmarks.problems import Task

MAX_STEPS = 1_000_000


def prepare(task: Task) -> Solver:
    """Compile the right-hand side and the Jacobian."""
    compiled, states = Compiled(task), task.initial.shape[0]
    dy, slopes, by_time = np.empty(states), np.zeros((1, states, states)), np.empty((states, 1))
    square: np.ndarray = slopes[0]

    def rates(t: float, y: np.ndarray, p: np.ndarray, k: np.ndarray) -> np.ndarray:
        compiled.rhs(t, y, p, k, dy)
        return dy

    def jacobian(t: float, y: np.ndarray, p: np.ndarray, k: np.ndarray) -> np.ndarray:
        compiled.jacobian(t, y, p, k, slopes, by_time)
        return square

    def at(rtol: float) -> Run:
        atol = task.atol(rtol)

        def solve(stretch: Stretch) -> np.ndarray:
            course: np.ndarray = odeint(
                rates,
                stretch.y,
                stretch.times,
                args=(stretch.p, stretch.k),
                Dfun=jacobian,
                rtol=rtol,
                atol=atol,
                tfirst=True,
                tcrit=stretch.times[-1:],
                mxstep=MAX_STEPS,
            )
            return course

        return lambda: np.array([compiled.member(member, solve) for member in range(task.count)])

    return at
