"""What a batch of members did."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from bonesim.solve.status import Status


@dataclass
class Memory:
    """Room for outputs that one batch after another writes to; its pages are new to the machine but once.

    What was written there holds until the next batch.
    """

    block: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint8))

    def array(self, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """Room for an array of this shape, whatever it holds."""
        size = prod(shape) * np.dtype(dtype).itemsize
        if self.block.nbytes < size:
            self.block = np.empty(size, np.uint8)
        return self.block[:size].view(dtype).reshape(shape)


@dataclass(frozen=True)
class Solution:
    """The outcome of every member of a batch; the solver fills its arrays member by member.

    t : (time,) output times, in the model's time unit
    y : (time, observable, member), NaN after a member's end; in memory a member's course lies in one piece
    end : (state, member) states where the member stopped
    status : (member,) codes of `Status`
    stop_time : (member,) time where the member stopped
    atol : (state, member) absolute tolerances that were used
    steps, rejected : (member,) steps tried, and how many of them were refused
    fault : (3, member) of a member that ended early: what is to blame (the row of a state, behind all states that of
        a located condition, or the number of an event), its error over tolerance, the step size
    cause : text of each member that failed
    """

    t: np.ndarray
    y: np.ndarray
    end: np.ndarray
    status: np.ndarray
    stop_time: np.ndarray
    atol: np.ndarray
    steps: np.ndarray
    rejected: np.ndarray
    fault: np.ndarray
    cause: dict[int, str] = field(default_factory=dict)

    @classmethod
    def empty(
        cls,
        t: np.ndarray,
        observables: int,
        atol: np.ndarray,
        dtype: DTypeLike = np.float64,
        memory: Memory | None = None,
    ) -> Solution:
        """A solution in which nothing has happened yet; who fills it writes all of `y`."""
        states, members = atol.shape
        return cls(
            t=t,
            y=(memory or Memory()).array((members, observables, len(t)), dtype).T,
            end=np.full((states, members), np.nan),
            status=np.zeros(members, np.int8),
            stop_time=np.full(members, t[0], float),
            atol=atol,
            steps=np.zeros(members, np.int32),
            rejected=np.zeros(members, np.int32),
            fault=np.zeros((3, members), np.float32),
        )

    def part(self, members: slice) -> Solution:
        """A view of some members."""
        return Solution(
            t=self.t,
            y=self.y[:, :, members],
            end=self.end[:, members],
            status=self.status[members],
            stop_time=self.stop_time[members],
            atol=self.atol[:, members],
            steps=self.steps[members],
            rejected=self.rejected[members],
            fault=self.fault[:, members],
        )

    @property
    def ok(self) -> bool:
        """Whether every member arrived; one that an event of the model ended did."""
        return all(Status(code).arrived for code in np.unique(self.status))
