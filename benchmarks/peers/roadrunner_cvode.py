"""libRoadRunner on our flat SBML, doses as SBML events, in the quickest way we know to drive it.

One loaded model for all members. A member costs one `model.reset()`, one `setGlobalParameterValues` with indices that
were looked up before, and one `simulate(start, end, points)` whose selections are the outputs alone. CVODE is stiff
(BDF), steps freely between the output points, and each state has an absolute tolerance of its own: with a single one
states of very different size are either wasted on or lost. Its code generator was tried both ways (MCJIT, LLJIT at its
highest level): no difference beyond the noise, so the default stands.
"""

from __future__ import annotations

import os

import numpy as np

from benchmarks.peers import Run, Solver
from benchmarks.problems import Task
from bonesim.sbml.write import write_sbml

os.environ.setdefault("SUNLOGGER_WARNING_FILENAME", os.devnull)  # CVODE warns `t + h = t` at every dose
import roadrunner

MAX_STEPS = 10_000_000


def prepare(task: Task) -> Solver:
    """Load the SBML; libRoadRunner compiles it."""
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    engine = roadrunner.RoadRunner(write_sbml(task.model))
    engine.timeCourseSelections = list(task.problem.outputs)
    engine.integrator.stiff = True
    engine.integrator.variable_step_size = False
    engine.integrator.maximum_num_steps = MAX_STEPS
    known = engine.model.getGlobalParameterIds()
    names, values = task.differing()
    rows = [known.index(name) for name in names]
    members = np.ascontiguousarray(values.T)
    start, end, points = float(task.t_out[0]), float(task.t_out[-1]), len(task.t_out)

    def at(rtol: float) -> Run:
        def run() -> np.ndarray:
            engine.integrator.relative_tolerance = rtol
            for name, atol in zip(task.problem.outputs, task.atol(rtol), strict=True):
                engine.integrator.setIndividualTolerance(name, float(atol))
            y = np.empty((task.count, len(task.problem.outputs), points))
            for member in range(task.count):
                engine.model.reset()
                engine.model.setGlobalParameterValues(rows, members[member])
                y[member] = engine.simulate(start, end, points).T
            return y

        return run

    return at
