"""Work against precision: engines over a ladder of tolerances, timed in turn, with the error of every rung.

The engines of one call share a process and take turns at every rung and repetition, so that whatever else the machine
does meets all of them. Others run in a process of their own (`apart`): their libraries do not bear each other.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks.accuracy import REFERENCE_RTOL, error, errors, rate_at
from benchmarks.peers import OURS, OURS_NUMPY, REFEREE, Engine, Run
from benchmarks.problems import Bar, Problem
from benchmarks.rows import NO_NUMBER, Row, spread

RATE = "members per second and core"
TARGETS = (1e-4, 1e-6)
UNREACHED = "no tolerance of the ladder reaches this error"
TOO_LONG = 20.0
"""Seconds of one solve after which an engine is not asked for tighter tolerances."""


@dataclass(frozen=True)
class Plan:
    """How thoroughly to measure.

    share : of the members that an engine solves by default
    compared : members whose error is looked at
    patience : seconds after which an engine in a process of its own is given up
    """

    rtols: tuple[float, ...]
    repeats: int
    compared: int
    share: float
    patience: float


FULL = Plan(tuple(10.0**-power for power in np.arange(2.0, 10.1, 0.5)), 5, 16, 1.0, 900.0)
FULL_APART = Plan(tuple(10.0**-power for power in range(2, 11)), 3, 16, 1.0, 300.0)
QUICK = Plan((1e-2, 1e-4, 1e-6, 1e-8), 3, 4, 0.1, 60.0)


@dataclass
class Curve:
    """What one engine did on one problem.

    rtols, errors : (rung,); seconds : (repetition, rung) of CPU time for all members
    note : why there is nothing, or no more
    """

    engine: Engine
    members: int
    rtols: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    seconds: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    note: str = ""

    @property
    def rates(self) -> np.ndarray:
        """(repetition, rung) members per second of CPU time."""
        rates: np.ndarray = self.members / self.seconds
        return rates

    def at(self, target: float) -> np.ndarray:
        """(repetition,) members per second at an error of `target`."""
        return np.array([rate_at(np.array(self.errors), rates, target) for rates in self.rates])

    def rows(self, problem: str) -> list[Row]:
        """One row a rung, and one for each of `TARGETS`."""
        said: dict[str, Any] = {"problem": problem, "engine": self.engine.name, "quantity": RATE}
        said |= {"members": self.members, "versions": self.engine.versions()}
        found = [
            Row(part="ladder", **said, **spread(rates), rtol=rtol, error=reached)
            for rtol, reached, rates in zip(self.rtols, self.errors, self.rates.T, strict=True)
        ]
        for target in TARGETS:
            rates = spread(self.at(target)) if self.errors else NO_NUMBER
            note = self.note or ("" if np.isfinite(rates["median"]) else UNREACHED)
            found.append(Row(part="rates", **said, **rates, error=target, note=note))
        return found


def reference(problem: Problem, members: int) -> np.ndarray:
    """(member, output, time) by our own engine at the tightest tolerance.

    Raises
    ------
    RuntimeError
        If a member fails.
    """
    truth = OURS.prepare(problem.task(members))(REFERENCE_RTOL)()
    if not np.isfinite(truth).all():
        raise RuntimeError(f"the reference of {problem.id} is not finite")
    return truth


def together(problem: Problem, engines: Sequence[Engine], plan: Plan, truth: np.ndarray) -> list[Curve]:
    """The curves of several engines in this process."""
    curves, runs = [], []
    for engine in engines:
        members = max(plan.compared, int(plan.share * engine.members(len(problem.model.states))))
        curve = Curve(engine, members)
        runs.append(_rungs(problem, curve, plan, truth))
        curves.append(curve)
    for curve in curves:
        curve.seconds = np.empty((plan.repeats, len(curve.rtols)))
    for repetition in range(plan.repeats):
        for rung in range(max(map(len, runs), default=0)):
            for curve, ready in zip(curves, runs, strict=True):
                if rung < len(ready):
                    started = process_time()
                    ready[rung]()
                    curve.seconds[repetition, rung] = process_time() - started
    return curves


def _rungs(problem: Problem, curve: Curve, plan: Plan, truth: np.ndarray) -> list[Run]:
    """What is ready to be timed of an engine, after a first run of each rung that gives its error."""
    ready: list[Run] = []
    try:
        at = curve.engine.prepare(problem.task(curve.members))
        for rtol in (rtol for rtol in plan.rtols if rtol >= 0.999 * curve.engine.tightest):
            run = at(rtol)
            if not ready:
                run()  # some compile when they first run
            started = perf_counter()
            reached = error(run(), truth)
            if np.isfinite(reached):
                ready.append(run)
                curve.rtols.append(rtol)
                curve.errors.append(reached)
            if perf_counter() - started > TOO_LONG:
                curve.note = f"more than {TOO_LONG:g} s at rtol {rtol:.0e}; not asked for tighter ones"
                break
    except Exception as fault:  # one engine that fails must not end the others' measurement, and stays in the table
        curve.note = f"failed: {type(fault).__name__}: {str(fault).splitlines()[0][:120] if str(fault) else ''}"
    return ready


def apart(problem: Problem, engine: Engine, plan: Plan, truth: np.ndarray) -> Curve:
    """The curve of one engine in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder) / "asked", Path(folder) / "answer"
        asked.write_bytes(pickle.dumps((problem, engine, plan, truth)))
        command = [sys.executable, "-m", "benchmarks.ladder", str(asked), str(answer)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=plan.patience)
        except subprocess.TimeoutExpired:
            return Curve(engine, 0, note=f"not done after {plan.patience:g} s")
        if done.returncode:
            last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            return Curve(engine, 0, note=f"failed: {last[:120]}")
        curve: Curve = pickle.loads(answer.read_bytes())
        return curve


