"""What came of the cases, as the page shows it: a row for each kind of case, and a line for each that did not pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.sbml_suite.cases import KINDS, kinds
from benchmarks.sbml_suite.runs import OUTCOMES, PASSED, Outcome


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A table in Markdown: kinds of cases down, outcomes across; a case that is of two kinds is in both rows."""
    yield f"| kind | cases | {' | '.join(OUTCOMES)} |"
    yield "|---" * (2 + len(OUTCOMES)) + "|"
    for kind in KINDS:
        yield from _row(kind, [one for one in outcomes if kind in kinds(one.case.tags)])
    yield from _row("all", outcomes)


def _row(kind: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    if outcomes:
        counts = [sum(one.outcome == outcome for one in outcomes) for outcome in OUTCOMES]
        yield f"| {kind} | {len(outcomes)} | {' | '.join(map(str, counts))} |"


def not_passed(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A line for each case that did not pass, with the reason."""
    for one in outcomes:
        if one.outcome != PASSED:
            yield f"{one.case.name}  {one.outcome}: {one.reason}"
