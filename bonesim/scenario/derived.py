"""The scenario of a further arm: the whole with the arm's changes written into it, read and checked like a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bonesim.errors import InputError, Place
from bonesim.scenario.changes import Change, changed, dotted_key
from bonesim.scenario.schema import Scenario, key_holds
from bonesim.yamlio import Document, validate
from bonesim.yamlio.document import Path, dotted

EXAMPLE = '"doses[0].amount": 30 ug'
"""What remedies show of a change in an arm."""

NOT_CHANGED = {"arms", "uncertainty", "sweep"}
"""Sections that the scenario of an arm does not have."""


def arm_scenario(scenario: Scenario, name: str) -> Scenario:
    """The scenario of a further arm: the whole with the arm's changes.

    Raises
    ------
    InputError
        For everything the schema refuses, at the place of the change that is to blame.
    """
    data, added = _edit(scenario, name)
    try:
        own = validate(Document(data, {(): Place()}, ""), Scenario)
    except InputError as error:
        raise _placed(error, scenario, name, added) from None
    own._folder = scenario.folder
    return own


def at_arm(error: InputError, scenario: Scenario, name: str) -> InputError:
    """A fault of an arm's scenario, at the place of the change that is to blame, or else of the arm."""
    return _placed(error, scenario, name, _edit(scenario, name)[1])


def _edit(scenario: Scenario, name: str) -> tuple[Any, dict[Path, Change]]:
    """The data of an arm's scenario, and what its changes added."""
    written = scenario.model_dump(mode="json", exclude_none=True, exclude_unset=True, exclude=NOT_CHANGED)
    settings = scenario.arms[name].settings.items()
    return changed(written, [Change(key, value, arm_place(scenario, name, key), EXAMPLE) for key, value in settings])


def _placed(error: InputError, scenario: Scenario, name: str, added: Mapping[Path, Change]) -> InputError:
    return InputError.together([_part_placed(part, scenario, name, added) for part in error.parts])


def _part_placed(error: InputError, scenario: Scenario, name: str, added: Mapping[Path, Change]) -> InputError:
    place = error.place or Place()
    if place.file:
        return error
    key = place.key or ""
    for path, change in added.items():
        if key_holds(dotted_key(path), key):
            deeper = key.removeprefix(dotted_key(path))
            there = replace(change.place, key=f"{change.place.key}{deeper}")
            return InputError(error.problem, place=there, remedy=error.remedy)
    problem = f"{key}: {error.problem}" if key else error.problem
    return InputError(problem, place=scenario.place(dotted(("arms", name))), remedy=error.remedy)


def arm_place(scenario: Scenario, name: str, key: str) -> Place:
    return scenario.place(dotted(("arms", name, key)))
