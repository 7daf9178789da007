"""The linear systems of a step in NumPy: what is generated solves them, and so do inverses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from equations import batch_of, kernels_of, model
from hypothesis import given
from hypothesis import strategies as st

from bonesim.codegen.backends import numpy_linear
from bonesim.codegen.backends.numpy import build
from bonesim.model.ode import OdeModel
from bonesim.solve.integrate import FEWEST_LANES, MOST_LANES, integrate, lanes_for
from bonesim.solve.linear import Eliminated, Inverted, linear
from bonesim.solve.settings import Settings


def linear_model(matrix: np.ndarray, algebraic: int = 0) -> OdeModel:
    """x' = A x; the last states are `algebraic`."""
    names = [f"x{row}" for row in range(len(matrix))]
    rates = [
        " + ".join(f"{a!r}*{name}" for a, name in zip(row, names, strict=True) if a) or "0" for row in matrix.tolist()
    ]
    ode = model({name: (1, rate) for name, rate in zip(names, rates, strict=True)})
    last = len(names) - algebraic
    return ode.with_(states=tuple(replace(one, algebraic=row >= last) for row, one in enumerate(ode.states)))


@given(size=st.integers(1, 9), algebraic=st.integers(0, 2), seed=st.integers(0, 10_000), density=st.floats(0, 1))
def test_both_ways_solve_the_system(size: int, algebraic: int, seed: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(size, size)) * (rng.random((size, size)) < density)
    np.fill_diagonal(matrix, -np.abs(matrix).sum(axis=1) - 1)  # pivots on the diagonal will do
    algebraic = min(algebraic, size)
    kernels = build(linear_model(matrix, algebraic), [])
    slopes = np.repeat([[matrix[entry]] for entry in kernels.layout.pattern], 3, axis=1)
    shift, right = rng.uniform(0, 1e6, 3), rng.normal(size=(size, 3))
    mass = np.diag(np.arange(size) < size - algebraic)
    for way in (Eliminated(kernels.functions, kernels.layout), Inverted(kernels.layout)):
        x = right.copy()
        way.factor(shift, slopes)
        way.solve(x)
        for lane in range(3):
            exact = np.linalg.solve(shift[lane] * mass - matrix, right[:, lane])
            np.testing.assert_allclose(x[:, lane], exact, rtol=1e-10, atol=1e-12 * np.abs(exact).max())


def test_a_matrix_that_is_too_full_is_inverted(monkeypatch: pytest.MonkeyPatch) -> None:
    ode = linear_model(np.array([[-1.0, 0.5, 0.2], [0.3, -2.0, 0.1], [0.0, 0.4, -1.0]]), algebraic=1)
    written = kernels_of(ode)
    monkeypatch.setattr(numpy_linear, "WRITTEN", 0)
    inverted = build(ode, [state.id for state in ode.states])
    assert isinstance(linear(written.functions, written.layout), Eliminated)
    assert isinstance(linear(inverted.functions, inverted.layout), Inverted)
    one, other = (integrate(kernels, batch_of(kernels, ode, [0.0, 1.0, 5.0])) for kernels in (written, inverted))
    np.testing.assert_allclose(one.y, other.y, rtol=1e-10)
    assert one.steps.tolist() == other.steps.tolist()


def test_small_models_have_many_lanes_and_large_ones_few() -> None:
    layout, settings = kernels_of(linear_model(-np.eye(3))).layout, Settings()
    assert lanes_for(layout, settings) == MOST_LANES
    large = replace(layout, states=tuple(f"x{row}" for row in range(5000)))
    assert lanes_for(large, settings) == FEWEST_LANES