def agreement(problem: Problem, truth: np.ndarray) -> Row:
    """How far libRoadRunner at the tightest tolerance is from the reference."""
    theirs = REFEREE.prepare(problem.task(len(truth)))(REFERENCE_RTOL)()
    said: dict[str, Any] = {
        "part": "reference",
        "problem": problem.id,
        "engine": REFEREE.name,
        "versions": REFEREE.versions(),
    }
    quantity = "difference from the reference, of the largest value"
    return Row(**said, **spread(errors(theirs, truth)), quantity=quantity, members=len(truth), rtol=REFERENCE_RTOL)


def against(problem: Problem, curves: Sequence[Curve]) -> list[Row]:
    """The bars of a problem: ratios to libRoadRunner at an equal error, repetition by repetition."""
    by_engine = {curve.engine.name: curve for curve in curves}
    found = []
    for bar in problem.bars:
        ours = by_engine.get((OURS if bar.backend == "llvm" else OURS_NUMPY).name)
        theirs = by_engine.get(REFEREE.name)
        if ours and theirs and len(ours.errors) and len(theirs.errors):
            found.append(_ratio(problem, bar, ours, theirs))
    return found


def _ratio(problem: Problem, bar: Bar, ours: Curve, theirs: Curve) -> Row:
    ratios = ours.at(bar.error) / theirs.at(bar.error)
    return Row(
        part="bars",
        problem=problem.id,
        engine=ours.engine.name,
        quantity=f"members per second and core over libRoadRunner, at error {bar.error:.0e}",
        **spread(ratios),
        members=ours.members,
        error=bar.error,
        bar=bar.bar,
        goal=bar.goal,
        note="" if np.isfinite(ratios).all() else UNREACHED,
        versions=ours.engine.versions() | theirs.engine.versions(),
    )


if __name__ == "__main__":
    # Pickles name classes by their module, which here would be __main__.
    from benchmarks import ladder

    given = pickle.loads(Path(sys.argv[1]).read_bytes())
    curve = ladder.together(given[0], [given[1]], given[2], given[3])[0]
    Path(sys.argv[2]).write_bytes(pickle.dumps(curve))
