"""Independent engines, each in a process of its own: our flat SBML in, the courses of its quantities out.

    python -m bonesim.referee libRoadRunner < question.json > answer.json

An engine that ends the process, or prints to it, so does no harm here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

MAX_STEPS = 10_000_000
PATIENCE = 600.0
"""Seconds that an engine is given for one model."""


class NoAnswer(Exception):
    """The engine did not read or solve the model; the text is what it said."""


@dataclass(frozen=True)
class Referee:
    """An engine: its name, the Python package that has it, and what asks it in its own process.

    ask : (SBML, number of equal intervals, end, names, rtol, atol of each name) -> (time, name)
    """

    name: str
    distribution: str
    ask: Callable[[str, int, float, Sequence[str], float, Sequence[float]], np.ndarray]

    @property
    def version(self) -> str | None:
        """The version that is installed; None where it is not."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return None

    def courses(
        self, sbml: str, intervals: int, end: float, names: Sequence[str], rtol: float, atol: Sequence[float]
    ) -> np.ndarray:
        """(time, name) at equal intervals from 0 to `end`.

        Raises
        ------
        NoAnswer
            If the engine fails, or takes longer than ten minutes.
        """
        question = [sbml, intervals, end, list(names), rtol, list(atol)]
        command = [sys.executable, "-m", __name__, self.name]
        try:
            done = subprocess.run(
                command, input=json.dumps(question), capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            raise NoAnswer(f"no answer in {PATIENCE:.0f} seconds") from None
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise NoAnswer(said[-1] if said else f"the process ended with {done.returncode}")
        return np.array(json.loads(done.stdout.splitlines()[-1]), float)


def _roadrunner(
    sbml: str, intervals: int, end: float, names: Sequence[str], rtol: float, atol: Sequence[float]
) -> np.ndarray:
    """CVODE (BDF), a tolerance of its own for each state."""
    os.environ.setdefault("SUNLOGGER_WARNING_FILENAME", os.devnull)  # it warns `t + h = t` at every dose
    import roadrunner

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    engine = roadrunner.RoadRunner(sbml)
    engine.timeCourseSelections = list(names)
    engine.integrator.stiff = True
    engine.integrator.variable_step_size = False
    engine.integrator.maximum_num_steps = MAX_STEPS
    engine.integrator.relative_tolerance = rtol
    for name, each in zip(names, atol, strict=True):
        engine.integrator.setIndividualTolerance(name, each)
    return np.array(engine.simulate(0.0, end, intervals + 1))


def _copasi(
    sbml: str, intervals: int, end: float, names: Sequence[str], rtol: float, atol: Sequence[float]
) -> np.ndarray:
    """LSODA with the least of the tolerances, since it has one for all states."""
    import COPASI

    data: Any = COPASI.CRootContainer.addDatamodel()
    if not data.importSBMLFromString(sbml):
        raise NoAnswer("COPASI cannot read the model")
    course = data.getTask("Time-Course")
    course.setMethodType(COPASI.CTaskEnum.Method_deterministic)
    problem, method = course.getProblem(), course.getMethod()
    problem.setDuration(end)
    problem.setStepNumber(intervals)
    problem.setTimeSeriesRequested(True)
    problem.setOutputEvent(False)
    problem.setAutomaticStepSize(False)
    method.getParameter("Max Internal Steps").setUIntValue(MAX_STEPS)
    method.getParameter("Relative Tolerance").setUDblValue(rtol)
    method.getParameter("Absolute Tolerance").setUDblValue(min(atol))
    course.initializeRaw(COPASI.CCopasiTask.ONLY_TIME_SERIES)
    if not course.process(True):
        raise NoAnswer(course.getProcessError())
    series = course.getTimeSeries()
    columns = {series.getSBMLId(column, data): column for column in range(series.getNumVariables())}
    return np.array([[series.getData(time, columns[name]) for name in names] for time in range(intervals + 1)])


REFEREES = (
    Referee("libRoadRunner", "libroadrunner", _roadrunner),
    Referee("COPASI", "python-copasi", _copasi),
)


def main(name: str) -> None:
    """Answer one question; what an engine prints itself goes to standard error."""
    answers, question = os.dup(1), json.load(sys.stdin)
    os.dup2(2, 1)
    referee = next(one for one in REFEREES if one.name == name)
    courses = referee.ask(*question)
    with os.fdopen(answers, "w") as stream:
        json.dump(courses.tolist(), stream)


if __name__ == "__main__":
    main(sys.argv[1])
