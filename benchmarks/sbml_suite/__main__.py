"""`python -m benchmarks.sbml_suite FOLDER [CASE ...]`: solve cases of the SBML Test Suite and say what came of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.sbml_suite.cases import found
from benchmarks.sbml_suite.engines import ENGINES, Options
from benchmarks.sbml_suite.runs import WRONG, Outcome, Plan, run
from benchmarks.sbml_suite.table import not_passed, table


def main() -> int:
    """Run what is asked for; 1 if an answer was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sbml_suite", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="cases/semantic of the unpacked suite")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="numbers of cases, all by default: 00001")
    parser.add_argument("--tag", default="", help="only cases with this component or test tag")
    parser.add_argument("--every", action="store_true", help="each level and version of a model, not the latest alone")
    parser.add_argument("--engine", choices=ENGINES, default="bonesim")
    parser.add_argument("--rtol", type=float, help="relative tolerance, by default the engine's own")
    parser.add_argument("--backend", choices=["auto", "numpy", "llvm"], default="auto", help="of bonesim")
    parser.add_argument("--jobs", type=int, default=1, help="cases at a time")
    parser.add_argument("--limit", type=float, default=60.0, metavar="SECONDS", help="after which a case is given up")
    chosen = parser.parse_intermixed_args()
    cases, left_out = found(chosen.folder, only=chosen.cases, tag=chosen.tag, every=chosen.every)
    plan = Plan(chosen.engine, Options(chosen.rtol, chosen.backend), chosen.jobs, chosen.limit)
    outcomes = list(_counted(run(cases, plan), len(cases)))
    for line in (*not_passed(outcomes), "", *table(outcomes)):
        print(line)
    print(f"\nleft out: {left_out} that ask for no time course")
    return int(any(one.outcome == WRONG for one in outcomes))


def _counted(outcomes: Iterator[Outcome], count: int) -> Iterator[Outcome]:
    """The same outcomes, their number shown where someone looks on."""
    for number, one in enumerate(outcomes, start=1):
        if sys.stderr.isatty():
            print(f"\r{number} of {count}", end="\n" if number == count else "", file=sys.stderr, flush=True)
        yield one


if __name__ == "__main__":
    sys.exit(main())
