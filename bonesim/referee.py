"""Independent engines, each in a process of its own: our flat SBML in, the courses of its quantities out.

    python -m bonesim.referee libRoadRunner < questions > answers

One JSON document a line, a question or its answer. An engine that ends the process, or prints to it, so does no harm
here: the question at which it ended has no answer, and those after it are put to a new process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

MAX_STEPS = 10_000_000
PATIENCE = 600.0
"""Seconds that an engine is given for all questions of one process."""


class NoAnswer(Exception):
    """The engine did not read or solve the model; the text is what it said."""


@dataclass(frozen=True)
class Question:
    """Courses of these quantities at equal intervals from 0 to `end`.

    `atol` has one number for each of them, which counts for states.
    """

    sbml: str
    intervals: int
    end: float
    names: tuple[str, ...]
    rtol: float
    atol: tuple[float, ...]


@dataclass(frozen=True)
class Referee:
    """An engine: its name, the Python package that has it, and what asks it in its own process.

    ask : question -> (time, name)
    """

    name: str
    distribution: str
    ask: Callable[[Question], np.ndarray]

    @property
    def version(self) -> str | None:
        """The version that is installed; None where it is not."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return None

    def courses(self, questions: Sequence[Question]) -> list[np.ndarray | NoAnswer]:
        """(time, name) for each question, or why there is no answer; one process, and another after one that ended."""
        answers: list[np.ndarray | NoAnswer] = []
        while left := questions[len(answers) :]:
            answers += self._together(left)
        return answers

    def _together(self, questions: Sequence[Question]) -> Iterator[np.ndarray | NoAnswer]:
        """Answers of one process up to that at which it ended; at least one."""
        asked = "".join(json.dumps(astuple(question)) + "\n" for question in questions)
        command = [sys.executable, "-m", __name__, self.name]
        try:
            done = subprocess.run(command, input=asked.encode(), capture_output=True, timeout=PATIENCE, check=False)
            given, said = done.stdout, done.stderr.decode(errors="replace").strip().splitlines()
            ended = said[-1] if said else f"the process ended with {done.returncode}"
        except subprocess.TimeoutExpired as late:
            given, ended = late.stdout or b"", f"no answer in {PATIENCE:.0f} seconds"
        answers = [line for line in given.splitlines(keepends=True) if line.endswith(b"\n")]
        for line in answers:
            answer = json.loads(line)
            yield NoAnswer(answer) if isinstance(answer, str) else np.array(answer, float)
        if len(answers) < len(questions):
            yield NoAnswer(ended)


def _roadrunner(question: Question) -> np.ndarray:
    """CVODE (BDF), a tolerance of its own for each state."""
    os.environ.setdefault("SUNLOGGER_WARNING_FILENAME", os.devnull)  # it warns `t + h = t` at every dose
    import roadrunner

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    engine = roadrunner.RoadRunner(question.sbml)
    engine.timeCourseSelections = list(question.names)
    engine.integrator.stiff = True
    engine.integrator.variable_step_size = False
    engine.integrator.maximum_num_steps = MAX_STEPS
    engine.integrator.relative_tolerance = question.rtol
    states = {*engine.getRateRuleIds(), *engine.model.getFloatingSpeciesIds()}
    for name, each in zip(question.names, question.atol, strict=True):
        if name in states:
            engine.integrator.setIndividualTolerance(name, each)
    return np.array(engine.simulate(0.0, question.end, question.intervals + 1))


def _copasi(question: Question) -> np.ndarray:
    """LSODA with the least of the tolerances, since it has one for all states."""
    import COPASI

    data: Any = COPASI.CRootContainer.addDatamodel()
    if not data.importSBMLFromString(question.sbml):
        raise NoAnswer("COPASI cannot read the model")
    course = data.getTask("Time-Course")
    course.setMethodType(COPASI.CTaskEnum.Method_deterministic)
    problem, method = course.getProblem(), course.getMethod()
    problem.setDuration(question.end)
    problem.setStepNumber(question.intervals)
    problem.setTimeSeriesRequested(True)
    problem.setOutputEvent(False)
    problem.setAutomaticStepSize(False)
    method.getParameter("Max Internal Steps").setUIntValue(MAX_STEPS)
    method.getParameter("Relative Tolerance").setUDblValue(question.rtol)
    method.getParameter("Absolute Tolerance").setUDblValue(min(question.atol))
    course.initializeRaw(COPASI.CCopasiTask.ONLY_TIME_SERIES)
    if not course.process(True):
        raise NoAnswer(course.getProcessError())
    series = course.getTimeSeries()
    columns = {series.getSBMLId(column, data): column for column in range(series.getNumVariables())}
    asked = [columns[name] for name in question.names]
    return np.array([[series.getData(time, one) for one in asked] for time in range(question.intervals + 1)])


REFEREES = (
    Referee("libRoadRunner", "libroadrunner", _roadrunner),
    Referee("COPASI", "python-copasi", _copasi),
)


def main(name: str) -> None:
    """Answer questions line by line; what an engine prints itself goes to standard error."""
    answers = os.dup(1)
    os.dup2(2, 1)
    referee = next(one for one in REFEREES if one.name == name)
    with os.fdopen(answers, "w") as stream:
        for line in sys.stdin:
            stream.write(json.dumps(_answer(referee, Question(*json.loads(line)))) + "\n")
            stream.flush()


def _answer(referee: Referee, question: Question) -> list[list[float]] | str:
    try:
        courses: list[list[float]] = referee.ask(question).tolist()
    except Exception as error:  # whatever an engine raises, the next model may go
        return str(error).strip().rpartition("\n")[2] or type(error).__name__
    return courses


if __name__ == "__main__":
    main(sys.argv[1])
