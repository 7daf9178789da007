"""The slope of x^(a b) was taken from x^(1 + y): both exponents bore one name, each in its own block. The order of the
method was lost, in the compiled back end alone."""

from __future__ import annotations

import numpy as np
from equations import by_backend, model, solve

from bonesim.solve.settings import Settings


def test_slopes_of_compound_exponents_are_their_own() -> None:
    ode = model(
        {"x": (0.6, "2 - x**(1 + y) - 0.5*x**(a*b)"), "y": (0.4, "x - y*(1 + y)")},
        {"a": 1.3, "b": 1.9},
    )
    found = {}
    for backend in ("numpy", "llvm"):
        with by_backend(backend):
            found[backend] = solve(ode, np.linspace(0.0, 5.0, 11), settings=Settings(rtol=1e-8), a=[1.3, 1.7, 2.1])
    plain, compiled = found["numpy"], found["llvm"]
    np.testing.assert_array_equal(compiled.steps, plain.steps)
    np.testing.assert_allclose(compiled.y, plain.y, rtol=1e-12)
