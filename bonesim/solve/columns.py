"""Some of the lanes of arrays whose last axis is the lane."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bonesim.system import Rows

Some: TypeAlias = np.ndarray | slice
"""Numbers of lanes in order, or all of them."""

EVERYONE = slice(None)


@dataclass(frozen=True)
class Columns:
    """Rows of an array at some of its lanes, each taken when it is read."""

    array: np.ndarray
    lanes: Some

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, row: int, /) -> np.ndarray:
        column: np.ndarray = self.array[row][self.lanes]  # in one index it would take twice as long
        return column

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self.__getitem__, range(len(self)))


def some_of(lanes: np.ndarray, width: int) -> Some:
    """Numbers of different lanes in order; all `width` of them as a slice, which copies nothing."""
    return EVERYONE if lanes.size == width else lanes


def rows_of(array: np.ndarray, lanes: Some) -> Rows:
    """The rows of an array at some of its lanes."""
    return array if isinstance(lanes, slice) else Columns(array, lanes)
