"""Symbolic elimination: replayed with numbers, it is the LU of the matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.codegen.sparse import Elimination, eliminate


def solve(plan: Elimination, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Follow the plan, entry by entry."""
    entry = {key: float(matrix[key]) for key in plan.slots}
    for pivot, below in plan.updates:
        for row, columns in below:
            entry[row, pivot] /= entry[pivot, pivot]
            for column in columns:
                entry[row, column] -= entry[row, pivot] * entry[pivot, column]
    x = right.copy()
    for row, pivot in plan.forward:
        x[row] -= entry[row, pivot] * x[pivot]
    for pivot, columns in plan.backward:
        x[pivot] = (x[pivot] - sum(entry[pivot, column] * x[column] for column in columns)) / entry[pivot, pivot]
    return x


@given(size=st.integers(1, 9), seed=st.integers(0, 10_000), density=st.floats(0, 1))
def test_the_plan_solves_the_system(size: int, seed: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(size, size)) * (rng.random((size, size)) < density)
    np.fill_diagonal(matrix, np.abs(matrix).sum(axis=1) + 1)  # as for small steps: the diagonal dominates
    pattern = [(int(row), int(column)) for row, column in np.argwhere(matrix)]
    right = rng.normal(size=size)
    found = solve(eliminate(size, pattern), matrix, right)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, right), rtol=1e-11, atol=1e-12)


def test_an_arrow_is_eliminated_without_fill_in() -> None:
    """Every state feeds the first: in the written order the whole matrix would fill, from the tips it does not."""
    size = 20
    pattern = [(0, i) for i in range(size)] + [(i, 0) for i in range(size)]
    assert len(eliminate(size, pattern).slots) == 3 * size - 2


@pytest.mark.parametrize("size", [1, 5])
def test_a_diagonal_needs_no_updates(size: int) -> None:
    plan = eliminate(size, [])
    assert plan.forward == []
    assert all(not columns for _, columns in plan.backward)
