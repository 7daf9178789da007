"""Linear systems of algebraic rules against elimination in NumPy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from chemistry import read
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bonesim.errors import SimulationError
from bonesim.simulate import simulate
from bonesim.solve.status import Status


@pytest.mark.parametrize("symbolic", [False, True], ids=["numbers", "parameters"])
@given(size=st.integers(1, 4), seed=st.integers(0, 10_000), density=st.floats(0.4, 1))
@examples(max_examples=12)
def test_rules_in_any_order_are_a_linear_system(symbolic: bool, size: int, seed: int, density: float) -> None:
    """A x = b s with s' = -s: numbers are eliminated beforehand, parameters are left to the solver."""
    rng = np.random.default_rng(seed)
    matrix = np.where(rng.random((size, size)) < density, rng.integers(-4, 5, (size, size)), 0).astype(float)
    right = rng.integers(1, 5, size)
    assume(abs(np.linalg.det(matrix)) > 0.5)
    names = [f"x{number}" for number in range(size)]
    entries = {f"a{i}{j}": matrix[i, j] for i in range(size) for j in range(size) if matrix[i, j]}
    rows = [
        " + ".join(
            f"({f'a{i}{j}' if symbolic else matrix[i, j]})*{name}" for j, name in enumerate(names) if matrix[i, j]
        )
        for i in range(size)
    ]
    values = "".join(f"{name} = {value};" for name, value in entries.items()) if symbolic else ""
    text = "s = 1; s' = -s;" + "".join(f"var {name};" for name in names) + values
    model = read(text, zero=[f"{row} - {number}*s" for row, number in zip(rows, right, strict=True)])
    try:
        result = simulate(model, [0, 1], names, rtol=1e-9, atol=1e-12, backend="numpy")
    except SimulationError as error:
        # Elimination goes in an order that is fixed beforehand; where a part of the system is singular, it may not go
        # on, and says so.
        assume(not (symbolic and error.status == Status.NO_CONSISTENT_START and has_singular_part(matrix)))
        raise
    found = np.array([result[name].values for name in names])
    np.testing.assert_allclose(matrix @ found, np.outer(right, result_of_decay()), rtol=1e-6, atol=1e-9)


def has_singular_part(matrix: np.ndarray) -> bool:
    """Whether a square part of two or more rows and columns, but not the whole, has no inverse."""
    size = len(matrix)
    return any(
        abs(np.linalg.det(matrix[np.ix_(rows, columns)])) < 1e-9
        for count in range(2, size)
        for rows in combinations(range(size), count)
        for columns in combinations(range(size), count)
    )


def result_of_decay() -> np.ndarray:
    return np.exp(-np.array([0.0, 1.0]))
