"""Each case in a process of its own, which is ended at a limit: an engine that hangs or dies takes nothing with it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from time import perf_counter

from benchmarks.sbml_suite.cases import Case
from benchmarks.sbml_suite.engines import ENGINES, Options, Refused

PASSED, WRONG, REFUSED, FAILED, LATE = OUTCOMES = ("pass", "wrong", "refused", "failed", "out of time")
PRELOADED = (
    "libsbml",
    "roadrunner",
    "bonesim.simulate",
    "bonesim.sbml.read",
    "bonesim.codegen.backends.llvm",
    "bonesim.codegen.backends.numpy",
    "bonesim.results.provenance",
    "xarray",
    __name__,
)
"""What is loaded once, before a process for a case is branched off."""


@dataclass(frozen=True)
class Outcome:
    """What came of a case: one of `OUTCOMES`, why, and the seconds it took."""

    case: Case
    outcome: str
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """Which engine is asked, how, in how many processes at once, and the seconds after which a case is given up."""

    engine: str
    options: Options
    jobs: int
    limit: float


def run(cases: Sequence[Case], plan: Plan) -> Iterator[Outcome]:
    """The outcomes in the order of the cases, each as soon as those before it are there."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(list(PRELOADED))
    with ThreadPoolExecutor(plan.jobs) as pool:
        yield from pool.map(partial(_one, processes, plan), cases)


def _one(processes: multiprocessing.context.ForkServerContext, plan: Plan, case: Case) -> Outcome:
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=_tell, args=(theirs, plan, case), daemon=True)
    started = perf_counter()
    process.start()
    theirs.close()
    outcome, reason = _heard(ours, plan.limit)
    process.kill()
    process.join()
    return Outcome(case, outcome, reason, perf_counter() - started)


def _heard(connection: Connection, limit: float) -> tuple[str, str]:
    if not connection.poll(limit):
        return LATE, f"no answer in {limit:g} s"
    try:
        outcome, reason = connection.recv()
    except EOFError:
        return FAILED, "the process ended without an answer"
    return outcome, reason


def _tell(connection: Connection, plan: Plan, case: Case) -> None:
    connection.send(judged(plan, case))


def judged(plan: Plan, case: Case) -> tuple[str, str]:
    """The outcome of a case, solved in this process, and the reason where it is no pass."""
    settings = case.settings()
    reference = case.reference(settings.names)
    try:
        values = ENGINES[plan.engine](case, settings, plan.options)
    except Refused as error:
        return REFUSED, _line(error)
    except Exception as error:  # whatever an engine raises, the next case may go
        return FAILED, f"{type(error).__name__}: {_line(error)}"
    differing = settings.differing(values, reference)
    return (WRONG, differing) if differing else (PASSED, "")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
