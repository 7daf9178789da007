"""Rows that begin where registers fit, and those that a thread keeps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bonesim.aligned import LONG, aligned, kept, taken


def address(row: np.ndarray) -> int:
    return int(row.__array_interface__["data"][0])


@pytest.mark.parametrize("length", [LONG, LONG + 1, 100, 1024, 2046, 8191])
def test_long_rows_begin_at_lines_of_the_cache(length: int) -> None:
    block = aligned(3, 5, length)
    assert block.shape == (3, 5, length)
    assert {address(row) % 64 for plane in block for row in plane} == {0}
    block[:] = np.arange(15.0).reshape(3, 5, 1)  # no row runs into another
    np.testing.assert_array_equal(block[..., 0], block[..., -1])
    np.testing.assert_array_equal(block[..., 0].ravel(), np.arange(15.0))


@pytest.mark.parametrize("shape", [(0, 100), (4, 0), (2, 1), (3, LONG - 1), (2, 0, 200)])
def test_other_shapes(shape: tuple[int, ...]) -> None:
    block = aligned(*shape)
    assert block.shape == shape
    assert block.dtype == float


def test_columns_are_taken_in_their_order() -> None:
    array, lanes = np.arange(600.0).reshape(3, 200), np.arange(199, 0, -2)
    np.testing.assert_array_equal(taken(array, lanes), array[:, lanes])
    assert address(taken(array, lanes)) % 64 == 0


def test_kept_rows_do_not_overlap_and_are_the_same_ones_next_time() -> None:
    rows = kept(4, 100)
    for number, row in enumerate(rows):
        row[:] = number
    assert [set(row) for row in rows] == [{0.0}, {1.0}, {2.0}, {3.0}]
    assert [address(row) for row in kept(3, 100)] == [address(row) for row in rows[:3]]
    assert [row.size for row in kept(2, 7)] == [7, 7]
    assert len(kept(6, 7)) == 6


def test_each_thread_keeps_its_own() -> None:
    mine = kept(1, 50)[0]
    with ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(kept, 1, 50).result()[0]
    assert not np.shares_memory(mine, theirs)
