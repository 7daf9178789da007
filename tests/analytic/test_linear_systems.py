"""Random stable linear systems against the matrix exponential."""

from __future__ import annotations

import numpy as np
import pytest
from equations import model, solve
from scipy.linalg import expm

from bonesim.solve.methods.rosenbrock import METHODS
from bonesim.solve.settings import Settings

pytestmark = pytest.mark.usefixtures("backend")

RTOL = 1e-7
TIMES = np.array([0.0, 0.05, 1.0, 1.5, 10.0])


def random_stable(seed: int, size: int, spread: float) -> np.ndarray:
    """A matrix with real and complex eigenvalues, real parts from -1 to -spread, and skew eigenvectors."""
    rng = np.random.default_rng(seed)
    blocks = np.diag(-(spread ** rng.uniform(0.0, 1.0, size)))
    for row in range(0, size - 1, 2):
        blocks[row + 1, row + 1] = blocks[row, row]
        blocks[row, row + 1], blocks[row + 1, row] = 2.0, -2.0
    basis = np.eye(size) + 0.3 * rng.standard_normal((size, size))
    return basis @ blocks @ np.linalg.inv(basis)


def amplification(matrix: np.ndarray) -> float:
    """The most by which an error (largest component) can grow: max over t of the norm of exp(A t)."""
    return max(float(np.linalg.norm(expm(matrix * t), np.inf)) for t in np.linspace(0.0, 5.0, 101))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("size", "spread"), [(1, 1.0), (2, 10.0), (5, 1e3), (9, 1e5)])
@pytest.mark.parametrize("seed", [0, 1])
def test_against_the_matrix_exponential(method: str, size: int, spread: float, seed: int) -> None:
    matrix = random_stable(seed, size, spread)
    start = np.random.default_rng(seed).uniform(0.5, 1.5, size)
    states = {
        f"y{row}": (start[row], " + ".join(f"a{row}_{column}*y{column}" for column in range(size)))
        for row in range(size)
    }
    entries = {f"a{row}_{column}": matrix[row, column] for row in range(size) for column in range(size)}
    solution = solve(model(states, entries), TIMES, settings=Settings(rtol=RTOL, method=method))
    exact = np.array([expm(matrix * t) @ start for t in TIMES])
    # What a step adds can grow by `amplification` and then decays; the estimate held below rtol is that of a solution
    # one order lower than the one carried on, which makes up for the number of steps within a time constant.
    tolerance = RTOL * np.abs(exact).max() * amplification(matrix)
    assert np.abs(solution.y[:, :, 0] - exact).max() < tolerance
    np.testing.assert_array_equal(solution.end[:, 0], solution.y[-1, :, 0])
