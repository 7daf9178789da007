"""The contract between generated code and the solver: what a model looks like once only arrays are left.

Vectors of a batch are (row, member), the member last and contiguous, so that one row is a whole vector;
matrices are (member, state, state), as batched linear algebra wants them. Nothing here knows biology.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np

Rows: TypeAlias = Sequence[np.ndarray]  # rows of a (row, member) array, unpacked once and used many times


@dataclass(frozen=True)
class Layout:
    """Names and units of the rows of the arrays a kernel works on."""

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    observables: tuple[str, ...]
    constants: tuple[str, ...]  # what depends on parameters alone, computed once a segment
    events: tuple[int, ...]  # how often each timed event happens
    pattern: tuple[tuple[int, int], ...]  # entries of the Jacobian that are not always zero
    autonomous: bool  # no rate depends on time itself
    time_unit: str


class Functions(Protocol):
    """What a back end generates from a model. All write into arrays that the caller owns.

    `t` is (member,); `y`, `p`, `k`, `dy`, `out` are rows over members of states, parameters, constants, rates
    and observables; `jacobian` is (member, state, state) with zeros where the pattern has none.
    """

    def initialise(self, p: np.ndarray, y: np.ndarray) -> None:
        """Initial assignments: fills computed rows of `p`, and `y`."""

    def constants(self, p: Rows, k: np.ndarray) -> None:
        """Everything that depends on parameters alone."""

    def rhs(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, dy: np.ndarray) -> None:
        """Rates of change."""

    def jacobian(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, jacobian: np.ndarray, by_time: np.ndarray) -> None:
        """Derivatives of the rates by states and by time."""

    def observe(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, out: np.ndarray) -> None:
        """The quantities asked for."""

    def event_times(self, p: Rows, k: Rows, times: np.ndarray, every: np.ndarray) -> None:
        """First time and interval of each timed event, (event, member)."""

    def fire(self, event: int, t: np.ndarray, y: np.ndarray, p: np.ndarray, k: Rows) -> None:
        """Apply one timed event to `y` and `p` in place."""


class Step(Protocol):
    """One step of all lanes by one method, as compiled by a back end."""

    method: str

    def advance(
        self,
        t: np.ndarray,
        h: np.ndarray,
        y: np.ndarray,
        p: np.ndarray,
        k: np.ndarray,
        rtol: float,
        atol: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Next states and error over tolerance, both (state, lane), and the dense rows (row, state, lane)."""


@dataclass(frozen=True)
class Kernels:
    """Generated functions with their layout and the file in which they can be read.

    A back end that has compiled the step of a method gives it as `step`; otherwise the solver does the step itself.
    """

    layout: Layout
    functions: Functions
    backend: str
    source_file: Path | None
    step: Step | None = None

    def constants(self, p: np.ndarray) -> np.ndarray:
        """(constant, member) what depends on the parameters `p` (parameter, member) alone."""
        k = np.empty((len(self.layout.constants), p.shape[1]))
        self.functions.constants(tuple(p), k)
        return k


@dataclass(frozen=True)
class Batch:
    """What the solver is handed: members that differ in parameters and initial values.

    parameters : (parameter, member), computed rows already filled
    initial : (state, member)
    t_out : (time,), increasing; the first is the start, the last the end
    """

    parameters: np.ndarray
    initial: np.ndarray
    t_out: np.ndarray

    def part(self, members: slice) -> Batch:
        """Some of the members."""
        return Batch(self.parameters[:, members], self.initial[:, members], self.t_out)

    @property
    def members(self) -> int:
        """How many members the batch has."""
        return int(self.parameters.shape[1])
