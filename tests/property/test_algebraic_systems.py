"""Linear systems of algebraic rules against elimination in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from chemistry import read
from hypothesis import assume, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bonesim.simulate import simulate


@pytest.mark.parametrize(
    ("symbolic", "backend"), [(False, "numpy"), (True, "numpy"), (True, "llvm")], ids=["numbers", "numpy", "llvm"]
)
@given(size=st.integers(1, 4), seed=st.integers(0, 10_000), density=st.floats(0.4, 1))
@example(size=3, seed=146, density=1.0)  # in these, a coefficient cancels inside a product
@example(size=3, seed=1577, density=0.7)
@example(size=4, seed=559, density=1.0)
@example(size=4, seed=1460, density=0.7)
@examples(max_examples=25)
def test_rules_in_any_order_are_a_linear_system(
    symbolic: bool, backend: str, size: int, seed: int, density: float
) -> None:
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
    result = simulate(model, [0, 1], names, rtol=1e-9, atol=1e-12, backend=backend)
    found = np.array([result[name].values for name in names])
    np.testing.assert_allclose(matrix @ found, np.outer(right, result_of_decay()), rtol=1e-6, atol=1e-9)


def result_of_decay() -> np.ndarray:
    return np.exp(-np.array([0.0, 1.0]))
