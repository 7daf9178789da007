"""Numbers that the compiled loop and the solver must hold alike."""

from __future__ import annotations

import pytest

from bonesim.codegen.backends import llvm_conditions, llvm_parts
from bonesim.solve import crossing, driver, sliding
from bonesim.solve.status import Status

UNKNOWN = {Status.OK, Status.NO_REST, Status.UNDEFINED_EVENT}


@pytest.mark.parametrize("status", [status for status in Status if status not in UNKNOWN])
def test_codes_are_those_of_the_solver(status: Status) -> None:
    """All but those of a search for rest and of a queue of events, which are not compiled."""
    assert getattr(llvm_parts, status.name) == status.value


def test_a_running_member_has_the_code_of_one_that_arrives() -> None:
    assert llvm_parts.RUNNING == Status.OK


@pytest.mark.parametrize("name", ["PATIENCE", "DWELL", "GETS_ON"])
def test_the_same_lanes_slide(name: str) -> None:
    assert getattr(llvm_conditions, name) == getattr(sliding, name)


def test_as_many_events_at_one_time_are_too_many() -> None:
    assert llvm_conditions.ROUNDS == driver.ROUNDS


def test_conditions_are_looked_at_in_the_same_places() -> None:
    assert llvm_conditions.SAMPLES == crossing.SAMPLES
