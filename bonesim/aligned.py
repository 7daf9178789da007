"""Arrays whose rows begin where the registers of vectors fit, and rows kept for results on the way.

Memory that NumPy gets from the system begins 16 bytes behind such a place, so that every load or store of 64 bytes
touches two lines of the cache; and an array for each result on the way is made far from those that were just used.
"""

from __future__ import annotations

import math
import threading

import numpy as np

FIT = 8
"""Numbers in a register, the largest there is, and in a line of the cache."""

LONG = 64
"""Numbers in rows that are worth it; shorter ones lie one behind the other."""


def aligned(*shape: int) -> np.ndarray:
    """A new array of doubles, not written yet; long rows along the last axis begin at multiples of 64 bytes."""
    *outer, length = shape
    if length < LONG:
        return np.empty(shape)
    stride = math.ceil(length / FIT) * FIT
    memory = np.empty(math.prod(outer) * stride + FIT)
    first = -(memory.__array_interface__["data"][0] // memory.itemsize) % FIT
    rows: np.ndarray = memory[first : memory.size - FIT + first].reshape(*outer, stride)[..., :length]
    return rows


def taken(array: np.ndarray, lanes: np.ndarray) -> np.ndarray:
    """(row, lane) some columns of an array as an aligned one."""
    return np.take(array, lanes, axis=1, out=aligned(len(array), lanes.size), mode="clip")  # `raise` would copy twice


class _Kept(threading.local):
    """The rows of a thread."""

    rows: tuple[np.ndarray, ...] = ()
    length = -1


_KEPT = _Kept()


def kept(count: int, length: int) -> tuple[np.ndarray, ...]:
    """`count` rows of `length` for what a function finds on its way; the next one that asks overwrites them.

    They are the same ones as long as the length is; one function that asks must not call another that does.
    """
    if _KEPT.length != length or len(_KEPT.rows) < count:
        _KEPT.rows, _KEPT.length = tuple(aligned(count, length)), length
    return _KEPT.rows[:count]
