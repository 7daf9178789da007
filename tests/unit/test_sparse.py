"""Symbolic elimination: replayed with numbers, it solves the system, and does no work twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.codegen.sparse import Elimination, components, eliminate


def solve(plan: Elimination, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Follow the plan, entry by entry; blocks that are not the first of their kind read what was stored for it."""
    stored = np.full(plan.stored, np.nan)
    at = plan.slots
    for i in plan.factored:
        columns = (*plan.lower[i], i, *plan.upper[i])
        stored[[at[i, j] for j in columns]] = matrix[i, columns]
        for k in plan.lower[i]:
            stored[at[i, k]] /= stored[at[k, k]]
            for j in plan.upper[k]:
                stored[at[i, j]] -= stored[at[i, k]] * stored[at[k, j]]
    x = right.copy()
    for block in plan.blocks:
        for i in block.rows:
            x[i] -= sum(matrix[i, j] * x[j] for j in plan.before[i])
            x[i] -= sum(stored[at[i, k]] * x[k] for k in plan.lower[i])
        for i in reversed(block.rows):
            x[i] = (x[i] - sum(stored[at[i, j]] * x[j] for j in plan.upper[i])) / stored[at[i, i]]
    return x


def dominant(matrix: np.ndarray) -> np.ndarray:
    """The matrix with a diagonal as for small steps: larger than all the rest of its row."""
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, np.abs(matrix).sum(axis=1) + 1)
    return matrix


def entries(matrix: np.ndarray) -> dict[tuple[int, int], float]:
    """What is not zero, by place; equal numbers count as the same expression."""
    return {(int(i), int(j)): float(matrix[i, j]) for i, j in np.argwhere(matrix)}


@given(size=st.integers(1, 9), seed=st.integers(0, 10_000), density=st.floats(0, 1))
def test_the_plan_solves_the_system(size: int, seed: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    matrix = dominant(rng.normal(size=(size, size)) * (rng.random((size, size)) < density))
    right = rng.normal(size=size)
    found = solve(eliminate(size, entries(matrix)), matrix, right)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, right), rtol=1e-11, atol=1e-12)


@given(size=st.integers(1, 5), copies=st.integers(2, 4), seed=st.integers(0, 10_000))
def test_equal_blocks_are_factored_once(size: int, copies: int, seed: int) -> None:
    """A ring of states, and below it copies of the ring that read it, as slopes of a model do."""
    rng = np.random.default_rng(seed)
    ring = dominant(np.roll(np.diag(rng.uniform(1, 2, size)), 1, axis=1) + np.eye(size))
    matrix = np.kron(np.eye(copies), ring)
    matrix[size:, :size] = rng.normal(size=(size * (copies - 1), size))
    plan = eliminate(size * copies, entries(matrix))
    assert sorted(plan.factored) == list(range(size))
    right = rng.normal(size=size * copies)
    np.testing.assert_allclose(solve(plan, matrix, right), np.linalg.solve(matrix, right), rtol=1e-11, atol=1e-12)


def test_blocks_that_differ_in_one_entry_are_not_taken_for_the_same() -> None:
    same = {(0, 1): "a", (1, 0): "b", (2, 3): "a", (3, 2): "b"}
    assert [block.is_first for block in eliminate(4, same).blocks] == [True, False]
    assert [block.is_first for block in eliminate(4, same | {(3, 2): "c"}).blocks] == [True, True]


def test_an_arrow_is_eliminated_without_fill_in() -> None:
    """Every state feeds the first: in the written order the whole matrix would fill, from the tips it does not."""
    size = 20
    arrow = {(0, i): i for i in range(size)} | {(i, 0): -i for i in range(size)}
    assert len(eliminate(size, arrow).slots) == 3 * size - 2


@pytest.mark.parametrize("size", [1, 5])
def test_a_diagonal_needs_no_updates(size: int) -> None:
    plan = eliminate(size, {})
    assert plan.operations == size
    assert not any((*plan.before.values(), *plan.lower.values(), *plan.upper.values()))


@given(size=st.integers(1, 8), seed=st.integers(0, 10_000), density=st.floats(0, 0.5))
def test_components_reach_each_other_and_come_after_what_they_read(size: int, seed: int, density: float) -> None:
    """Against reachability by powers of the adjacency matrix."""
    reads = np.random.default_rng(seed).random((size, size)) < density
    reaches = np.linalg.matrix_power((reads | np.eye(size, dtype=bool)).astype(float), size) > 0
    found = components({i: {int(j) for j in np.flatnonzero(reads[i])} for i in range(size)})
    assert sorted(node for group in found for node in group) == list(range(size))
    place = {node: number for number, group in enumerate(found) for node in group}
    for i in range(size):
        for j in range(size):
            assert (place[i] == place[j]) == bool(reaches[i, j] and reaches[j, i])
            assert not reaches[i, j] or place[j] <= place[i]
