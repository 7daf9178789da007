"""Whether every member of a design is a scenario that can be run, told before any is."""

from __future__ import annotations

import numpy as np

from bonesim.errors import InputError
from bonesim.scenario.problem import Problem
from bonesim.scenario.schema import Dose, too_late
from bonesim.scenario.variants import Variants
from bonesim.scenario.vary import Axis, Key, unit_factor, vary_key

CAREFUL = 1e-9
"""Part of the run's length within which the end of a schedule is computed exactly."""


def check_design(variants: Variants, matrix: np.ndarray) -> None:
    """Refuse a design (member, axis) of which a member is no scenario, or an axis that moves nothing.

    What the schema says of one key is an interval, so the least and the largest value of each axis stand for all.
    Whether doses and contexts fit into the run is asked of every member.

    Raises
    ------
    InputError
        At the path in question.
    """
    for number, axis in enumerate(variants.axes):
        _check_effect(variants, axis)
        for row in (np.argmin(matrix[:, number]), np.argmax(matrix[:, number])):
            try:
                variants.edited(matrix[row])
            except InputError as error:
                place = variants.scenario.place(vary_key(axis.path))
                raise InputError(error.problem, place=place, remedy=error.remedy) from None
    end = variants.scenario.duration.to("day")
    for row in np.flatnonzero(_latest(variants, matrix) >= end * (1.0 - CAREFUL)):
        _check_end(variants, int(row), matrix[row])


def _check_effect(variants: Variants, axis: Axis) -> None:
    """An axis reaches a number of the model."""
    if isinstance(axis.target, Key) and not _reaches(variants, variants.base, axis.target):
        place = variants.scenario.place(vary_key(axis.path))
        raise InputError(f"'{axis.path}' changes nothing in this scenario", place=place, remedy="leave it out")


def _reaches(variants: Variants, problem: Problem, key: Key) -> bool:
    if key.block == "context":
        return f"{variants.scenario.context[key.position].id}__start" in problem.model.by_id
    return key.block == "doses" or bool(variants.regimens)


def _check_end(variants: Variants, member: int, row: np.ndarray) -> None:
    """Every context of a member begins, and every dose ends, within the run."""
    for fault in too_late(variants.edited(row)):
        block = ((fault.place and fault.place.key) or "").rpartition(".")[0]
        guilty = [number for number, axis in enumerate(variants.axes) if axis.path.startswith(f"{block}.")]
        values = ", ".join(
            f"{variants.axes[number].path} {variants.axes[number].text(row[number])}" for number in guilty
        )
        place = variants.scenario.place(vary_key(variants.axes[guilty[0]].path))
        remedy = "values that keep all doses within the run, or a longer duration"
        raise InputError(f"member {member} ({values}): {fault.problem}", place=place, remedy=remedy)


def _latest(variants: Variants, matrix: np.ndarray) -> np.ndarray:
    """(member,) about the day on which the last varied context begins or the last dose ends."""
    column = {
        axis.target: matrix[:, number] * (1.0 if axis.whole else unit_factor(axis, "day"))
        for number, axis in enumerate(variants.axes)
        if isinstance(axis.target, Key) and axis.target.name not in {"amount", "mass"}
    }
    latest = np.zeros(len(matrix))
    for target, days in column.items():
        if target.block == "context":
            latest = np.maximum(latest, days)
    for position, dose in enumerate(variants.scenario.doses):
        start, every, count, over = (
            column.get(Key("doses", position, name), _days(dose, name)) for name in ("start", "every", "count", "over")
        )
        latest = np.maximum(latest, start + (count - 1.0) * every + over)
    return latest


def _days(dose: Dose, name: str) -> float:
    """A time of a dose in days, or its count."""
    value = getattr(dose, name)
    return float(value) if isinstance(value, int) else value.to("day") if value else 0.0
