"""A scenario with other values written into it, checked by the schema."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationError

from bonesim.scenario.block import Block
from bonesim.scenario.schema import Dose, Scenario
from bonesim.scenario.vary import Axis, Key
from bonesim.units import Quantity, Unit

B = TypeVar("B", bound=Block)


def edited(scenario: Scenario, axes: Sequence[Axis], row: np.ndarray) -> Scenario:
    """The scenario, without its sweep, with one value (axis,) for each axis; parameters by name are left out.

    Raises
    ------
    InputError
        If the schema refuses one of the values.
    """
    updates: dict[str, Any] = {"sweep": None}
    for (block, position), values in _changes(axes, row).items():
        if block == "subject":
            updates[block] = _rebuilt(scenario.subject, values)
        else:
            entries = list(updates.get(block, getattr(scenario, block)))
            entries[position] = _rebuilt(entries[position], values)
            updates[block] = tuple(entries)
    return scenario.model_copy(update=updates)


def edited_doses(scenario: Scenario, axes: Sequence[Axis], row: np.ndarray) -> tuple[Dose, ...]:
    """The doses of `edited` for a row whose values are known to be in order, without asking the schema again."""
    doses = list(scenario.doses)
    for (block, position), values in _changes(axes, row).items():
        if block == "doses":
            fields = {name: getattr(doses[position], name) for name in Dose.model_fields}
            doses[position] = Dose.model_construct(**{**fields, **values})
    return tuple(doses)


def _changes(axes: Sequence[Axis], row: np.ndarray) -> dict[tuple[str, int], dict[str, Any]]:
    """The values of a row by block and position, then by key."""
    changes: dict[tuple[str, int], dict[str, Any]] = defaultdict(dict)
    for axis, value in zip(axes, row.tolist(), strict=True):
        if isinstance(axis.target, Key):
            written = int(value) if axis.whole else Quantity(value, Unit.parse(axis.unit), axis.text(value))
            changes[axis.target.block, axis.target.position][axis.target.name] = written
    return changes


def _rebuilt(block: B, values: Mapping[str, Any]) -> B:
    """A block with other values."""
    written = {name: getattr(block, name) for name in block.model_fields_set}
    try:
        return type(block)(**{**written, **values})
    except ValidationError as error:
        raised = [one["ctx"]["error"] for one in error.errors() if "error" in one.get("ctx", {})]
        raise raised[0] if raised else error from None
