"""Our own engine behind the interface of the peers. Timed: the solution alone, from arrays to arrays.

Outputs go where those of the run before went, as the chunks of a sweep do: others solve a few members at a time, into
memory that is warm.
"""

from __future__ import annotations

import numpy as np

from benchmarks.peers import Run, Solver
from benchmarks.problems import Task
from bonesim.simulate import build_kernels
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Memory
from bonesim.system import Batch


def solver(task: Task, backend: str) -> Solver:
    """The task by one back end, on one thread."""
    kernels = build_kernels(task.model, task.problem.outputs, backend)
    batch = Batch(task.parameters, task.initial, task.t_out)

    def at(rtol: float) -> Run:
        settings = Settings(rtol, np.repeat(task.atol(rtol)[:, np.newaxis], task.count, axis=1))
        memory = Memory()

        def run() -> np.ndarray:
            y: np.ndarray = integrate(kernels, batch, settings, threads=1, memory=memory).y.T
            return y

        return run

    return at
