"""An output was never written where the next time, a few bits later, was asked for twice: what its memory held before
came out."""

from __future__ import annotations

import numpy as np
import pytest
from equations import by_backend, event, model, solve


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_every_output_is_written(backend: str) -> None:
    near = 0.1 * 3
    assert 0 < near - 0.3 < 1e-15
    ode = model({"x": (1.0, "-x")}, {}, {}, [event(near, x="x + 1")])
    times = np.array([0.0, 0.25, 0.3, near, near, 1.0])
    with by_backend(backend):
        found = solve(ode, times).y[:, 0, 0]
    jumped = np.exp(-0.3) + 1
    exact = [1.0, np.exp(-0.25), np.exp(-0.3), np.exp(-0.3), jumped, jumped * np.exp(-0.7)]
    np.testing.assert_allclose(found, exact, rtol=2e-5)
