"""`python -m benchmarks`: measure, print, keep, and put the tables and figures into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks import cold, figures, ladder, million, threads, throughput
from benchmarks.peers import ENGINES, OTHERS, OURS, OURS_NUMPY, REFEREE, SMALL, Engine
from benchmarks.problems import Problem, load_problems
from benchmarks.report import RESULTS, line, write_page
from benchmarks.rows import Row, default_name, merged, read_rows, this_machine, write_rows

QUIET = 0.3
"""Load of the machine above which timings are not worth keeping."""

PAIRED = (OURS, OURS_NUMPY, REFEREE)
PARTS = ("ladder", "peers", "threads", "million", "cold", "throughput")


def main() -> None:
    """Measure what is asked for."""
    problems, absent = load_problems()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes: few members and tolerances; the page stays")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, *problems], default=[], help="these parts and problems")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page and figures again")
    chosen = parser.parse_args()
    parts = [part for part in PARTS if part in chosen.only] or list(PARTS)
    solved = [problem for name, problem in problems.items() if name in chosen.only] or list(problems.values())
    folder = Path("out") / "benchmarks" if chosen.quick else RESULTS
    if not chosen.page:
        _announce(absent)
        measured = quick(parts, solved) if chosen.quick else full(parts, solved)
        keep(measured, folder / f"{default_name()}.json")
    for file in sorted(folder.glob("*.json")):
        figures.draw(read_rows(file), folder, file.stem)
    if not chosen.quick:
        write_page()


def full(parts: Sequence[str], problems: Sequence[Problem]) -> Iterator[list[Row]]:
    """All measurements, as thoroughly as the page wants them."""
    for problem in problems:
        truth = ladder.reference(problem, ladder.FULL.compared)
        if "ladder" in parts:
            yield from paired(problem, PAIRED, ladder.FULL, truth)
        if "peers" in parts:
            yield from lone(problem, ladder.FULL_APART, truth)
    yield from batches(parts, problems, share=1.0, million_members=million.MEMBERS, repeats=5)


def quick(parts: Sequence[str], problems: Sequence[Problem]) -> Iterator[list[Row]]:
    """What two minutes allow: no plain back end and no other engines on large models. For finding what is broken."""
    for problem in problems:
        truth, small = ladder.reference(problem, ladder.QUICK.compared), len(problem.model.states) <= SMALL
        if "ladder" in parts:
            yield from paired(problem, PAIRED if small else (OURS, REFEREE), ladder.QUICK, truth)
        if "peers" in parts and small:
            yield from lone(problem, ladder.QUICK, truth)
    yield from batches(parts, problems, share=0.05, million_members=million.MEMBERS // 20, repeats=2)


def paired(problem: Problem, engines: Sequence[Engine], plan: ladder.Plan, truth: np.ndarray) -> Iterator[list[Row]]:
    """Work against precision of our engine and libRoadRunner, in turn; the ratios; and how far both agree."""
    curves = ladder.together(problem, _installed(engines), plan, truth)
    if not REFEREE.missing():
        yield [ladder.agreement(problem, truth)]
    yield [row for curve in curves for row in curve.rows(problem.id)]
    yield ladder.against(problem, curves)


def lone(problem: Problem, plan: ladder.Plan, truth: np.ndarray) -> Iterator[list[Row]]:
    """The same of every other engine, each in a process of its own."""
    for engine in _installed(OTHERS):
        yield ladder.apart(problem, engine, plan, truth).rows(problem.id)


def batches(
    parts: Sequence[str], problems: Sequence[Problem], *, share: float, million_members: int, repeats: int
) -> Iterator[list[Row]]:
    """What concerns our engine alone."""
    small = next((problem for problem in problems if len(problem.model.states) <= SMALL), None)
    steps: dict[str, Callable[[], Iterator[list[Row]]]] = {
        "threads": lambda: (threads.measure(problem, share) for problem in problems),
        "million": lambda: (million.measure(problem, million_members, repeats) for problem in [small] if problem),
        "cold": lambda: ([cold.measure(model_id, 2 * repeats)] for model_id in _library(problems)),
        "throughput": lambda: ([throughput.measure(problem, repeats, share)] for problem in problems),
    }
    for part, step in steps.items():
        if part in parts:
            yield from step()


def keep(measured: Iterator[list[Row]], file: Path) -> None:
    """Print rows as they come, and keep them at once: a run that is cut short loses nothing."""
    rows = read_rows(file)
    for new in measured:
        for row in new:
            print(line(row), flush=True)
        rows = merged(rows, new)
        write_rows(file, rows)


def _installed(engines: Sequence[Engine]) -> list[Engine]:
    return [engine for engine in engines if not engine.missing()]


def _library(problems: Sequence[Problem]) -> list[str]:
    """Models of the library among the problems, each once."""
    return list(dict.fromkeys(problem.source for problem in problems if problem.source))


def _announce(absent: Sequence[str]) -> None:
    """Say what the numbers will be worth, and what will be left out."""
    load = os.getloadavg()[0]
    print(f"{this_machine()}; load {load:.2f}" + (" - close other programs first" if load > QUIET else ""))
    for engine in ENGINES.values():
        if engine.missing():
            print(f"left out: {engine.name}, not installed: {', '.join(engine.missing())}")
    for problem in absent:
        print(f"left out: {problem}, no such model in this library")


if __name__ == "__main__":
    main()
