"""A parameter or computed constant called `v1`, as rates often are, was divided by in place of what the generated code
calls so in an equation without it: wrong numbers, in the compiled back end alone, and no word about it."""

from __future__ import annotations

import numpy as np
import pytest
from equations import by_backend, event, model, solve

OTHER = "other"
NAMES = [f"v{number}" for number in range(1, 5)]
"""What the code calls values that it needs twice."""


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_that_an_equation_does_not_read(name: str, backend: str) -> None:
    def solved(parameter: str) -> tuple[np.ndarray, np.ndarray]:
        ode = model(
            {"x": (1, "a/(1 + x) - x/(1 + x)")},
            {"a": 3.0, parameter: 7.0},
            {"constant": f"2*{parameter}", "seen": "1/(2 + x) + x/(2 + x)"},
            [event(0.5, x=f"x/{parameter}")],
        )
        solution = solve(ode, np.linspace(0.0, 1.0, 5), "x", "constant", "seen")
        return solution.y, solution.steps

    expected, steps = solved(OTHER)
    with by_backend(backend):
        found, taken = solved(name)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_array_equal(taken, steps)
