"""The plan of a sweep: what will be run, checked and printable, before any of it is."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bonesim.model.ode import Parameter
from bonesim.scenario.fits import check_design
from bonesim.scenario.schema import Scenario
from bonesim.scenario.stated import Stated, notice, stated
from bonesim.scenario.variants import Variants
from bonesim.scenario.vary import Axis, unit_factor
from bonesim.sweep.design import design

CHUNK_MEMORY = 256e6
"""Bytes that the courses of one chunk may take while it is solved."""

FEWEST, MOST = 64, 4096
"""Members of a chunk: enough to fill the lanes of all threads, few enough to see it advance."""

PARTS = 16
"""Chunks that a sweep is cut into at least, as far as they do not become too small."""


@dataclass(frozen=True)
class Plan:
    """A sweep as numbers; a pure function of the scenario.

    matrix : (member, axis) value of each axis in its own unit
    chunk : members of one chunk
    """

    scenario: Scenario
    variants: Variants
    matrix: np.ndarray
    chunk: int

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The varied quantities."""
        return self.variants.axes

    @property
    def members(self) -> int:
        """How many members there are."""
        return len(self.matrix)

    @property
    def chunks(self) -> list[slice]:
        """Members of each chunk."""
        return [slice(start, min(start + self.chunk, self.members)) for start in range(0, self.members, self.chunk)]

    @cached_property
    def document(self) -> dict[str, Any]:
        """The design as it goes into files."""
        assert self.scenario.sweep is not None
        return {
            "kind": self.scenario.sweep.design,
            "seed": self.scenario.sweep.seed,
            "members": self.members,
            "axes": [_axis_document(axis, said) for axis, said in self._stated],
            "notices": self.notices,
            "hash": hashlib.sha256(np.ascontiguousarray(self.matrix).tobytes()).hexdigest(),
        }

    @property
    def notices(self) -> list[str]:
        """What whoever reads the results ought to know: which numbers leave what is stated, or usual, for them."""
        found = (notice(axis, said, self._usual(axis)) for axis, said in self._stated)
        return [text for text in found if text]

    @property
    def _stated(self) -> list[tuple[Axis, Stated | None]]:
        return [(axis, stated(axis, self.variants.base.numbers)) for axis in self.axes]

    def _usual(self, axis: Axis) -> float | None:
        """The value of a parameter in the scenario as it stands, in the unit of the axis; None for other axes."""
        symbol = self.variants.base.model.by_id[axis.target] if isinstance(axis.target, str) else None
        return symbol.value / unit_factor(axis, symbol.unit) if isinstance(symbol, Parameter) else None

    @cached_property
    def scenario_hash(self) -> str:
        """SHA-256 of the scenario's text."""
        return hashlib.sha256(self.scenario.text.encode()).hexdigest()

    def values(self, member: int) -> dict[str, str]:
        """The values of one member by path, as they would be written in the scenario."""
        return {axis.path: axis.text(value) for axis, value in zip(self.axes, self.matrix[member], strict=True)}


def plan(scenario: Scenario) -> Plan:
    """The plan of a scenario's sweep.

    Raises
    ------
    InputError
        If the scenario has no sweep, a path names nothing that can be varied, or a member is no scenario.
    """
    variants = Variants(scenario)
    matrix = design(scenario, variants.axes)
    check_design(variants, matrix)
    base = variants.base
    numbers = len(base.t_out) * (len(base.outputs) + len(base.ledger)) * len(base.arms)
    return Plan(scenario, variants, matrix, _chunk(len(matrix), numbers))


def _chunk(members: int, numbers: int) -> int:
    """Members of a chunk, where each member has so many numbers."""
    fitting = int(CHUNK_MEMORY / (8 * numbers))
    return int(np.clip(-(-members // PARTS), min(FEWEST, fitting) or 1, max(1, min(MOST, fitting))))


def _axis_document(axis: Axis, said: Stated | None) -> dict[str, Any]:
    values: dict[str, Any] = {"levels": list(axis.levels)} if axis.levels else {"low": axis.low, "high": axis.high}
    known = {"stated": asdict(said)} if said else {}
    return {"path": axis.path, "unit": axis.unit, "label": axis.label, "scale": axis.scale, **values, **known}
