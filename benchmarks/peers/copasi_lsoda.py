"""COPASI's LSODA on our flat SBML, doses as SBML events, through its Python bindings.

One loaded model for all members; a member costs setting initial values on objects that were looked up before, one
update of what depends on them, one time course, and reading it out. COPASI has a single absolute tolerance; it is given
that of the smallest state.
"""

from __future__ import annotations

from typing import Any

import COPASI
import numpy as np

from benchmarks.peers import Run, Solver
from benchmarks.problems import Task
from bonesim.sbml.write import write_sbml

MAX_STEPS = 10_000_000


def prepare(task: Task) -> Solver:
    """Load the SBML, and ask for the outputs at the output times alone."""
    data = COPASI.CRootContainer.addDatamodel()
    if not data.importSBMLFromString(write_sbml(task.model)):
        raise RuntimeError("COPASI cannot read the model")
    model, course = data.getModel(), _time_course(data, task)
    by_id = {value.getSBMLId(): value for value in model.getModelValues()}
    names, values = task.differing()
    changed = COPASI.ObjectStdVector()
    for name in names:
        changed.append(by_id[name].getInitialValueReference())
    columns = _columns(course, data, task)
    method = course.getMethod()
    method.getParameter("Max Internal Steps").setUIntValue(MAX_STEPS)

    def at(rtol: float) -> Run:
        def run() -> np.ndarray:
            method.getParameter("Relative Tolerance").setUDblValue(rtol)
            method.getParameter("Absolute Tolerance").setUDblValue(float(task.atol(rtol).min()))
            y = np.empty((task.count, len(task.problem.outputs), len(task.t_out)))
            for member in range(task.count):
                for name, value in zip(names, values[:, member], strict=True):
                    by_id[name].setInitialValue(float(value))
                model.updateInitialValues(changed)
                if not course.process(True):
                    raise RuntimeError(course.getProcessError())
                _copy(course.getTimeSeries(), columns, y[member])
            return y

        return run

    return at


def _time_course(data: Any, task: Task) -> Any:
    """The task that solves, set to the output times."""
    course = data.getTask("Time-Course")
    course.setMethodType(COPASI.CTaskEnum.Method_deterministic)
    problem = course.getProblem()
    problem.setDuration(float(task.t_out[-1] - task.t_out[0]))
    problem.setStepNumber(len(task.t_out) - 1)
    problem.setTimeSeriesRequested(True)
    problem.setOutputEvent(False)
    problem.setAutomaticStepSize(False)
    course.initializeRaw(COPASI.CCopasiTask.ONLY_TIME_SERIES)
    return course


def _columns(course: Any, data: Any, task: Task) -> list[int]:
    """Columns of COPASI's time series that hold the outputs, known after a first run."""
    course.process(True)
    series = course.getTimeSeries()
    names = {series.getSBMLId(column, data): column for column in range(series.getNumVariables())}
    return [names[name] for name in task.problem.outputs]


def _copy(series: Any, columns: list[int], y: np.ndarray) -> None:
    """Fill (output, time). The bindings give one number at a call; `getDataForIndex` asks for a type of Python 2."""
    read, times = series.getData, range(y.shape[1])
    for row, column in enumerate(columns):
        y[row] = [read(time, column) for time in times]
